// Guard: names a write that dodged the arena's barrier. In guard mode clean pages are read-only, so
// that such a write faults inside a guarded range.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Names a range in which a SIGSEGV means a write that dodged the barrier. Any thread; 64 ranges
/// at a time, further ones fault without being named.
void csystem_guard_range(const void *base, size_t length);

/// Forgets the range that starts at `base`, before it is unmapped.
void csystem_unguard_range(const void *base);

/// For crash handlers (async-signal-safe, fits `csystem_crash_describer`): if `address` lies in a
/// guarded range, writes what that means to `text`, zero-terminated, and returns 1.
int csystem_describe_guard_fault(uintptr_t address, char *text, size_t size);

/// The same, as a line on standard error.
int csystem_report_guard_fault(const void *address);

/// A small crash handler for tests in guard mode: names the fault, prints a backtrace, dies of the
/// same signal.
void csystem_install_guard_handler(void);
