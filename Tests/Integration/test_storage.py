"""The storage behind a server: a log with a limit, pages in and out of DRAM, damaged pages."""

import os
import random
import subprocess
import threading
import time
import unittest

from support import environment
from support.resp import encode
from support.server import Server

SMALL = {"log-segment-size": "1mb", "log-max-size": "64mb", "checkpoint-log-size": "1mb"}


@unittest.skipIf(environment.is_redis(), "Ferrite's own")
class Storage(unittest.TestCase):
    def start(self, **options):
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

    def test_large_values_wait_for_room_in_a_small_log(self):
        server = self.start(**SMALL)
        value = os.urandom(1 << 20) * 13
        stop = threading.Event()
        errors, passed = [], []

        def watch():
            while not stop.is_set():
                information = server.info("persistence")
                if int(information["log_bytes"]) > int(information["log_max_bytes"]):
                    passed.append(information["log_bytes"])
                time.sleep(0.01)

        def write(number):
            with server.connect() as client:
                for turn in range(3):
                    client.send(b"".join(
                        encode("SET", f"large:{number}:{index}", value)
                        + encode("INCR", f"n:{number}") for index in range(3)))
                    for index in range(3):
                        errors.extend(reply for reply, wanted in (
                            (client.read_reply(), b"+OK\r\n"),
                            (client.read_reply(), b":%d\r\n" % (turn * 3 + index + 1)),
                        ) if reply != wanted)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
        watcher = threading.Thread(target=watch)
        for thread in [*threads, watcher]:
            thread.start()
        for thread in threads:
            thread.join()
        stop.set()
        watcher.join()
        self.assertEqual([error[:100] for error in errors], [])
        self.assertEqual(passed, [])
        self.assertGreater(int(server.info("persistence")["log_full_stalls"]), 0)
        self.kill(server)
        server.start()
        with server.connect() as client:
            for number in range(2):
                self.assertEqual(client.value("GET", f"n:{number}"), b"9")
                for index in range(3):
                    self.assertEqual(client.value("GET", f"large:{number}:{index}"), value)

    def test_a_write_that_the_log_can_never_take_is_refused(self):
        server = self.start(**SMALL)
        value = b"x" * (50 << 20)
        with server.connect() as client:
            client.ok("SET", "k", "before")
            # Read into its place, and as one of several arguments.
            half = value[:30 << 20]
            for request in (("SET", "k", value), ("MSET", "a", half, "b", half)):
                self.assertRegex(client.command(*request),
                                 b"^-ERR a write of [0-9]+ bytes does not fit into the effects")
            self.assertEqual(client.value("GET", "k"), b"before")
            self.assertEqual(client.value("DBSIZE"), 1)
            client.ok("MULTI")
            self.assertEqual(client.command("SET", "a", half), b"+QUEUED\r\n")
            self.assertEqual(client.command("SET", "b", half), b"+QUEUED\r\n")
            self.assertRegex(client.command("EXEC"), b"^-EXECABORT .* does not fit into the eff")
            self.assertEqual(client.value("DBSIZE"), 1)
            client.ok("SET", "k", value[:20 << 20])
            self.assertEqual(client.value("STRLEN", "k"), 20 << 20)

    def test_what_is_read_often_stays_in_dram(self):
        server = self.start(**{"maxmemory-dram": "8mb", "checkpoint-log-size": "4mb"})
        count, hot = 40_000, 1000
        with server.connect() as client:
            for start in range(0, count, 1000):
                client.send(b"".join(
                    encode("SET", f"key:{number}", f"{number}:".ljust(1000, "v"))
                    for number in range(start, start + 1000)))
                for _ in range(1000):
                    self.assertEqual(client.read_reply(), b"+OK\r\n")
            client.command("CHECKPOINT")
            deadline = time.monotonic() + 30
            while int(server.info("persistence")["image_dram_bytes"]) > 8 << 20:
                self.assertLess(time.monotonic(), deadline)
                client.command("SET", "other", "1")
                client.command("CHECKPOINT")
                time.sleep(0.05)
            before = server.info("persistence")
            self.assertGreater(int(before["image_dropped_pages"]), 1000)
            # One in ten requests is for any key, the others for the first ones.
            generator = random.Random(1)
            deadline = time.monotonic() + 60
            while True:
                numbers = [generator.randrange(count if generator.random() < 0.1 else hot)
                           for _ in range(2000)]
                client.send(b"".join(encode("GET", f"key:{number}") for number in numbers))
                for number in numbers:
                    value = f"{number}:".ljust(1000, "v").encode()
                    self.assertEqual(client.read_reply(), b"$1000\r\n%s\r\n" % value)
                promoted = int(server.info("persistence")["image_promoted_pages"])
                # A page holds three or four of these keys.
                if promoted - int(before["image_promoted_pages"]) > hot // 8:
                    break
                self.assertLess(time.monotonic(), deadline)
            self.assertLessEqual(int(server.info("persistence")["image_dram_bytes"]), 8 << 20)

    def test_the_keys_of_a_damaged_page_are_named(self):
        tool = os.path.join(os.path.dirname(environment.server), "ferrite")
        if not os.path.exists(tool):
            self.skipTest("the tool has not been built")
        server = self.start()
        with server.connect() as client:
            for number in range(2000):
                client.command("SET", f"key:{number}", f"value:{number}:" + "x" * 500)
            client.ok("RPUSH", "list", *(f"element:{number}" for number in range(5000)))
            client.ok("ZADD", "sorted", *(
                word for number in range(5000) for word in (str(number), f"member:{number}")))
        self.assertEqual(server.terminate(), 0)
        path = server.directory + "/ferrite.image"
        with open(path, "rb") as file:
            content = file.read()

        def check(place):
            """What the tool says when the byte at `place` is another one."""
            with open(path, "r+b") as file:
                file.seek(place)
                file.write(b"!")
            run = subprocess.run(
                [tool, "check", server.directory], capture_output=True, text=True, timeout=60)
            with open(path, "r+b") as file:
                file.seek(place)
                file.write(content[place : place + 1])
            self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
            self.assertIn(f"DAMAGED  page {(place - (2 << 20)) // 4096} ", run.stdout)
            return run.stdout

        for text, name in ((b"value:1234:", "key:1234"), (b"element:2500", "list"),
                           (b"member:2500", "sorted")):
            # What has grown may have left copies of itself in memory that is free.
            places, place = [], content.find(text)
            while place >= 0 and len(places) < 10:
                places.append(place)
                place = content.find(text, place + 1)
            found = [f'"{name}" (database 0)' in check(place) for place in places]
            self.assertIn(True, found, text)
        with open(path, "r+b") as file:
            file.seek(content.index(b"value:1234:"))
            file.write(b"!")
        server.start()
        deadline = time.monotonic() + 20
        while server.info("persistence")["scrub_damaged_keys"] == "0":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertIn("key:1234", server.log_text())
