"""What the small programs share: one line a step, and waiting with a deadline."""
import sys
import time

failures = 0


def check(step, good, seen=""):
    global failures
    if good:
        print(f"ok {step}", flush=True)
    else:
        failures += 1
        print(f"failed {step.replace(': ', ', ')}: {seen!r}", flush=True)
    return good


def within(seconds, condition):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.03)


def finish():
    sys.exit(1 if failures else 0)


def key(codec, i):
    return None if i % 7 == 0 else f"{codec}-{i}".encode()


def value(codec, i):
    if i % 49 == 48:  # never where the key is null too
        return None
    return f"{codec} {i} 한국어 ".encode() + bytes((b // 3 * 31 + i) % 256 for b in range((i * 37) % 700))
