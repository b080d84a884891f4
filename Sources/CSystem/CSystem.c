#define _GNU_SOURCE 1
#include "CSystem.h"

int csystem_memfd_create(const char *name) {
  return (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC);
}

int csystem_punch_hole(int descriptor, int64_t offset, int64_t length) {
  return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

static const char *guard_base;
static size_t guard_length;

// The first guarded arena wins the name; later ones (in tests) replace it.
void csystem_guard_range(const void *base, size_t length) {
  guard_base = (const char *)base;
  guard_length = length;
}

static void put_text(const char *text) {
  ssize_t ignored = write(STDERR_FILENO, text, __builtin_strlen(text));
  (void)ignored;
}

static void put_hex(size_t value) {
  char digits[19] = "0x";
  int length = 2;
  for (int shift = 60; shift >= 0; shift -= 4) digits[length++] = "0123456789abcdef"[value >> shift & 15];
  ssize_t ignored = write(STDERR_FILENO, digits, (size_t)length);
  (void)ignored;
}

int csystem_report_guard_fault(const void *address) {
  const char *place = (const char *)address;
  if (!guard_base || place < guard_base || place >= guard_base + guard_length) return 0;
  put_text("ferrite: guard: a write dodged the arena's barrier at arena offset ");
  put_hex((size_t)(place - guard_base));
  put_text(", page ");
  put_hex((size_t)(place - guard_base) >> 12);
  put_text("\n");
  return 1;
}
