// CSystem: the few machine and libc facilities that Swift cannot name by itself.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "Crash.h"
#include "Daemon.h"
#include "Files.h"
#include "Guard.h"
#include "Pages.h"
#include "Sockets.h"

/// Asks for the cache line at `address` ahead of a read. Never faults.
static inline void csystem_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

#include "CBytes.h"

/// MADV_COLLAPSE (Linux 6.1): huge pages for a range now, whatever the system's settings. Older
/// headers do not have it.
static const int csystem_madv_collapse = 25;

/// memfd_create(2).
int csystem_memfd_create(const char *name);

/// Gives the bytes' memory or blocks back to the system; they read as zeros. fallocate(2).
int csystem_punch_hole(int descriptor, int64_t offset, int64_t length);

/// Names the calling thread, in 15 characters at most, for ps and debuggers.
void csystem_name_thread(const char *name);

/// A steady counter of the processor's; Platform.Ticks calibrates it.
static inline uint64_t csystem_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
#error "csystem_ticks: add this processor's steady counter"
#endif
}


/// Stores back the byte at `address`: a private mapping gets its own copy of the page. Volatile,
/// because the compiler may delete any other store of what is already there, atomic ones too. One
/// instruction where there is one, so that the page faults once, for writing.
static inline void csystem_touch(void *address) {
#if defined(__x86_64__)
  __asm__ volatile("lock orb $0, %0" : "+m"(*(unsigned char *)address) : : "memory", "cc");
#else
  volatile unsigned char *byte = (volatile unsigned char *)address;
  *byte = *byte;
#endif
}

/// Which of a bucket's ten tags equal `tag`, as bits 0..9. `line` is a 64-byte aligned bucket whose
/// tags are its bytes 50..59.
#if defined(__SSE2__)
typedef char csystem_v16 __attribute__((vector_size(16)));
static inline uint32_t csystem_match_tags(const void *line, uint8_t tag) {
  csystem_v16 tags = *(const csystem_v16 *)((const char *)line + 48);
  csystem_v16 wanted = (csystem_v16){} + (char)tag;
  return ((uint32_t)__builtin_ia32_pmovmskb128(tags == wanted) >> 2) & 0x3ff;
}
#else
static inline uint32_t csystem_match_tags(const void *line, uint8_t tag) {
  const uint8_t *tags = (const uint8_t *)line + 50;
  uint32_t equal = 0;
  for (int i = 0; i < 10; i++) equal |= (uint32_t)(tags[i] == tag) << i;
  return equal;
}
#endif
