// Files: see Files.h.
#define _GNU_SOURCE 1
#include "Files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/statfs.h>

int csystem_open_direct(const char *path, int flags, unsigned mode) {
  return open(path, flags | O_DIRECT | O_DSYNC | O_CLOEXEC, mode);
}

int csystem_allocate(int descriptor, int64_t offset, int64_t length) {
  if (fallocate(descriptor, 0, offset, length) == 0) return 0;
  if (errno != EOPNOTSUPP) return -1;
  int result = posix_fallocate(descriptor, offset, length);
  if (result == 0) return 0;
  errno = result;
  return -1;
}

int csystem_try_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }

int64_t csystem_file_system_type(int descriptor) {
  struct statfs status;
  return fstatfs(descriptor, &status) == 0 ? (int64_t)status.f_type : 0;
}

int64_t csystem_free_bytes(int descriptor) {
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0) return -1;
  return (int64_t)status.f_bavail * (int64_t)status.f_bsize;
}
