"""Bad requests for a ZooKeeper server, by name: each field of each request with lengths that are null, negative, absurd or
one too many, each request cut at every byte and with rubbish behind it, paths, flags, versions and modes out of range,
unknown operations, headers, frames and handshakes. zk_sweep sends them."""
import struct

from .zk_fields import (INT, JUTE_MAX, LONG, MAX, MIN, OPEN, REQUESTS, ROOT, MAKES, PARTS, READS, WITH_PATH, END, Acl, Paths, Raw, Text,
                        connect_frame, encode, flag, frame, fresh, i32, integer, part, request, sized)

PATHS = {
    "relative": b"sweep/a", "empty": b"", "root": b"/", "twice the root": b"//", "a trailing slash": b"/sweep/t/",
    "a trailing slash of what is there": b"/sweep/", "an empty component": b"/sweep//a", "a dot": b"/sweep/.",
    "two dots": b"/sweep/..", "a dot inside": b"/sweep/./a", "two dots inside": b"/sweep/../a",
    "three dots": b"/sweep/...", "NUL": b"/sweep/a\0b", "NUL alone": b"\0", "control 1": b"/sweep/\x01",
    "control 1f": b"/sweep/a\x1f", "a blank": b"/sweep/ ", "DEL": b"/sweep/\x7f", "U+0080": "/sweep/\x80".encode(),
    "U+009F": "/sweep/\x9f".encode(), "U+00A0": "/sweep/\xa0".encode(), "U+D7FF": "/sweep/\ud7ff".encode(),
    "a surrogate": b"/sweep/\xed\xa0\x80", "a surrogate pair in CESU-8": b"/sweep/\xed\xa0\xbd\xed\xb8\x80",
    "U+E000": "/sweep/\ue000".encode(), "U+F8FF": "/sweep/\uf8ff".encode(), "U+F900": "/sweep/\uf900".encode(),
    "U+FFEF": "/sweep/\uffef".encode(), "U+FFF0": "/sweep/\ufff0".encode(), "U+FFFF": "/sweep/\uffff".encode(),
    "beyond U+FFFF": "/sweep/\U0001f600".encode(), "a lone continuation byte": b"/sweep/\x80",
    "a cut UTF-8 character": b"/sweep/\xc3", "an overlong letter": b"/sweep/\xc1\x81", "an overlong slash": b"/sweep\xc0\xafa",
    "byte FF": b"/sweep/\xff", "100,000 characters": b"/sweep/" + b"l" * 100000, "10,000 levels": b"/sweep" + b"/a" * 10000,
    "of the service": b"/zookeeper", "below the service": b"/zookeeper/sweep", "of the configuration": b"/zookeeper/config",
    "of the quotas": b"/zookeeper/quota", "of a child of nothing": b"/sweep/none/child",
    "of a child of an ephemeral": b"/sweep/ephemeral/child",
}
ACLS = {
    "null": None, "empty": [], "twice the same": OPEN * 2, "no permission": [(0, b"world", b"anyone")],
    "permissions beyond all": [(255, b"world", b"anyone")], "negative permissions": [(-1, b"world", b"anyone")],
    "world somebody": [(31, b"world", b"somebody")], "world nobody": [(31, b"world", b"")],
    "a null scheme": [(31, None, b"anyone")], "a null id": [(31, b"world", None)], "an empty scheme": [(31, b"", b"")],
    "an unknown scheme": [(31, b"nosuch", b"x")], "super": [(31, b"super", b"x")], "sasl": [(31, b"sasl", b"bob")],
    "x509": [(31, b"x509", b"CN=bob")], "auth of nobody": [(31, b"auth", b"")], "auth with an id": [(31, b"auth", b"x:y")],
    "digest": [(31, b"digest", b"bob:hash=")], "digest without a colon": [(31, b"digest", b"bob")],
    "digest of nothing": [(31, b"digest", b":")], "digest without a user": [(31, b"digest", b":hash")],
    "digest without a hash": [(31, b"digest", b"bob:")], "digest of three": [(31, b"digest", b"a:b:c")],
    "digest and empty ends": [(31, b"digest", b"a:b::")], "digest null": [(31, b"digest", None)],
    "ip": [(31, b"ip", b"127.0.0.1")], "ip with bits": [(31, b"ip", b"127.0.0.0/8")], "ip no bits": [(31, b"ip", b"127.0.0.1/0")],
    "ip 32 bits": [(31, b"ip", b"127.0.0.1/32")], "ip 33 bits": [(31, b"ip", b"127.0.0.1/33")],
    "ip negative bits": [(31, b"ip", b"127.0.0.1/-1")], "ip plus bits": [(31, b"ip", b"127.0.0.1/+8")],
    "ip empty bits": [(31, b"ip", b"127.0.0.1/")], "ip two slashes": [(31, b"ip", b"127.0.0.1/8/8")],
    "ip of three": [(31, b"ip", b"127.0.1")], "ip of five": [(31, b"ip", b"1.2.3.4.5")], "ip 256": [(31, b"ip", b"256.0.0.1")],
    "ip zeros in front": [(31, b"ip", b"127.000.000.001")], "ip plus": [(31, b"ip", b"+127.0.0.1")],
    "ip with blanks": [(31, b"ip", b" 127.0.0.1")], "ip v6": [(31, b"ip", b"::1")], "ip v6 bits": [(31, b"ip", b"::1/64")],
    "ip empty": [(31, b"ip", b"")], "ip name": [(31, b"ip", b"localhost")], "ip null": [(31, b"ip", None)],
    "one good and one bad": OPEN + [(31, b"nosuch", b"x")],
}


class Case:
    """frames: what is sent behind the handshake. connect: what is sent instead of an honest handshake. alone: in a session
    that no other case has touched."""

    def __init__(self, name, *, frames=None, connect=None, alone=False):
        self.name, self.frames, self.connect, self.alone = name, frames, connect, alone


def cases():
    yield from field_cases()
    yield from cut_cases()
    yield from path_cases()
    yield from number_cases()
    yield from multi_cases()
    yield from frame_cases()
    yield from connect_cases()


def good_path(name):
    return fresh() if name in MAKES else ROOT


def field_cases():
    for name, (operation, fields) in REQUESTS.items():
        count = len(fields(ROOT))
        for n in range(count):
            base = fields(good_path(name))
            for what, raw in base[n].broken():
                body = encode(base[:n]) + raw + encode(base[n + 1:])
                yield Case(f"{name}/field {n + 1} {what}", frames=request(operation, body))
        yield Case(f"{name}/rubbish behind it", frames=request(operation, encode(fields(good_path(name))) + b"rubbish"))
    for name in ("create", "setACL"):
        operation, fields = REQUESTS[name]
        for what, acl in ACLS.items():
            base = fields(fresh() if name == "create" else ROOT + b"/acl")
            base[2 if name == "create" else 1] = Acl(acl)
            yield Case(f"{name}/ACL {what}", frames=request(operation, encode(base)))


def cut_cases():
    for name, (operation, fields) in REQUESTS.items():
        if name == "delete":
            continue  # cut by its version alone it would be another request; field_cases has its lengths
        body = encode(fields(good_path(name)))
        for n in range(len(body)):
            yield Case(f"{name}/cut at {n}", frames=request(operation, body[:n]))
    body = encode(REQUESTS["delete"][1](ROOT + b"/none"))
    for n in range(len(body)):
        yield Case(f"delete/cut at {n}", frames=request(2, body[:n]))
    for name, body in (("multi", part(13, Text(ROOT), integer(-1)) + part(2, Text(ROOT + b"/none"), integer(-1)) + END),
                       ("multiRead", part(4, Text(ROOT), flag(0)) + part(8, Text(ROOT), flag(0)) + END)):
        for n in range(len(body)):
            yield Case(f"{name}/cut at {n}", frames=request(14 if name == "multi" else 22, body[:n]))


def path_cases():
    for name in WITH_PATH:
        operation, fields = REQUESTS[name]
        for what, path in PATHS.items():
            yield Case(f"{name}/path {what}", frames=request(operation, encode(fields(path))))
    for what, path in PATHS.items():
        base = REQUESTS["create"][1](path)
        base[3] = integer(2)
        yield Case(f"create sequential/path {what}", frames=request(1, encode(base)))
        yield Case(f"setWatches/path {what}", frames=request(101, encode([integer(MAX, LONG), Paths([path]), Paths([path]), Paths([path])])))


def number_cases():
    def of(name, *change):
        operation, fields = REQUESTS[name]
        base = fields(good_path(name) if name in MAKES else ROOT + b"/numbers")
        for index, field in change:
            base[index] = field
        return request(operation, encode(base))

    for flags in (-1, 0, 1, 2, 3, 4, 5, 6, 7, 255, MAX, MIN):
        for name in MAKES:
            yield Case(f"{name}/flags {flags}", frames=of(name, (3, integer(flags))))
    for ttl in (-1, 0, 1, 0xFFFFFFFFFF, 0x10000000000, 2 ** 63 - 1, -2 ** 63):
        for flags in (5, 6):
            yield Case(f"createTTL/flags {flags} ttl {ttl}", frames=of("createTTL", (3, integer(flags)), (4, integer(ttl, LONG))))
    for version in (-2, 1000, MAX, MIN):
        for name, index in (("setData", 2), ("setACL", 2), ("check", 1), ("delete", 1)):
            yield Case(f"{name}/version {version}", frames=of(name, (index, integer(version))))
    for kind in (-1, 0, 1, 2, 3, 4, 5, 6, MAX):
        for name in ("checkWatches", "removeWatches"):
            watched = request(4, sized(ROOT + b"/numbers") + b"\1", xid=6)
            yield Case(f"{name}/type {kind} of nothing", frames=of(name, (1, integer(kind))), alone=True)
            yield Case(f"{name}/type {kind} of data", frames=watched + of(name, (1, integer(kind))), alone=True)
    for mode in (-1, 0, 1, 2, MAX, MIN):
        yield Case(f"addWatch/mode {mode}", frames=of("addWatch", (1, integer(mode))))
    for value in (2, 255):
        yield Case(f"getData/watch byte {value}", frames=of("getData", (1, flag(value))))
    for operation in (-12, -2, -1, 0, 10, 23, 99, 108, 199, 999, MAX, MIN):
        yield Case(f"operation {operation}/without a body", frames=request(operation, b""))
        yield Case(f"operation {operation}/with a body", frames=request(operation, sized(ROOT) + b"\0"))
    yield Case("createSession/of a client", frames=request(-10, i32(10000)))
    yield Case("deleteContainer/of a client", frames=request(20, ROOT + b"/container"))
    for xid in (0, -1, -2, -4, -8, MIN):
        yield Case(f"xid {xid}/exists", frames=request(3, sized(ROOT) + b"\0", xid=xid))
        yield Case(f"xid {xid}/create", frames=request(1, encode(REQUESTS["create"][1](fresh())), xid=xid))
    for scheme, data in ((b"digest", b""), (b"digest", b"nocolon"), (b"digest", b":"), (b"digest", b"\xff\xfe:x"), (b"digest", None),
                         (b"ip", b""), (b"ip", None), (b"world", b"anyone"), (b"auth", b"x"), (b"super", b"x"), (b"sasl", b"bob"),
                         (b"x509", b""), (b"nosuch", b"x"), (b"", b"x"), (None, b"x"), (None, None), (b"DIGEST", b"a:b")):
        yield Case(f"auth/scheme {scheme!r} data {data!r}", frames=request(100, i32(0) + sized(scheme) + sized(data), xid=-4))
    yield Case("auth/type 77", frames=request(100, i32(77) + sized(b"digest") + sized(b"a:b"), xid=-4))
    yield Case("auth/xid of a request", frames=request(100, i32(0) + sized(b"digest") + sized(b"a:b"), xid=9))


def multi_cases():
    def multi(*parts, operation=14, end=END):
        return request(operation, b"".join(parts) + end)

    good = part(13, Text(ROOT), integer(-1))
    bad = part(2, Text(ROOT + b"/none"), integer(-1))
    read = part(4, Text(ROOT), flag(0))
    made = part(1, *REQUESTS["create"][1](fresh()))
    yield Case("multi/empty", frames=multi())
    yield Case("multi/of one", frames=multi(good))
    yield Case("multi/refused in the middle", frames=multi(good, bad, made))
    yield Case("multi/without its end", frames=multi(good, end=b""))
    yield Case("multi/rubbish behind it", frames=multi(good, end=END + b"rubbish"))
    yield Case("multi/an end that is not done", frames=multi(good, end=i32(-1) + b"\0" + i32(-1)))
    yield Case("multi/a done operation", frames=multi(i32(1) + b"\1" + i32(0)))
    yield Case("multi/a read", frames=multi(read))
    yield Case("multi/a read behind a write", frames=multi(good, read))
    yield Case("multiRead/a write", frames=multi(good, operation=22))
    yield Case("multiRead/a write behind a read", frames=multi(read, good, operation=22))
    yield Case("multiRead/empty", frames=multi(operation=22))
    yield Case("multiRead/one that is missing", frames=multi(read, part(4, Text(ROOT + b"/none"), flag(0)), part(8, Text(ROOT + b"/numbers"), flag(1)), operation=22))
    for operation in (-11, -10, -1, 0, 3, 7, 9, 11, 12, 14, 15, 16, 20, 22, 100, 103, 107, 999):
        yield Case(f"multi/operation {operation} in it", frames=multi(good, i32(operation) + b"\0" + i32(-1) + sized(ROOT) + b"\0" * 5))
        yield Case(f"multiRead/operation {operation} in it", frames=multi(i32(operation) + b"\0" + i32(-1) + sized(ROOT) + b"\0" * 5, operation=22))
    for name in PARTS:
        operation, fields = REQUESTS[name]
        for what, path in PATHS.items():
            if len(path) < 1000:
                yield Case(f"multi/{name} path {what}", frames=multi(good, part(operation, *fields(path)), bad))
        for what, raw in Text(ROOT).broken():
            yield Case(f"multi/{name} field 1 {what}", frames=multi(good, part(operation, Raw(raw), *fields(ROOT)[1:])))
    for flags in (-1, 0, 1, 3, 4, 5, 6, 7, MAX):
        for name in MAKES:
            base = REQUESTS[name][1](fresh())
            base[3] = integer(flags)
            yield Case(f"multi/{name} flags {flags}", frames=multi(part(REQUESTS[name][0], *base), good))
    for what, acl in ACLS.items():
        base = REQUESTS["create"][1](fresh())
        base[2] = Acl(acl)
        yield Case(f"multi/create ACL {what}", frames=multi(part(1, *base)))
    for name in READS:
        operation, fields = REQUESTS[name]
        for what, path in PATHS.items():
            if len(path) < 1000:
                yield Case(f"multiRead/{name} path {what}", frames=multi(part(operation, *fields(path)), operation=22))
        for what, raw in Text(ROOT).broken():
            yield Case(f"multiRead/{name} field 1 {what}", frames=multi(read, part(operation, Raw(raw), flag(0)), operation=22))


def frame_cases():
    for n in range(8):
        yield Case(f"frame/of {n} bytes", frames=frame(b"\0\0\0\7\0\0\0\x0b"[:n]))
    for length in (-1, MIN, MAX, JUTE_MAX + 1):
        yield Case(f"frame/length {length}", frames=i32(length) + b"x" * 100)
    small = encode(REQUESTS["setData"][1](ROOT + b"/numbers"))
    fill = JUTE_MAX - 8 - len(small)
    for more in (0, 1):
        base = REQUESTS["setData"][1](ROOT + b"/numbers")
        base[1] = Text(b"data" + b"x" * (fill + more))
        yield Case(f"frame/of jute.maxbuffer{' + 1' if more else ''}", frames=request(5, encode(base)))
    for word in (b"ruok", b"srvr", b"GET ", b"nope"):
        yield Case(f"frame/the word {word.decode()} in a session", frames=word)


def connect_cases():
    yield Case("connect/as it should be", connect=connect_frame())
    whole = connect_frame()[4:]
    for n in range(len(whole)):
        yield Case(f"connect/cut at {n}", connect=frame(whole[:n]))
    yield Case("connect/rubbish behind it", connect=connect_frame(tail=b"\0rubbish"))
    for value in (1, 2, 255):
        yield Case(f"connect/read only byte {value}", connect=connect_frame(tail=bytes([value])))
    for version in (-1, 1, MAX):
        yield Case(f"connect/version {version}", connect=connect_frame(version=version))
    for seen in (-1, 1 << 60, 2 ** 63 - 1, -2 ** 63):
        yield Case(f"connect/last zxid {seen}", connect=connect_frame(seen=seen))
    for timeout in (-1, 0, 1, MAX, MIN):
        yield Case(f"connect/time-out {timeout}", connect=connect_frame(timeout=timeout))
    for session in (-1, 1, 2 ** 63 - 1, -2 ** 63):
        yield Case(f"connect/session {session}", connect=connect_frame(session=session))
    for what, password in (("null", None), ("empty", b""), ("short", b"x" * 15), ("long", b"x" * 17), ("of 1000", b"x" * 1000)):
        yield Case(f"connect/a new session with password {what}", connect=connect_frame(password=password))
        yield Case(f"connect/session 1 with password {what}", connect=connect_frame(session=1, password=password))
    for what, raw in Text(bytes(16)).broken():
        body = i32(0) + struct.pack(LONG, 0) + i32(30000) + struct.pack(LONG, 0) + raw + b"\0"
        yield Case(f"connect/password {what}", connect=frame(body))
    for length in (0, -1, MIN, MAX, JUTE_MAX + 1):
        yield Case(f"connect/frame length {length}", connect=i32(length) + whole)
    for what, raw in (("HTTP", b"GET / HTTP/1.1\r\n\r\n"), ("a TLS hello", bytes.fromhex("16030102000100")), ("an unknown word", b"nope"),
                      ("zeros", bytes(64)), ("FF", b"\xff" * 64)):
        yield Case(f"connect/{what}", connect=raw)
