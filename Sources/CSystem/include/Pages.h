// Pages: atomic bytes that two threads share, one a page, and the comparison of two pages by lines.
#pragma once
#include <stdint.h>
#include <string.h>

static inline uint8_t csystem_load_byte(const void *byte) {
  return __atomic_load_n((const uint8_t *)byte, __ATOMIC_ACQUIRE);
}

static inline void csystem_store_byte(void *byte, uint8_t value) {
  __atomic_store_n((uint8_t *)byte, value, __ATOMIC_RELEASE);
}

/// Stores `value` if the byte is `expected`; returns what it was.
static inline uint8_t csystem_replace_byte(void *byte, uint8_t expected, uint8_t value) {
  __atomic_compare_exchange_n((uint8_t *)byte, &expected, value, 0, __ATOMIC_ACQ_REL,
                              __ATOMIC_ACQUIRE);
  return expected;
}

/// Which of the 64 lines of 64 bytes differ between two pages of 4096 bytes, a bit each.
static inline uint64_t csystem_differing_lines(const void *left, const void *right) {
  uint64_t lines = 0;
  for (int line = 0; line < 64; line++) {
    const char *a = (const char *)left + line * 64, *b = (const char *)right + line * 64;
    lines |= (uint64_t)(memcmp(a, b, 64) != 0) << line;
  }
  return lines;
}

/// A pause inside a loop that waits for another processor.
static inline void csystem_spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}
