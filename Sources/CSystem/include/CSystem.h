// CSystem: the few machine and libc facilities that Swift cannot name by itself.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

/// Asks for the cache line at `address` ahead of a read. Never faults.
static inline void csystem_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/// memfd_create(2).
int csystem_memfd_create(const char *name);
