"""DUMP here, RESTORE there, in both directions: the value's digest is the same, whatever its type and
however it is kept. And payloads that were damaged: both servers go on, and ours never takes one that it
then cannot read."""

import random
import unittest

from support import environment
from support.server import Server

FIELDS = [f"field-{number}" for number in range(600)]

# What makes a key `k`, each with a name. A server that has no such command yet is passed over.
VALUES = {
    "string": [("SET", "k", "hello")],
    "number": [("SET", "k", "-123456")],
    "long string": [("SET", "k", "abc" * 5000)],
    "random string": [("SET", "k", random.Random(1).randbytes(3000))],
    "list": [("RPUSH", "k", "a", "1", "-70000", "x" * 100)],
    "long list": [("RPUSH", "k", *FIELDS, "y" * 5000, *FIELDS)],
    "plain nodes": [("RPUSH", "k", "a", "z" * 20000, "b", "w" * 9000)],
    "intset": [("SADD", "k", "1", "-2", "300000")],
    "wide intset": [("SADD", "k", "1", "-9223372036854775808")],
    "small set": [("SADD", "k", "1", "a", "b")],
    "set": [("SADD", "k", *FIELDS)],
    "small hash": [("HSET", "k", "a", "1", "b", "x")],
    "hash": [("HSET", "k", *(word for field in FIELDS for word in (field, field * 2)))],
    "long fields": [("HSET", "k", "f" * 100, "v" * 1000)],
    "small sorted set": [("ZADD", "k", "1", "a", "2.5", "b", "-inf", "c", "1e300", "d")],
    "sorted set": [("ZADD", "k", *(word for number, field in enumerate(FIELDS)
                                   for word in (str(number / 7), field)))],
    "geo": [("GEOADD", "k", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania")],
    "hyperloglog": [("PFADD", "k", *FIELDS)],
    "stream": [("XADD", "k", f"{number}-1", "a", "1", "b", "x") for number in range(1, 300)],
    "stream with other fields": [("XADD", "k", f"{number}-1", f"f{number % 3}", str(number))
                                 for number in range(1, 50)] + [("XDEL", "k", "3-1", "49-1")],
    "empty stream": [("XADD", "k", "5-5", "a", "1"), ("XDEL", "k", "5-5")],
    "stream with groups": [
        *(("XADD", "k", f"{number}-1", "a", str(number)) for number in range(1, 9)),
        ("XGROUP", "CREATE", "k", "g", "0"), ("XGROUP", "CREATE", "k", "empty", "3-1"),
        ("XREADGROUP", "GROUP", "g", "alice", "COUNT", "3", "STREAMS", "k", ">"),
        ("XREADGROUP", "GROUP", "g", "bob", "COUNT", "2", "STREAMS", "k", ">"),
        ("XACK", "k", "g", "2-1"), ("XGROUP", "CREATECONSUMER", "k", "g", "carol")],
}


@unittest.skipUnless(environment.reference, "there is no redis-server to compare with")
class Dump(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        settings = {"enable-debug-command": "yes"}
        cls.servers = [Server(environment.server, environment.options(settings)).start(),
                       Server(environment.reference, settings).start()]
        cls.clients = [server.connect(timeout=60) for server in cls.servers]

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients:
            client.close()
        for server in cls.servers:
            server.stop()

    def make(self, client, commands):
        """False when the server has no such command."""
        client.ok("FLUSHALL")
        for command in commands:
            reply = client.command(*command)
            if reply.startswith(b"-ERR unknown command"):
                return False
            self.assertNotEqual(reply[:1], b"-", f"{command}: {reply}")
        return True

    def test_both_ways(self):
        for name, commands in VALUES.items():
            for source, target in (self.clients, self.clients[::-1]):
                with self.subTest(name, source="server" if source is self.clients[0] else "judge"):
                    if not all(self.make(client, commands) for client in self.clients):
                        continue
                    payload = source.value("DUMP", "k")
                    digest = source.value("DEBUG", "DIGEST-VALUE", "k")
                    target.ok("RESTORE", "r", "0", payload)
                    self.assertEqual(target.value("DEBUG", "DIGEST-VALUE", "r"), digest)
                    self.assertEqual(target.value("OBJECT", "ENCODING", "r"),
                                     target.value("OBJECT", "ENCODING", "k"))
                    target.ok("RESTORE", "r", "0", payload, "REPLACE")
                    self.assertEqual(target.value("DEBUG", "DIGEST-VALUE", "r"), digest)
                    if name.startswith("stream with groups"):
                        self.compare_groups(source, target)

    def compare_groups(self, source, target):
        for command in (("XINFO", "GROUPS"), ("XPENDING", "g")):
            words = (command[0], *command[1:]) if command[0] == "XINFO" else command
            mine, wanted = (
                client.value(words[0], words[1], key) if words[0] == "XINFO"
                else client.value(words[0], key, words[1])
                for client, key in ((target, "r"), (source, "k")))
            self.assertEqual(mine, wanted)

    def test_strings_are_the_same_bytes(self):
        for name in ("string", "number", "long string", "random string"):
            with self.subTest(name):
                payloads = []
                for client in self.clients:
                    self.make(client, VALUES[name])
                    payloads.append(client.value("DUMP", "k"))
                self.assertEqual(*payloads)

    def test_damaged_payloads(self):
        draw = random.Random(environment.seed)
        server, judge = self.clients
        server.ok("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1")
        try:
            for name, commands in VALUES.items():
                if not self.make(judge, commands):
                    continue
                payload = judge.value("DUMP", "k")
                for _ in range(60):
                    damaged = bytearray(payload)
                    for _ in range(draw.randrange(1, 4)):
                        damaged[draw.randrange(len(damaged) - 10)] = draw.randrange(256)
                    server.ok("FLUSHALL")
                    reply = server.command("RESTORE", "k", "0", bytes(damaged))
                    if reply == b"+OK\r\n":
                        # What was taken is whole: it can be walked, copied and dumped again.
                        server.value("DEBUG", "DIGEST-VALUE", "k")
                        self.assertEqual(server.command("RESTORE", "k2", "0",
                                                        server.value("DUMP", "k")), b"+OK\r\n")
                        self.assertEqual(server.command("COPY", "k", "k3"), b":1\r\n")
                    else:
                        self.assertEqual(reply, b"-ERR Bad data format\r\n",
                                         f"seed {environment.seed}, {name}")
                self.assertIsNone(self.servers[0].process.poll(), self.servers[0].log_tail())
        finally:
            server.command("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "0")
