// Process: what needs _GNU_SOURCE. The headers do without it: Swift's Glibc module is built without
// it too, and two definitions of one type would clash.
#define _GNU_SOURCE 1
#include "CSystem.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int csystem_get_descriptor_limit(uint64_t *soft, uint64_t *hard) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  *soft = limit.rlim_cur;
  *hard = limit.rlim_max;
  return 0;
}
int csystem_set_descriptor_limit(uint64_t soft, uint64_t hard) {
  struct rlimit limit = {soft, hard};
  return setrlimit(RLIMIT_NOFILE, &limit);
}

void csystem_cpu_times(int who, int64_t *user, int64_t *system) {
  struct rusage usage;
  getrusage(who, &usage);
  *user = usage.ru_utime.tv_sec * 1000000ll + usage.ru_utime.tv_usec;
  *system = usage.ru_stime.tv_sec * 1000000ll + usage.ru_stime.tv_usec;
}

void csystem_discard_input(int fd) {
  char buffer[16384];
  for (int round = 0; round < 64; round++) {
    if (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) < (ssize_t)sizeof buffer) return;
  }
}

int csystem_accept(int fd) { return accept4(fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK); }

void csystem_trim_heap(void) { malloc_trim(0); }

void csystem_name_thread(const char *name) { prctl(PR_SET_NAME, name); }
