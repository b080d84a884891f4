// shim: libpmem2's mappings and functions in a form that Swift imports.
//
// A mapping made here is either the library's own (a DAX file system that granted MAP_SYNC), or, when
// emulation is asked for, a plain shared mapping that is treated as if it were: what is fast on a
// tmpfs and keeps data from a killed process, but not from a power cut.
#pragma once
// The features of libc are settled before its types meet those of Swift's Glibc module.
#include <features.h>

#include <errno.h>
#include <libpmem2.h>
#include <stdbool.h>
#include <sys/mman.h>

struct cpmem2_mapping {
  struct pmem2_map *map;
  void *address;
  size_t length;
  /// In bytes: 1 (stores suffice), 64 (lines must be flushed).
  int granularity;
  bool isEmulated;
  pmem2_memcpy_fn copy;
  pmem2_flush_fn flush;
  pmem2_drain_fn drain;
};

/// Fills in what a mapping's library object knows.
static inline void cpmem2_describe(struct cpmem2_mapping *mapping) {
  mapping->granularity =
      pmem2_map_get_store_granularity(mapping->map) == PMEM2_GRANULARITY_BYTE ? 1 : 64;
  mapping->copy = pmem2_get_memcpy_fn(mapping->map);
  mapping->flush = pmem2_get_flush_fn(mapping->map);
  mapping->drain = pmem2_get_drain_fn(mapping->map);
}

/// The library's errors are negative: an errno, or a number of its own.
static inline int cpmem2_errno(int result) {
  if (result == PMEM2_E_GRANULARITY_NOT_SUPPORTED) return ENOTSUP;
  return result <= PMEM2_E_UNKNOWN ? EINVAL : -result;
}

/// Maps `length` bytes from `offset` of an open file, both whole pages, for reading and writing.
/// 0, ENOTSUP where the medium is not persistent memory, or another errno.
static inline int cpmem2_map(int fd, size_t offset, size_t length, bool isEmulated,
                             struct cpmem2_mapping *mapping) {
  struct pmem2_source *source = NULL;
  struct pmem2_config *config = NULL;
  mapping->map = NULL;
  mapping->length = length;
  mapping->isEmulated = isEmulated;
  int result = pmem2_source_from_fd(&source, fd);
  if (result != 0) return cpmem2_errno(result);
  if (isEmulated) {
    mapping->address =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (__off_t)offset);
    if (mapping->address == MAP_FAILED) {
      result = errno;
      pmem2_source_delete(&source);
      return result;
    }
    result = pmem2_map_from_existing(&mapping->map, source, mapping->address, length,
                                     PMEM2_GRANULARITY_CACHE_LINE);
    if (result != 0) munmap(mapping->address, length);
  } else {
    result = pmem2_config_new(&config);
    if (result == 0) {
      result =
          pmem2_config_set_required_store_granularity(config, PMEM2_GRANULARITY_CACHE_LINE);
    }
    if (result == 0) result = pmem2_config_set_offset(config, offset);
    if (result == 0) result = pmem2_config_set_length(config, length);
    if (result == 0) result = pmem2_map_new(&mapping->map, config, source);
    if (result == 0) mapping->address = pmem2_map_get_address(mapping->map);
  }
  if (config) pmem2_config_delete(&config);
  pmem2_source_delete(&source);
  if (result != 0) return cpmem2_errno(result);
  cpmem2_describe(mapping);
  return 0;
}

static inline void cpmem2_unmap(struct cpmem2_mapping *mapping) {
  void *address = mapping->address;
  pmem2_map_delete(&mapping->map);
  // The library leaves a mapping that it did not make.
  if (mapping->isEmulated) munmap(address, mapping->length);
}

/// Copies without waiting and, below `streamingBytes`, without flushing: small writes go through
/// the cache and are flushed by line, large ones go around it.
static inline void cpmem2_write(const struct cpmem2_mapping *mapping, size_t offset,
                                const void *bytes, size_t count) {
  enum { streamingBytes = 256 };
  unsigned flags = PMEM2_F_MEM_NODRAIN;
  flags |= count >= streamingBytes ? PMEM2_F_MEM_NONTEMPORAL : PMEM2_F_MEM_NOFLUSH;
  mapping->copy((char *)mapping->address + offset, bytes, count, flags);
}

static inline void cpmem2_flush(const struct cpmem2_mapping *mapping, size_t offset,
                                size_t count) {
  mapping->flush((const char *)mapping->address + offset, count);
}

static inline void cpmem2_drain(const struct cpmem2_mapping *mapping) { mapping->drain(); }
