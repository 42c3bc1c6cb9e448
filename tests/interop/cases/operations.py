"""What operators and monitoring see of the coordinator, beside what a real ZooKeeper 3.8 says (tests/golden/zookeeper/operations),
and the limits that keep clients from taking its memory."""
import json
import os
import resource
import socket
import struct

from lib import cluster, proc, zk_operations, zk_wire
from lib.context import case
from lib.report import Timer

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "golden", "zookeeper", "operations")
IS_38 = "the answers that are compared are those of ZooKeeper 3.8"
NO_LIMIT = "ZooKeeper has no such limit"
# Figures that the piece of work decides alone.
COUNTED = ("zk_znode_count zk_ephemerals_count zk_watch_count zk_approximate_data_size zk_global_sessions zk_connection_request_count "
           "zk_cnt_updatelatency zk_cnt_node_changed_watch_count zk_sum_node_changed_watch_count zk_watch_bytes zk_response_bytes "
           "zk_prep_processor_request_queued").split()
PROMETHEUS = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"


def golden(name):
    with open(os.path.join(GOLDEN, name)) as f:
        return f.read()


def server(t, **settings):
    """A coordinator of the case's own, not started, with its admin server and every word."""
    extra = {"4lw.commands.whitelist": "*", "admin.enableServer": "true", "admin.serverAddress": "127.0.0.1",
             "admin.serverPort": t.ports.take(), "tickTime": 2000, "maxClientCnxns": 60}
    extra.update({k.replace("__", "."): v for k, v in settings.items()})
    zk = cluster.Zookeeper(t.home, t.folder(), t.ports.take(), extra)
    zk.admin = extra["admin.serverPort"]
    return t.keep(zk)


def monitor(zk):
    return dict(line.split("\t") for line in zk_wire.four_letter(zk.port, "mntr", 30).splitlines())


def differ(ours, theirs):
    """'' where two sets are the same."""
    parts = [f"missing: {sorted(theirs - ours)[:20]}"] if theirs - ours else []
    return "; ".join(parts + ([f"more: {sorted(ours - theirs)[:20]}"] if ours - theirs else []))


# --- what it says ----------------------------------------------------------------------------------------------------------
@case("words, admin commands and audit log are ZooKeeper 3.8's", ours_only=IS_38)
def said(t):
    zk = server(t, audit__enable="true").launch().wait_ready()
    sessions = zk_operations.work(zk.port)
    ours = zk_operations.capture(zk.port, zk.admin)
    for session in sessions:
        session.close()
    for name in sorted(n for n in ours if n.startswith("words/") and "mntr" not in n):
        wanted = zk_operations.lines(golden("default/" + name))
        if name == "words/envi":  # there is no JVM
            wanted = {line for line in wanted if not line.startswith(("java.", "os.memory."))}
        difference = differ(zk_operations.lines(ours[name]), wanted)
        t.check(name, not difference, difference + "\n" + ours[name])
    for name in ("words/mntr", "words/mntr-after"):
        difference = differ(zk_operations.keys(ours[name]), zk_operations.keys(golden("default/" + name)))
        t.check(name, not difference, difference)
    said, wanted = (dict(line.split("\t") for line in text.splitlines()) for text in (ours["words/mntr"], golden("default/words/mntr")))
    for key in COUNTED:
        t.check(f"{key} is {wanted[key]}", said[key] == wanted[key], said[key])
    for name in sorted(n for n in ours if n.startswith("commands/")):
        shape, wanted = zk_operations.command_shape(ours[name]), zk_operations.command_shape(golden("default/" + name))
        if name == "commands/environment":
            wanted = {k: v for k, v in wanted.items() if not k.startswith(("java.", "os.memory."))}
        if name == "commands/system_properties":
            t.check(name + ": nothing that ZooKeeper has not", set(shape) <= set(wanted) | {"zookeeper.admin.enableServer"}, shape)
            t.check(name + ": the settings", {k for k in wanted if k.startswith("zookeeper.")} <= set(shape), shape)
            continue
        t.check(name, shape == wanted, f"{shape}\nnot {wanted}")
    audit = os.path.join(zk.log_dir, "zookeeper_audit.log")
    before = os.path.getsize(audit)
    zk_operations.audited_work(zk.port)
    wanted = golden("default/audit").splitlines()

    def written():
        with open(audit) as f:
            f.seek(before)
            lines = zk_operations.audit_messages(f.read())
        return lines if len(lines) >= len(wanted) else None
    lines = proc.wait_until(written, 10, "the audit lines")
    for ours_line, line in zip(lines, wanted):
        t.check("audit: " + line.split("operation=")[1].replace("\t", " "), ours_line == line, f"{ours_line}\nnot {line}")
    t.check("and no line more", len(lines) == len(wanted), lines)
    zk.stop()
    with open(audit) as f:
        lines = zk_operations.audit_messages(f.read())
    t.check("start and stop are said", lines[0] == "INFO user=SERVER\toperation=serverStart\tresult=success" and
            lines[-1] == "INFO user=SERVER\toperation=serverStop\tresult=invoked", (lines[0], lines[-1]))


@case("metrics are ZooKeeper's Prometheus provider's", ours_only=IS_38)
def metrics(t):
    port = t.ports.take()
    zk = server(t, metricsProvider__className=PROMETHEUS, metricsProvider__httpHost="127.0.0.1",
                metricsProvider__httpPort=port).launch().wait_ready()
    for session in zk_operations.work(zk.port):
        t.keep(session)

    def theirs(names):  # there is no JVM, but its pauses are ZooKeeper's own metric
        return {n for n in names if not n.startswith("jvm_") or n.startswith("jvm_pause_time_ms")}
    page = zk_operations.http(port, "/metrics")[2]
    difference = differ(zk_operations.metric_types(page), theirs(zk_operations.metric_types(golden("prometheus/metrics"))))
    t.check("names and types", not difference, difference)
    difference = differ(zk_operations.metric_samples(page), theirs(zk_operations.metric_samples(golden("prometheus/metrics"))))
    t.check("samples and labels", not difference, difference)
    wanted = {k for k in zk_operations.keys(golden("prometheus/words/mntr"))
              if not k.startswith("zk_jvm_") or k.startswith("zk_jvm_pause_time_ms")}
    difference = differ(zk_operations.keys(zk_wire.four_letter(zk.port, "mntr")), wanted)
    t.check("mntr", not difference, difference)
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if line and line[0] != "#")
    t.check("latencies were measured", float(values["updatelatency_count"]) == 9 and float(values["readlatency_count"]) == 9 and
            float(values["fsynctime_count"]) >= 1, {k: v for k, v in values.items() if "latency" in k})


@case("the admin server speaks HTTP as ZooKeeper's", ours_only=IS_38)
def admin(t):
    zk = server(t, admin__commandURL="/zk").launch().wait_ready()
    status, headers, body = zk_operations.http(zk.admin, "/zk/ruok")
    t.check("a command", status == 200 and headers["Content-Type"] == "application/json" and
            json.loads(body) == {"command": "ruok", "error": None}, (status, headers, body))
    t.check("the list", '<a href="/zk/configuration">' in zk_operations.http(zk.admin, "/zk")[2])
    for path, method, wanted in (("/", "GET", 404), ("/commands/ruok", "GET", 404), ("/zk/ruok", "POST", 405), ("/zk/ruok", "HEAD", 200),
                                 ("/zk/nope", "GET", 200)):
        status = zk_operations.http(zk.admin, path, method)[0]
        t.check(f"{method} {path}: {wanted}", status == wanted, status)
    with socket.create_connection(("127.0.0.1", zk.admin), 5) as s:
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64))
        answer = s.makefile("rb").read()
        t.check("a TLS hello is refused", answer == b"" or b" 400 " in answer.split(b"\r\n")[0], answer)
    t.check("and it goes on", zk_operations.http(zk.admin, "/zk/ruok")[0] == 200)


@case("what else reaches the admin and the metrics port", ours_only=IS_38)
def strangers(t):
    """Garbage, headers without an end, halves of requests, more connections than are served: bounded, and over in time."""
    metrics_port = t.ports.take()
    zk = server(t, admin__idleTimeout=1000, metricsProvider__className=PROMETHEUS, metricsProvider__httpHost="127.0.0.1",
                metricsProvider__httpPort=metrics_port).launch().wait_ready()
    pid = zk.pid()

    def served():
        return zk_operations.http(zk.admin, "/commands/ruok")[0] == 200 and zk_operations.http(metrics_port, "/metrics")[0] == 200

    def said(port, data):
        """The status, 0 where the connection is closed without one."""
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            try:
                s.sendall(data)
                first = s.makefile("rb").readline().split()
            except ConnectionError:
                return 0
            return int(first[1]) if first else 0
    t.require("both are served", served())
    rss, descriptors = proc.rss_kb(pid), len(os.listdir(f"/proc/{pid}/fd"))
    for port in (zk.admin, metrics_port):
        for what, data, wanted in (("zeros", bytes(200), (400, 0)), ("no version", b"GET /\r\n\r\n", (400, 0)),
                                   ("a header of 10 MB", b"GET / HTTP/1.1\r\nX: " + b"x" * (10 << 20), (431, 0)),
                                   ("a line of 10 MB", b"GET /" + b"x" * (10 << 20), (431, 0)),
                                   ("a broken escape", b"GET /commands/%zz HTTP/1.0\r\n\r\n", (400,)),
                                   ("a body", b"POST /metrics HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n", (405, 413))):
            status = said(port, data)
            t.check(f"{what}: {' or '.join(map(str, wanted))}", status in wanted, status)
    held = []
    for n in range(400):
        s = socket.create_connection(("127.0.0.1", (zk.admin, metrics_port)[n % 2]), 10)
        s.sendall((b"GET /commands/ru", b"GET /metrics HTTP/1.1\r\nHost: x", b"")[n % 3])
        held.append(s)
    clock = Timer()
    more = len(os.listdir(f"/proc/{pid}/fd")) - descriptors
    t.check("no more than odradek.admin.max.connections of a port are held", more <= 2 * 100 + 10, f"{more} descriptors more")
    session = zk_wire.Session(zk.port)
    t.check("clients are served", session.create("/served") == 0)
    session.close()
    proc.wait_until(lambda: zk_operations.answers(zk.admin, "/commands/ruok"), 10, "the halves of admin.idleTimeout are gone")
    t.ok(f"the admin server answers again after {clock.seconds():.1f} s")
    grown = proc.rss_kb(pid) - rss
    t.check("memory stays bounded", grown < 10000, f"{grown} kB more")
    lines = [line for line in zk.output().splitlines() if "there are 100 already" in line]
    t.check("one line a port says that there are too many", 1 <= len(lines) <= 4, lines)
    for s in held:
        s.close()
    proc.wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= descriptors + 5, 10, "the descriptors are free again")
    t.check("and both are served", served())


@case("ports for operators that are taken", ours_only="ZooKeeper ends too, with a stack trace")
def taken(t):
    port = t.ports.take()
    with socket.create_server(("127.0.0.1", port)):
        for settings in ({"admin__serverPort": port}, {"metricsProvider__className": PROMETHEUS, "metricsProvider__httpHost": "127.0.0.1",
                                                       "metricsProvider__httpPort": port}):
            zk = server(t, **settings).launch()
            key = "admin.serverPort" if "admin__serverPort" in settings else "metricsProvider.httpPort"
            t.check(f"{key}: no start", zk.wait_end() == 1, zk.output())
            lines = [line for line in zk.output().splitlines() if line.startswith("coordinator: ")]
            t.check("one line with cause and remedy", len(lines) == 1 and key in lines[0] and str(port) in lines[0], zk.output())
    holder = None
    try:
        holder = socket.create_server(("127.0.0.1", 8080))
    except OSError:
        pass  # another program's: just as good
    try:
        zk = server(t, admin__serverPort=None).launch()
        t.check("8080, which nobody named: no start", zk.wait_end() == 1, zk.output())
        t.check("and how to do without", "Port 8080 is in use" in zk.output() and "admin.enableServer=false" in zk.output(), zk.output())
    finally:
        if holder:
            holder.close()


@case("lines of an ensemble", ours_only="a ZooKeeper is one")
def ensemble(t):
    members = {f"server.{n}": f"127.0.0.1:{2887 + n}:{3887 + n}" for n in (1, 2, 3)}
    zk = server(t, initLimit=5, syncLimit=2, **members).launch()
    t.check("three members: no start", zk.wait_end() == 1, zk.output())
    lines = [line for line in zk.output().splitlines() if line.startswith("coordinator: ")]
    t.check("one line names the file, the line and why", len(lines) == 1 and "zookeeper.properties:" in lines[0] and
            "server.1=" in lines[0] and "one of 3 members of an ensemble" in lines[0], zk.output())
    alone = server(t, **{"server.1": "127.0.0.1:2888:3888"}).launch().wait_ready()
    t.check("one member: alone, with a warning", "runs alone" in alone.output() and monitor(alone)["zk_server_state"] == "standalone",
            alone.output())


# --- limits ----------------------------------------------------------------------------------------------------------------
CONNECT = struct.pack(">iiqiqi", 45, 0, 0, 10000, 0, 16) + bytes(17)
KINDS = {"nothing": b"", "two bytes": CONNECT[:2], "half a request": CONNECT[:20], "half a preface": b"PRI * HTTP/2.0\r\n",
         "part of a large one": struct.pack(">i", 200000) + bytes(900)}


def sources(per_address):
    """Addresses of the loopback network, each as often as one may connect."""
    for n in range(1 << 16):
        for _ in range(per_address):
            yield f"127.1.{n // 254}.{n % 254 + 1}"


def open_idle(port, count, per_address=50):
    held, kinds = [], list(KINDS.values())
    address = sources(per_address)
    for n in range(count):
        s = socket.socket()
        s.bind((next(address), 0))
        s.connect(("127.0.0.1", port))
        s.sendall(kinds[n % len(kinds)])
        held.append(s)
    return held


def hears_the_end(s):
    s.settimeout(5)
    try:
        return s.recv(1) == b""
    except ConnectionResetError:  # what it sent was not taken
        return True


@case("connections that say nothing, or half a request", ours_only="a JVM's memory is another matter")
def idle(t):
    """ODRADEK_IDLE_CONNECTIONS says how many; the default is for every day."""
    wanted = int(os.environ.get("ODRADEK_IDLE_CONNECTIONS", "5000"))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(wanted, hard - 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    zk = server(t).launch().wait_ready()
    pid = zk.pid()
    before = proc.rss_kb(pid)
    clock = Timer()
    held = open_idle(zk.port, count)
    opened = clock.seconds()
    values = proc.wait_until(lambda: (v := monitor(zk)) and int(v["zk_connection_rejected"]) == 0 and
                             (int(v["zk_num_alive_connections"]) + int(v["zk_sessionless_connections_expired"]) > count) and v, 30,
                             f"all {count} connections are taken in")
    grown = proc.rss_kb(pid) - before
    together = int(values["zk_num_alive_connections"]) - 1
    t.require("they are there at once", together > count * 0.9, f"{together} of {count} after {opened:.1f} s")
    each = grown * 1024 / together
    t.check("each costs less than 1 KiB", each < 1024, f"{grown} kB more for {together}: {each:.0f} bytes each")
    session = zk_wire.Session(zk.port)
    t.check("others are served", session.create("/served") == 0 and zk_wire.four_letter(zk.port, "ruok") == "imok")
    session.close()
    proc.wait_until(lambda: monitor(zk)["zk_num_alive_connections"] == "1", 30, "all are closed")
    took = clock.seconds() - opened
    t.check("and they are closed in time", took < 15, f"{took:.1f} s after the last one came")
    t.check("each was counted", int(monitor(zk)["zk_sessionless_connections_expired"]) == count, monitor(zk)["zk_sessionless_connections_expired"])
    closing = {line for line in zk.output().splitlines() if "in 10 s" in line}
    t.check("six lines a second say so, and no more", 1 <= len(closing) <= 6 * (opened + took),
            f"{len(closing)} lines, such as {closing.pop()}")
    t.check("each hears of it", all(hears_the_end(s) for s in held[:: max(1, count // 100)]))
    for s in held:
        s.close()
    t.ok(f"{together} connections, {each:.0f} bytes of memory each, opened in {opened:.1f} s, closed {took:.1f} s later")


@case("more connections than one address may have")
def too_many(t):
    zk = server(t, maxClientCnxns=10, maxCnxns=15).launch().wait_ready()
    held = [t.keep(zk_wire.Session(zk.port)) for _ in range(9)]

    def refused(source):
        with socket.socket() as s:
            s.bind((source, 0))
            s.settimeout(5)
            s.connect(("127.0.0.1", zk.port))
            s.sendall(CONNECT)
            try:
                return s.recv(4) == b""
            except ConnectionResetError:
                return True
    with socket.socket() as tenth:
        tenth.bind(("127.0.0.1", 0))
        tenth.connect(("127.0.0.1", zk.port))
        tenth.sendall(CONNECT)
        t.check("the tenth is let in", len(tenth.recv(4)) == 4)
        t.check("the eleventh is not", refused("127.0.0.1"))
        t.check("of another address it is", not refused("127.0.0.9"))
        others = open_idle(zk.port, 5)
        t.check("but there are no more than maxCnxns", refused("127.0.0.8"))
        for s in others:
            s.close()
    t.check("who is in stays", all(s.exists("/") for s in held))


@case("requests of which the rest does not come", ours_only=NO_LIMIT)
def half_requests(t):
    zk = server(t, odradek__requests__max__bytes=16 << 20, maxClientCnxns=0).launch().wait_ready()
    pid = zk.pid()
    before = proc.rss_kb(pid)
    part = struct.pack(">iii", 1000000, 1, 1) + bytes(699992)
    slow = []
    for _ in range(150):  # 100 MB, were all of it taken in
        session = zk_wire.Session(zk.port, 4000)
        session.socket.setblocking(False)
        at = 0
        try:
            while at < len(part):
                at += session.socket.send(part[at:])
        except BlockingIOError:
            pass  # it is not read from any more: that is the point
        slow.append(session)
    honest = zk_wire.Session(zk.port, 30000)
    t.check("others are served", honest.create("/small", b"x" * 500) == 0)
    grown = proc.rss_kb(pid) - before
    t.check("memory stays bounded", grown < 40000, f"{grown} kB more")
    clock = Timer()
    proc.wait_until(lambda: int(monitor(zk)["zk_global_sessions"]) == 1, 30, "the slow ones' sessions are over")
    t.ok(f"their sessions end: {clock.seconds():.1f} s")
    t.check("and a large request is taken again", honest.create("/large", b"x" * 900000) == 0)
    for session in slow:
        session.socket.close()
    honest.close()


@case("watches beyond their limit", ours_only=NO_LIMIT)
def watches(t):
    zk = server(t).launch(env={"KAFKA_HEAP_OPTS": "-Xmx64M"}).wait_ready()
    pid = zk.pid()
    before = proc.rss_kb(pid)
    session = t.keep(zk_wire.Session(zk.port))
    allowed, asked, errors = 64 * 1024 // 2, 40000, []
    for begin in range(0, asked, 500):
        for n in range(begin, begin + 500):
            body = zk_wire.text(f"/watched/by/somebody/{n}") + b"\1"
            session.socket.sendall(struct.pack(">iii", len(body) + 8, n + 1, 3) + body)
        errors += [struct.unpack_from(">iqi", session.frame())[2] for _ in range(500)]
    t.check("half of one for each KiB of the budget are set", errors.count(-101) == allowed, (errors.count(-101), allowed))
    t.check("the others get SystemError", errors.count(-1) == asked - allowed, errors.count(-1))
    t.check("a log line says which limit", "odradek.watches.max.per.connection" in zk.output(), zk.output()[-1000:])
    t.check("the connection stays", session.create("/watched") == 0)
    grown = proc.rss_kb(pid) - before
    t.check("a watch takes less than half a KiB", grown * 1024 / allowed < 512, f"{grown * 1024 / allowed:.0f} bytes each")
