"""Fields of hashes with deadlines: what the judge, an older Redis, cannot be asked about."""

import time
import unittest

from support import environment
from support.server import Server


def until(test, condition):
    deadline = time.monotonic() + 30
    while not condition():
        test.assertLess(time.monotonic(), deadline)
        time.sleep(0.01)


@unittest.skipIf(environment.is_redis(), "Ferrite's own")
class Fields(unittest.TestCase):
    def start(self, **settings):
        settings = {name.replace("_", "-"): value for name, value in settings.items()}
        settings["enable-debug-command"] = "yes"
        server = Server(environment.server, environment.options(settings))
        self.addCleanup(server.stop)
        return server.start()

    def test_fields_go_by_themselves_and_the_hash_with_the_last(self):
        server = self.start()
        with server.connect() as client:
            before = int(server.info("memory")["used_memory_dataset"])
            for number in range(3):
                fields = [part for index in range(3000) for part in (f"f{index}", "x" * 100)]
                client.value("HSETEX", f"large{number}", "PX", 200, "FIELDS", 3000, *fields)
                client.value("HSETEX", f"small{number}", "PX", 200, "FIELDS", 2, "a", 1, "b", 2)
            client.value("HSET", "small0", "stays", 1)
            self.assertEqual(server.info("keyspace")["db0"].split(",")[-1], "subexpiry=6")
            until(self, lambda: client.value("DBSIZE") == 1)
            self.assertEqual(client.value("HGETALL", "small0"), [b"stays", b"1"])
            self.assertEqual(server.info("stats")["expired_subkeys"], "9006")
            self.assertEqual(server.info("keyspace")["db0"], "keys=1,expires=0,avg_ttl=0")
            until(self, lambda: int(server.info("memory")["used_memory_dataset"])
                  < before + 100_000)

    def test_a_watched_hash_changes_with_its_fields(self):
        server = self.start()
        with server.connect() as client, server.connect() as other:
            client.value("HSET", "h", "a", 1, "b", 2)
            for change in (["HPEXPIRE", "h", 100_000, "FIELDS", 1, "a"],
                           ["HPERSIST", "h", "FIELDS", 1, "a"],
                           ["HGETEX", "h", "EX", 100, "FIELDS", 1, "a"],
                           ["HSETEX", "h", "KEEPTTL", "FIELDS", 1, "a", 5],
                           ["HGETDEL", "h", "FIELDS", 1, "a"]):
                client.ok("WATCH", "h")
                other.value(*change)
                client.ok("MULTI")
                client.command("HLEN", "h")
                self.assertIsNone(client.value("EXEC"), change)
            # What changes nothing is no change.
            client.ok("WATCH", "h")
            other.value("HTTL", "h", "FIELDS", 1, "b")
            other.value("HPERSIST", "h", "FIELDS", 1, "b")
            client.ok("MULTI")
            client.command("HLEN", "h")
            self.assertEqual(client.value("EXEC"), [1])
            # Nor need anybody ask for it.
            client.value("HPEXPIRE", "h", 30, "FIELDS", 1, "b")
            client.ok("WATCH", "h")
            until(self, lambda: other.value("EXISTS", "h") == 0)
            client.ok("MULTI")
            client.command("HLEN", "h")
            self.assertIsNone(client.value("EXEC"))

    def test_a_kill_keeps_deadlines_and_the_fields_that_are_gone(self):
        server = self.start(persistence="yes", checkpoint_log_size="1mb")
        server.keepsDirectory = True
        self.addCleanup(setattr, server, "keepsDirectory", False)
        far = 32_503_680_000_000
        with server.connect() as client:
            for name, count in (("small", 10), ("large", 2000)):
                for index in range(count):
                    client.value("HSET", name, f"f{index}", f"v{index}")
                    client.value("HPEXPIREAT", name, far + index, "FIELDS", 1, f"f{index}")
                client.value("HPERSIST", name, "FIELDS", 1, "f3")
                client.value("HSETEX", name, "PX", 80, "FIELDS", 2, "f1", "x", "f2", "y")
                client.value("HGETEX", name, "PXAT", far, "FIELDS", 1, "f0")
                client.value("HINCRBYFLOAT", name, "number", "1.5")
                client.value("HPEXPIREAT", name, far + 77, "FIELDS", 1, "number")
                client.value("HINCRBYFLOAT", name, "number", "1")
        for round in range(3):
            server.process.kill()
            server.process.wait()
            server.start()
            with server.connect() as client:
                if round == 1:
                    client.command("CHECKPOINT")
                until(self, lambda: client.value("HLEN", "large") == 1999)
                until(self, lambda: client.value("HLEN", "small") == 9)
                for name, last in (("small", 9), ("large", 1999)):
                    self.assertEqual(
                        client.value("HPEXPIRETIME", name, "FIELDS", 6, "f0", "f1", "f3", "f4",
                                     f"f{last}", "number"),
                        [far, -2, -1, far + 4, far + last, far + 77])
                    self.assertEqual(
                        client.value("HMGET", name, "f0", "f1", "number", f"f{last}"),
                        [b"v0", None, b"2.5", b"v%d" % last])
                self.assertTrue(server.info("keyspace")["db0"].endswith("subexpiry=2"))
