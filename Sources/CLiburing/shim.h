// shim: liburing's inline functions and macros in a form that Swift imports, and the few kernel names
// that are younger than Debian 12's liburing 2.3. Each prepares one request with its token.
#pragma once
// liburing.h asks for _XOPEN_SOURCE, under which libc's types differ from those of Swift's Glibc
// module. The features are settled by the first header of libc.
#include <features.h>

#include <liburing.h>
#include <stdbool.h>
#include <string.h>

/// Provided buffers are consumed piece by piece (Linux 6.12): IOU_PBUF_RING_INC.
#define CLIBURING_BUFFERS_INCREMENTAL 2
/// More of the completion's buffer remains in use: IORING_CQE_F_BUF_MORE.
static const unsigned cliburing_buffer_more = 1U << 4;
static const unsigned cliburing_has_buffer = IORING_CQE_F_BUFFER;
static const unsigned cliburing_more = IORING_CQE_F_MORE;

/// Sets up a ring that stays disabled until its thread enables it. 0 or -errno.
static inline int cliburing_open(struct io_uring *ring, unsigned entries, unsigned completions,
                                 unsigned extra) {
  struct io_uring_params parameters;
  memset(&parameters, 0, sizeof parameters);
  parameters.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                     IORING_SETUP_R_DISABLED | extra;
  parameters.cq_entries = completions;
  int result = io_uring_queue_init_params(entries, ring, &parameters);
  if (result < 0) return result;
  unsigned needed = IORING_FEAT_CQE_SKIP | IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP;
  if ((parameters.features & needed) != needed) {
    io_uring_queue_exit(ring);
    return -ENOSYS;
  }
  return 0;
}

/// Enables the ring for the calling thread. 0 or -errno. (Debian's library does not export
/// io_uring_enable_rings.)
static inline int cliburing_enable(struct io_uring *ring) {
  return io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/// Registers `memory` as buffer ring 0 of `entries` buffers. 0 or -errno.
static inline int cliburing_register_buffers(struct io_uring *ring, void *memory, unsigned entries,
                                             bool incremental) {
  struct io_uring_buf_reg registration;
  memset(&registration, 0, sizeof registration);
  registration.ring_addr = (unsigned long)memory;
  registration.ring_entries = entries;
  registration.pad = incremental ? CLIBURING_BUFFERS_INCREMENTAL : 0;
  int result = io_uring_register_buf_ring(ring, &registration, 0);
  if (result == 0) io_uring_buf_ring_init(memory);
  return result;
}

/// Gives buffer `identifier` to the kernel.
static inline void cliburing_provide(void *buffers, unsigned entries, void *address, unsigned size,
                                     unsigned short identifier) {
  io_uring_buf_ring_add(buffers, address, size, identifier, (int)entries - 1, 0);
  io_uring_buf_ring_advance(buffers, 1);
}

struct cliburing_completion {
  uint64_t token;
  int result;
  unsigned flags;
};

/// Takes the next completion; false when there is none.
static inline bool cliburing_next(struct io_uring *ring, struct cliburing_completion *completion) {
  unsigned head = *ring->cq.khead;
  if (head == io_uring_smp_load_acquire(ring->cq.ktail)) return false;
  struct io_uring_cqe *entry = &ring->cq.cqes[head & ring->cq.ring_mask];
  completion->token = entry->user_data;
  completion->result = entry->res;
  completion->flags = entry->flags;
  io_uring_smp_store_release(ring->cq.khead, head + 1);
  return true;
}

static inline void cliburing_accept(struct io_uring_sqe *entry, int fd, uint64_t token) {
  io_uring_prep_multishot_accept(entry, fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  io_uring_sqe_set_data64(entry, token);
}

static inline void cliburing_receive(struct io_uring_sqe *entry, int fd, uint64_t token) {
  io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = 0;
  io_uring_sqe_set_data64(entry, token);
}

/// Sends all bytes now, or as many as the socket takes. Completes while it is submitted, and gives
/// a completion only if it failed or was short.
static inline void cliburing_send(struct io_uring_sqe *entry, int fd, const void *bytes,
                                  size_t count, uint64_t token) {
  io_uring_prep_send(entry, fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(entry, token);
}

static inline void cliburing_poll(struct io_uring_sqe *entry, int fd, unsigned mask, bool multishot,
                                  uint64_t token) {
  if (multishot) {
    io_uring_prep_poll_multishot(entry, fd, mask);
  } else {
    io_uring_prep_poll_add(entry, fd, mask);
  }
  io_uring_sqe_set_data64(entry, token);
}

/// Ends the request that was made with `target`; its own completion tells.
static inline void cliburing_cancel(struct io_uring_sqe *entry, uint64_t target, uint64_t token) {
  io_uring_prep_cancel64(entry, target, 0);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(entry, token);
}

/// Submits everything and waits for one completion: at most `milliseconds`, not at all for 0, for
/// ever if negative. 0 or -errno; a timeout and a signal are no error.
static inline int cliburing_enter(struct io_uring *ring, long milliseconds) {
  int result;
  if (milliseconds == 0) {
    result = io_uring_submit_and_get_events(ring);
  } else if (milliseconds < 0) {
    result = io_uring_submit_and_wait(ring, 1);
  } else {
    struct __kernel_timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    struct io_uring_cqe *first;
    result = io_uring_submit_and_wait_timeout(ring, &first, 1, &limit, NULL);
  }
  return result >= 0 || result == -ETIME || result == -EINTR ? 0 : result;
}
