import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * Runs main classes (the official command line tools, and our own scenarios) inside one JVM, so that a tool costs what it
 * does and not a JVM's start. One request a line on standard input: an id, the file to read as standard input, the file
 * that takes standard output and error, the main class, its arguments; all but the id in base64. One answer a line on
 * standard output: the id and the exit status.
 *
 * Each request has a thread group of its own: whatever thread of that group prints or reads, uses that request's files.
 * System.exit inside a request ends the request and not the JVM.
 */
@SuppressWarnings({"removal", "deprecation"})
public final class Driver {
  static final class Exit extends SecurityException {
    Exit(int status) { super("exit " + status); }
  }

  static final class Run extends ThreadGroup {
    final InputStream in;
    final PrintStream out;
    volatile Integer status;
    final java.util.List<Runnable> hooks = new java.util.concurrent.CopyOnWriteArrayList<>();

    Run(String id, String in, String out) throws Exception {
      super("run-" + id);
      this.in = in.isEmpty() ? InputStream.nullInputStream() : new FileInputStream(in);
      this.out = new PrintStream(new FileOutputStream(out), true, StandardCharsets.UTF_8);
    }

    static Run current() {
      for (ThreadGroup g = Thread.currentThread().getThreadGroup(); g != null; g = g.getParent()) {
        if (g instanceof Run) return (Run) g;
      }
      return null;
    }

    void exit(int s) {
      if (status == null) status = s;
    }
  }

  static final class Router extends OutputStream {
    private final PrintStream otherwise;

    Router(PrintStream otherwise) { this.otherwise = otherwise; }

    private PrintStream target() {
      Run run = Run.current();
      return run == null ? otherwise : run.out;
    }

    @Override public void write(int b) { target().write(b); }
    @Override public void write(byte[] b, int off, int len) { target().write(b, off, len); }
    @Override public void flush() { target().flush(); }
  }

  static final class Source extends InputStream {
    private InputStream target() {
      Run run = Run.current();
      return run == null ? InputStream.nullInputStream() : run.in;
    }

    @Override public int read() throws java.io.IOException { return target().read(); }
    @Override public int read(byte[] b, int off, int len) throws java.io.IOException { return target().read(b, off, len); }
    @Override public int available() throws java.io.IOException { return target().available(); }
  }

  static final class Guard extends SecurityManager {
    @Override public void checkPermission(java.security.Permission p) {}
    @Override public void checkPermission(java.security.Permission p, Object context) {}

    @Override public void checkExit(int status) {
      Run run = Run.current();
      if (run == null) return;
      run.exit(status);
      throw new Exit(status);
    }
  }

  private static boolean isExit(Throwable t) {
    for (; t != null; t = t.getCause()) {
      if (t instanceof Exit) return true;
    }
    return false;
  }

  /** The console consumers count messages in a static field, which a JVM of its own would have started at 0. */
  private static void forget(Class<?> type) {
    try {
      if (type.getName().equals("kafka.tools.ConsoleConsumer")) {
        Class<?> module = Class.forName("kafka.tools.ConsoleConsumer$");
        Object instance = module.getField("MODULE$").get(null);
        module.getMethod("messageCount_$eq", int.class).invoke(instance, 0);
      } else if (type.getName().endsWith("ConsoleConsumer")) {
        Field count = type.getDeclaredField("messageCount");
        count.setAccessible(true);
        count.set(null, 0);
      }
    } catch (ReflectiveOperationException e) {
      System.err.println("cannot reset the message count: " + e);
    }
  }

  private static void call(Run run, String main, String[] arguments) {
    try {
      Class<?> type = Class.forName(main);
      forget(type);
      type.getMethod("main", String[].class).invoke(null, (Object) arguments);
      run.exit(0);
    } catch (InvocationTargetException e) {
      if (!isExit(e)) {
        run.exit(1);
        e.getCause().printStackTrace(run.out);
      }
    } catch (Throwable e) {
      run.exit(1);
      e.printStackTrace(run.out);
    }
    for (Runnable hook : run.hooks) {
      try {
        hook.run();
      } catch (Throwable e) {
        if (!isExit(e)) e.printStackTrace(run.out);
      }
    }
    run.out.flush();
  }

  /** What a tool leaves to a shutdown hook (the console producer: sending the rest) is done at the end of its request. */
  private static void takeHooks() throws ReflectiveOperationException {
    Class<?> exit, adder;
    try {
      exit = Class.forName("org.apache.kafka.common.utils.Exit");
      adder = Class.forName("org.apache.kafka.common.utils.Exit$ShutdownHookAdder");
    } catch (ClassNotFoundException e) {
      return;
    }
    Object collector = java.lang.reflect.Proxy.newProxyInstance(Driver.class.getClassLoader(), new Class<?>[] {adder}, (proxy, method, a) -> {
      Run run = Run.current();
      if (run != null && a != null && a.length == 2) run.hooks.add((Runnable) a[1]);
      return null;
    });
    exit.getMethod("setShutdownHookAdder", adder).invoke(null, collector);
  }

  public static void main(String[] unused) throws Exception {
    PrintStream answers = System.out;
    System.setOut(new PrintStream(new Router(System.err), true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(new Router(System.err), true, StandardCharsets.UTF_8));
    System.setIn(new Source());
    System.setSecurityManager(new Guard());
    takeHooks();
    BufferedReader requests = new BufferedReader(new InputStreamReader(new java.io.FileInputStream(java.io.FileDescriptor.in)));
    for (String line; (line = requests.readLine()) != null; ) {
      String[] fields = line.split(" ");
      String[] text = new String[fields.length];
      for (int i = 1; i < fields.length; i++) {
        text[i] = fields[i].equals("-") ? "" : new String(Base64.getDecoder().decode(fields[i]), StandardCharsets.UTF_8);
      }
      String[] arguments = java.util.Arrays.copyOfRange(text, 4, text.length);
      Run run = new Run(fields[0], text[1], text[2]);
      Thread thread = new Thread(run, () -> {
        call(run, text[3], arguments);
        synchronized (answers) {
          answers.println(fields[0] + " " + (run.status == null ? 0 : run.status));
          answers.flush();
        }
      });
      thread.setDaemon(true);
      thread.start();
    }
    Runtime.getRuntime().halt(0);
  }
}
