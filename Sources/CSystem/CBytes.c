#include "CBytes.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { stack_text = 512, longest_extended = 5 * 1024 };

int csystem_parse_double(const uint8_t *text, size_t count, double *value) {
  if (count == 0 || isspace(text[0])) return 0;
  char small[stack_text];
  char *copy = count < sizeof small ? small : malloc(count + 1);
  if (copy == NULL) return 0;
  memcpy(copy, text, count);
  copy[count] = 0;
  char *end;
  errno = 0;
  *value = strtod(copy, &end);
  int whole = (size_t)(end - copy) == count;
  int lost = errno == ERANGE && (isinf(*value) || *value == 0);
  if (copy != small) free(copy);
  return whole && !lost && !isnan(*value);
}

int csystem_parse_extended(const uint8_t *text, size_t count, csystem_extended *value) {
  if (count == 0 || count >= longest_extended || isspace(text[0])) return 0;
  char copy[longest_extended];
  memcpy(copy, text, count);
  copy[count] = 0;
  char *end;
  errno = 0;
#if defined(__x86_64__)
  *value = strtold(copy, &end);
#else
  *value = strtod(copy, &end);
#endif
  int whole = (size_t)(end - copy) == count;
  int lost = errno == ERANGE && (isinf(*value) || *value == 0);
  return whole && !lost && !isnan(*value);
}

int csystem_format_extended(csystem_extended value, uint8_t *text, size_t capacity) {
#if defined(__x86_64__)
  int length = snprintf((char *)text, capacity, "%.17Lf", value);
#else
  int length = snprintf((char *)text, capacity, "%.17f", value);
#endif
  return length < 0 || (size_t)length >= capacity ? 0 : length;
}

int csystem_format_double(
    double value, char style, int precision, uint8_t *text, size_t capacity) {
  const char *format = style == 'f' ? "%.*f" : "%.*g";
  int length = snprintf((char *)text, capacity, format, precision, value);
  return length < 0 || (size_t)length >= capacity ? 0 : length;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

int csystem_has_crc32c(void) { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2"))) uint32_t csystem_crc32c(
    uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  uint64_t wide = crc;
  for (; count >= 8; count -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = (uint32_t)wide;
  for (; count > 0; count--, next++) crc = _mm_crc32_u8(crc, *next);
  return crc;
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

int csystem_has_crc32c(void) { return 1; }

uint32_t csystem_crc32c(uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  for (; count >= 8; count -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    crc = __crc32cd(crc, word);
  }
  for (; count > 0; count--, next++) crc = __crc32cb(crc, *next);
  return crc;
}

#else

int csystem_has_crc32c(void) { return 0; }
uint32_t csystem_crc32c(uint32_t crc, const void *bytes, size_t count) { abort(); }

#endif

static inline __attribute__((always_inline)) size_t count_ones(const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  size_t a = 0, b = 0, c = 0, d = 0;
  uint64_t words[4];
  for (; count >= 32; count -= 32, next += 32) {
    memcpy(words, next, 32);
    a += __builtin_popcountll(words[0]);
    b += __builtin_popcountll(words[1]);
    c += __builtin_popcountll(words[2]);
    d += __builtin_popcountll(words[3]);
  }
  for (; count > 0; count--, next++) a += __builtin_popcount(*next);
  return a + b + c + d;
}

#if defined(__x86_64__)

__attribute__((target("popcnt"))) static size_t count_ones_popcnt(
    const void *bytes, size_t count) {
  return count_ones(bytes, count);
}

__attribute__((target("avx2,popcnt"))) static size_t count_ones_avx2(
    const void *bytes, size_t count) {
  return count_ones(bytes, count);
}

size_t csystem_count_ones(const void *bytes, size_t count) {
  if (__builtin_cpu_supports("avx2")) return count_ones_avx2(bytes, count);
  if (__builtin_cpu_supports("popcnt")) return count_ones_popcnt(bytes, count);
  return count_ones(bytes, count);
}

#else

size_t csystem_count_ones(const void *bytes, size_t count) { return count_ones(bytes, count); }

#endif
