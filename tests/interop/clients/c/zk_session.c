/* The ZooKeeper C client (multi-threaded library): what zk_tree.c leaves out. Containers, times to live, ACLs, removed watches,
   a thousand requests in flight, and a session across a restart: it prints `ask kill` once and reads a line when the server
   is there again. Argument: host:port */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

enum { MANY = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected, losses, fired, failures;
static int answered, in_order, refused, authenticated, synced;

static void tell(int *what, int value) {
  pthread_mutex_lock(&lock);
  *what = value;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void on_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
  (void)zh;
  (void)path;
  (void)context;
  if (type == ZOO_SESSION_EVENT) {
    if (state != ZOO_CONNECTED_STATE && connected) ++losses;
    tell(&connected, state == ZOO_CONNECTED_STATE);
  } else {
    tell(&fired, type);
  }
}

/* Waits up to thirty seconds until *flag is wanted. */
static int wait_for(const int *flag, int wanted) {
  struct timespec end;
  int ok;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 30;
  pthread_mutex_lock(&lock);
  while (*flag != wanted && pthread_cond_timedwait(&changed, &lock, &end) == 0) {
  }
  ok = *flag == wanted;
  pthread_mutex_unlock(&lock);
  return ok;
}

static void check(const char *step, int good, int seen) {
  if (good) {
    printf("ok %s\n", step);
  } else {
    printf("failed %s: %d %s\n", step, seen, zerror(seen));
    failures++;
  }
  fflush(stdout);
}

/* The context is the request's number: replies come in the order of the requests. */
static void on_created(int rc, const char *value, const void *context) {
  pthread_mutex_lock(&lock);
  if (rc != ZOK || !value) ++refused;
  if ((long)context == answered) ++in_order;
  ++answered;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void on_auth(int rc, const void *context) {
  (void)context;
  tell(&authenticated, rc == ZOK ? 1 : -1);
}

static void on_sync(int rc, const char *path, const void *context) {
  (void)context;
  tell(&synced, rc == ZOK && !strcmp(path, "/c-session") ? 1 : -1);
}

static void kinds(zhandle_t *zh) {
  struct Stat stat;
  char path[200];
  int rc = zoo_create2(zh, "/c-session", "one", 3, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, path, sizeof path, &stat);
  check("create2 gives the stat", rc == ZOK && stat.dataLength == 3 && stat.czxid == stat.mzxid && stat.czxid > 0, rc);
  rc = zoo_create2(zh, "/c-session/box", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_CONTAINER, path, sizeof path, &stat);
  check("a container", rc == ZOK && !strcmp(path, "/c-session/box") && stat.ephemeralOwner == 0, rc);
  rc = zoo_create2_ttl(zh, "/c-session/ttl-", "t", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 3600000, path, sizeof path, &stat);
  check("a time to live", rc == ZOK && !strcmp(path, "/c-session/ttl-0000000001"), rc);
  rc = zoo_create_ttl(zh, "/c-session/no", "t", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 0, path, sizeof path);
  check("none of nothing", rc == ZBADARGUMENTS, rc);
  {
    int length = sizeof path;
    rc = zoo_get(zh, "/c-session/box", 0, path, &length, &stat);
    check("no data is not empty data", rc == ZOK && length == -1, rc);
  }
  {
    zoo_op_t ops[3];
    zoo_op_result_t results[3];
    char made[200], plain[200];
    zoo_create_op_init(&ops[0], "/c-session/m-", "m", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, made, sizeof made);
    zoo_create_op_init(&ops[1], "/c-session/plain", "b", 1, &ZOO_OPEN_ACL_UNSAFE, 0, plain, sizeof plain);
    zoo_delete_op_init(&ops[2], "/c-session/plain", 0);
    rc = zoo_multi(zh, 3, ops, results);
    check("a multi makes a sequential one", rc == ZOK && !strcmp(made, "/c-session/m-0000000002"), rc);
  }
  zoo_async(zh, "/c-session", on_sync, NULL);
  check("sync", wait_for(&synced, 1), synced);
}

static void access_control(zhandle_t *zh, zhandle_t *other) {
  struct ACL_vector acl;
  struct Stat stat;
  char buffer[10];
  int length = sizeof buffer;
  int rc = zoo_add_auth(zh, "digest", "ann:secret", 10, on_auth, NULL);
  check("a digest", rc == ZOK && wait_for(&authenticated, 1), rc);
  rc = zoo_create(zh, "/c-session/mine", "m", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0);
  check("a node of its own", rc == ZOK, rc);
  rc = zoo_get(other, "/c-session/mine", 0, buffer, &length, &stat);
  check("keeps others out", rc == ZNOAUTH, rc);
  rc = zoo_get_acl(zh, "/c-session/mine", &acl, &stat);
  check("getACL names the digest", rc == ZOK && acl.count == 1 && !strcmp(acl.data[0].id.scheme, "digest") &&
        !strncmp(acl.data[0].id.id, "ann:", 4), rc);
  deallocate_ACL_vector(&acl);
  rc = zoo_set_acl(zh, "/c-session/mine", 5, &ZOO_READ_ACL_UNSAFE);
  check("setACL of another version", rc == ZBADVERSION, rc);
  rc = zoo_set_acl(zh, "/c-session/mine", 0, &ZOO_READ_ACL_UNSAFE);
  length = sizeof buffer;
  check("setACL", rc == ZOK && zoo_get(other, "/c-session/mine", 0, buffer, &length, &stat) == ZOK && stat.aversion == 1, rc);
  check("read only", zoo_set(other, "/c-session/mine", "x", 1, -1) == ZNOAUTH, 0);
}

static void watches(zhandle_t *zh, zhandle_t *other) {
  struct Stat stat;
  struct String_vector children;
  int rc = zoo_wexists(zh, "/c-session", on_event, NULL, &stat);
  check("a watch", rc == ZOK, rc);
  rc = zoo_remove_watches(zh, "/c-session", ZWATCHTYPE_CHILD, on_event, NULL, 0);
  check("none of another kind to remove", rc == ZNOWATCHER, rc);
  rc = zoo_remove_watches(zh, "/c-session", ZWATCHTYPE_DATA, on_event, NULL, 0);
  check("it is removed", rc == ZOK, rc);
  rc = zoo_wget_children(zh, "/c-session", on_event, NULL, &children);
  deallocate_String_vector(&children);
  fired = 0;
  rc = zoo_set(other, "/c-session", "two", 3, -1);
  if (rc == ZOK) rc = zoo_create(other, "/c-session/child", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
  check("and the other one fires", rc == ZOK && wait_for(&fired, ZOO_CHILD_EVENT), fired);
}

static void in_flight(zhandle_t *zh) {
  struct Stat stat;
  int rc;
  long n;
  for (n = 0; n < MANY; n++) {
    char path[64];
    snprintf(path, sizeof path, "/c-session/box/%05ld", n);
    rc = zoo_acreate(zh, path, path, (int)strlen(path), &ZOO_OPEN_ACL_UNSAFE, 0, on_created, (void *)n);
    if (rc != ZOK) check("a request is taken", 0, rc);
  }
  check("a thousand in flight are answered", wait_for(&answered, MANY) && refused == 0, refused);
  check("in order", in_order == MANY, in_order);
  rc = zoo_exists(zh, "/c-session/box", 0, &stat);
  check("and all there", rc == ZOK && stat.numChildren == MANY && stat.cversion == MANY, stat.numChildren);
}

static void restart(zhandle_t *zh, zhandle_t *other) {
  const clientid_t before = *zoo_client_id(zh);
  struct Stat stat;
  char line[16];
  int length, rc;
  zoo_create(zh, "/c-session/eph", "e", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
  length = sizeof line;
  rc = zoo_wget(zh, "/c-session", on_event, NULL, line, &length, &stat);
  check("a watch is set", rc == ZOK, rc);
  losses = 0;
  fired = 0;
  printf("ask kill\n");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) check("the server is back", 0, 0);
  check("the session comes back", wait_for(&connected, 1) && losses > 0 && zoo_client_id(zh)->client_id == before.client_id, losses);
  do {
    rc = zoo_set(other, "/c-session", "three", 5, -1); /* it comes back on its own time */
  } while (rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT);
  check("its watch fires", rc == ZOK && wait_for(&fired, ZOO_CHANGED_EVENT), fired);
  rc = zoo_exists(other, "/c-session/eph", 0, &stat);
  check("its ephemeral node is there", rc == ZOK && stat.ephemeralOwner == before.client_id, rc);
}

static int remove_all(zhandle_t *zh, const char *path) {
  struct String_vector children;
  int n, rc = zoo_get_children(zh, path, 0, &children);
  if (rc != ZOK) return rc;
  for (n = 0; n < children.count; n++) {
    char below[300];
    snprintf(below, sizeof below, "%s/%s", path, children.data[n]);
    remove_all(zh, below);
  }
  deallocate_String_vector(&children);
  return zoo_delete(zh, path, -1);
}

int main(int argc, char **argv) {
  zhandle_t *zh, *other;
  int rc;
  if (argc != 2) return 2;
  zoo_set_debug_level(0);
  zh = zookeeper_init(argv[1], on_event, 15000, NULL, NULL, 0);
  check("a session", zh && wait_for(&connected, 1), 0);
  connected = 0;
  other = zookeeper_init(argv[1], on_event, 15000, NULL, NULL, 0);
  check("a second session", other && wait_for(&connected, 1), 0);
  if (!zh || !other) return 1;
  remove_all(zh, "/c-session");
  kinds(zh);
  access_control(zh, other);
  watches(zh, other);
  in_flight(zh);
  restart(zh, other);
  fired = 0;
  zookeeper_close(zh);
  rc = remove_all(other, "/c-session");
  check("all of it can be removed", rc == ZOK, rc);
  zookeeper_close(other);
  return failures ? 1 : 0;
}
