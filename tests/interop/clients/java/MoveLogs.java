import java.util.Arrays;
import java.util.Collections;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.DescribeReplicaLogDirsResult.ReplicaLogDirInfo;
import org.apache.kafka.common.TopicPartitionReplica;

/** Arguments: bootstrap, topic, directory. Moves partition 0 of the topic there and waits until it lies there alone. */
public class MoveLogs {
  public static void main(String[] a) throws Exception {
    Properties p = new Properties();
    p.put("bootstrap.servers", a[0]);
    p.put("request.timeout.ms", "20000");
    TopicPartitionReplica replica = new TopicPartitionReplica(a[1], 0, 0);
    try (AdminClient admin = AdminClient.create(p)) {
      for (String wrong : Arrays.asList("/nowhere", a[2] + "/below")) {
        try {
          admin.alterReplicaLogDirs(Collections.singletonMap(replica, wrong)).all().get();
          System.out.println("not refused: " + wrong);
        } catch (ExecutionException e) {
          System.out.println("refused: " + e.getCause().getClass().getSimpleName());
        }
      }
      admin.alterReplicaLogDirs(Collections.singletonMap(replica, a[2])).all().get();
      long deadline = System.nanoTime() + 30_000_000_000L;
      boolean sawFuture = false;
      String lies = null, moves = null;
      while (System.nanoTime() < deadline) {
        ReplicaLogDirInfo info = admin.describeReplicaLogDirs(Collections.singletonList(replica)).all().get().get(replica);
        lies = info.getCurrentReplicaLogDir();
        moves = info.getFutureReplicaLogDir();
        sawFuture |= moves != null;
        if (a[2].equals(lies) && moves == null) break;
        Thread.sleep(5);
      }
      System.out.println(sawFuture ? "a future replica was shown" : "it was too fast to be seen");
      System.out.println("lies in " + lies + ", moves to " + moves);
    }
    System.exit(0);
  }
}
