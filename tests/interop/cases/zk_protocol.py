"""ZooKeeper's protocol at its edges, held against captures of a real ZooKeeper 3.8.4, and logging in by SASL."""
import os
import re
import socket
import struct

from lib import cluster, jvm, peers, proc, zk_fields, zk_quota, zk_sweep, zk_wire
from lib.context import case

GOLDEN = os.path.join(peers.CHECKOUT, "tests", "golden", "zookeeper")
OTHER_RELEASE = "the captures are of another release"
SASL_PROVIDER = {"authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"}


def server(t, extra=None, env=None):
    z = t.keep(cluster.Zookeeper(t.home, t.folder(), t.ports.take(), {"tickTime": 2000, **(extra or {})}))
    return z.launch(env=env).wait_ready()


def differences():
    """[(pattern, our outcome, reason)]"""
    return zk_sweep.read_table(os.path.join(GOLDEN, "bad-input-differences.tsv"))


@case("bad input is answered as by ZooKeeper 3.8", ours_only=OTHER_RELEASE)
def bad_input(t):
    z = server(t, {"extendedTypesEnabled": "true", "odradek.peer.log.lines": 1000000})
    pid = z.pid()
    expected = zk_sweep.expand(zk_sweep.read_table(os.path.join(GOLDEN, "bad-input-3.8.tsv")))
    found = zk_sweep.Sweep(z.port, patience=15).run()
    t.check("the same cases", list(expected) == list(found), sorted(set(expected) ^ set(found))[:20])
    wanted, used = dict(expected), set()
    for name in found:
        for pattern, ours, _reason in differences():
            if re.fullmatch(pattern, name):
                wanted[name] = ours
                used.add(pattern)
    wrong = [f"{n}: {found[n]!r}, not {wanted.get(n)!r}" for n in found if found[n] != wanted.get(n)]
    t.check(f"the same outcome in {len(found)} cases", not wrong, "\n".join(wrong[:60]))
    idle = [p for p, ours, _reason in differences() if p not in used or
            all(expected.get(n) == ours for n in found if re.fullmatch(p, n))]
    t.check("each listed difference is one", not idle, idle)
    t.check("it is the same process", z.alive() and z.pid() == pid)
    text = z.output()
    closed = sum(1 for n, o in found.items() if "closed" in o)
    t.check("a line for each connection that was closed", len(re.findall(r"[Cc]losing connection of|connection is closed", text)) >= closed,
            (closed, text[-1500:]))
    t.check("and for malformed requests that were answered", text.count("sent a malformed request") >= 500, text[-1500:])


@case("one peer cannot flood the log", ours_only="Apache's server writes a stack trace for each")
def no_flood(t):
    z = server(t, {"odradek.peer.log.lines": 7})
    for n in range(100):
        with socket.create_connection(("127.0.0.1", z.port), 10) as s:
            s.sendall(struct.pack(">i", 5) + b"wrong")
            t.require(f"connection {n} is closed", zk_sweep.receive(s, 1) is None) if n == 99 else zk_sweep.receive(s, 1)
    lines = {x for x in z.output().splitlines() if "Closing connection of /127.0.0.1" in x}  # it is said in two places
    t.check("7 lines for 100 closed connections", len(lines) == 7, lines)
    t.check("each names peer and reason", all(re.search(r"/127\.0\.0\.1:\d+ .*ConnectRequest", x) for x in lines), lines)


@case("quotas in zkCli 3.8 and in zookeeper-shell", ours_only=OTHER_RELEASE)
def quota(t):
    with open(os.path.join(GOLDEN, "quota-shell-3.8.txt"), encoding="utf-8") as f:
        expected = f.read().splitlines()
    vm = t.keep(jvm.Jvm(peers.zookeeper(), t.scratch, ["Driver.java"]))

    def zk_cli(z):
        return vm.run(vm.mains["zookeeper-shell.sh"], ["-server", f"127.0.0.1:{z.port}"], stdin=zk_quota.TYPED, timeout=60)[1]

    def shell(z):
        return t.home_tools().run("zookeeper-shell.sh", f"127.0.0.1:{z.port}", stdin=zk_quota.TYPED)[1]
    for name, run in (("zkCli 3.8.4", zk_cli), ("zookeeper-shell", shell)):
        found = zk_quota.answers(run(server(t, {"enforceQuota": "true"})))
        t.check(f"{name} says the same", found == expected,
                {"missing": [x for x in expected if x not in found], "more": [x for x in found if x not in expected]})


# --- SASL ----------------------------------------------------------------------------------------------------------------
def jaas(t, text):
    path = os.path.join(t.folder(), "jaas.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return {"KAFKA_OPTS": f"-Djava.security.auth.login.config={path}"}


def server_jaas(t):
    return jaas(t, 'Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n'
                   '  user_bob="bob-secret"\n  user_super="admin-secret";\n};\n')


def client_jaas(t, user, password):
    return jaas(t, 'Client {\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n'
                   f'  username="{user}" password="{password}";\n}};\n')


def java_shell(t, z, lines, env=None):
    return proc.run(["bash", os.path.join(peers.zookeeper(), "bin", "zookeeper-shell.sh"), f"127.0.0.1:{z.port}"],
                    stdin="".join(f"{x}\n" for x in [*lines, "quit"]), timeout=90,
                    env={"KAFKA_HEAP_OPTS": "-Xmx256m", "KAFKA_JVM_PERFORMANCE_OPTS": cluster.JVM_SHORT, **(env or {})})[1]


@case("SASL DIGEST-MD5: the Java client 3.8 and kazoo", ours_only=OTHER_RELEASE)
def sasl(t):
    z = server(t, SASL_PROVIDER, server_jaas(t))
    out = java_shell(t, z, ["create /java d sasl:bob:cdrwa", "get /java", "create /auth d auth::r", "getAcl /auth", "whoami"],
                     client_jaas(t, "bob", "bob-secret"))
    t.check("the Java client logs in and reads what is its own", re.search(r"(?m)^d$", out), out)
    t.check("auth stands for its SASL name", "'sasl,'bob" in out, out)
    out = java_shell(t, z, ["get /java"])
    t.check("who did not log in does not read it", "not have permission" in out or "NoAuth" in out or "Insufficient permission" in out, out)
    out = java_shell(t, z, ["get /java"], client_jaas(t, "super", "admin-secret"))
    t.check("the SASL user super reads it", re.search(r"(?m)^d$", out), out)
    out = java_shell(t, z, ["get /java"], client_jaas(t, "bob", "wrong"))
    t.check("a wrong password does not", not re.search(r"(?m)^d$", out), out)
    t.check("and is named in the log", re.search(r"failed to log in by SASL: wrong password of user bob", z.output()), z.output()[-1500:])
    t.check("no password is in the log", "bob-secret" not in z.output())
    program = os.path.join(peers.CLIENTS, "python", "kazoo_sasl.py")
    status, out = proc.run([peers.python(), program, f"127.0.0.1:{z.port}", "bob", "bob-secret"], timeout=90)
    t.report.client_lines("kazoo_sasl.py", status, out)


@case("SASL asked of everybody", ours_only="Apache's server reads requireClientAuthScheme nowhere")
def sasl_required(t):
    z = server(t, {**SASL_PROVIDER, "requireClientAuthScheme": "sasl"}, server_jaas(t))
    program = os.path.join(peers.CLIENTS, "python", "kazoo_sasl.py")
    status, out = proc.run([peers.python(), program, f"127.0.0.1:{z.port}", "bob", "bob-secret", "required"], timeout=90)
    t.report.client_lines("kazoo_sasl.py", status, out)
    session = zk_wire.Session(z.port)
    t.check("a request of nobody is -124", session.call(3, zk_wire.text("/") + b"\0")[0] == -124)
    t.check("and the connection is closed", zk_sweep.receive(session.socket, 1) is None)
    t.check("four-letter words are answered", "Mode: standalone" in zk_wire.four_letter(z.port, "srvr"))


@case("the JVM's options are read as settings", ours_only="Apache's server is a JVM")
def jvm_options(t):
    z = server(t, {}, {"SERVER_JVMFLAGS": "-Xmx300m -Dzookeeper.extendedTypesEnabled=true -Dzookeeper.no.such.thing=1",
                       "KAFKA_OPTS": "-Dznode.container.checkIntervalMs=200"})
    session = zk_wire.Session(z.port)
    body = zk_fields.encode(zk_fields.REQUESTS["createTTL"][1](b"/ttl"))
    body = body[:-8] + struct.pack(">q", 1)  # of one millisecond
    t.check("TTL znodes are enabled", session.call(21, body)[0] == 0)
    proc.wait_until(lambda: not session.exists("/ttl"), 20, "the TTL znode goes with the next sweep")
    t.ok("and go as often as asked")
    t.check("what has no meaning is named once", z.output().count("-Dzookeeper.no.such.thing has no meaning here") >= 1, z.output()[-1500:])
    wrong = t.keep(cluster.Zookeeper(t.home, t.folder(), t.ports.take(), {"jute.maxbuffer": 5000}))
    wrong.launch(env={"SERVER_JVMFLAGS": "-Dzookeeper.authProvider.1=org.apache.zookeeper.server.auth.X509AuthenticationProvider"})
    t.check("a provider that is not here stops the start", wrong.wait_end() not in (None, 0), wrong.output())
    t.check("and the variable is named", "SERVER_JVMFLAGS" in wrong.output() and "X509AuthenticationProvider" in wrong.output(), wrong.output())
