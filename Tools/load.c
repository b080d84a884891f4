// load: a small load generator for what redis-benchmark cannot do: filling every key exactly once, and
// a mix of GET and SET. One thread, epoll, no dependencies; Tools/bench compiles it.
//
//   load -p PORT [-c clients] [-P pipeline] [-n requests] [-k keys] [-d value bytes] [-g percent GET]
//        [-s]  (sequential: keys 0, 1, 2, ... instead of random ones)
//        [-e milliseconds]  (SET with this Unix time as its PXAT deadline)
//
// Each connection sends a batch of P requests, reads P replies, and sends the next batch. Keys are
// `key:` and 12 digits: 16 bytes, as redis-benchmark's. Prints one line of JSON.
//
// 1. Exactly `requests` requests are sent, and each one's reply is read.
// 2. An error reply, a closed connection or 30 s without a reply end the run with exit code 1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int fd;
  char *out;            // the batch being sent
  size_t length, sent;  // its bytes, and how many have left
  int blocked;          // whether epoll watches for writability
  int waiting;          // replies still to come
  long skip;            // bytes of a bulk string's body still to come
  char line[64];        // a reply's first line, as far as it has come
  int line_length;
  uint64_t started;
} connection;

static int port = 6379, clients = 50, pipeline = 1, value_size = 64, get_percent = 0, sequential = 0;
static long requests = 100000, keys = 1000000, issued = 0, done = 0;
static char *value;
static long deadline = 0;
static uint64_t random_state = 0x9E3779B97F4A7C15u;
static uint64_t *latencies;  // one per batch, in nanoseconds
static long latency_count = 0;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "protocol");
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t next_random(void) {  // xorshift64*: fast, and the same keys in every run
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 2685821657736338717u;
}

static char *put_key(char *p, long key) {
  memcpy(p, "$16\r\nkey:", 9);
  for (int i = 11; i >= 0; i--, key /= 10) p[9 + i] = (char)('0' + key % 10);
  memcpy(p + 21, "\r\n", 2);
  return p + 23;
}

// Fills the connection's buffer with its next batch; returns 0 when all requests have been issued.
static int prepare(connection *c) {
  char *p = c->out;
  c->waiting = 0;
  while (c->waiting < pipeline && issued < requests) {
    long key = sequential ? issued % keys : (long)(next_random() % (uint64_t)keys);
    if ((int)(next_random() >> 33) % 100 < get_percent) {
      memcpy(p, "*2\r\n$3\r\nGET\r\n", 13);
      p = put_key(p + 13, key);
    } else {
      memcpy(p, deadline ? "*5\r\n$3\r\nSET\r\n" : "*3\r\n$3\r\nSET\r\n", 13);
      p = put_key(p + 13, key);
      p += sprintf(p, "$%d\r\n", value_size);
      memcpy(p, value, (size_t)value_size);
      p += value_size;
      memcpy(p, "\r\n", 2);
      p += 2;
      if (deadline) p += sprintf(p, "$4\r\nPXAT\r\n$13\r\n%013ld\r\n", deadline);
    }
    issued++;
    c->waiting++;
  }
  c->length = (size_t)(p - c->out);
  c->sent = 0;
  c->started = now();
  return c->waiting > 0;
}

// Sends what it can; asks epoll for writability only while something is left.
static void flush_out(connection *c, int epoll_fd) {
  while (c->sent < c->length) {
    ssize_t n = send(c->fd, c->out + c->sent, c->length - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) fail("send");
    c->sent += (size_t)n;
  }
  int blocked = c->sent < c->length;
  if (blocked == c->blocked) return;
  c->blocked = blocked;
  struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.ptr = c};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event) < 0) fail("epoll_ctl");
}

// Takes replies out of `bytes`; returns how many were completed.
static int take(connection *c, const char *bytes, long count) {
  int completed = 0;
  long i = 0;
  while (i < count) {
    if (c->skip > 0) {
      long step = c->skip < count - i ? c->skip : count - i;
      c->skip -= step;
      i += step;
      if (c->skip == 0) completed++;
      continue;
    }
    char byte = bytes[i++];
    if (byte != '\n') {
      if (c->line_length < (int)sizeof c->line - 1) c->line[c->line_length++] = byte;
      continue;
    }
    c->line[c->line_length] = 0;
    c->line_length = 0;
    if (c->line[0] == '-') {
      fprintf(stderr, "load: the server answered %s\n", c->line);
      exit(1);
    }
    long size = c->line[0] == '$' ? atol(c->line + 1) : -1;
    if (size >= 0) c->skip = size + 2;
    else completed++;
  }
  return completed;
}

static int open_connection(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static int by_size(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static double percentile(double part) {
  if (latency_count == 0) return 0;
  long index = (long)(part * (double)(latency_count - 1));
  return (double)latencies[index] / 1e6;
}

int main(int argc, char **argv) {
  int option;
  while ((option = getopt(argc, argv, "p:c:P:n:k:d:g:e:s")) != -1) {
    switch (option) {
      case 'p': port = atoi(optarg); break;
      case 'c': clients = atoi(optarg); break;
      case 'P': pipeline = atoi(optarg); break;
      case 'n': requests = atol(optarg); break;
      case 'k': keys = atol(optarg); break;
      case 'd': value_size = atoi(optarg); break;
      case 'g': get_percent = atoi(optarg); break;
      case 'e': deadline = atol(optarg); break;
      case 's': sequential = 1; break;
      default: return 2;
    }
  }
  if (clients < 1 || pipeline < 1 || keys < 1 || requests < 1 || value_size < 1) return 2;
  value = malloc((size_t)value_size);
  memset(value, 'x', (size_t)value_size);
  latencies = malloc(sizeof *latencies * (size_t)(requests / pipeline + clients + 1));
  connection *all = calloc((size_t)clients, sizeof *all);
  int epoll_fd = epoll_create1(0), active = 0;
  for (int i = 0; i < clients; i++) {
    all[i].fd = open_connection();
    all[i].out = malloc((size_t)pipeline * ((size_t)value_size + 128));
  }
  static char input[1 << 18];
  uint64_t began = now();
  for (int i = 0; i < clients; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[i].fd, &event);
    if (!prepare(&all[i])) continue;
    active++;
    flush_out(&all[i], epoll_fd);
  }
  while (active > 0) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll_fd, events, 256, 30000);
    if (ready == 0) { fprintf(stderr, "load: no reply for 30 s\n"); return 1; }
    for (int i = 0; i < ready; i++) {
      connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush_out(c, epoll_fd);
      if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      ssize_t n = recv(c->fd, input, sizeof input, MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) fail("the server closed a connection");
      int completed = take(c, input, n);
      done += completed;
      c->waiting -= completed;
      if (c->waiting < 0) fail("more replies than requests");
      if (c->waiting > 0) continue;
      latencies[latency_count++] = now() - c->started;
      if (prepare(c)) flush_out(c, epoll_fd);
      else active--;
    }
  }
  double seconds = (double)(now() - began) / 1e9;
  qsort(latencies, (size_t)latency_count, sizeof *latencies, by_size);
  printf("{\"requests\": %ld, \"seconds\": %.6f, \"per_second\": %.1f, \"p50_ms\": %.3f, "
         "\"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
         done, seconds, (double)done / seconds, percentile(0.5), percentile(0.99),
         percentile(0.999), percentile(1));
  return 0;
}
