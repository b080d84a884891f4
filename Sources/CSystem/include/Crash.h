// Crash: a report on standard error or the log when the process dies of a fatal signal.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Names the place that a faulting address lies in: writes a line without its end into `text` and
/// returns 1, or returns 0 when the address is not its business. Runs inside a signal
/// handler: no allocation, no locks.
typedef int (*csystem_crash_describer)(uintptr_t address, char *text, size_t size);

/// Installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGABRT. `version` must live
/// as long as the process. Reports go to `descriptor`. Returns 0, or -1 with errno.
int csystem_crash_install(int descriptor, const char *version);

/// Sends later reports to another descriptor.
void csystem_crash_set_descriptor(int descriptor);

/// What the process is doing, shown in the report; the text must outlive its use. NULL is nothing.
void csystem_crash_set_context(const char *text);

/// Which of the named activities was begun last; 0 is none. Plain, because it is set for every
/// command and read only by the handler.
extern volatile uint32_t csystem_crash_activity;
static inline void csystem_crash_set_activity(uint32_t number) { csystem_crash_activity = number; }

/// Names activities 1 to `count`. The texts and the list must live as long as the process.
void csystem_crash_name_activities(const char *const *names, size_t count);

/// Adds a describer; at most eight.
void csystem_crash_add_describer(csystem_crash_describer describer);

/// Gives the calling thread a stack of its own for the handlers, so that even an exhausted stack is
/// reported. The installing thread has one already.
int csystem_crash_prepare_thread(void);
