/* ZooKeeper operations from many sessions by one thread, so that the client costs little beside the server.
 *
 *   zk_load PORT create SESSIONS DEPTH COUNT SIZE [FROM]    COUNT znodes /load/n(FROM)..., SIZE random bytes each
 *   zk_load PORT set    SESSIONS DEPTH COUNT SIZE    any of the first 1,000 of them
 *   zk_load PORT get    SESSIONS DEPTH COUNT SIZE    likewise
 *   zk_load PORT fill   1        DEPTH COUNT SIZE [FROM]    COUNT znodes /fill/bN/nN, 1,000 a bucket, in multis of 100
 *   zk_load PORT watch  SESSIONS 1     ZNODES SIZE   each session watches each of /watch/nN; one multi changes all of them:
 *                                                    "operations" are the events, the time is until the last has come
 *
 * DEPTH requests of a session are on the way at any time. On 127.0.0.1. One line on standard output: operations, seconds,
 * p50 ms, p99 ms, largest ms, CPU seconds of this client. Status 1 if anything failed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kMaxDepth = 1024, kInBytes = 1 << 20, kGiveUpSeconds = 120 };
enum { kCreate = 1, kGetData = 4, kSetData = 5, kMulti = 14 };

struct bytes {
  char *at;
  size_t size, room;
};

struct session {
  int fd;
  struct bytes out;
  size_t sent;
  char *in;
  size_t have;
  int32_t xid;
  int64_t begun[kMaxDepth]; /* a ring: replies come in the order of the requests */
  unsigned first, waiting;
};

static struct session *sessions;
static int session_count, poller;
static long events_seen;
static long wanted, from, per_session = INT32_MAX, started, finished, failures;
static int64_t *latencies;
static char *value;
static size_t value_size;
static void (*put_request)(struct session *);

static void die(const char *what) {
  fprintf(stderr, "zk_load: %s: %s\n", what, errno ? strerror(errno) : "failed");
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- what goes out */

static void put(struct bytes *b, const void *from, size_t size) {
  if (b->size + size > b->room) {
    b->room = 2 * (b->size + size);
    b->at = realloc(b->at, b->room);
    if (!b->at) die("memory");
  }
  memcpy(b->at + b->size, from, size);
  b->size += size;
}
static void put_int(struct bytes *b, int32_t v) {
  uint32_t big = htobe32((uint32_t)v);
  put(b, &big, 4);
}
static void put_buffer(struct bytes *b, const void *from, size_t size) {
  put_int(b, (int32_t)size);
  put(b, from, size);
}
static void put_text(struct bytes *b, const char *text) { put_buffer(b, text, strlen(text)); }
static void put_header(struct session *s, int op) {
  put_int(&s->out, ++s->xid);
  put_int(&s->out, op);
}
static size_t begin_frame(struct session *s) {
  put_int(&s->out, 0);
  return s->out.size;
}
static void end_frame(struct session *s, size_t begin) {
  uint32_t big = htobe32((uint32_t)(s->out.size - begin));
  memcpy(s->out.at + begin - 4, &big, 4);
}
static void put_value(struct bytes *b) {
  for (size_t i = 0; i + 8 <= value_size; i += 8) { /* random, so that nothing compresses */
    uint64_t r = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random();
    memcpy(value + i, &r, 8);
  }
  put_buffer(b, value, value_size);
}
static void put_create(struct bytes *b, const char *path, int with_value) {
  put_text(b, path);
  if (with_value) put_value(b);
  else put_buffer(b, "", 0);
  put_int(b, 1);
  put_int(b, 31);
  put_text(b, "world");
  put_text(b, "anyone");
  put_int(b, 0);
}
static void put_part(struct bytes *b, int op, char done) {
  put_int(b, op);
  put(b, &done, 1);
  put_int(b, -1);
}

static void request_create(struct session *s) {
  char path[64];
  snprintf(path, sizeof path, "/load/n%ld", from + started);
  put_header(s, kCreate);
  put_create(&s->out, path, 1);
}
static void request_set(struct session *s) {
  char path[64];
  snprintf(path, sizeof path, "/load/n%ld", random() % 1000);
  put_header(s, kSetData);
  put_text(&s->out, path);
  put_value(&s->out);
  put_int(&s->out, -1);
}
static void request_get(struct session *s) {
  char path[64], no = 0;
  snprintf(path, sizeof path, "/load/n%ld", random() % 1000);
  put_header(s, kGetData);
  put_text(&s->out, path);
  put(&s->out, &no, 1);
}
static void request_fill(struct session *s) {
  char path[64];
  put_header(s, kMulti);
  for (long k = 0; k < 100; ++k) {
    long i = from + started * 100 + k;
    if (i % 1000 == 0) {
      snprintf(path, sizeof path, "/fill/b%ld", i / 1000);
      put_part(&s->out, kCreate, 0);
      put_create(&s->out, path, 0);
    }
    snprintf(path, sizeof path, "/fill/b%ld/n%ld", i / 1000, i);
    put_part(&s->out, kCreate, 0);
    put_create(&s->out, path, 1);
  }
  put_part(&s->out, -1, 1);
}
static long watched;
static void request_watch(struct session *s) { /* every session passes over all znodes, one after another */
  char path[64], yes = 1;
  snprintf(path, sizeof path, "/watch/n%ld", (long)s->xid % watched);
  put_header(s, kGetData);
  put_text(&s->out, path);
  put(&s->out, &yes, 1);
}

static void flush(struct session *s) {
  while (s->sent < s->out.size) {
    ssize_t n = send(s->fd, s->out.at + s->sent, s->out.size - s->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) die("send");
    s->sent += (size_t)n;
  }
  struct epoll_event want = {.events = EPOLLIN | (s->sent < s->out.size ? EPOLLOUT : 0), .data.ptr = s};
  if (s->sent == s->out.size) s->sent = s->out.size = 0;
  epoll_ctl(poller, EPOLL_CTL_MOD, s->fd, &want);
}

static void start_request(struct session *s) {
  size_t begin = begin_frame(s);
  put_request(s);
  end_frame(s, begin);
  s->begun[(s->first + s->waiting++) % kMaxDepth] = now_ns();
  ++started;
}

/* ---- what comes in */

static int32_t get_int(const char *at) {
  uint32_t big;
  memcpy(&big, at, 4);
  return (int32_t)be32toh(big);
}

static void on_frame(struct session *s, const char *frame, int32_t size) {
  if (size < 16) die("a short reply");
  if (get_int(frame) == -1) {
    ++events_seen;
    return;
  }
  int32_t error = get_int(frame + 12);
  if (error && failures++ < 3 && put_request) fprintf(stderr, "zk_load: error %d\n", error);
  if (finished < wanted) latencies[finished] = now_ns() - s->begun[s->first];
  ++finished;
  s->first = (s->first + 1) % kMaxDepth;
  --s->waiting;
}

static void receive(struct session *s) {
  for (;;) {
    ssize_t n = recv(s->fd, s->in + s->have, kInBytes - s->have, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) die("receive");
    if (n == 0) {
      errno = 0;
      die("the server closed a connection");
    }
    s->have += (size_t)n;
    size_t at = 0;
    while (s->have - at >= 4) {
      int32_t size = get_int(s->in + at);
      if (size < 0 || size > kInBytes - 4) die("an absurd frame");
      if (s->have - at - 4 < (size_t)size) break;
      on_frame(s, s->in + at + 4, size);
      at += 4 + (size_t)size;
    }
    memmove(s->in, s->in + at, s->have - at);
    s->have -= at;
  }
}

/* ---- the run */

static void open_session(struct session *s, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  static const char hello[] = "\0\0\0\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x75\x30\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
  int one = 1;
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  s->in = malloc(kInBytes);
  if (s->fd < 0 || !s->in || connect(s->fd, (struct sockaddr *)&to, sizeof to)) die("connect");
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (send(s->fd, hello, 49, MSG_NOSIGNAL) != 49) die("handshake");
  char reply[41];
  for (size_t have = 0; have < sizeof reply;) {
    ssize_t n = recv(s->fd, reply + have, sizeof reply - have, 0);
    if (n <= 0) die("handshake");
    have += (size_t)n;
  }
  fcntl(s->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event want = {.events = EPOLLIN, .data.ptr = s};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &want)) die("epoll");
}

static void turn(void) {
  struct epoll_event ready[256];
  int n = epoll_wait(poller, ready, 256, kGiveUpSeconds * 1000);
  if (n == 0) {
    errno = 0;
    die("nothing was answered for too long");
  }
  for (int i = 0; i < n; ++i) receive(ready[i].data.ptr);
  for (int i = 0; i < n; ++i) {
    struct session *s = ready[i].data.ptr;
    if (s->sent < s->out.size) flush(s);
  }
}

/* One request of its own, outside of what is measured. An error is not one: the znode may be there. */
static void prelude(struct session *s, const char *path) {
  size_t begin = begin_frame(s);
  put_header(s, kCreate);
  put_create(&s->out, path, 0);
  end_frame(s, begin);
  s->begun[(s->first + s->waiting++) % kMaxDepth] = now_ns();
  flush(s);
  while (s->waiting) turn();
  finished = failures = 0;
}

static int may_start(const struct session *s, unsigned depth) {
  return s->waiting < depth && started < wanted && s->xid < per_session;
}

static void run(unsigned depth) {
  for (int i = 0; i < session_count && started < wanted; ++i) {
    struct session *s = &sessions[i];
    while (may_start(s, depth)) start_request(s);
    flush(s);
  }
  while (finished < wanted) {
    struct epoll_event ready[256];
    int n = epoll_wait(poller, ready, 256, kGiveUpSeconds * 1000);
    if (n == 0) {
      errno = 0;
      die("nothing was answered for too long");
    }
    for (int i = 0; i < n; ++i) {
      struct session *s = ready[i].data.ptr;
      receive(s);
      while (may_start(s, depth)) start_request(s);
      if (s->sent < s->out.size) flush(s);
    }
  }
}

static double run_watches(long znodes) {
  for (long i = 0; i < znodes; ++i) {
    char path[64];
    snprintf(path, sizeof path, "/watch/n%ld", i);
    prelude(&sessions[0], path);
  }
  for (int i = 0; i < session_count; ++i) sessions[i].xid = 0;
  started = finished = events_seen = 0;
  watched = per_session = znodes;
  put_request = request_watch;
  run(1);
  if (finished != (long)session_count * znodes) die("the watches");
  struct session *s = &sessions[0];
  size_t begin = begin_frame(s);
  put_header(s, kMulti);
  for (long i = 0; i < znodes; ++i) {
    char path[64];
    snprintf(path, sizeof path, "/watch/n%ld", i);
    put_part(&s->out, kSetData, 0);
    put_text(&s->out, path);
    put_value(&s->out);
    put_int(&s->out, -1);
  }
  put_part(&s->out, -1, 1);
  end_frame(s, begin);
  int64_t begun = now_ns();
  s->begun[(s->first + s->waiting++) % kMaxDepth] = begun;
  flush(s);
  while (events_seen < wanted) turn();
  return (double)(now_ns() - begun) / 1e9;
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double own_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  if (argc < 7) {
    fprintf(stderr, "usage: see the head of zk_load.c\n");
    return 2;
  }
  const char *op = argv[2];
  session_count = atoi(argv[3]);
  unsigned depth = (unsigned)atoi(argv[4]);
  wanted = atol(argv[5]);
  value_size = (size_t)atol(argv[6]);
  from = argc > 7 ? atol(argv[7]) : 0;
  int watch = !strcmp(op, "watch"), fill = !strcmp(op, "fill");
  if (session_count < 1 || depth < 1 || depth > kMaxDepth || wanted < 1) return 2;
  value = calloc(value_size + 8, 1);
  poller = epoll_create1(0);
  sessions = calloc((size_t)session_count, sizeof *sessions);
  long znodes = wanted;
  if (fill) wanted /= 100;
  if (watch) wanted = znodes * session_count;
  latencies = calloc((size_t)wanted + 1, sizeof *latencies);
  srandom(1);
  for (int i = 0; i < session_count; ++i) open_session(&sessions[i], atoi(argv[1]));
  prelude(&sessions[0], fill ? "/fill" : watch ? "/watch" : "/load");

  double cpu = own_cpu(), seconds;
  int64_t begun = now_ns();
  if (watch) {
    seconds = run_watches(znodes);
  } else {
    put_request = !strcmp(op, "create") ? request_create : !strcmp(op, "set") ? request_set
                  : !strcmp(op, "get")  ? request_get    : fill               ? request_fill
                                                                              : NULL;
    if (!put_request) return 2;
    run(depth);
    seconds = (double)(now_ns() - begun) / 1e9;
  }
  long measured = finished < wanted ? finished : wanted;
  qsort(latencies, (size_t)measured, sizeof *latencies, by_size);
  printf("%ld %.4f %.3f %.3f %.3f %.3f\n", fill ? wanted * 100 : wanted, seconds, (double)latencies[measured / 2] / 1e6,
         (double)latencies[measured * 99 / 100] / 1e6, (double)latencies[measured - 1] / 1e6, own_cpu() - cpu);
  if (failures) fprintf(stderr, "zk_load: %ld of %ld failed\n", failures, finished);
  return failures != 0;
}
