// Daemon: what a background process needs that Swift cannot say by itself.
#pragma once

/// Goes on as a child of init's, in a session of its own, its standard streams on /dev/null. The
/// parent exits with status 0. Call before any thread starts. 0, or -1 with errno.
int csystem_daemonize(void);

/// Makes SIGTERM and SIGINT end the process again, also those that are already pending.
void csystem_restore_signals(void);
