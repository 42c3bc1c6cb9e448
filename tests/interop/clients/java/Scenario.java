import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What an application does with the Java client: Scenario BOOTSTRAP PREFIX [no-transactions]. Compiles against 2.5 to 4.x. */
public final class Scenario {
  private static final int PARTITIONS = 3;
  private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
  private static final int EACH = 200;
  private static int failures;

  private static void check(String step, boolean good, Object seen) {
    System.out.println(good ? "ok " + step : "failed " + step.replace(": ", ", ") + ": " + seen);
    if (!good) failures++;
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  private static boolean within(int seconds, Condition condition) throws Exception {
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    while (!condition.holds()) {
      if (System.nanoTime() > end) return false;
      Thread.sleep(30);
    }
    return true;
  }

  private static byte[] key(String codec, int i) {
    return i % 7 == 0 ? null : (codec + "-" + i).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] value(String codec, int i) {
    if (i % 50 == 49) return null;
    byte[] bytes = new byte[20 + (i * 37) % 700];
    for (int b = 0; b < bytes.length; b++) bytes[b] = (byte) ((b / 3) * 31 + i);
    byte[] name = (codec + " " + i + " 한국어").getBytes(StandardCharsets.UTF_8);
    System.arraycopy(name, 0, bytes, 0, Math.min(name.length, bytes.length));
    return bytes;
  }

  private static Properties base(String bootstrap) {
    Properties p = new Properties();
    p.put("bootstrap.servers", bootstrap);
    p.put("retry.backoff.ms", "50");
    return p;
  }

  /** partition and offset, to the record that was acknowledged there */
  private static Map<String, String> produce(String bootstrap, String topic, String round) throws Exception {
    Map<String, String> sent = new HashMap<>();
    for (String codec : CODECS) {
      Properties p = base(bootstrap);
      p.put("acks", "all");
      p.put("compression.type", codec);
      p.put("linger.ms", "5");
      p.put("key.serializer", ByteArraySerializer.class.getName());
      p.put("value.serializer", ByteArraySerializer.class.getName());
      try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(p)) {
        List<Future<RecordMetadata>> answers = new ArrayList<>();
        for (int i = 0; i < EACH; i++) {
          ProducerRecord<byte[], byte[]> r =
              new ProducerRecord<>(topic, i % PARTITIONS, 1_600_000_000_000L + i, key(codec, i), value(codec, i));
          r.headers().add("round", round.getBytes(StandardCharsets.UTF_8)).add("empty", new byte[0]).add("none", null);
          answers.add(producer.send(r));
        }
        for (int i = 0; i < EACH; i++) {
          RecordMetadata m = answers.get(i).get();
          sent.put(m.partition() + "@" + m.offset(), round + "/" + codec + "/" + i);
        }
      }
    }
    return sent;
  }

  /** Says what is wrong with a record that was read, or null. */
  private static String wrong(ConsumerRecord<byte[], byte[]> r, Map<String, String> sent) {
    String name = sent.get(r.partition() + "@" + r.offset());
    if (name == null) return "never acknowledged: " + r.partition() + "@" + r.offset();
    String[] parts = name.split("/");
    int i = Integer.parseInt(parts[2]);
    if (!Arrays.equals(r.key(), key(parts[1], i))) return "key of " + name;
    if (!Arrays.equals(r.value(), value(parts[1], i))) return "value of " + name;
    if (r.timestamp() != 1_600_000_000_000L + i) return "timestamp of " + name + ": " + r.timestamp();
    org.apache.kafka.common.header.Header[] h = r.headers().toArray();
    if (h.length != 3 || !h[0].key().equals("round") || !parts[0].equals(new String(h[0].value(), StandardCharsets.UTF_8))
        || h[1].value().length != 0 || h[2].value() != null) return "headers of " + name;
    return null;
  }

  /** One member of a group, polling on its own thread. */
  static final class Member extends Thread {
    final KafkaConsumer<byte[], byte[]> consumer;
    final AtomicBoolean stop = new AtomicBoolean();
    final Map<String, ConsumerRecord<byte[], byte[]>> got;
    final Set<String> twice;
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    volatile Set<TopicPartition> assigned = Collections.emptySet();

    Member(String bootstrap, String group, String topic, Map<String, ConsumerRecord<byte[], byte[]>> got, Set<String> twice, String... more) {
      this.got = got;
      this.twice = twice;
      Properties p = base(bootstrap);
      p.put("group.id", group);
      p.put("auto.offset.reset", "earliest");
      p.put("enable.auto.commit", "false");
      p.put("heartbeat.interval.ms", "200");
      p.put("key.deserializer", ByteArrayDeserializer.class.getName());
      p.put("value.deserializer", ByteArrayDeserializer.class.getName());
      for (int i = 0; i + 1 < more.length; i += 2) p.put(more[i], more[i + 1]);
      consumer = new KafkaConsumer<>(p);
      consumer.subscribe(Collections.singletonList(topic), new ConsumerRebalanceListener() {
        @Override public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
          consumer.commitSync();
          Set<TopicPartition> kept = new HashSet<>(assigned);
          kept.removeAll(revoked);
          assigned = kept;
        }

        @Override public void onPartitionsAssigned(Collection<TopicPartition> added) {
          assigned = new HashSet<>(consumer.assignment());
        }
      });
      setDaemon(true);
    }

    @Override public void run() {
      try {
        while (!stop.get()) {
          for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(100))) {
            if (got.put(r.partition() + "@" + r.offset(), r) != null) twice.add(r.partition() + "@" + r.offset());
          }
        }
        consumer.commitSync();
      } catch (Throwable e) {
        failure.set(e);
      } finally {
        consumer.close(Duration.ofSeconds(10));
      }
    }
  }

  private static void group(String bootstrap, String topic, String group, AdminClient admin) throws Exception {
    Map<String, ConsumerRecord<byte[], byte[]>> got = new ConcurrentHashMap<>();
    Set<String> twice = ConcurrentHashMap.newKeySet();
    Map<String, String> sent = new HashMap<>(produce(bootstrap, topic, "first"));
    check("produce in every codec, each record acknowledged with its offset", sent.size() == CODECS.length * EACH, sent.size());

    Member one = new Member(bootstrap, group, topic, got, twice);
    one.start();
    check("one member is given all partitions", within(30, () -> one.assigned.size() == PARTITIONS), one.assigned);
    check("and reads all that is there", within(30, () -> got.size() == sent.size()), got.size() + " of " + sent.size());

    Member two = new Member(bootstrap, group, topic, got, twice);
    two.start();
    check("a second member makes a rebalance: both have partitions", within(40, () ->
        !one.assigned.isEmpty() && !two.assigned.isEmpty() && one.assigned.size() + two.assigned.size() == PARTITIONS),
        one.assigned + " " + two.assigned + " " + one.failure + " " + two.failure);
    Map<String, String> all = new HashMap<>(sent);
    all.putAll(produce(bootstrap, topic, "second"));
    check("both read all of a second round", within(30, () -> got.size() == all.size()), got.size() + " of " + all.size());
    check("the group is described with two members",
        admin.describeConsumerGroups(Collections.singletonList(group)).all().get().get(group).members().size() == 2, "");

    two.stop.set(true);
    two.join(20000);
    check("a member that leaves gives its partitions back", within(40, () -> one.assigned.size() == PARTITIONS), one.assigned);
    one.stop.set(true);
    one.join(20000);
    check("no member failed", one.failure.get() == null && two.failure.get() == null, one.failure + " " + two.failure);
    String bad = null;
    for (ConsumerRecord<byte[], byte[]> r : got.values()) {
      String why = wrong(r, all);
      if (why != null) bad = why;
    }
    check("every byte read is the byte sent: keys, values, headers, timestamps", bad == null, bad);
    check("nothing was read twice", twice.isEmpty(), twice.size());
    Map<TopicPartition, OffsetAndMetadata> committed =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    long total = 0;
    for (OffsetAndMetadata o : committed.values()) total += o.offset();
    check("the committed offsets are the end", committed.size() == PARTITIONS && total == all.size(), committed);

    Member again = new Member(bootstrap, group, topic, new ConcurrentHashMap<>(), ConcurrentHashMap.newKeySet());
    again.start();
    check("a new member goes on from the commit", within(30, () -> again.assigned.size() == PARTITIONS), again.assigned);
    again.stop.set(true);
    again.join(20000);
    check("and reads nothing again", again.got.isEmpty() && again.failure.get() == null, again.got.size() + " " + again.failure);
  }

  /** Members that keep what they have while others come and go, and one that comes back under its name. */
  private static void cooperative(String bootstrap, String topic, String group, AdminClient admin) throws Exception {
    String assignor = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    Map<String, ConsumerRecord<byte[], byte[]>> got = new ConcurrentHashMap<>();
    Set<String> twice = ConcurrentHashMap.newKeySet();
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Member m = new Member(bootstrap, group, topic, got, twice, "partition.assignment.strategy", assignor, "group.instance.id", "static-" + i);
      members.add(m);
      m.start();
      check("cooperative: " + (i + 1) + " members share all partitions", within(40, () -> {
        int sum = 0;
        for (Member x : members) {
          if (x.assigned.isEmpty()) return false;
          sum += x.assigned.size();
        }
        return sum == PARTITIONS;
      }), members.get(0).failure);
    }
    Set<TopicPartition> before = members.get(1).assigned;
    members.get(1).stop.set(true);
    members.get(1).join(20000);
    Member back = new Member(bootstrap, group, topic, got, twice, "partition.assignment.strategy", assignor, "group.instance.id", "static-1");
    back.start();
    check("a static member that comes back has what it had", within(40, () -> back.assigned.equals(before)), before + " " + back.assigned);
    check("and no rebalance moved the others", members.get(0).assigned.size() == 1 && members.get(2).assigned.size() == 1, "");
    back.stop.set(true);
    back.join(20000);
    for (Member m : members) {
      m.stop.set(true);
      m.join(20000);
      check("no failure", m.failure.get() == null, m.failure);
    }
    check("nothing was read twice by them", twice.isEmpty(), twice.size());
    List<org.apache.kafka.clients.admin.MemberToRemove> names = new ArrayList<>();
    for (int i = 0; i < 3; i++) names.add(new org.apache.kafka.clients.admin.MemberToRemove("static-" + i));
    admin.removeMembersFromConsumerGroup(group, new org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions(names)).all().get();
    check("static members can be removed", within(20, () -> admin.describeConsumerGroups(Collections.singletonList(group)).all().get()
        .get(group).members().isEmpty()), "");
    admin.deleteConsumerGroups(Collections.singletonList(group)).all().get();
  }

  private static void lookups(String bootstrap, String topic) throws Exception {
    Properties p = base(bootstrap);
    p.put("key.deserializer", ByteArrayDeserializer.class.getName());
    p.put("value.deserializer", ByteArrayDeserializer.class.getName());
    try (KafkaConsumer<byte[], byte[]> c = new KafkaConsumer<>(p)) {
      TopicPartition zero = new TopicPartition(topic, 0);
      check("beginningOffsets and endOffsets", c.beginningOffsets(Collections.singleton(zero)).get(zero) == 0
          && c.endOffsets(Collections.singleton(zero)).get(zero) > 0, "");
      Map<TopicPartition, Long> when = new TreeMap<>((a, b) -> a.partition() - b.partition());
      when.put(zero, 1_600_000_000_000L + 30);
      check("offsetsForTimes finds the record", c.offsetsForTimes(when).get(zero).offset() == 10,
          c.offsetsForTimes(when).get(zero));
    }
  }

  private static void administer(AdminClient admin, String topic) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    Config config = admin.describeConfigs(Collections.singletonList(resource)).all().get().get(resource);
    check("describeConfigs shows what was set", "7200000".equals(config.get("segment.ms").value()), config.get("segment.ms"));
    Map<ConfigResource, Collection<org.apache.kafka.clients.admin.AlterConfigOp>> change = new HashMap<>();
    change.put(resource, Collections.singletonList(new org.apache.kafka.clients.admin.AlterConfigOp(
        new org.apache.kafka.clients.admin.ConfigEntry("max.message.bytes", "500000"),
        org.apache.kafka.clients.admin.AlterConfigOp.OpType.SET)));
    admin.incrementalAlterConfigs(change).all().get();
    check("incrementalAlterConfigs takes hold", within(20, () -> "500000".equals(admin.describeConfigs(
        Collections.singletonList(resource)).all().get().get(resource).get("max.message.bytes").value())), "");
    admin.createPartitions(Collections.singletonMap(topic, NewPartitions.increaseTo(PARTITIONS + 2))).all().get();
    check("createPartitions", within(20, () -> describe(admin, topic).partitions().size() == PARTITIONS + 2), "");
    check("describeCluster names the broker", admin.describeCluster().nodes().get().size() >= 1
        && admin.describeCluster().controller().get() != null && admin.describeCluster().clusterId().get() != null, "");
  }

  /** Until transactions come, a transactional id gets an error that ends the attempt instead of a client that hangs. */
  private static void refusesTransactions(String bootstrap) {
    Properties p = base(bootstrap);
    p.put("transactional.id", "interop");
    p.put("max.block.ms", "20000");
    p.put("key.serializer", ByteArraySerializer.class.getName());
    p.put("value.serializer", ByteArraySerializer.class.getName());
    long begin = System.nanoTime();
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(p)) {
      producer.initTransactions();
      check("a transactional id is refused", false, "initTransactions succeeded");
    } catch (org.apache.kafka.common.KafkaException e) {
      check("a transactional id is refused, without a hang", System.nanoTime() - begin < 10_000_000_000L, e);
    }
  }

  /** values() was renamed to topicNameValues() in 3.1 and is gone in 4.0. */
  @SuppressWarnings("unchecked")
  private static TopicDescription describe(AdminClient admin, String topic) throws Exception {
    Object result = admin.describeTopics(Collections.singletonList(topic));
    java.lang.reflect.Method m;
    try {
      m = result.getClass().getMethod("topicNameValues");
    } catch (NoSuchMethodException e) {
      m = result.getClass().getMethod("values");
    }
    return ((Map<String, org.apache.kafka.common.KafkaFuture<TopicDescription>>) m.invoke(result)).get(topic).get();
  }

  public static void main(String[] a) throws Exception {
    String bootstrap = a[0], topic = a[1] + "-topic", group = a[1] + "-group";
    try (AdminClient admin = AdminClient.create(base(bootstrap))) {
      // the records carry old timestamps on purpose: retention by time must not take them during the test
      NewTopic t = new NewTopic(topic, PARTITIONS, (short) 1).configs(Map.of("retention.ms", "-1", "segment.ms", "7200000"));
      admin.createTopics(Collections.singletonList(t)).all().get();
      check("create a topic", within(20, () -> admin.listTopics().names().get().contains(topic)), "");
      check("a fresh topic is described with its leaders", within(20, () ->
          describe(admin, topic).partitions().stream().allMatch(p -> p.leader() != null && !p.leader().isEmpty())
          && describe(admin, topic).partitions().size() == PARTITIONS), "");
      group(bootstrap, topic, group, admin);
      cooperative(bootstrap, topic, group + "-static", admin);
      lookups(bootstrap, topic);
      administer(admin, topic);
      if (a.length > 2) refusesTransactions(bootstrap);
      admin.deleteConsumerGroups(Collections.singletonList(group)).all().get();
      check("delete the group", within(20, () -> admin.listConsumerGroups().all().get().stream()
          .noneMatch(g -> g.groupId().equals(group))), "");
      admin.deleteTopics(Collections.singletonList(topic)).all().get();
      check("delete the topic", within(20, () -> !admin.listTopics().names().get().contains(topic)), "");
    } catch (Throwable e) {
      check("the scenario runs to its end", false, e + " " + Arrays.toString(e.getStackTrace()));
    }
    System.exit(failures == 0 ? 0 : 1);
  }
}
