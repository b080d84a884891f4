#define _GNU_SOURCE 1
#include "CSystem.h"

int csystem_memfd_create(const char *name) {
  return (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC);
}

int csystem_punch_hole(int descriptor, int64_t offset, int64_t length) {
  return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}
