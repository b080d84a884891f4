// Crash: see Crash.h. Everything in the handler is async-signal-safe: write(2), and
// backtrace_symbols_fd, whose library is loaded beforehand by csystem_crash_install.
#define _GNU_SOURCE 1
#include "Crash.h"

#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { describerLimit = 8, stackSize = 64 * 1024, frameLimit = 100 };

static atomic_int reportDescriptor = 2;
static const char *_Atomic reportVersion = "";
static const char *_Atomic reportContext = NULL;
static _Atomic csystem_crash_describer describers[describerLimit];
static atomic_int describerCount = 0;
static atomic_int reporting = 0;
static const char *const *activityNames = NULL;
static size_t activityCount = 0;
volatile uint32_t csystem_crash_activity = 0;

static void put(const char *text) {
  size_t left = strlen(text);
  while (left > 0) {
    ssize_t count = write(reportDescriptor, text, left);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text += count;
    left -= (size_t)count;
  }
}

static void putNumber(uint64_t value, unsigned base) {
  char text[24];
  char *cursor = text + sizeof text;
  *--cursor = 0;
  do {
    *--cursor = "0123456789abcdef"[value % base];
    value /= base;
  } while (value > 0);
  if (base == 16) put("0x");
  put(cursor);
}

static const char *nameOf(int number) {
  switch (number) {
    case SIGSEGV: return "SIGSEGV (bad memory access)";
    case SIGBUS: return "SIGBUS (memory without backing: a truncated file or a media error)";
    case SIGFPE: return "SIGFPE (arithmetic)";
    case SIGILL: return "SIGILL (a failed check in Ferrite)";
    case SIGTRAP: return "SIGTRAP (a failed check in Ferrite)";
    case SIGABRT: return "SIGABRT (abort)";
    default: return "signal";
  }
}

static void putPlace(int number, siginfo_t *information, void *context) {
  if ((number == SIGSEGV || number == SIGBUS) && information->si_code > 0) {
    uintptr_t address = (uintptr_t)information->si_addr;
    put("address: ");
    putNumber(address, 16);
    put("\n");
    for (int index = 0; index < describerCount && index < describerLimit; index++) {
      char text[256];
      csystem_crash_describer describer = describers[index];
      if (!describer || !describer(address, text, sizeof text)) continue;
      text[sizeof text - 1] = 0;
      put("place: ");
      put(text);
      put("\n");
    }
  }
#if defined(__x86_64__)
  ucontext_t *machine = context;
  put("instruction: ");
  putNumber((uint64_t)machine->uc_mcontext.gregs[REG_RIP], 16);
  put(" stack: ");
  putNumber((uint64_t)machine->uc_mcontext.gregs[REG_RSP], 16);
  put("\n");
#elif defined(__aarch64__)
  ucontext_t *machine = context;
  put("instruction: ");
  putNumber(machine->uc_mcontext.pc, 16);
  put(" stack: ");
  putNumber(machine->uc_mcontext.sp, 16);
  put("\n");
#endif
}

static void report(int number, siginfo_t *information, void *context) {
  int saved = errno;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  put("\n=== FERRITE CRASH REPORT START: please send it with your bug report ===\nversion: ");
  put(reportVersion);
  put("\ntime: ");
  putNumber((uint64_t)now.tv_sec, 10);
  put(" process: ");
  putNumber((uint64_t)getpid(), 10);
  put(" thread: ");
  putNumber((uint64_t)syscall(SYS_gettid), 10);
  put("\nsignal: ");
  putNumber((uint64_t)number, 10);
  put(" ");
  put(nameOf(number));
  put(" code: ");
  if (information->si_code < 0) put("-");
  putNumber((uint64_t)llabs((long long)information->si_code), 10);
  if (information->si_code <= 0 && number != SIGABRT) {
    put(" sent by process ");
    putNumber((uint64_t)information->si_pid, 10);
  }
  put("\n");
  putPlace(number, information, context);
  const char *activity = reportContext;
  if (activity) {
    put("context: ");
    put(activity);
    put("\n");
  }
  uint32_t begun = csystem_crash_activity;
  if (begun > 0 && begun <= activityCount) {
    put("last command: ");
    put(activityNames[begun - 1]);
    put("\n");
  }
  put("backtrace:\n");
  void *frames[frameLimit];
  int count = backtrace(frames, frameLimit);
  backtrace_symbols_fd(frames, count, reportDescriptor);
  put("=== FERRITE CRASH REPORT END ===\n");
  errno = saved;
}

static void handle(int number, siginfo_t *information, void *context) {
  // One report a process: a fault inside the report, or in another thread meanwhile, ends it.
  if (atomic_exchange(&reporting, 1) == 0) report(number, information, context);
  signal(number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  raise(number);
}

int csystem_crash_prepare_thread(void) {
  void *memory = mmap(NULL, stackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return -1;
  stack_t stack = {.ss_sp = memory, .ss_size = stackSize};
  return sigaltstack(&stack, NULL);
}

int csystem_crash_install(int descriptor, const char *version) {
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
  reportDescriptor = descriptor;
  reportVersion = version;
  // The first call loads the unwinder, which allocates; the handler must not.
  void *frames[1];
  backtrace(frames, 1);
  if (csystem_crash_prepare_thread() != 0) return -1;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
    if (sigaction(numbers[index], &action, NULL) != 0) return -1;
  }
  return 0;
}

void csystem_crash_set_descriptor(int descriptor) { reportDescriptor = descriptor; }

void csystem_crash_set_context(const char *text) { reportContext = text; }

void csystem_crash_name_activities(const char *const *names, size_t count) {
  activityNames = names;
  activityCount = count;
}

void csystem_crash_add_describer(csystem_crash_describer describer) {
  int index = atomic_fetch_add(&describerCount, 1);
  if (index < describerLimit) describers[index] = describer;
}
