#include "CSystem.h"

int csystem_memfd_create(const char *name) {
  return (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC);
}
