"""kazoo logs in by SASL DIGEST-MD5. Arguments: host:port user password. The server knows that user and its password, and
may refuse those who do not log in ("required" as a fourth argument)."""
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoAuthError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.security import make_acl
from steps import check, finish

hosts, user, password = sys.argv[1:4]
required = "required" in sys.argv[4:]


def client(secret):
    options = {"mechanism": "DIGEST-MD5", "username": user, "password": secret} if secret else None
    return KazooClient(hosts=hosts, timeout=10, sasl_options=options)


zk = client(password)
zk.start(15)
check("kazoo logs in by SASL", zk.connected)
zk.create("/kazoo-sasl", b"mine", acl=[make_acl("sasl", user, all=True)])
zk.create("/kazoo-sasl/auth", b"too", acl=[make_acl("auth", "", all=True)])
check("and reads what is its own", zk.get("/kazoo-sasl")[0] == b"mine" and zk.get("/kazoo-sasl/auth")[0] == b"too")
acl = zk.get_acls("/kazoo-sasl/auth")[0]
check("auth stands for its SASL name", [(a.id.scheme, a.id.id) for a in acl] == [("sasl", user)], acl)

other = client(password + "x")
try:
    other.start(8)  # kazoo calls itself connected before it logs in
    other.get("/kazoo-sasl")
    check("a wrong password is refused", False, "it reads")
except NoAuthError:
    check("a wrong password is refused", False, "its connection was not closed")
except (KazooException, KazooTimeoutError):
    check("a wrong password is refused", True)
finally:
    other.stop()
    other.close()

nobody = client(None)
try:
    nobody.start(8)
    nobody.get("/kazoo-sasl")
    check("who did not log in is not let in", False, "it reads")
except NoAuthError:
    check("who did not log in is not let in", not required, "its connection was not closed")
except (KazooException, KazooTimeoutError) as e:
    check("who did not log in is not let in", required, repr(e))
finally:
    nobody.stop()
    nobody.close()
zk.delete("/kazoo-sasl", recursive=True)
zk.stop()
finish()
