"""MIGRATE, from Ferrite to redis-server and back: what moves, what stays, and every way to fail.
The target is a real server, or a socket of the test's own that refuses, hangs, or says nonsense."""

import random
import socket
import threading
import unittest

from support import environment
from support.server import Server, free_port
from test_dump import VALUES

CLIENT = b"-IOERR error or timeout connecting to the client\r\n"
READING = b"-IOERR error or timeout reading to target instance\r\n"
WRITING = b"-IOERR error or timeout writing to target instance\r\n"
REFUSED = b"-ERR Target instance replied with error: "


class Target:
    """A listener that does what the test says with each connection: `act(connection)`."""

    def __init__(self, act):
        self.act = act
        self.count = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with connection:
            connection.settimeout(30)
            try:
                self.act(connection)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@unittest.skipUnless(environment.reference, "there is no redis-server to compare with")
class Migrate(unittest.TestCase):
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

    def setUp(self):
        self.ours, self.redis = self.clients
        for client in self.clients:
            client.ok("FLUSHALL")
            client.ok("SELECT", "0")
            client.ok("CONFIG", "SET", "requirepass", "")
        # Connections that an earlier test has made and our server has kept.
        self.redis.ok("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal")
        self.port = self.servers[1].port

    def migrate(self, *words, key="k", port=None, database=0, timeout=5000):
        """MIGRATE by our server; on Redis' port unless told."""
        return self.ours.command(
            "MIGRATE", "127.0.0.1", port or self.port, key, database, timeout, *words)

    def make(self, client, name):
        for command in VALUES[name]:
            client.ok(*command)

    def test_every_type_goes_there_and_comes_back(self):
        for name in VALUES:
            with self.subTest(value=name):
                self.make(self.ours, name)
                digest = self.ours.value("DEBUG", "DIGEST-VALUE", "k")
                self.assertEqual(self.migrate(), b"+OK\r\n")
                self.assertEqual(self.ours.command("EXISTS", "k"), b":0\r\n")
                self.assertEqual(self.redis.value("DEBUG", "DIGEST-VALUE", "k"), digest)
                self.assertEqual(
                    self.redis.command("MIGRATE", "127.0.0.1", self.servers[0].port, "k", 0, 5000),
                    b"+OK\r\n")
                self.assertEqual(self.redis.command("EXISTS", "k"), b":0\r\n")
                self.assertEqual(self.ours.value("DEBUG", "DIGEST-VALUE", "k"), digest)
                self.ours.ok("DEL", "k")

    def test_deadlines_are_carried_over(self):
        self.ours.ok("SET", "k", "v", "PX", "100000")
        self.assertEqual(self.migrate(), b"+OK\r\n")
        left = self.redis.value("PTTL", "k")
        self.assertTrue(50_000 < left <= 100_000, left)
        self.ours.ok("SET", "k", "w")
        self.assertEqual(self.migrate("REPLACE"), b"+OK\r\n")
        self.assertEqual(self.redis.value("PTTL", "k"), -1)

    def test_without_a_key_there_is_nothing_to_do(self):
        # Nobody is asked: the port is closed.
        self.assertEqual(self.migrate(port=1), b"+NOKEY\r\n")
        self.assertEqual(self.migrate("KEYS", "a", "b", key="", port=1), b"+NOKEY\r\n")
        self.assertEqual(self.migrate("KEYS", key="", port=1), b"+NOKEY\r\n")
        self.ours.ok("SET", "k", "v", "PX", "1")
        while self.ours.value("EXISTS", "k"):
            pass
        self.assertEqual(self.migrate(port=1), b"+NOKEY\r\n")

    def test_several_keys(self):
        self.ours.ok("MSET", "a", "1", "b", "2", "c", "3")
        self.assertEqual(
            self.migrate("COPY", "KEYS", "a", "nosuch", "b", key="", database=9), b"+OK\r\n")
        self.assertEqual(self.ours.command("EXISTS", "a", "b", "c"), b":3\r\n")
        self.redis.ok("SELECT", "9")
        self.assertEqual(self.redis.value("MGET", "a", "b", "c"), [b"1", b"2", None])
        self.ours.ok("SET", "b", "4")
        self.assertEqual(
            self.migrate("REPLACE", "KEYS", "a", "b", "c", key="", database=9), b"+OK\r\n")
        self.assertEqual(self.ours.command("DBSIZE"), b":0\r\n")
        self.assertEqual(self.redis.value("MGET", "a", "b", "c"), [b"1", b"4", b"3"])

    def test_many_keys(self):
        keys = [f"key:{number}" for number in range(3000)]
        for key in keys:
            self.ours.send(f"SET {key} {'v' * 100}\r\n".encode())
        for key in keys:
            self.ours.read_reply()
        self.assertEqual(self.migrate("KEYS", *keys, key=""), b"+OK\r\n")
        self.assertEqual(self.ours.command("DBSIZE"), b":0\r\n")
        self.assertEqual(self.redis.command("DBSIZE"), b":3000\r\n")

    def test_a_key_that_the_target_has_stays(self):
        self.ours.ok("MSET", "a", "1", "b", "2", "c", "3")
        self.redis.ok("SET", "b", "other")
        busy = REFUSED + b"BUSYKEY Target key name already exists.\r\n"
        self.assertEqual(self.migrate("KEYS", "a", "b", "c", key=""), busy)
        # What the target took has gone there, what it refused has not.
        self.assertEqual(self.ours.value("MGET", "a", "b", "c"), [None, b"2", None])
        self.assertEqual(self.redis.value("MGET", "a", "b", "c"), [b"1", b"other", b"3"])
        self.assertEqual(self.migrate("REPLACE", key="b"), b"+OK\r\n")
        self.assertEqual(self.redis.command("GET", "b"), b"$1\r\n2\r\n")

    def test_a_key_named_twice(self):
        self.ours.ok("SET", "a", "1")
        self.assertEqual(self.migrate("REPLACE", "KEYS", "a", "a", key=""), b"+OK\r\n")
        self.assertEqual(self.ours.command("EXISTS", "a"), b":0\r\n")
        self.assertEqual(self.redis.command("GET", "a"), b"$1\r\n1\r\n")

    def test_passwords(self):
        self.redis.ok("CONFIG", "SET", "requirepass", "secret")
        self.ours.ok("SET", "k", "v")
        self.assertEqual(self.migrate(), REFUSED + b"NOAUTH Authentication required.\r\n")
        wrong = (REFUSED + b"WRONGPASS invalid username-password pair or user is disabled.\r\n")
        self.assertEqual(self.migrate("AUTH", "wrong"), wrong)
        self.assertEqual(self.migrate("AUTH2", "nobody", "secret"), wrong)
        self.assertEqual(self.ours.command("EXISTS", "k"), b":1\r\n")
        self.assertEqual(self.migrate("AUTH", "secret", "COPY"), b"+OK\r\n")
        self.assertEqual(self.migrate("AUTH2", "default", "secret", "COPY", "REPLACE"), b"+OK\r\n")
        # The connections that know the password are not for others.
        self.assertEqual(
            self.migrate("REPLACE"), REFUSED + b"NOAUTH Authentication required.\r\n")
        self.assertEqual(self.ours.command("EXISTS", "k"), b":1\r\n")

    def test_passwords_stay_out_of_the_slow_log(self):
        self.ours.ok("CONFIG", "SET", "slowlog-log-slower-than", "0")
        self.ours.ok("SLOWLOG", "RESET")
        self.migrate("AUTH", "secret-1", port=1)
        self.migrate("AUTH2", "name-2", "secret-2", port=1)
        text = self.ours.command("SLOWLOG", "GET", "10")
        self.ours.ok("CONFIG", "SET", "slowlog-log-slower-than", "10000")
        self.assertIn(b"MIGRATE", text)
        for word in (b"secret-1", b"name-2", b"secret-2"):
            self.assertNotIn(word, text)

    def test_errors_before_anything_is_sent(self):
        both = [("MIGRATE", "127.0.0.1", "1", "k", "0", "100", *words) for words in (
            (), ("AUTH",), ("AUTH2", "a"), ("FOO",), ("KEYS", "a"), ("KEYS",), ("COPY", "AUTH"))]
        both += [("MIGRATE", "127.0.0.1", "1", "k", "x", "100"),
                 ("MIGRATE", "127.0.0.1", "1", "k", "0", "x"),
                 ("MIGRATE", "127.0.0.1", "1", "k", "0", "x", "FOO"),
                 ("MIGRATE", "127.0.0.1", "1", "nosuch", "x", "x"),
                 ("MIGRATE", "127.0.0.1", "1", "nosuch", "0", "-7"),
                 ("MIGRATE", "127.0.0.1", "none", "k", "0", "100"),
                 ("MIGRATE", "127.0.0.1", "-1", "k", "0", "100"),
                 ("MIGRATE", "no.such.host.invalid", "1", "k", "0", "100"),
                 ("MIGRATE", "127.0.0.1", "1", "k", "0")]
        for client in self.clients:
            client.ok("SET", "k", "v")
        for command in both:
            with self.subTest(command=command):
                self.assertEqual(self.ours.command(*command), self.redis.command(*command))
        self.assertEqual(self.ours.command("GET", "k"), b"$1\r\nv\r\n")

    def test_keys_of_a_request(self):
        for words in (("k", "0", "5"), ("", "0", "5", "KEYS", "a", "b"), ("", "0", "5", "KEYS"),
                      ("", "0", "5", "AUTH", "keys", "KEYS", "a"), ("", "0", "5", "AUTH", "KEYS"),
                      ("", "0", "5", "COPY", "AUTH2", "keys", "b", "KEYS", "KEYS", "c")):
            command = ("COMMAND", "GETKEYS", "MIGRATE", "h", "1", *words)
            self.assertEqual(self.ours.command(*command), self.redis.command(*command), words)
        for command in (("COMMAND", "INFO", "MIGRATE"),
                        ("COMMAND", "GETKEYSANDFLAGS", "MIGRATE", "h", "1", "", "0", "5", "KEYS", "a")):
            ours, theirs = self.ours.value(*command), self.redis.value(*command)
            self.assertEqual(ours, theirs)

    def test_a_target_that_hangs(self):
        release = threading.Event()
        target = Target(lambda connection: release.wait(30))
        self.addCleanup(target.close)
        self.addCleanup(release.set)
        self.ours.ok("SET", "k", "v")
        self.assertEqual(self.migrate(port=target.port, timeout=100), READING)
        # More than the kernel takes on its own: the target never reads.
        self.ours.ok("SET", "noise", random.Random(1).randbytes(32 << 20))
        self.assertEqual(
            self.migrate(key="noise", port=target.port, timeout=100), WRITING)
        self.assertEqual(self.ours.command("EXISTS", "k", "noise"), b":2\r\n")
        # A timeout is not tried again.
        self.assertEqual(target.count, 2)

    def test_a_target_that_drips(self):
        stop = threading.Event()

        def drip(connection):
            while not stop.wait(0.02):
                connection.sendall(b"+")

        target = Target(drip)
        self.addCleanup(target.close)
        self.addCleanup(stop.set)
        self.ours.ok("SET", "k", "v")
        self.assertEqual(self.migrate(port=target.port, timeout=200), READING)

    def test_a_target_that_closes_is_tried_twice(self):
        target = Target(lambda connection: connection.recv(1 << 16))
        self.addCleanup(target.close)
        self.ours.ok("SET", "k", "v")
        self.assertEqual(self.migrate(port=target.port), READING)
        self.assertEqual(target.count, 2)
        self.assertEqual(self.ours.command("EXISTS", "k"), b":1\r\n")

    def test_a_target_that_ends_in_the_middle(self):
        def act(connection):
            connection.recv(1 << 16)
            connection.sendall(b"+OK\r\n+OK\r\n")

        target = Target(act)
        self.addCleanup(target.close)
        self.ours.ok("MSET", "a", "1", "b", "2")
        self.assertEqual(self.migrate("KEYS", "a", "b", key="", port=target.port), READING)
        # One was taken: that is not asked for again.
        self.assertEqual(self.ours.value("MGET", "a", "b"), [None, b"2"])
        self.assertEqual(target.count, 1)

    def test_a_target_that_is_no_server_of_ours(self):
        def act(connection):
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        target = Target(act)
        self.addCleanup(target.close)
        self.ours.ok("SET", "k", "v")
        self.assertEqual(self.migrate(port=target.port), READING)
        self.assertEqual(self.ours.command("EXISTS", "k"), b":1\r\n")

    def test_a_kept_connection_that_the_target_has_closed(self):
        self.ours.ok("MSET", "a", "1", "b", "2")
        self.assertEqual(self.migrate(key="a"), b"+OK\r\n")
        self.redis.ok("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal")
        self.assertEqual(self.migrate(key="b"), b"+OK\r\n")
        self.assertEqual(self.redis.value("MGET", "a", "b"), [b"1", b"2"])

    def test_in_a_transaction_and_in_a_pipeline(self):
        self.ours.ok("SET", "k", "v")
        self.ours.ok("MULTI")
        self.assertEqual(self.migrate(), b"+QUEUED\r\n")
        self.ours.ok("SET", "k", "w")
        self.assertEqual(self.ours.value("EXEC"), ["OK", "OK"])
        self.assertEqual(self.redis.command("GET", "k"), b"$1\r\nv\r\n")
        request = f"SET k x\r\nMIGRATE 127.0.0.1 {self.port} k 0 5000 REPLACE\r\nEXISTS k\r\n"
        self.ours.send((request * 50).encode())
        for _ in range(50):
            replies = [self.ours.read_reply() for _ in range(3)]
            self.assertEqual(replies, [b"+OK\r\n", b"+OK\r\n", b":0\r\n"])
        self.assertEqual(self.redis.command("GET", "k"), b"$1\r\nx\r\n")

    def test_watchers_and_statistics(self):
        watcher = self.servers[0].connect()
        self.addCleanup(watcher.close)
        self.ours.ok("SET", "k", "v")
        watcher.ok("WATCH", "k")
        self.assertEqual(self.migrate(), b"+OK\r\n")
        watcher.ok("MULTI")
        watcher.ok("PING")
        self.assertEqual(watcher.command("EXEC"), b"*-1\r\n")

    def test_fields_with_deadlines_stay_where_the_target_does_not_know_them(self):
        self.ours.ok("HSET", "k", "a", "1")
        self.ours.ok("HEXPIRE", "k", "1000", "FIELDS", "1", "a")
        self.assertEqual(
            self.migrate(), REFUSED + b"ERR DUMP payload version or checksum are wrong\r\n")
        self.assertEqual(self.ours.command("EXISTS", "k"), b":1\r\n")


class MovedKeysStayMoved(unittest.TestCase):
    """The effect of MIGRATE survives the server."""

    def test_after_a_restart(self):
        options = environment.options({"persistence": "yes"})
        if environment.is_redis():
            self.skipTest("Redis would need an AOF")
        source, target = Server(environment.server, options), Server(environment.server, options)
        self.addCleanup(source.stop)
        self.addCleanup(target.stop)
        source.start()
        target.start()
        with source.connect() as client:
            client.ok("MSET", "a", "1", "b", "2", "c", "3")
            with target.connect() as other:
                other.ok("SET", "b", "old")
            reply = client.command(
                "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", "a", "b", "c")
            self.assertTrue(reply.startswith(REFUSED), reply)
        source.process.kill()
        source.process.wait()
        source.start()
        with source.connect() as client, target.connect() as other:
            self.assertEqual(client.value("MGET", "a", "b", "c"), [None, b"2", None])
            self.assertEqual(other.value("MGET", "a", "b", "c"), [b"1", b"old", b"3"])
