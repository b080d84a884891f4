// Sockets: names that libc spells as enums or macros, in the types that the calls take.
#pragma once
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

static const int csystem_stream = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
static const int csystem_datagram = SOCK_DGRAM | SOCK_CLOEXEC;
static const int csystem_send_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
static const int csystem_send_all_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
static const int csystem_ipproto_tcp = IPPROTO_TCP;
static const int csystem_ipproto_ipv6 = IPPROTO_IPV6;

/// socket(2) with plain integers.
static inline int csystem_socket(int domain, int type) { return socket(domain, type, 0); }

/// Sets an integer option; 0 or -1 with errno.
static inline int csystem_set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value);
}

/// An integer option's value, or -1.
static inline int csystem_option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

/// recv(2) without blocking.
static inline ssize_t csystem_receive(int fd, void *buffer, size_t count) {
  return recv(fd, buffer, count, MSG_DONTWAIT);
}

/// send(2) without blocking and without SIGPIPE.
static inline ssize_t csystem_send(int fd, const void *bytes, size_t count) {
  return send(fd, bytes, count, csystem_send_flags);
}

/// Reads and drops what has arrived, up to a mebibyte.
void csystem_discard_input(int fd);

/// accept4(2): a non-blocking descriptor that programs started later do not inherit.
int csystem_accept(int fd);

/// getrlimit and setrlimit of the number of open descriptors.
int csystem_get_descriptor_limit(uint64_t *soft, uint64_t *hard);
int csystem_set_descriptor_limit(uint64_t soft, uint64_t hard);

/// User and system CPU time in microseconds; `who` is 0 for the process, -1 for children that have
/// been waited for, 1 for the calling thread.
void csystem_cpu_times(int who, int64_t *user, int64_t *system);

/// Gives what the C library's heap does not use back to the system.
void csystem_trim_heap(void);
