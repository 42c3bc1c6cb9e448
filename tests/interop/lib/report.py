"""Counts and prints what was checked. One line a check: ok, FAILED (with what was seen) or skip (with the reason)."""
import sys
import time


class Skip(Exception):
    """Raised inside a case: the rest of it cannot run here, and the text says why."""


class Required(Exception):
    """Raised when a check failed that the rest of the case stands on. It is counted already."""


class Report:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []
        self.case = ""

    def _line(self, mark, name, detail=""):
        print(f"{mark:<7}{self.case}: {name}" + (f"\n       {detail}" if detail else ""), flush=True)

    def ok(self, name):
        self.passed += 1
        self._line("ok", name)

    def fail(self, name, seen=""):
        self.failed.append(f"{self.case}: {name}")
        text = seen if isinstance(seen, str) else repr(seen)
        if len(text) > 1800:
            text = text[:600] + " [...] " + text[-1200:]
        self._line("FAILED", name, "saw: " + text.strip().replace("\n", "\n            "))

    def skip(self, name, reason):
        self.skipped.append(f"{self.case}: {name}")
        self._line("skip", name, "because " + reason)

    def check(self, name, good, seen=""):
        """A check that the case goes on after. Returns whether it held."""
        if good:
            self.ok(name)
        else:
            self.fail(name, seen)
        return bool(good)

    def require(self, name, good, seen=""):
        if not self.check(name, good, seen):
            raise Required(name)

    def client_lines(self, program, status, output):
        """Takes over what a client program printed: 'ok STEP', 'failed STEP: why', 'skip STEP: why', one a line."""
        steps = 0
        for line in output.splitlines():
            word, _, rest = line.partition(" ")
            if word == "ok":
                self.ok(rest)
            elif word == "failed":
                step, _, why = rest.partition(": ")
                self.fail(step, why)
            elif word == "skip":
                step, _, why = rest.partition(": ")
                self.skip(step, why)
            else:
                continue
            steps += 1
        if steps == 0 or (status != 0 and "\nfailed " not in "\n" + output):
            self.fail(f"{program} runs to its end", f"exit status {status}\n{output}")

    def summary(self):
        for name in self.failed:
            print(f"failed: {name}")
        print(f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped", flush=True)
        return 1 if self.failed else 0


def note(*words):
    """Progress for the reader; counted by nobody."""
    print("# " + " ".join(str(w) for w in words), file=sys.stderr, flush=True)


class Timer:
    def __init__(self):
        self.start = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.start
