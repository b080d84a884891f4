// CBytes: what the Bytes target needs from the C library and from instructions that the baseline
// processor may lack; each of these is chosen at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The machine's widest binary floating-point type that Swift knows too.
#if defined(__x86_64__)
typedef long double csystem_extended;
#else
typedef double csystem_extended;
#endif

/// Reads all `count` bytes by strtod's grammar. 0 when they are empty, begin with a space, are not
/// a number, are NaN, or overflow or vanish.
int csystem_parse_double(const uint8_t *text, size_t count, double *value);

/// The same by strtold's; texts of 5 KiB and more are refused.
int csystem_parse_extended(const uint8_t *text, size_t count, csystem_extended *value);

/// Writes a finite `value` with 17 decimals to `text`, of `capacity` bytes; returns the length.
int csystem_format_extended(csystem_extended value, uint8_t *text, size_t capacity);

/// Writes `value` as printf's %.*f or %.*g does, the style being 'f' or 'g', to `text`, of `capacity`
/// bytes; returns the length, 0 if it does not fit.
int csystem_format_double(
    double value, char style, int precision, uint8_t *text, size_t capacity);

/// Whether csystem_crc32c may be called.
int csystem_has_crc32c(void);

/// Extends the raw (not inverted) CRC-32C by `count` bytes.
uint32_t csystem_crc32c(uint32_t crc, const void *bytes, size_t count);

/// How many bits are set in `count` bytes.
size_t csystem_count_ones(const void *bytes, size_t count);
