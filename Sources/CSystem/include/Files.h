// Files: calls on files that need _GNU_SOURCE, which the headers do without (see Process.c).
#pragma once
#include <stdint.h>

/// open(2) with O_DIRECT | O_DSYNC | O_CLOEXEC added: aligned writes, durable when they return.
int csystem_open_direct(const char *path, int flags, unsigned mode);

/// Reserves blocks, growing the file if need be. fallocate(2), or written zeros where a file system
/// has no such call. 0 or -1 with errno.
int csystem_allocate(int descriptor, int64_t offset, int64_t length);

/// flock(2) without waiting, exclusive. 0 or -1 with errno.
int csystem_try_lock(int descriptor);

/// The kind of file system behind a descriptor, by its number in statfs(2); 0 where it is unknown.
int64_t csystem_file_system_type(int descriptor);

/// Bytes that an unprivileged writer can still store there, or -1.
int64_t csystem_free_bytes(int descriptor);
