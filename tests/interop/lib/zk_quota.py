"""A day of quotas in zkCli: what is typed, and what of the answer is compared.

tests/golden/zookeeper/quota-shell-3.8.txt is the answer of zkCli 3.8.4 from a ZooKeeper 3.8.4 (capture_zookeeper makes
it); the server enforces quotas."""
import re

TYPED = """create /q data
create /q/a 12345
setquota -n 5 /q
listquota /q
setquota -B 100 /q
setquota -N 4 /q
setquota -b 20 /q
listquota /q
get /zookeeper/quota/q/zookeeper_stats
create /q/b 1
create /q/c 1
create /q/d 1
set /q/a 1
listquota /q
setquota -n 2 /q
set /q/a 123456789012345678901234567890
setquota -b 3 /q
setquota -n 3 /q/a
setquota -n 1 /nope
setquota -n 0 /q
setquota -b -1 /q
setquota -n x /q
setquota -n 3 -b 4 /q
setquota /q
setquota -n 3
setquota -n 3 /zookeeper/quota/q
create /q2
create /q2/x
setquota -n 10 /q2/x
setquota -n 10 /q2
listquota /q2
listquota /nope
delquota -n /q
listquota /q
delquota -B /q
delquota -b /q
delquota -N /q
listquota /q
delquota /q
delquota /q
delquota
listquota
setquota -b 0 /q2/x
setquota -n 1 /q2/x
create /q2/x/y
create /q2/x/z
listquota /q2/x
ls -R /zookeeper
deleteall /q2
deleteall /q
delquota /q2/x
ls -R /zookeeper
quit
"""
# Of the session and of the logging, not of the commands; a prompt and an echo stand in front where a terminal is.
_NOISE = re.compile(r"^(Connecting to|Welcome to|JLine support|WATCHER::|WatchedEvent|log4j:|SLF4J:|\d{4}-\d\d-\d\d |$)")


def answers(output):
    """The lines that say what the commands did. What goes to the two streams may meet in any order: sorted they compare."""
    lines = [re.sub(r"^\[zk: [^\]]*\] ?(.*)$", "", line).rstrip() for line in output.splitlines()]
    return sorted(line for line in lines if line and not _NOISE.match(line))
