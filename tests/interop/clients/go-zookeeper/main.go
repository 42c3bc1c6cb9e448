// What an application does with go-zookeeper. Argument: host:port. Prints `ask kill` once: the server is then killed and
// started again while a lock is held and a watch is set.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

const root = "/go"

var (
	failures int
	open     = zk.WorldACL(zk.PermAll)
)

type quiet struct{}

func (quiet) Printf(string, ...interface{}) {}

func check(step string, good bool, seen ...interface{}) {
	if good {
		fmt.Println("ok " + step)
	} else {
		failures++
		fmt.Printf("failed %s: %v\n", strings.ReplaceAll(step, ": ", ", "), seen)
	}
}

// connect returns a session and a channel that is told each time it has one.
func connect() (*zk.Conn, chan int64) {
	conn, events, err := zk.Connect([]string{os.Args[1]}, 15*time.Second, zk.WithLogger(quiet{}), zk.WithLogInfo(false))
	if err != nil {
		check("a session", false, err)
		os.Exit(1)
	}
	sessions := make(chan int64, 16)
	go func() {
		for event := range events {
			if event.State == zk.StateHasSession {
				sessions <- conn.SessionID()
			}
		}
	}()
	return conn, sessions
}

func hear(events <-chan zk.Event) zk.Event {
	select {
	case event := <-events:
		return event
	case <-time.After(15 * time.Second):
		return zk.Event{}
	}
}

func tree(a, b *zk.Conn) {
	path, err := a.Create(root, []byte("one"), 0, open)
	check("create", err == nil && path == root, err)
	_, err = a.Create(root, nil, 0, open)
	check("create twice", errors.Is(err, zk.ErrNodeExists), err)
	data, stat, changed, err := b.GetW(root)
	check("get", err == nil && string(data) == "one" && stat.Version == 0, err, stat)
	stat, err = a.Set(root, []byte("two"), 0)
	check("set", err == nil && stat.Version == 1, err, stat)
	event := hear(changed)
	check("its watch", event.Type == zk.EventNodeDataChanged && event.Path == root, event)
	_, err = a.Set(root, nil, 0)
	check("set of an old version", errors.Is(err, zk.ErrBadVersion), err)
	there, _, made, err := b.ExistsW(root + "/x")
	check("exists", err == nil && !there, err)
	_, err = a.Create(root+"/x", nil, zk.FlagEphemeral, open)
	event = hear(made)
	check("its watch on what is not there", err == nil && event.Type == zk.EventNodeCreated, err, event)
	names, stat, below, err := b.ChildrenW(root)
	check("children", err == nil && len(names) == 1 && names[0] == "x" && stat.NumChildren == 1, err, names)
	path, err = a.Create(root+"/s-", nil, zk.FlagEphemeral|zk.FlagSequence, open)
	check("a sequential node", err == nil && path == root+"/s-0000000001", err, path)
	event = hear(below)
	check("the children's watch", event.Type == zk.EventNodeChildrenChanged, event)
	_, err = a.Create(root+"/x/y", nil, 0, open)
	check("none below an ephemeral", errors.Is(err, zk.ErrNoChildrenForEphemerals), err)
	path, err = a.CreateProtectedEphemeralSequential(root+"/p-", nil, open)
	check("a protected one", err == nil && strings.Contains(path, "/_c_") && strings.HasSuffix(path, "p-0000000002"), err, path)
	path, err = a.CreateContainer(root+"/box", []byte("c"), zk.FlagContainer, open)
	check("a container", err == nil && path == root+"/box", err)
	path, err = a.CreateTTL(root+"/ttl", []byte("t"), zk.FlagTTL, open, time.Hour)
	check("a time to live", err == nil && path == root+"/ttl", err)
	check("delete", a.Delete(root+"/ttl", -1) == nil && errors.Is(a.Delete(root+"/ttl", -1), zk.ErrNoNode))
	path, err = a.Sync(root)
	check("sync", err == nil && path == root, err)
}

func multi(a *zk.Conn) {
	results, err := a.Multi(&zk.CreateRequest{Path: root + "/m", Data: []byte("m"), Acl: open}, &zk.SetDataRequest{Path: root, Data: nil, Version: -1},
		&zk.CheckVersionRequest{Path: root + "/m", Version: 0}, &zk.DeleteRequest{Path: root + "/m", Version: -1})
	check("a multi", err == nil && len(results) == 4 && results[0].String == root+"/m" && results[1].Stat.Version == 2, err, results)
	results, err = a.Multi(&zk.CreateRequest{Path: root + "/n", Acl: open}, &zk.DeleteRequest{Path: root + "/nothing", Version: -1})
	there, _, _ := a.Exists(root + "/n")
	check("one that fails", errors.Is(err, zk.ErrNoNode) && !there && len(results) == 2 && errors.Is(results[1].Error, zk.ErrNoNode), err, results)
}

func access(a, b *zk.Conn) {
	check("a digest", a.AddAuth("digest", []byte("ann:secret")) == nil)
	_, err := a.Create(root+"/mine", []byte("m"), 0, zk.DigestACL(zk.PermAll, "ann", "secret"))
	_, _, refused := b.Get(root + "/mine")
	check("keeps others out", err == nil && errors.Is(refused, zk.ErrNoAuth), err, refused)
	acl, stat, err := a.GetACL(root + "/mine")
	check("getACL", err == nil && len(acl) == 1 && acl[0].Scheme == "digest" && stat.Aversion == 0, err, acl)
	stat, err = a.SetACL(root+"/mine", zk.WorldACL(zk.PermRead), 0)
	data, _, allowed := b.Get(root + "/mine")
	check("setACL", err == nil && stat.Aversion == 1 && allowed == nil && string(data) == "m", err, allowed)
}

func locks(a, b *zk.Conn) {
	var inside, wrong int
	var done sync.WaitGroup
	for _, conn := range []*zk.Conn{a, b, a, b} {
		done.Add(1)
		go func(conn *zk.Conn) {
			defer done.Done()
			for n := 0; n < 5; n++ {
				lock := zk.NewLock(conn, root+"/lock", open)
				if lock.Lock() != nil {
					wrong++
					return
				}
				inside++
				if inside != 1 {
					wrong++
				}
				inside--
				lock.Unlock()
			}
		}(conn)
	}
	done.Wait()
	check("a lock that four want", wrong == 0, wrong)
}

func restart(a, b *zk.Conn, sessions chan int64) {
	held := zk.NewLock(a, root+"/held", open)
	check("a lock is held", held.Lock() == nil)
	_, _, changed, err := a.GetW(root)
	check("and a watch set", err == nil, err)
	before := a.SessionID()
	for len(sessions) > 0 {
		<-sessions
	}
	fmt.Println("ask kill")
	bufio.NewReader(os.Stdin).ReadString('\n')
	select {
	case again := <-sessions:
		check("the session comes back", again == before, again, before)
	case <-time.After(30 * time.Second):
		check("the session comes back", false)
	}
	var there bool
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if there, _, err = b.Exists(root + "/held"); err == nil {
			break
		}
	}
	names, _, err := b.Children(root + "/held")
	check("the lock's node is kept", there && err == nil && len(names) == 1, err, names)
	_, err = b.Set(root, []byte("after"), -1)
	event := hear(changed)
	check("the watch still fires", err == nil && event.Type == zk.EventNodeDataChanged, err, event)
	check("the lock is given back", held.Unlock() == nil)
}

func remove(conn *zk.Conn, path string) error {
	names, _, err := conn.Children(path)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err = remove(conn, path+"/"+name); err != nil && !errors.Is(err, zk.ErrNoNode) {
			return err
		}
	}
	return conn.Delete(path, -1)
}

func main() {
	a, sessions := connect()
	b, _ := connect()
	tree(a, b)
	multi(a)
	access(a, b)
	locks(a, b)
	restart(a, b, sessions)
	_, _, gone, err := b.ExistsW(root + "/x")
	a.Close()
	event := hear(gone)
	check("a closed session takes its nodes along", err == nil && event.Type == zk.EventNodeDeleted, err, event)
	check("all of it can be removed", remove(b, root) == nil)
	b.Close()
	if failures > 0 {
		os.Exit(1)
	}
}
