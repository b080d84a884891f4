"""environment: which servers this run is about. `run` fills it in; tests only read it."""

import ctypes
import errno
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# The server under test, and the judge it is compared with (None where there is none).
server = os.environ.get("FERRITE_SERVER", str(ROOT / ".build/release/ferrite-server"))
reference = shutil.which(os.environ.get("REDIS_SERVER", "redis-server"))
# The event loop that this pass tests: "epoll", "io_uring", or None for a server without the choice.
event_loop = None
# Whether servers keep their data when a test does not say.
persistence = "yes"
seed = int(os.environ.get("FERRITE_TEST_SEED", "1"))


def options(more=None):
    """Directives for a server under test, with this pass' event loop."""
    chosen = {"event-loop": event_loop} if event_loop else {}
    if not is_redis():
        chosen["persistence"] = persistence
    return {**chosen, **(more or {})}


def is_redis():
    """Whether the server under test is Redis itself (the tests are being tested)."""
    return "redis" in os.path.basename(server)


def kernel_has_io_uring():
    """Whether this kernel lets this process set up an io_uring (system call 425)."""
    libc = ctypes.CDLL(None, use_errno=True)
    parameters = ctypes.create_string_buffer(120)
    descriptor = libc.syscall(425, 1, parameters)
    if descriptor >= 0:
        os.close(descriptor)
        return True
    return ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM, errno.EACCES)
