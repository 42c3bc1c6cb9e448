#!/usr/bin/env python3
"""What a ZooKeeper says to those who run it, after a fixed piece of work: words, admin commands, metrics, audit lines.

tests/golden/zookeeper/operations holds what the real one says; a case compares ours with it. Made by

    python3 tests/interop/lib/zk_operations.py PORT ADMIN_PORT METRICS_PORT DIR [AUDIT_LOG]

METRICS_PORT 0: there is none. Only shapes are compared: numbers, dates and peers differ from run to run."""
import json
import os
import re
import socket
import struct
import sys
import urllib.error
import urllib.request
from http import client as http_client

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib.zk_wire import Session, four_letter, text  # noqa: E402

QUIET_WORDS = "conf cons dirs dump envi gtmk hash isro mntr ruok srvr stat wchc wchp wchs".split()
COMMANDS = ("configuration connections dirs dump environment get_trace_mask hash initial_configuration is_read_only "
            "last_snapshot leader monitor observer_connection_stat_reset observers ruok server_stats stats "
            "system_properties voting_view watch_summary watches watches_by_path zabstate set_trace_mask "
            "set_trace_mask?traceMask=306 set_trace_mask?traceMask=x stat_reset connection_stat_reset nope").split()
OPEN_ACL = struct.pack(">ii", 1, 31) + text("world") + text("anyone")


def creation(path, flags=0, acl=OPEN_ACL):
    return text(path) + struct.pack(">i", 0) + acl + struct.pack(">i", flags)


def ttl_creation(path):
    return creation(path, 5) + struct.pack(">q", 600000)


def multi(*parts):
    body = b"".join(struct.pack(">i", kind) + b"\0" + struct.pack(">i", -1) + request for kind, request in parts)
    return body + struct.pack(">i", -1) + b"\1" + struct.pack(">i", -1)


def authenticate(session, scheme, credentials):
    body = struct.pack(">i", 0) + text(scheme) + text(credentials)
    session.socket.sendall(struct.pack(">iii", len(body) + 8, -4, 100) + body)
    while True:
        xid, _zxid, error = struct.unpack_from(">iqi", session.frame())
        if xid == -4:
            return error


def work(port):
    """Two sessions with znodes, ephemerals and watches of every kind. They stay open: the caller ends them."""
    one, two = Session(port), Session(port)
    one.create("/a", b"hello")
    one.create("/a/b", b"x")
    one.create("/eph", b"", 1)
    two.create("/eph2", b"", 1)
    one.set("/a", b"more")
    one.get("/a")
    one.children("/a")
    one.delete("/a/b")
    one.get("/nope")
    for session, operation, body in ((one, 4, text("/a") + b"\1"), (one, 8, text("/a") + b"\1"), (two, 4, text("/a") + b"\1"),
                                     (two, 3, text("/zz") + b"\1"), (one, 106, text("/") + struct.pack(">i", 1))):
        session.call(operation, body)
    two.set("/a", b"again")
    two.call(4, text("/a") + b"\1")
    return one, two


def audited_work(port):
    """Writes of every kind, done and refused; the session ends with two ephemerals."""
    s = Session(port)
    for path, flags in (("/w", 0), ("/w", 0), ("/no/where", 0), ("rel", 0), ("/seq-", 2), ("/eseq-", 3), ("/e", 1), ("/c", 4)):
        s.create(path, b"", flags)
    s.call(15, creation("/c2"))
    s.call(19, creation("/c3", 4))
    s.set("/w", b"1")
    s.set("/nosuch", b"")
    s.call(7, text("/w") + OPEN_ACL + struct.pack(">i", -1))
    s.call(7, text("/nosuch") + OPEN_ACL + struct.pack(">i", -1))
    two = struct.pack(">i", 2) + struct.pack(">i", 5) + text("ip") + text("127.0.0.1") + struct.pack(">i", 31) + \
        text("world") + text("anyone")
    s.call(7, text("/c2") + two + struct.pack(">i", -1))
    s.delete("/nosuch")
    s.call(14, multi((1, creation("/m")), (5, text("/m") + text("x") + struct.pack(">i", -1)),
                     (13, text("/m") + struct.pack(">i", -1)), (2, text("/m") + struct.pack(">i", -1))))
    s.call(14, multi((1, creation("/m2")), (2, text("/nosuch") + struct.pack(">i", -1))))
    s.call(14, multi((13, text("/w") + struct.pack(">i", -1))))
    s.call(14, multi())
    authenticate(s, "digest", "bob:secret")
    s.call(7, text("/w") + struct.pack(">ii", 1, 31) + text("auth") + text("") + struct.pack(">i", -1))
    s.delete("/w")
    s.close()
    s = Session(port)
    s.call(16, struct.pack(">iiiq", -1, -1, -1, -1))
    s.socket.close()


def http(port, path, method="GET"):
    """(status, headers, body)"""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, dict(e.headers), e.read().decode("utf-8", "replace")


def answers(port, path):
    """Whether it does; a port that has too many connections closes them without a word."""
    try:
        return http(port, path)[0] == 200
    except (OSError, http_client.HTTPException):
        return False


def set_mask(port, mask):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(b"stmk" + struct.pack(">q", mask))
        return s.makefile().read()


def capture(port, admin_port=0, metrics_port=0):
    """{name: text} of all that is said: words/NAME, commands/NAME, metrics."""
    said = {f"words/{word}": four_letter(port, word) for word in QUIET_WORDS}
    if metrics_port:
        said["metrics"] = http(metrics_port, "/metrics")[2]
    said["words/stmk"] = set_mask(port, 258)
    said["words/gtmk-after"] = four_letter(port, "gtmk")
    for word in ("crst", "srst"):
        said[f"words/{word}"] = four_letter(port, word)
    for word in ("cons", "srvr", "mntr"):
        said[f"words/{word}-after"] = four_letter(port, word)
    for command in COMMANDS if admin_port else ():
        said[f"commands/{command.replace('?', '-')}"] = http(admin_port, f"/commands/{command}")[2]
    return said


# --- what of it is compared ------------------------------------------------------------------------------------------------
def lines(said):
    """The shapes of the lines of a word, in any order."""
    shapes = set()
    for line in said.splitlines():
        line = re.sub(r"^(Zookeeper version: |zookeeper.version=).*", r"\1V", line)
        line = re.sub(r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}", "DATE", line)
        line = re.sub(r"/\d+\.\d+\.\d+\.\d+:\d+", "/PEER", line)
        line = re.sub(r"^(data\w*Dir|user.\w+|host.name|os.version)=.*", r"\1=X", line)
        line = re.sub(r"0x[0-9a-f]+", "0xN", line)
        shapes.add(re.sub(r"\b-?\d+(\.\d+)?\b", "N", line))
    return shapes


def keys(said):
    return {line.split("\t")[0] for line in said.splitlines() if line}


def shape(value):
    """A JSON value without what differs from run to run: the kinds of values by their keys."""
    if isinstance(value, dict):
        return {"N" if re.fullmatch(r"-?\d+", k) else k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def command_shape(said):
    return shape(json.loads(said))


def metric_types(said):
    return {line[7:] for line in said.splitlines() if line.startswith("# TYPE ")}


def metric_samples(said):
    return {line.rsplit(" ", 1)[0] for line in said.splitlines() if line and not line.startswith("#")}


def audit_messages(said):
    """LEVEL and pairs of each line."""
    out = []
    for line in said.splitlines():
        found = re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\w+) o\.a\.z\.a\.Slf4jAuditLogger: (.*)", line)
        if found:
            message = re.sub(r"session=0x[0-9a-f]+", "session=0xN", found.group(2))
            message = re.sub(r"user=(?!127|bob)\w+", "user=SERVER", message)
            out.append(found.group(1) + " " + message)
        else:
            out.append("no audit line: " + line)
    return out


def main(port, admin_port, metrics_port, folder, audit_log=None):
    sessions = work(port)
    said = capture(port, admin_port, metrics_port)
    for session in sessions:
        session.close()
    hidden = ("java.class.path", "java.library.path", "sun.java.command", "sun.boot.library.path")
    for name, value in said.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write("".join(line for line in value.splitlines(True) if not any(h in line for h in hidden)))
    if audit_log:
        before = os.path.getsize(audit_log)
        audited_work(port)
        with open(audit_log) as f:
            f.seek(before)
            messages = audit_messages(f.read())
        with open(os.path.join(folder, "audit"), "w") as f:
            f.write("\n".join(messages) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
