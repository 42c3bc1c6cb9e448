import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.api.transaction.OperationType;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/**
 * Curator's recipes against a server. Argument: host:port. Prints one line a step. Prints `ask kill` once: the server is then
 * killed and started again, while a mutex is held, a leader leads, caches look on and a node is kept.
 */
public final class Curator {
  private static final String ROOT = "/curator";
  private static final ExecutorService pool = Executors.newCachedThreadPool(task -> {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  });
  private static int failures;

  private static synchronized void check(String step, boolean good, Object... seen) {
    if (!good) failures++;
    System.out.println(good ? "ok " + step : "failed " + step.replace(": ", ", ") + ": " + List.of(seen));
  }

  private static boolean within(int seconds, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) return false;
      Thread.sleep(20);
    }
    return true;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static CuratorFramework client(String address) throws Exception {
    CuratorFramework made = CuratorFrameworkFactory.builder().connectString(address).sessionTimeoutMs(20_000)
        .connectionTimeoutMs(10_000).retryPolicy(new RetryForever(100)).build();
    made.start();
    made.blockUntilConnected(20, TimeUnit.SECONDS);
    return made;
  }

  private static long session(CuratorFramework of) {
    try {
      return of.getZookeeperClient().getZooKeeper().getSessionId();
    } catch (Exception e) {
      return -1;
    }
  }

  // --- one after another: these are done with when they return ----------------------------------------------------------------

  private static void locks(CuratorFramework a, CuratorFramework b) throws Exception {
    InterProcessMutex mutex = new InterProcessMutex(a, ROOT + "/mutex");
    InterProcessMutex other = new InterProcessMutex(b, ROOT + "/mutex");
    check("a mutex", mutex.acquire(10, TimeUnit.SECONDS));
    check("is re-entrant", mutex.acquire(10, TimeUnit.SECONDS));
    check("and excludes others", !other.acquire(200, TimeUnit.MILLISECONDS));
    Future<Boolean> waiting = pool.submit(() -> {
      boolean got = other.acquire(20, TimeUnit.SECONDS);
      other.release();
      return got;
    });
    within(10, () -> participants(mutex) == 2);
    mutex.release();
    check("held until the last release", mutex.isOwnedByCurrentThread() && !waiting.isDone());
    mutex.release();
    check("then it is handed on", waiting.get(20, TimeUnit.SECONDS));
    InterProcessReadWriteLock first = new InterProcessReadWriteLock(a, ROOT + "/rw");
    InterProcessReadWriteLock second = new InterProcessReadWriteLock(b, ROOT + "/rw");
    check("two readers", first.readLock().acquire(10, TimeUnit.SECONDS) && second.readLock().acquire(10, TimeUnit.SECONDS));
    check("no writer beside them", !second.writeLock().acquire(100, TimeUnit.MILLISECONDS));
    second.readLock().release();
    first.readLock().release();
    check("a writer after them", second.writeLock().acquire(10, TimeUnit.SECONDS));
    check("no reader beside it", !first.readLock().acquire(100, TimeUnit.MILLISECONDS));
    check("which may read itself", second.readLock().acquire(10, TimeUnit.SECONDS));
    second.readLock().release();
    second.writeLock().release();
    InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(a, ROOT + "/semaphore", 2);
    Lease one = semaphore.acquire(10, TimeUnit.SECONDS);
    Lease two = semaphore.acquire(10, TimeUnit.SECONDS);
    check("a semaphore of two", one != null && two != null && semaphore.acquire(100, TimeUnit.MILLISECONDS) == null);
    semaphore.returnLease(one);
    one = semaphore.acquire(10, TimeUnit.SECONDS);
    check("a lease that came back", one != null);
    semaphore.returnAll(List.of(one, two));
    AtomicInteger inside = new AtomicInteger();
    List<Future<Boolean>> all = new ArrayList<>();
    for (int n = 0; n < 6; n++) {
      CuratorFramework mine = n % 2 == 0 ? a : b;
      all.add(pool.submit(() -> {
        InterProcessMutex many = new InterProcessMutex(mine, ROOT + "/many");
        boolean alone = true;
        for (int i = 0; i < 10; i++) {
          many.acquire();
          alone &= inside.incrementAndGet() == 1;
          inside.decrementAndGet();
          many.release();
        }
        return alone;
      }));
    }
    boolean alone = true;
    for (Future<Boolean> each : all) alone &= each.get(60, TimeUnit.SECONDS);
    check("six threads of two clients, one at a time", alone);
  }

  private static int participants(InterProcessMutex mutex) {
    try {
      return mutex.getParticipantNodes().size();
    } catch (Exception e) {
      return -1;
    }
  }

  private static void barriers(CuratorFramework a, CuratorFramework b) throws Exception {
    DistributedBarrier barrier = new DistributedBarrier(a, ROOT + "/barrier");
    barrier.setBarrier();
    Future<Boolean> waiting = pool.submit(() -> new DistributedBarrier(b, ROOT + "/barrier").waitOnBarrier(20, TimeUnit.SECONDS));
    check("a barrier holds", !new DistributedBarrier(b, ROOT + "/barrier").waitOnBarrier(100, TimeUnit.MILLISECONDS) && !waiting.isDone());
    barrier.removeBarrier();
    check("and opens", waiting.get(20, TimeUnit.SECONDS));
    List<Future<Boolean>> all = new ArrayList<>();
    AtomicInteger entered = new AtomicInteger();
    for (CuratorFramework each : List.of(a, b, a)) {
      all.add(pool.submit(() -> {
        DistributedDoubleBarrier twice = new DistributedDoubleBarrier(each, ROOT + "/double", 3);
        boolean in = twice.enter(20, TimeUnit.SECONDS);
        entered.incrementAndGet();
        return in && twice.leave(20, TimeUnit.SECONDS);
      }));
    }
    boolean both = true;
    for (Future<Boolean> each : all) both &= each.get(30, TimeUnit.SECONDS);
    check("a double barrier is entered and left by three", both && entered.get() == 3, entered);
  }

  private static void transactions(CuratorFramework a) throws Exception {
    List<CuratorTransactionResult> done = a.transaction().forOperations(
        a.transactionOp().create().forPath(ROOT + "/tx", bytes("1")),
        a.transactionOp().create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(ROOT + "/tx/seq-", bytes("2")),
        a.transactionOp().create().withMode(CreateMode.CONTAINER).forPath(ROOT + "/tx/box", bytes("3")),
        a.transactionOp().setData().withVersion(0).forPath(ROOT + "/tx", bytes("4")),
        a.transactionOp().check().withVersion(1).forPath(ROOT + "/tx"),
        a.transactionOp().delete().forPath(ROOT + "/tx/seq-0000000000"));
    check("a transaction of six", done.size() == 6 && done.get(1).getResultPath().equals(ROOT + "/tx/seq-0000000000") &&
        done.get(2).getType() == OperationType.CREATE && done.get(3).getResultStat().getVersion() == 1, done.size());
    try {
      a.transaction().forOperations(a.transactionOp().delete().forPath(ROOT + "/tx/box"),
          a.transactionOp().check().withVersion(9).forPath(ROOT + "/tx"));
      check("one that fails says where", false);
    } catch (KeeperException.BadVersionException e) {
      check("one that fails says where", e.getResults() != null && e.getResults().size() == 2, e.getMessage());
    }
    check("and changes nothing", a.checkExists().forPath(ROOT + "/tx/box") != null);
    Stat stat = new Stat();
    a.create().creatingParentContainersIfNeeded().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(ROOT + "/c/p-", bytes("p"));
    check("containers are made on the way", a.getData().storingStatIn(stat).forPath(ROOT + "/c") != null && stat.getNumChildren() == 1, stat);
    a.create().withTtl(3_600_000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(ROOT + "/ttl", bytes("t"));
    check("a node with a time to live", new String(a.getData().forPath(ROOT + "/ttl"), StandardCharsets.UTF_8).equals("t"));
    CountDownLatch background = new CountDownLatch(3);
    for (int n = 0; n < 3; n++) a.setData().inBackground((who, event) -> background.countDown()).forPath(ROOT + "/tx", bytes("b" + n));
    check("in the background", background.await(10, TimeUnit.SECONDS));
    a.delete().deletingChildrenIfNeeded().forPath(ROOT + "/tx");
    check("deleted with its children", a.checkExists().forPath(ROOT + "/tx") == null);
  }

  private static void counters(CuratorFramework a, CuratorFramework b) throws Exception {
    DistributedAtomicLong one = new DistributedAtomicLong(a, ROOT + "/long", new RetryForever(5));
    DistributedAtomicLong two = new DistributedAtomicLong(b, ROOT + "/long", new RetryForever(5));
    Future<?> counting = pool.submit(() -> {
      for (int n = 0; n < 25; n++) one.increment();
      return null;
    });
    for (int n = 0; n < 25; n++) two.increment();
    counting.get(30, TimeUnit.SECONDS);
    check("two add to a number at once", one.get().postValue() == 50, one.get().postValue());
    SimpleDistributedQueue queue = new SimpleDistributedQueue(a, ROOT + "/queue");
    Future<byte[]> taking = pool.submit(() -> new SimpleDistributedQueue(b, ROOT + "/queue").take());
    queue.offer(bytes("first"));
    check("a queue wakes who takes", new String(taking.get(20, TimeUnit.SECONDS), StandardCharsets.UTF_8).equals("first"));
    queue.offer(bytes("x"));
    queue.offer(bytes("y"));
    check("and keeps the order", new String(queue.poll(), StandardCharsets.UTF_8).equals("x") && new String(queue.remove(), StandardCharsets.UTF_8).equals("y"));
  }

  // --- what goes on across the restart -------------------------------------------------------------------------------------------

  @SuppressWarnings("deprecation")
  private static void longLived(String address, CuratorFramework a, CuratorFramework b) throws Exception {
    // A server before 3.9 keeps one kind of watch a path and session, so each cache has a session of its own.
    List<CuratorFramework> lookers = new ArrayList<>();
    for (int n = 0; n < 5; n++) lookers.add(client(address));
    List<String> events = new CopyOnWriteArrayList<>();
    b.create().creatingParentsIfNeeded().forPath(ROOT + "/watched/one/two", bytes("0"));
    CuratorCache cache = CuratorCache.build(lookers.get(0), ROOT + "/watched");
    CountDownLatch filled = new CountDownLatch(1);
    cache.listenable().addListener(CuratorCacheListener.builder().forInitialized(filled::countDown)
        .forCreates(node -> events.add("cache +" + node.getPath()))
        .forChanges((before, node) -> events.add("cache =" + node.getPath() + new String(node.getData(), StandardCharsets.UTF_8)))
        .forDeletes(node -> events.add("cache -" + node.getPath())).build());
    cache.start();
    check("a cache fills", filled.await(15, TimeUnit.SECONDS) && cache.size() == 3, cache.size());
    PathChildrenCache children = new PathChildrenCache(lookers.get(1), ROOT + "/watched", true);
    children.getListenable().addListener((who, event) -> {
      if (event.getData() != null) events.add("children " + event.getType() + event.getData().getPath());
    });
    children.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
    check("a children cache fills", children.getCurrentData().size() == 1, children.getCurrentData());
    NodeCache node = new NodeCache(lookers.get(2), ROOT + "/watched/one");
    node.getListenable().addListener(() -> events.add("node " + (node.getCurrentData() == null ? "gone" : new String(node.getCurrentData().getData(), StandardCharsets.UTF_8))));
    node.start(true);
    TreeCache tree = TreeCache.newBuilder(lookers.get(3), ROOT + "/watched").build();
    tree.getListenable().addListener((who, event) -> events.add("tree " + event.getType() + (event.getData() == null ? "" : event.getData().getPath())));
    tree.start();
    check("a tree cache fills", within(15, () -> events.contains("tree INITIALIZED")), events);
    PersistentWatcher watcher = new PersistentWatcher(lookers.get(4), ROOT + "/watched", true);
    watcher.getListenable().addListener(event -> events.add("watcher " + event.getType() + " " + event.getPath()));
    CountDownLatch watching = new CountDownLatch(1);
    watcher.getResetListenable().addListener(watching::countDown);
    watcher.start();
    check("a persistent watch is set", watching.await(15, TimeUnit.SECONDS));
    changes(b, events, "1");

    LeaderLatch first = new LeaderLatch(a, ROOT + "/latch", "first");
    LeaderLatch second = new LeaderLatch(b, ROOT + "/latch", "second");
    first.start();
    check("a latch has a leader", within(15, first::hasLeadership));
    second.start();
    check("and one only", within(15, () -> size(second) == 2) && !second.hasLeadership() && second.getLeader().getId().equals("first"));
    AtomicInteger led = new AtomicInteger();
    CountDownLatch enough = new CountDownLatch(1);
    List<LeaderSelector> selectors = new ArrayList<>();
    for (CuratorFramework each : List.of(a, b)) {
      LeaderSelector selector = new LeaderSelector(each, ROOT + "/selector", new LeaderSelectorListenerAdapter() {
        @Override public void takeLeadership(CuratorFramework who) throws Exception {
          led.incrementAndGet();
          enough.await(30, TimeUnit.SECONDS);
        }
      });
      selector.start();
      selectors.add(selector);
    }
    check("a selector chooses one", within(15, () -> led.get() == 1 && participants(selectors.get(0)) == 2), led);
    enough.countDown();
    check("then the other", within(15, () -> led.get() == 2), led);
    for (LeaderSelector each : selectors) each.close();

    List<Integer> counted = new CopyOnWriteArrayList<>();
    SharedCount count = new SharedCount(a, ROOT + "/count", 7);
    SharedCount same = new SharedCount(b, ROOT + "/count", 7);
    count.addListener(new SharedCountListener() {
      @Override public void countHasChanged(SharedCountReader who, int now) { counted.add(now); }
      @Override public void stateChanged(CuratorFramework who, ConnectionState now) {}
    });
    count.start();
    same.start();
    same.setCount(8);
    check("a shared count", within(15, () -> counted.contains(8)) && count.getCount() == 8, counted);
    check("and not from an old version", within(10, () -> same.getVersionedValue().getValue() == 8) && same.trySetCount(same.getVersionedValue(), 9) &&
        within(15, () -> count.getCount() == 9), count.getCount());
    PersistentNode kept = new PersistentNode(a, CreateMode.EPHEMERAL, false, ROOT + "/kept", bytes("k"));
    kept.start();
    check("a kept node", kept.waitForInitialCreate(15, TimeUnit.SECONDS) && b.checkExists().forPath(ROOT + "/kept") != null);
    b.delete().forPath(ROOT + "/kept");
    check("comes back when it is taken", within(15, () -> exists(b, ROOT + "/kept")));
    PersistentTtlNode ttl = new PersistentTtlNode(a, ROOT + "/kept-ttl", 600_000, bytes("t"));
    ttl.start();
    check("one with a time to live", ttl.waitForInitialCreate(15, TimeUnit.SECONDS));
    GroupMember member = new GroupMember(a, ROOT + "/group", "ann", bytes("a"));
    GroupMember other = new GroupMember(b, ROOT + "/group", "bob", bytes("b"));
    member.start();
    other.start();
    check("a group", within(15, () -> member.getCurrentMembers().size() == 2 && other.getCurrentMembers().size() == 2), member.getCurrentMembers().keySet());
    InterProcessMutex mutex = new InterProcessMutex(a, ROOT + "/held");
    mutex.acquire();

    List<ConnectionState> states = Collections.synchronizedList(new ArrayList<>());
    a.getConnectionStateListenable().addListener((who, state) -> states.add(state));
    List<CuratorFramework> everybody = new ArrayList<>(lookers);
    everybody.addAll(List.of(a, b));
    CountDownLatch back = new CountDownLatch(everybody.size());
    for (CuratorFramework each : everybody) {
      each.getConnectionStateListenable().addListener((who, state) -> {
        if (state == ConnectionState.RECONNECTED) back.countDown();
      });
    }
    long before = session(a);
    System.out.println("ask kill");
    System.in.read();
    check("everybody comes back", back.await(40, TimeUnit.SECONDS), states);
    check("with the session they had", session(a) == before && !states.contains(ConnectionState.LOST), states);
    check("a mutex is still held", !new InterProcessMutex(b, ROOT + "/held").acquire(100, TimeUnit.MILLISECONDS));
    mutex.release();
    check("and can be given", new InterProcessMutex(b, ROOT + "/held").acquire(10, TimeUnit.SECONDS));
    check("the leader leads on", within(15, () -> first.hasLeadership() || second.hasLeadership()) && first.hasLeadership() != second.hasLeadership());
    LeaderLatch leads = first.hasLeadership() ? first : second;
    leads.close();
    LeaderLatch follows = leads == first ? second : first;
    check("the next one follows", within(15, follows::hasLeadership));
    check("the kept node is there", within(15, () -> exists(b, ROOT + "/kept")));
    check("the group too", within(15, () -> member.getCurrentMembers().size() == 2), member.getCurrentMembers().keySet());
    same.setCount(11);
    check("the shared count goes on", within(15, () -> count.getCount() == 11), count.getCount());
    events.clear();
    changes(b, events, "2");
    for (AutoCloseable each : List.of(cache, children, node, tree, watcher, follows, count, same, kept, ttl, member, other)) each.close();
    for (CuratorFramework each : lookers) each.close();
    check("a closed node is taken along", within(15, () -> !exists(b, ROOT + "/kept")));
  }

  /** Changes below the watched node, one after another, and what each kind of cache has to hear of them. */
  private static void changes(CuratorFramework by, List<String> events, String data) throws Exception {
    String one = ROOT + "/watched/one";
    String made = ROOT + "/watched/new" + data;
    String deep = made + "/deep";
    by.create().forPath(made, bytes("n"));
    hear(events, "a child", "cache +" + made, "children CHILD_ADDED" + made, "tree NODE_ADDED" + made, "watcher NodeCreated " + made);
    by.create().forPath(deep, bytes("n"));
    hear(events, "a grandchild", "cache +" + deep, "tree NODE_ADDED" + deep, "watcher NodeCreated " + deep);
    by.setData().forPath(one, bytes(data));
    hear(events, "new data", "cache =" + one + data, "children CHILD_UPDATED" + one, "node " + data, "tree NODE_UPDATED" + one,
        "watcher NodeDataChanged " + one);
    by.delete().forPath(deep);
    hear(events, "an end", "cache -" + deep, "tree NODE_REMOVED" + deep, "watcher NodeDeleted " + deep);
  }

  private static void hear(List<String> events, String what, String... wanted) throws InterruptedException {
    check("the caches and the watcher hear of " + what, within(15, () -> events.containsAll(List.of(wanted))), List.of(wanted), events);
  }

  private static boolean exists(CuratorFramework by, String path) {
    try {
      return by.checkExists().forPath(path) != null;
    } catch (Exception e) {
      return false;
    }
  }

  private static int size(LeaderLatch latch) {
    try {
      return latch.getParticipants().size();
    } catch (Exception e) {
      return -1;
    }
  }

  private static int participants(LeaderSelector selector) {
    try {
      return selector.getParticipants().size();
    } catch (Exception e) {
      return -1;
    }
  }

  public static void main(String[] arguments) throws Exception {
    try (CuratorFramework a = client(arguments[0]); CuratorFramework b = client(arguments[0])) {
      if (a.checkExists().forPath(ROOT) != null) a.delete().deletingChildrenIfNeeded().forPath(ROOT);
      a.create().forPath(ROOT);
      locks(a, b);
      barriers(a, b);
      transactions(a);
      counters(a, b);
      longLived(arguments[0], a, b);
      a.delete().guaranteed().deletingChildrenIfNeeded().forPath(ROOT);
      check("all of it can be removed", b.checkExists().forPath(ROOT) == null);
    } catch (Exception e) {
      e.printStackTrace(System.out);
      failures++;
    }
    System.out.flush();
    Runtime.getRuntime().halt(failures == 0 ? 0 : 1);
  }
}
