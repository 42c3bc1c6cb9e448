"""What a broker complains about: the kinds of WARN, ERROR and exception in a log, with everything that changes from run to
run taken out of the words."""
import re

LINE = re.compile(r"^\[\d{4}-\d\d-\d\d [\d:,]+\] (TRACE|DEBUG|INFO|WARN|ERROR|FATAL) (.*?)(?: \(([\w.$]+)\))?$")
THROWN = re.compile(r"^(?:Caused by: )?((?:[a-z]\w*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable))\b")
CHANGES = (
    (re.compile(r"/[^\s:,\]]*(?:run-|apache-)[^\s,\])]*"), "FILE"), (re.compile(r"0x[0-9a-f]+"), "HEX"), (re.compile(r"\(type\b.*"), "(...)"),
    (re.compile(r"\b[\w-]{22}(?=\b|\W)(?<=[\w-]{22})(?=[^\w-]|$)"), "ID"), (re.compile(r"(localhost|127\.0\.0\.1|\[[0-9a-f:]+\])(/<unresolved>)?"), "HOST"),
    (re.compile(r"\b(steady|made|works|moved|gone|again|__consumer_offsets)(-\d+)*\b"), "TOPIC"), (re.compile(r"-?\b\d+(?=ms\b|\b)"), "N"),
    (re.compile(r"\((?:[\w-]+,? ?)*\)"), "(...)"), (re.compile(r"\b(Set|List|Map|HashMap|ArrayBuffer|Vector)\(.*"), r"\1(...)"),
    (re.compile(r"\{.*\}"), "{...}"), (re.compile(r"\[[^\[\]]*(?:,[^\[\]]*)+\]"), "[...]"))


def plain(message):
    for pattern, word in CHANGES:
        message = pattern.sub(word, message)
    return re.sub(r"(TOPIC|N)(, ?(TOPIC|N))+", r"\1", message)[:160].strip()


def kinds(text):
    """{(level, logger, words): an example}. An exception is a kind of its own, by its class and the logger that showed it."""
    found, logger, said = {}, "-", ""
    for line in text.splitlines():
        m = LINE.match(line)
        if m:
            logger, said = m[3] or logger, line
            if m[1] in ("WARN", "ERROR", "FATAL"):
                found.setdefault((m[1], logger, plain(m[2])), line)
        elif (thrown := THROWN.match(line)):
            found.setdefault(("THROWN", logger, thrown[1]), said + "\n" + line)
    return found


def read(path):
    """Of every release: what one of them says beside ZooKeeper, in the same words of the same class, another may say as well
    where it meets the race."""
    rows = set()
    with open(path) as f:
        for line in f:
            if not line.startswith("#"):
                _release, *kind = line.rstrip("\n").split("\t")
                rows.add(tuple(kind))
    return rows


def append(path, release, more):
    with open(path, "a") as f:
        for kind in sorted(more):
            f.write("\t".join((release, *kind)) + "\n")
