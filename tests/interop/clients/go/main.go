// What an application does with franz-go. Arguments: BOOTSTRAP PREFIX
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	partitions = 3
	each       = 200
)

var (
	failures int
	ctx      = context.Background()
)

func check(step string, good bool, seen ...interface{}) {
	if good {
		fmt.Println("ok " + step)
	} else {
		failures++
		fmt.Printf("failed %s: %v\n", strings.ReplaceAll(step, ": ", ", "), seen)
	}
}

func within(seconds int, condition func() bool) bool {
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for !condition() {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(30 * time.Millisecond)
	}
	return true
}

func must(err error) {
	if err != nil {
		check("the scenario runs to its end", false, err)
		os.Exit(1)
	}
}

type place struct {
	partition int32
	offset    int64
}

func key(i int) []byte {
	if i%7 == 0 {
		return nil
	}
	return []byte(fmt.Sprintf("key-%d", i))
}

func value(round string, i int) []byte {
	if i%50 == 49 {
		return nil
	}
	v := []byte(fmt.Sprintf("%s %d 한국어 ", round, i))
	for b := 0; b < (i*37)%700; b++ {
		v = append(v, byte(b/3*31+i))
	}
	return v
}

type sentRecord struct {
	round string
	i     int
}

func produce(bootstrap, topic, round string, sent map[place]sentRecord) {
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	for _, codec := range codecs {
		client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ProducerBatchCompression(codec),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond))
		must(err)
		var records []*kgo.Record
		for i := 0; i < each; i++ {
			records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Key: key(i), Value: value(round, i),
				Headers: []kgo.RecordHeader{{Key: "round", Value: []byte(round)}, {Key: "empty", Value: []byte{}}}})
		}
		results := client.ProduceSync(ctx, records...)
		must(results.FirstErr())
		// results come in the order of their completion: find each record by its pointer
		number := map[*kgo.Record]int{}
		for i, r := range records {
			number[r] = i
		}
		for _, r := range results {
			sent[place{r.Record.Partition, r.Record.Offset}] = sentRecord{round, number[r.Record]}
		}
		client.Close()
	}
}

type member struct {
	client   *kgo.Client
	mu       *sync.Mutex
	got      map[place]*kgo.Record
	twice    *[]place
	assigned map[int32]bool
	failure  error
	cancel   context.CancelFunc
	done     chan struct{}
}

func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.assigned)
}

func join(bootstrap, topic, group string, mu *sync.Mutex, got map[place]*kgo.Record, twice *[]place) *member {
	m := &member{mu: mu, got: got, twice: twice, assigned: map[int32]bool{}, done: make(chan struct{})}
	change := func(held bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(c context.Context, client *kgo.Client, parts map[string][]int32) {
			if !held {
				if err := client.CommitUncommittedOffsets(c); err != nil {
					m.failure = err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, p := range parts[topic] {
				if held {
					m.assigned[p] = true
				} else {
					delete(m.assigned, p)
				}
			}
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.HeartbeatInterval(200*time.Millisecond), kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)))
	must(err)
	m.client = client
	var c context.Context
	c, m.cancel = context.WithCancel(ctx)
	go func() {
		defer close(m.done)
		for c.Err() == nil {
			fetches := client.PollFetches(c)
			fetches.EachError(func(_ string, _ int32, err error) {
				if c.Err() == nil {
					m.failure = err
				}
			})
			mu.Lock()
			fetches.EachRecord(func(r *kgo.Record) {
				at := place{r.Partition, r.Offset}
				if got[at] != nil {
					*twice = append(*twice, at)
				}
				got[at] = r
			})
			mu.Unlock()
			client.AllowRebalance()
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			m.failure = err
		}
		client.CloseAllowingRebalance()
	}()
	return m
}

func (m *member) leave() {
	m.cancel()
	<-m.done
}

func main() {
	bootstrap, topic, group := os.Args[1], os.Args[2]+"-topic", os.Args[2]+"-group"
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	must(err)
	admin := kadm.NewClient(client)
	days := "7200000"
	created, err := admin.CreateTopic(ctx, partitions, 1, map[string]*string{"segment.ms": &days}, topic)
	must(err)
	must(created.Err)
	has := func() bool {
		topics, err := admin.ListTopics(ctx)
		return err == nil && topics.Has(topic)
	}
	check("create a topic", within(20, has))
	configs, err := admin.DescribeTopicConfigs(ctx, topic)
	must(err)
	set := ""
	for _, c := range configs[0].Configs {
		if c.Key == "segment.ms" {
			set = c.MaybeValue()
		}
	}
	check("DescribeTopicConfigs shows what was set", set == days, set)

	sent := map[place]sentRecord{}
	produce(bootstrap, topic, "first", sent)
	check("produce in every codec, idempotent", len(sent) == 5*each, len(sent))
	var mu sync.Mutex
	got, twice := map[place]*kgo.Record{}, []place{}
	number := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(got)
	}
	one := join(bootstrap, topic, group, &mu, got, &twice)
	check("one member is given all partitions", within(30, func() bool { return one.count() == partitions }), one.assigned)
	check("and reads all that is there", within(30, func() bool { return number() == len(sent) }), number(), len(sent))
	two := join(bootstrap, topic, group, &mu, got, &twice)
	check("a second member makes a rebalance: both have partitions", within(40, func() bool {
		return one.count() > 0 && two.count() > 0 && one.count()+two.count() == partitions
	}), one.count(), two.count(), one.failure, two.failure)
	produce(bootstrap, topic, "second", sent)
	check("both read all of a second round", within(30, func() bool { return number() == len(sent) }), number(), len(sent))
	described, err := admin.DescribeGroups(ctx, group)
	must(err)
	check("the group is described with two members", len(described[group].Members) == 2 && described[group].State == "Stable", described[group].State)
	two.leave()
	check("a member that leaves gives its partitions back", within(40, func() bool { return one.count() == partitions }), one.count())
	one.leave()
	check("no member failed", one.failure == nil && two.failure == nil, one.failure, two.failure)
	bad := []sentRecord{}
	for at, r := range got {
		s, known := sent[at]
		if !known || !bytes.Equal(r.Key, key(s.i)) || !bytes.Equal(r.Value, value(s.round, s.i)) || (r.Value == nil) != (s.i%50 == 49) ||
			len(r.Headers) != 2 || string(r.Headers[0].Value) != s.round || len(r.Headers[1].Value) != 0 {
			bad = append(bad, s)
		}
	}
	check("every byte read is the byte sent", len(bad) == 0, len(bad))
	check("nothing was read twice", len(twice) == 0, len(twice))
	offsets, err := admin.FetchOffsets(ctx, group)
	must(err)
	total := int64(0)
	offsets.Each(func(o kadm.OffsetResponse) { total += o.At })
	check("the committed offsets are the end", total == int64(len(sent)), total)
	more := map[place]*kgo.Record{}
	again := join(bootstrap, topic, group, &mu, more, &twice)
	check("a new member goes on from the commit", within(30, func() bool { return again.count() == partitions }), again.count())
	again.leave()
	check("and reads nothing again", len(more) == 0 && again.failure == nil, len(more), again.failure)
	_, err = admin.CreatePartitions(ctx, 2, topic)
	must(err)
	check("CreatePartitions", within(20, func() bool {
		topics, err := admin.ListTopics(ctx, topic)
		return err == nil && len(topics[topic].Partitions) == partitions+2
	}))
	ends, err := admin.ListEndOffsets(ctx, topic)
	must(err)
	high := int64(0)
	ends.Each(func(o kadm.ListedOffset) { high += o.Offset })
	check("ListEndOffsets", high == int64(len(sent)), high)
	deleted, err := admin.DeleteGroups(ctx, group)
	must(err)
	check("delete the group", deleted[group].Err == nil, deleted[group].Err)
	gone, err := admin.DeleteTopics(ctx, topic)
	must(err)
	check("delete the topic", gone[topic].Err == nil && within(20, func() bool { return !has() }), gone[topic].Err)
	client.Close()
	if failures > 0 {
		os.Exit(1)
	}
}
