/* The ZooKeeper C client (multi-threaded library): write, read, watch, multi. Argument: host:port */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected, fired_type, failures;
static char fired_path[256];

static void on_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
  (void)zh;
  (void)context;
  pthread_mutex_lock(&lock);
  if (type == ZOO_SESSION_EVENT) {
    connected = state == ZOO_CONNECTED_STATE;
  } else {
    fired_type = type;
    snprintf(fired_path, sizeof fired_path, "%s", path ? path : "");
  }
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

/* Waits up to ten seconds until *flag is wanted. */
static int wait_for(int *flag, int wanted) {
  struct timespec end;
  int ok;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 10;
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
}

int main(int argc, char **argv) {
  zhandle_t *zh, *other;
  struct Stat stat;
  struct String_vector children;
  char buffer[100], path[200];
  int length, rc;
  if (argc != 2) return 2;
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  zh = zookeeper_init(argv[1], on_event, 10000, NULL, NULL, 0);
  check("a session", zh && wait_for(&connected, 1), 0);
  if (!zh) return 1;
  rc = zoo_create(zh, "/c-client", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path);
  check("create", rc == ZOK && !strcmp(path, "/c-client"), rc);
  length = sizeof buffer;
  rc = zoo_get(zh, "/c-client", 0, buffer, &length, &stat);
  check("get", rc == ZOK && length == 3 && !memcmp(buffer, "one", 3) && stat.version == 0, rc);
  length = sizeof buffer;
  fired_type = 0;
  rc = zoo_wget(zh, "/c-client", on_event, NULL, buffer, &length, &stat);
  rc = zoo_set2(zh, "/c-client", "two", 3, 0, &stat);
  check("set with a version", rc == ZOK && stat.version == 1, rc);
  check("a data watch fires", wait_for(&fired_type, ZOO_CHANGED_EVENT) && !strcmp(fired_path, "/c-client"), fired_type);
  rc = zoo_set(zh, "/c-client", "x", 1, 0);
  check("an old version is refused", rc == ZBADVERSION, rc);
  rc = zoo_wget_children2(zh, "/c-client", on_event, NULL, &children, &stat);
  check("no children", rc == ZOK && children.count == 0, rc);
  deallocate_String_vector(&children);
  rc = zoo_create(zh, "/c-client/seq-", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL | ZOO_SEQUENCE, path, sizeof path);
  check("an ephemeral sequential node", rc == ZOK && !strcmp(path, "/c-client/seq-0000000000"), rc);
  check("a child watch fires", wait_for(&fired_type, ZOO_CHILD_EVENT), fired_type);

  connected = 0;
  other = zookeeper_init(argv[1], on_event, 10000, NULL, NULL, 0);
  check("a second session", other && wait_for(&connected, 1), 0);
  rc = zoo_exists(other, "/c-client/seq-0000000000", 0, &stat);
  check("it sees the node and its owner", rc == ZOK && stat.ephemeralOwner == zoo_client_id(zh)->client_id, rc);
  {
    zoo_op_t ops[3];
    zoo_op_result_t results[3];
    zoo_create_op_init(&ops[0], "/c-client/multi", "m", 1, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path);
    zoo_check_op_init(&ops[1], "/c-client", 1);
    zoo_set_op_init(&ops[2], "/c-client", "three", 5, 1, &stat);
    rc = zoo_multi(other, 3, ops, results);
    check("a multi", rc == ZOK && results[0].err == ZOK && results[2].err == ZOK, rc);
    zoo_delete_op_init(&ops[0], "/c-client/multi", -1);
    zoo_delete_op_init(&ops[1], "/c-client/not-there", -1);
    rc = zoo_multi(other, 2, ops, results);
    check("a multi that fails changes nothing", rc == ZNONODE && zoo_exists(other, "/c-client/multi", 0, &stat) == ZOK, rc);
  }
  fired_type = 0;
  zoo_wexists(other, "/c-client/seq-0000000000", on_event, NULL, &stat);
  zookeeper_close(zh);
  check("a closed session takes its node along, and the watch fires", wait_for(&fired_type, ZOO_DELETED_EVENT), fired_type);
  {
    struct ACL_vector acl;
    rc = zoo_get_acl(other, "/c-client", &acl, &stat);
    check("getACL", rc == ZOK && acl.count == 1 && acl.data[0].perms == ZOO_PERM_ALL && !strcmp(acl.data[0].id.scheme, "world"), rc);
    deallocate_ACL_vector(&acl);
  }
  zoo_delete(other, "/c-client/multi", -1);
  rc = zoo_delete(other, "/c-client", -1);
  check("delete", rc == ZOK && zoo_exists(other, "/c-client", 0, &stat) == ZNONODE, rc);
  zookeeper_close(other);
  return failures ? 1 : 0;
}
