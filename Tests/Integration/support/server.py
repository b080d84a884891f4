"""server: starts, watches and stops one server process: Ferrite, or Redis as the judge.

    with Server(binary, {"maxmemory": "1mb"}) as server:
        server.connect().command("PING")

1. Every server has a free port and a fresh directory of its own; both are gone afterwards.
2. Only processes started here are stopped, by their process id.
3. A server that dies or does not answer in time fails the test with the end of its log.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .resp import Connection

START_SECONDS = 20.0
STOP_SECONDS = 30.0


def free_port():
    """A TCP port that nothing listens on now, below those that the kernel gives to clients: one of
    them would soon be taken by another connection."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class StartError(AssertionError):
    """The server did not come up; the text has the end of its log."""


class Server:
    """One server process on a private port."""

    def __init__(self, binary, options=None, config=None, prefix=(), standard_input=None):
        """
        - options: directives for the command line; a value may be a list of words.
        - config: the path of a configuration file, given first as Redis does.
        - prefix: a command to run it under, such as ("taskset", "-c", "0").
        - standard_input: text for a configuration of "-".
        """
        self.binary = str(binary)
        self.options = dict(options or {})
        self.config = config
        self.prefix = tuple(prefix)
        self.standard_input = standard_input
        self.process = None
        self.directory = None
        self.port = None
        # Whether the directory outlives `stop`: for a restart on the same data.
        self.keepsDirectory = False

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def command_line(self):
        words = [*self.prefix, self.binary]
        if self.config:
            words.append(str(self.config))
        defaults = {"port": str(self.port), "dir": self.directory, "save": "", "bind": "127.0.0.1"}
        if self.standard_input is not None:
            words.append("-")
        for name, value in {**defaults, **self.options}.items():
            if value is None:
                continue
            words.append(f"--{name}")
            words += list(value) if isinstance(value, (list, tuple)) else [str(value)]
        return words

    def start(self, wait=True):
        self.port = int(self.options.get("port") or free_port())
        if self.directory is None:
            self.directory = tempfile.mkdtemp(prefix="ferrite-test-")
        self.log_path = os.path.join(self.directory, "server.log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command_line(), stdout=log, stderr=subprocess.STDOUT, cwd=self.directory,
                stdin=subprocess.PIPE if self.standard_input is not None else subprocess.DEVNULL,
                start_new_session=True)
        if self.standard_input is not None:
            self.process.stdin.write(self.standard_input.encode())
            self.process.stdin.close()
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                text = self.log_tail()
                code = self.process.returncode
                self.stop()
                raise StartError(f"{self.binary} ended with code {code} at start:\n{text}")
            try:
                with Connection(("127.0.0.1", self.port), timeout=5) as connection:
                    connection.send(b"PING\r\n")
                    if connection.read_reply():
                        return
            except OSError:
                pass
            if time.monotonic() > deadline:
                text = self.log_tail()
                self.stop()
                raise StartError(f"{self.binary} did not answer in {START_SECONDS} s:\n{text}")
            time.sleep(0.005)

    def connect(self, **arguments):
        return Connection(("127.0.0.1", self.port), **arguments)

    @property
    def pid(self):
        return self.process.pid

    def log_text(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except OSError:
            return ""

    def log_tail(self, lines=40):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def terminate(self):
        """Asks the server to end (SIGTERM) and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_SECONDS)

    def stop(self):
        """Ends the process, however it takes it, and removes its directory."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.directory and not self.keepsDirectory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None

    def status(self, field):
        """A size in bytes from /proc/PID/status, such as VmRSS."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise KeyError(field)

    def cpu_seconds(self):
        """CPU time of all the process' threads so far, from the scheduler's nanosecond counters."""
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{thread}/schedstat") as stat:
                    total += int(stat.read().split()[0])
            except FileNotFoundError:
                pass
        return total / 1e9

    def info(self, section="everything"):
        """INFO as a dictionary."""
        with self.connect() as connection:
            if self.options.get("requirepass"):
                connection.ok("AUTH", self.options["requirepass"])
            text = connection.value("INFO", section)
        pairs = (line.split(":", 1) for line in text.decode().splitlines() if ":" in line)
        return dict(pairs)
