"""Processes: each one that a test starts is a group of its own, carries a mark in its environment, and is ended by id.

The mark finds what left its group (a server started with -daemon): `sweep` reads /proc/PID/environ and ends exactly
the processes that carry this run's mark."""
import os
import signal
import subprocess
import time
import uuid

MARK = "ODRADEK_TEST_RUN"
RUN_ID = uuid.uuid4().hex
_started = []


class DeadlineError(AssertionError):
    pass


def wait_until(condition, seconds, what):
    """Looks until condition() is truthy and returns that value; past the deadline it raises with `what`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise DeadlineError(f"not within {seconds} s: {what}")
        time.sleep(0.03)  # the pace of looking, not the synchronisation


def environment(extra=None):
    env = dict(os.environ)
    env[MARK] = RUN_ID
    for key, value in (extra or {}).items():
        if value is None:
            env.pop(key, None)
        else:
            env[key] = str(value)
    return env


def spawn(argv, env=None, cwd=None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT):
    p = subprocess.Popen([str(a) for a in argv], env=environment(env), cwd=cwd, stdin=stdin, stdout=stdout,
                         stderr=stderr, start_new_session=True)
    _started.append(p)
    return p


def end_group(p, first=signal.SIGTERM, grace=10):
    """Ends a process and its group: the first signal, then SIGKILL after the grace."""
    if p.poll() is None and first != signal.SIGKILL:
        try:
            os.killpg(p.pid, first)
            p.wait(grace)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
    try:
        os.killpg(p.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    try:
        p.wait(10)
    except subprocess.TimeoutExpired:
        pass


def run(argv, stdin=None, timeout=120, env=None, cwd=None, merge=True):
    """Runs a command to its end: (exit status, output). A command past its time is ended: status None.
    stdin: text, bytes, or an open file."""
    piped = isinstance(stdin, (str, bytes))
    p = spawn(argv, env=env, cwd=cwd, stdin=subprocess.PIPE if piped else (stdin or subprocess.DEVNULL),
              stderr=subprocess.STDOUT if merge else subprocess.DEVNULL)
    data = stdin.encode() if isinstance(stdin, str) else (stdin if piped else None)
    try:
        out, _ = p.communicate(data, timeout=timeout)
        status = p.returncode
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGTERM)
        try:
            out, _ = p.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            end_group(p, signal.SIGKILL)
            out, _ = p.communicate()
        status = None
    if p in _started:
        _started.remove(p)
    return status, out.decode("utf-8", "replace")


def marked():
    """Ids of living processes that this run started, in whatever group they are now."""
    want = f"{MARK}={RUN_ID}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as f:
                if want in f.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            pass
    return found


def sweep():
    for p in _started:
        if p.poll() is None:
            end_group(p, signal.SIGKILL)
    _started.clear()
    for pid in marked():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def rss_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    return 0


def family(pid):
    """pid and its descendants: a start script may exec the server or stay in front of it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as f:
                    parents.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
            except OSError:
                pass
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += parents.get(one, [])
    return found
