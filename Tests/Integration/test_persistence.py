"""Persistence: what a restart finds, what a second server is told, what damage does; over sockets."""

import errno
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from support import environment
from support.resp import Closed, encode
from support.server import Server, StartError

SMALL = {"log-segment-size": "1mb", "log-max-size": "64mb", "checkpoint-log-size": "1mb"}


@unittest.skipIf(environment.is_redis(), "Ferrite's own")
class Persistence(unittest.TestCase):
    def start(self, **options):
        options = {name.replace("_", "-"): value for name, value in options.items()}
        server = Server(environment.server, environment.options({"persistence": "yes", **options}))
        server.keepsDirectory = True
        self.addCleanup(self.discard, server)
        return server.start()

    @staticmethod
    def discard(server):
        server.keepsDirectory = False
        server.stop()

    @staticmethod
    def kill(server):
        server.process.kill()
        server.process.wait()

    def fill(self, client):
        client.ok("SET", "plain", "value")
        client.ok("SET", "kept", "value", "EX", "1000")
        client.ok("SET", "short", "value", "PX", "150")
        client.ok("MSET", "a", "1", "b", "2")
        client.ok("DEL", "a")
        client.ok("APPEND", "grown", "x" * 100)
        client.ok("APPEND", "grown", "y" * 10_000)
        client.ok("SET", "large", "z" * 3_000_000)
        client.ok("SELECT", "3")
        client.ok("SET", "there", "in three")
        client.ok("SELECT", "0")
        client.ok("SWAPDB", "0", "5")
        client.ok("SWAPDB", "5", "0")

    def look(self, server):
        with server.connect() as client:
            self.assertEqual(client.value("GET", "plain"), b"value")
            self.assertTrue(900_000 < client.value("PTTL", "kept") <= 1_000_000)
            self.assertEqual(client.value("GET", "a"), None)
            self.assertEqual(client.value("GET", "b"), b"2")
            self.assertEqual(client.value("GET", "grown"), b"x" * 100 + b"y" * 10_000)
            self.assertEqual(client.value("GET", "large"), b"z" * 3_000_000)
            client.ok("SELECT", "3")
            self.assertEqual(client.value("GET", "there"), b"in three")

    def test_a_kill_keeps_what_was_acknowledged(self):
        server = self.start()
        with server.connect() as client:
            self.fill(client)
        for _ in range(3):
            self.kill(server)
            server.start()
            self.look(server)
        time.sleep(0.2)
        with server.connect() as client:
            self.assertEqual(client.value("GET", "short"), None)
        self.assertEqual(server.info("persistence")["recovery_lost"], "")

    def test_a_checkpoint_and_a_clean_end_leave_nothing_to_replay(self):
        server = self.start(**SMALL)
        with server.connect() as client:
            self.fill(client)
            # One may be under way already: the log is allowed 1 MiB.
            client.command("CHECKPOINT")
            deadline = time.monotonic() + 30
            while server.info("persistence")["checkpoint_epoch"] == "0":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            client.ok("SET", "after", "1")
        self.kill(server)
        server.start()
        self.look(server)
        information = server.info("persistence")
        self.assertNotEqual(information["recovery_image_lsn"], "0")
        self.assertEqual(server.terminate(), 0)
        server.start()
        self.look(server)
        self.assertEqual(server.info("persistence")["recovery_records"], "0")
        with server.connect() as client:
            self.assertEqual(client.value("GET", "after"), b"1")
            with self.assertRaises((Closed, ConnectionResetError)):
                client.ok("SET", "last", "1")
                client.command("SHUTDOWN", "NOSAVE")
        self.assertEqual(server.process.wait(timeout=20), 0)
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("GET", "last"), b"1")

    def test_a_large_value_that_arrives_during_checkpoints(self):
        server = self.start(**SMALL)
        value = os.urandom(1 << 20) * 4
        request = encode("SET", "slow", value)
        with server.connect() as slow, server.connect() as other:
            for start in range(0, len(request), 200_000):
                slow.send(request[start : start + 200_000])
                other.command("SET", "other", str(start))
                other.command("CHECKPOINT")
                time.sleep(0.01)
            self.assertEqual(slow.read_reply(), b"+OK\r\n")
            deadline = time.monotonic() + 30
            other.ok("SET", "other", "end")
            while other.command("CHECKPOINT")[:1] == b"-":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
        self.assertEqual(server.terminate(), 0)
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("GET", "slow"), value)

    def test_a_transaction_is_whole(self):
        server = self.start()
        with server.connect() as client:
            client.ok("MULTI")
            for number in range(50):
                client.ok("SET", f"t{number}", "1")
            client.ok("EXEC")
        self.kill(server)
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("DBSIZE"), 50)

    def test_a_blocked_client_is_answered_and_its_element_stays_gone(self):
        server = self.start()
        with server.connect() as waiter, server.connect() as pusher:
            if pusher.command("LPUSH", "probe", "1")[:1] == b"-":
                self.skipTest("no lists yet")
            pusher.ok("DEL", "probe")
            waiter.send(encode("BLPOP", "queue", "0"))
            time.sleep(0.05)
            pusher.ok("LPUSH", "queue", "element")
            self.assertEqual(waiter.read_reply(), b"*2\r\n$5\r\nqueue\r\n$7\r\nelement\r\n")
        self.kill(server)
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("EXISTS", "queue"), 0)

    def test_a_peer_that_ends_its_side_gets_its_reply(self):
        server = self.start()
        # Many times: the log may be heard of before or after the end, or in the same turn.
        for number in range(100):
            with server.connect() as client:
                client.send(encode("SET", "k", str(number)) * 3)
                client.socket.shutdown(socket.SHUT_WR)
                self.assertEqual(client.read_until_closed(), b"+OK\r\n" * 3)

    def test_order_holds_in_a_pipeline(self):
        server = self.start()
        with server.connect() as client:
            client.send(b"".join(
                encode("PING") + encode("INCR", "n") + encode("GET", "n") + encode("GET", "none")
                for _ in range(500)))
            for number in range(1, 501):
                self.assertEqual(client.read_reply(), b"+PONG\r\n")
                self.assertEqual(client.read_reply(), b":%d\r\n" % number)
                self.assertEqual(client.read_reply(), b"$%d\r\n%d\r\n" % (len(str(number)), number))
                self.assertEqual(client.read_reply(), b"$-1\r\n")

    def test_a_second_server_is_refused(self):
        server = self.start()
        second = Server(environment.server, environment.options({"persistence": "yes"}))
        second.directory = server.directory
        second.keepsDirectory = True
        with self.assertRaises(StartError) as failure:
            second.start()
        self.assertIn(server.directory, str(failure.exception))
        self.assertRegex(str(failure.exception), "(?i)another server")
        with server.connect() as client:
            client.ok("SET", "k", "v")

    def test_a_torn_tail_is_cut_and_damage_before_it_refused(self):
        server = self.start()
        with server.connect() as client:
            for number in range(100):
                client.ok("SET", f"key:{number}", "v" * 50)
        self.kill(server)
        damaged = 0
        for segment in glob.glob(server.directory + "/ferrite.log.0*"):
            with open(segment, "r+b") as file:
                place = file.read().find(b"key:50")
                if place >= 0:
                    file.seek(place)
                    file.write(b"KEY")
                    damaged += 1
        self.assertEqual(damaged, 1)
        with self.assertRaises(StartError) as failure:
            server.start()
        text = str(failure.exception)
        for part in ("ferrite.log.", "LSN", "log-truncate-corrupt"):
            self.assertIn(part, text)
        # stop() was called by the failed start; the directory is still there.
        server.options["log-truncate-corrupt"] = "yes"
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("DBSIZE"), 50)
        told = server.info("persistence")
        self.assertNotEqual(told["recovery_lost"], "")
        self.assertEqual(told["recovery_torn_bytes"], "0")
        lost = b"".join(
            Path(name).read_bytes() for name in glob.glob(server.directory + "/ferrite.log.lost.*"))
        self.assertIn(b"key:99", lost)

    def test_data_of_redis_is_not_passed_over_in_silence(self):
        server = self.start()
        self.assertNotIn("dump.rdb", server.log_text())
        self.kill(server)
        Path(server.directory, "dump.rdb").write_bytes(b"REDIS0010")
        server.start()
        self.assertIn("dump.rdb is not read", server.log_text())
        with server.connect() as client:
            client.ok("SET", "k", "v")
        self.kill(server)
        server.start()
        self.assertNotIn("dump.rdb", server.log_text().rpartition("is starting")[2])

    def test_an_image_that_is_elsewhere_is_not_begun_anew(self):
        server = self.start()
        with server.connect() as client:
            client.ok("SET", "k", "v")
        self.kill(server)
        image = server.directory + "/ferrite.image"
        os.rename(image, image + ".elsewhere")
        before = sorted(os.listdir(server.directory))
        with self.assertRaises(StartError) as failure:
            server.start()
        self.assertIn("the image is missing", str(failure.exception))
        self.assertEqual(sorted(os.listdir(server.directory)), before)
        os.rename(image + ".elsewhere", image)
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("GET", "k"), b"v")

    def test_policies_can_be_changed(self):
        server = self.start()
        with server.connect() as client:
            for policy in ("everysec", "no", "always", "no", "always"):
                client.ok("CONFIG", "SET", "appendfsync", policy)
                client.ok("SET", policy, "1")
                client.ok("INCR", "n")
        self.kill(server)
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("GET", "n"), b"5")

    def test_sustained_writes_never_pass_the_limit(self):
        server = self.start(**SMALL)
        stop = time.monotonic() + 3
        errors = []

        def write(number):
            with server.connect() as client:
                while time.monotonic() < stop:
                    client.send(encode("SET", f"k{number}:{time.monotonic_ns() % 50}",
                                       "v" * 20_000) * 20)
                    for _ in range(20):
                        reply = client.read_reply()
                        if reply != b"+OK\r\n":
                            errors.append(reply)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        largest = 0
        while any(thread.is_alive() for thread in threads):
            information = server.info("persistence")
            largest = max(largest, int(information["log_bytes"]))
            self.assertLessEqual(int(information["log_bytes"]), int(information["log_max_bytes"]))
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        self.assertEqual(errors[:3], [])
        self.assertGreater(int(server.info("persistence")["checkpoints"]), 0)

    def test_effects_that_no_log_has_room_for(self):
        for policy in ("always", "everysec"):
            server = self.start(**SMALL, appendfsync=policy)
            with server.connect(timeout=300) as client, server.connect(timeout=300) as other:
                for first in range(0, 70_000, 500):
                    client.value("SADD", "set", *(
                        b"%d:" % number + b"m" * 1000 for number in range(first, first + 500)))
                client.ok("SET", "before", "1")
                # A short transaction, whose effects are longer than the log may ever be.
                client.send(encode("MULTI") + encode("SPOP", "set", "69000") + encode("INCR", "n")
                            + encode("EXEC"))
                self.assertEqual(other.value("GET", "before"), b"1")
                for _ in range(3):
                    client.read_reply()
                reply = client.read_reply()
                self.assertEqual(reply[:4], b"*2\r\n")
                self.assertEqual(reply[-4:], b":1\r\n")
                information = server.info("persistence")
                self.assertLessEqual(
                    int(information["log_bytes"]), int(information["log_max_bytes"]))
                self.assertEqual(information["log_gaps"], "1")
                self.kill(server)
            server.start()
            with server.connect() as client:
                self.assertEqual(client.value("SCARD", "set"), 1000)
                self.assertEqual(client.value("GET", "n"), b"1")
                client.ok("SET", "after", "1")

    def test_info_says_where_the_data_is(self):
        server = self.start()
        information = server.info("persistence")
        self.assertEqual(information["persistence"], "yes")
        self.assertIn(information["storage_medium"], ("ssd", "dax"))
        self.assertEqual(information["storage_directory"], server.directory)
        self.assertEqual(information["log_status"], "ok")
        self.assertEqual(information["log_sync_policy"], "always")
        self.assertTrue(os.path.exists(information["storage_image_path"]))

    def test_sigterm_under_load(self):
        server = self.start()
        with server.connect() as client:
            client.send(encode("INCR", "n") * 20_000)
            first = client.read_reply()
            self.assertEqual(first, b":1\r\n")
            server.process.send_signal(signal.SIGTERM)
            answered = 1 + client.read_until_closed().count(b"\r\n")
        self.assertEqual(server.process.wait(timeout=30), 0)
        server.start()
        with server.connect() as client:
            self.assertGreaterEqual(int(client.value("GET", "n")), answered)


@unittest.skipIf(environment.is_redis(), "Ferrite's own")
class FullDisk(unittest.TestCase):
    """On a small file system of its own, where this process may mount one."""

    options = {}

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ferrite-full-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        for command in self.commands():
            try:
                done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            except FileNotFoundError:
                self.skipTest(f"no {command[0]}")
            if done.returncode != 0:
                self.skipTest("this process may not mount a file system")
        self.addCleanup(subprocess.run, ["umount", "-l", self.directory])

    def commands(self):
        image = self.directory + ".img"
        self.addCleanup(lambda: os.path.exists(image) and os.unlink(image))
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        return [["mkfs.ext4", "-q", "-F", image], ["mount", "-o", "loop", image, self.directory]]

    def fill(self):
        with open(self.directory + "/filler", "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOSPC)

    def test_only_what_depends_on_the_log_waits_for_it(self):
        server = Server(environment.server, environment.options(
            {"persistence": "yes", **SMALL, **self.options}))
        server.directory = self.directory + "/data"
        os.mkdir(server.directory)
        server.keepsDirectory = True
        self.addCleanup(server.stop)
        server.start()
        with server.connect() as client, server.connect() as other:
            client.ok("SET", "before", "1")
            self.fill()
            held = refused = False
            for number in range(1000):
                # The read before the write is answered, whatever becomes of the write.
                client.send(encode("GET", "before") + encode("SET", f"k{number}", "v" * 100_000))
                self.assertEqual(client.read_reply(), b"$1\r\n1\r\n")
                if not client.has_input(0.5):
                    held = True
                    break
                reply = client.read_reply()
                if reply != b"+OK\r\n":
                    self.assertEqual(reply[:9], b"-MISCONF ")
                    refused = True
                    break
            self.assertTrue(held or refused)
            self.assertEqual(other.command("SET", "k", "v")[:9], b"-MISCONF ")
            self.assertEqual(server.info("persistence")["aof_last_write_status"], "err")
            self.assertEqual(other.value("GET", "before"), b"1")
            os.unlink(self.directory + "/filler")
            deadline = time.monotonic() + 60
            while other.command("SET", "k", "v") != b"+OK\r\n":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            if held:
                self.assertEqual(client.read_reply(), b"+OK\r\n")
            self.assertEqual(client.value("GET", "k"), b"v")
            self.assertEqual(server.info("persistence")["aof_last_write_status"], "ok")
        server.process.kill()
        server.process.wait()
        server.start()
        with server.connect() as client:
            self.assertEqual(client.value("STRLEN", "k0"), 100_000)
            self.assertEqual(client.value("EXISTS", f"k{number}"), int(held))


class FullTmpfs(FullDisk):
    """The same where memory stands in for persistent memory: its want must not be a signal."""

    options = {"storage-medium": "emulated"}

    def commands(self):
        return [["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", self.directory]]


class Volatile(unittest.TestCase):
    def test_without_persistence_nothing_is_stored(self):
        server = Server(environment.server, environment.options({"persistence": "no"}))
        if environment.is_redis():
            self.skipTest("Ferrite's own")
        self.addCleanup(server.stop)
        server.start()
        with server.connect() as client:
            client.ok("SET", "k", "v")
            self.assertIn(b"persistence is off", client.command("CHECKPOINT"))
        self.assertEqual(glob.glob(server.directory + "/ferrite.*"), [])
        self.assertEqual(server.info("persistence")["storage_medium"], "volatile")
