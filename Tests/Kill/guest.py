"""guest: the server in a machine with persistent memory, whose power is cut.

The machine is an emulated one (Tools/pmem-vm): ext4 mounted with -o dax on an NVDIMM whose backing file
outlives it. Cutting the power is killing the emulator.
"""

import os
import signal
import subprocess
import time

from process import Process
from resp import Connection

BOOT_SECONDS = 300.0
GUEST_PORT = 7000


class Guest(Process):
    def __init__(self, rig, binary, port, directory, options):
        super().__init__(binary, port, directory, options)
        self.rig = rig
        self.image = os.path.join(directory, "nvdimm.img")
        self.pid_path = os.path.join(directory, "qemu.pid")
        self.share = os.path.join(directory, "share")
        os.makedirs(self.share, exist_ok=True)

    def start(self, wait=True):
        words = [self.binary, "--port", str(GUEST_PORT), "--bind", "0.0.0.0", "--protected-mode",
                 "no", "--dir", "/mnt/pmem0/data", "--persistence", "yes",
                 "--storage-medium", "dax"]
        for name, value in self.options.items():
            words += [f"--{name}", value]
        command = "mkdir -p /mnt/pmem0/data && exec " + " ".join(words)
        if os.path.exists(self.pid_path):
            os.unlink(self.pid_path)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.rig, "pmem-vm.sh"), "--size", "512M", "--pidfile", self.pid_path,
                 "--fwd", f"{self.port}:{GUEST_PORT}", "--timeout", "3600", self.share, self.image,
                 command],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                start_new_session=True)
        deadline = time.monotonic() + BOOT_SECONDS
        while wait:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the guest ended with code {self.process.returncode} at its start")
            try:
                # The emulator takes connections before there is a server behind them.
                with Connection(self.port, timeout=5) as connection:
                    connection.command("PING")
                    return self.check(connection)
            except OSError:
                time.sleep(0.2)
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer within {BOOT_SECONDS} s of the boot")
        return None

    @staticmethod
    def check(connection):
        """The server must see what it is on."""
        text = connection.command("INFO", "persistence").decode()
        for line in ("storage_medium:dax", "storage_map_sync:1", "log_writer:dax"):
            if line not in text:
                raise AssertionError(f"INFO persistence has no {line}")

    def kill(self):
        if self.process is None or self.process.poll() is not None:
            return
        try:
            with open(self.pid_path) as file:
                os.kill(int(file.read()), signal.SIGKILL)
        except (OSError, ValueError):
            self.process.terminate()
        self.process.wait(timeout=60)

    def terminate(self):
        with Connection(self.port) as connection:
            try:
                connection.command("SHUTDOWN")
            except OSError:
                pass
        code = self.process.wait(timeout=300)
        if code != 0:
            raise AssertionError(f"a clean end has exit code {code}")
