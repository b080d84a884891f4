// Daemon: see Daemon.h.
#include "Daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int csystem_daemonize(void) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child > 0) _exit(0);
  if (setsid() < 0) return -1;
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return -1;
  for (int stream = 0; stream <= 2; stream++) {
    if (dup2(null, stream) < 0) return -1;
  }
  if (null > 2) close(null);
  return 0;
}

void csystem_restore_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
