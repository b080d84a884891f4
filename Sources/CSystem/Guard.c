// Guard: see Guard.h.
//
// The table is free of locks, because its reader is a signal handler: a slot's base is 0 when the
// slot is free, 1 while its owner fills it in, and the range's start once its length is there.
#define _GNU_SOURCE 1
#include "Guard.h"

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { rangeLimit = 64, frameLimit = 64 };

static struct {
  _Atomic uintptr_t base;
  _Atomic size_t length;
} ranges[rangeLimit];

void csystem_guard_range(const void *base, size_t length) {
  for (int index = 0; index < rangeLimit; index++) {
    uintptr_t expected = 0;
    if (!atomic_compare_exchange_strong(&ranges[index].base, &expected, 1)) continue;
    atomic_store(&ranges[index].length, length);
    atomic_store(&ranges[index].base, (uintptr_t)base);
    return;
  }
}

void csystem_unguard_range(const void *base) {
  for (int index = 0; index < rangeLimit; index++) {
    uintptr_t expected = (uintptr_t)base;
    if (atomic_compare_exchange_strong(&ranges[index].base, &expected, 0)) return;
  }
}

static char *putText(char *to, const char *end, const char *text) {
  while (*text && to < end) *to++ = *text++;
  return to;
}

static char *putHex(char *to, const char *end, uintptr_t value) {
  int shift = 60;
  while (shift > 0 && !(value >> shift & 15)) shift -= 4;
  to = putText(to, end, "0x");
  for (; shift >= 0 && to < end; shift -= 4) *to++ = "0123456789abcdef"[value >> shift & 15];
  return to;
}

int csystem_describe_guard_fault(uintptr_t address, char *text, size_t size) {
  if (size == 0) return 0;
  const char *end = text + size - 1;
  for (int index = 0; index < rangeLimit; index++) {
    uintptr_t base = atomic_load(&ranges[index].base);
    if (base <= 1 || address < base) continue;
    if (address - base >= atomic_load(&ranges[index].length)) continue;
    text = putText(text, end, "a write dodged the arena's barrier at arena offset ");
    text = putHex(text, end, address - base);
    text = putText(text, end, ", page ");
    text = putHex(text, end, (address - base) >> 12);
    *text = 0;
    return 1;
  }
  return 0;
}

static void printLine(const char *text) {
  ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
  ignored = write(STDERR_FILENO, "\n", 1);
  (void)ignored;
}

int csystem_report_guard_fault(const void *address) {
  char text[160] = "ferrite: guard: ";
  size_t length = strlen(text);
  int isFound =
      csystem_describe_guard_fault((uintptr_t)address, text + length, sizeof text - length);
  if (!isFound) return 0;
  printLine(text);
  return 1;
}

static void handleFault(int number, siginfo_t *information, void *context) {
  (void)context;
  // A SIGBUS in the range is no dodged write: the machine had no memory for the page.
  if (number == SIGSEGV) csystem_report_guard_fault(information->si_addr);
  void *frames[frameLimit];
  backtrace_symbols_fd(frames, backtrace(frames, frameLimit), STDERR_FILENO);
  signal(number, SIG_DFL);
  raise(number);
}

void csystem_install_guard_handler(void) {
  // The first backtrace loads a library, which no signal handler may do.
  void *frame;
  backtrace(&frame, 1);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handleFault;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}
