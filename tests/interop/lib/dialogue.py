"""A client program that asks its test for something in between: it prints `ask WORD` and goes on when it reads a line."""
import subprocess
import threading

from . import proc


def run(argv, answers, env=None, cwd=None, timeout=120):
    """Runs a program to its end: (exit status or None past its time, output). answers: {WORD: what to do}."""
    p = proc.spawn(argv, env=env, cwd=cwd, stdin=subprocess.PIPE)
    late = threading.Event()

    def end():
        late.set()
        proc.end_group(p)
    timer = threading.Timer(timeout, end)
    timer.start()
    out = []
    try:
        for line in p.stdout:
            text = line.decode("utf-8", "replace")
            word = text.strip()[4:] if text.startswith("ask ") else None
            if word is None:
                out.append(text)
                continue
            answers[word]()
            p.stdin.write(b"done\n")
            p.stdin.flush()
        p.wait()
    except BrokenPipeError:
        p.wait(10)
    finally:
        timer.cancel()
        proc.end_group(p)
    return None if late.is_set() else p.returncode, "".join(out)
