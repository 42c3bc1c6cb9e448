/* What a log costs at least: a server that takes frames and does nothing else with them.
 *
 *   bare PORT FILE receive        each frame: its checksum (CRC-32C), a write at the end of FILE, a short answer
 *   bare PORT FILE send HEAD      each frame is answered with HEAD bytes of header and the next 1 MiB of FILE by sendfile,
 *                                 from the beginning again at its end
 *
 * One thread, any number of connections; it ends when it is killed. Prints a line when it listens. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER 64
#define PIECE (1 << 20)

struct peer {
  int fd;
  size_t have, room;
  char *data;
};

static void give_up(const char *what) {
  perror(what);
  exit(1);
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t crc32c(const char *data, size_t size) {
  uint64_t crc = ~0u;
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word;
    memcpy(&word, data, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  for (; size > 0; size--) crc = _mm_crc32_u8((uint32_t)crc, (unsigned char)*data++);
  return ~(uint32_t)crc;
}
#else
static uint32_t crc32c(const char *data, size_t size) {
  static uint32_t table[256];
  if (!table[1]) {
    for (uint32_t n = 0; n < 256; n++) {
      uint32_t c = n;
      for (int bit = 0; bit < 8; bit++) c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
      table[n] = c;
    }
  }
  uint32_t crc = ~0u;
  for (; size > 0; size--) crc = crc >> 8 ^ table[(crc ^ (unsigned char)*data++) & 255];
  return ~crc;
}
#endif

static volatile uint32_t last_crc; /* so that it is computed */
static int file;
static off_t end, length;
static size_t head;

static void send_all(int fd, const char *data, size_t size, int flags) {
  while (size > 0) {
    ssize_t n = send(fd, data, size, flags | MSG_NOSIGNAL);
    if (n <= 0) return;
    data += n;
    size -= (size_t)n;
  }
}

static void take(struct peer *p, const char *frame, size_t size) {
  if (!head) {
    last_crc = crc32c(frame, size);
    if (pwrite(file, frame, size, end) != (ssize_t)size) give_up("write");
    end += (off_t)size;
    char answer[4 + ANSWER] = {0, 0, 0, ANSWER};
    send_all(p->fd, answer, sizeof answer, 0);
    return;
  }
  char answer[256] = {0};
  if (end + PIECE > length) end = 0;
  uint32_t all = htobe32((uint32_t)head + PIECE), data = htobe32(PIECE);
  memcpy(answer, &all, 4);
  memcpy(answer + head, &data, 4); /* the last field of the header */
  send_all(p->fd, answer, 4 + head, MSG_MORE);
  for (size_t left = PIECE; left > 0;) {
    ssize_t n = sendfile(p->fd, file, &end, left);
    if (n <= 0) return;
    left -= (size_t)n;
  }
}

/* False where the peer is gone. */
static int serve(struct peer *p) {
  if (p->have == p->room) p->data = realloc(p->data, p->room = p->room ? p->room * 2 : 1 << 18);
  ssize_t n = recv(p->fd, p->data + p->have, p->room - p->have, 0);
  if (n <= 0) return 0;
  p->have += (size_t)n;
  size_t at = 0;
  while (p->have - at >= 4) {
    uint32_t size;
    memcpy(&size, p->data + at, 4);
    size = be32toh(size);
    if (p->have - at < 4 + (size_t)size) break;
    take(p, p->data + at + 4, size);
    at += 4 + (size_t)size;
  }
  memmove(p->data, p->data + at, p->have -= at);
  return 1;
}

int main(int n, char **a) {
  if (n < 4) return 2;
  head = n > 4 ? (size_t)atol(a[4]) : 0;
  if (head > 200) return 2;
  file = open(a[2], O_RDWR | O_CREAT, 0600);
  struct stat found;
  if (file < 0 || fstat(file, &found)) give_up(a[2]);
  length = found.st_size;
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(a[1])),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, queue = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&where, sizeof where) || listen(listener, 100)) give_up("listen");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[64];
  epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event);
  puts("listens");
  fflush(stdout);
  for (;;) {
    int ready = epoll_wait(queue, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      struct peer *p = events[i].data.ptr;
      if (!p) {
        p = calloc(1, sizeof *p);
        p->fd = accept(listener, NULL, NULL);
        setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event.data.ptr = p;
        epoll_ctl(queue, EPOLL_CTL_ADD, p->fd, &event);
      } else if (!serve(p)) {
        close(p->fd);
        free(p->data);
        free(p);
      }
    }
  }
}
