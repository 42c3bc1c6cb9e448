"""What the parts of the benchmark share: CPU and memory of a process, load programs, the table."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "interop"))
sys.dont_write_bytecode = True
from lib import cluster, peers, proc  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    """User and system seconds of a process so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class OfficialHome(cluster.Home):
    """An Apache home at its own heaps, not at the tests' small ones."""

    def environment(self):
        return {}


def program(source, *libraries):
    return peers.c_program(os.path.join(HERE, source), *libraries)


def load(program, *arguments):
    """Runs a load program; the numbers of its line."""
    status, out = proc.run([program, *map(str, arguments)], timeout=900, merge=False)
    if status != 0:
        raise SystemExit(f"{os.path.basename(program)} {' '.join(map(str, arguments))} ended with {status}: {out}")
    return [float(x) for x in out.split()]


def show(x):
    return "-" if x is None else f"{x:.3f}" if x < 10 else f"{x:.1f}" if x < 10000 else f"{x:.0f}"


def print_table(ours, theirs, their_name):
    names = list(dict.fromkeys([*ours, *theirs]))
    width = max(len(n) for n in names)
    print(f"{'':{width}}  {'Odradek':>10}  {their_name:>15}  {'ratio':>7}")
    for name in names:
        a, b = ours.get(name), theirs.get(name)
        ratio = f"{b / a:.2f}" if a and b else "-"
        print(f"{name:{width}}  {show(a):>10}  {show(b):>15}  {ratio:>7}")
    print(f"ratio: the figure of {their_name} divided by ours (where more is better, below 1 is better for us)")
