"""Limits: what one client does costs bounded memory and never disturbs the others."""

import hashlib
import random
import resource
import socket
import time

from support import environment
from support.case import ServerCase
from support.resp import Closed, Connection, encode

MEGABYTE = 1 << 20


class LargeValues(ServerCase):
    def test_100_megabytes_there_and_back(self):
        value = random.Random(environment.seed).randbytes(MEGABYTE) * 100
        connection = self.connect(timeout=120)
        connection.send(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % len(value))
        connection.send(value)
        connection.send(b"\r\n")
        self.assertEqual(connection.read_reply(), b"+OK\r\n")
        self.assertEqual(connection.command("STRLEN", "big"), b":%d\r\n" % len(value))
        reply = connection.command("GET", "big")
        self.assertEqual(hashlib.sha1(reply[reply.index(b"\n") + 1 : -2]).hexdigest(),
                         hashlib.sha1(value).hexdigest())
        used = int(self.server.info("memory")["used_memory"])
        self.assertLess(used, 1.5 * len(value) + 50 * MEGABYTE)
        connection.ok("DEL", "big")
        self.eventually(lambda: int(self.server.info("memory")["used_memory"]) < 60 * MEGABYTE,
                        message="the memory of a deleted value did not come back")

    def test_a_large_value_that_never_ends(self):
        """Announced and half sent, then the client goes: the place it was to take is free again."""
        before = int(self.server.info("memory")["used_memory"])
        for _ in range(10):
            with self.server.connect() as connection:
                connection.send(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % (64 * MEGABYTE))
                connection.send(b"x" * (8 * MEGABYTE))
        self.assertEqual(self.client.command("EXISTS", "big"), b":0\r\n")
        self.eventually(
            lambda: int(self.server.info("memory")["used_memory"]) < before + 20 * MEGABYTE,
            message="memory of abandoned values did not come back")

    def test_proto_max_bulk_len(self):
        self.client.ok("CONFIG", "SET", "proto-max-bulk-len", "2mb")
        self.addCleanup(lambda: self.connect().ok("CONFIG", "SET", "proto-max-bulk-len", "512mb"))
        connection = self.connect()
        self.assertEqual(connection.command("SET", "k", "x" * (2 * MEGABYTE)), b"+OK\r\n")
        connection.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % (2 * MEGABYTE + 1))
        self.assertEqual(connection.read_until_closed(),
                         b"-ERR Protocol error: invalid bulk length\r\n")
        self.assertEqual(self.client.command("SETRANGE", "k", str(2 * MEGABYTE), "xx"),
                         b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n")


class SlowReaders(ServerCase):
    options = {"client-output-buffer-limit": ["normal", "8mb", "0", "0"]}

    def test_a_client_that_stops_reading_is_closed(self):
        value = "x" * 100_000
        self.client.ok("SET", "k", value)
        slow = self.connect()
        # Small windows, so that the kernel holds little and the server has to.
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = self.server.status("VmRSS")
        try:
            for _ in range(50):
                slow.send(encode("GET", "k") * 100)
                self.client.ok("PING")
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        def clients():
            return len(self.client.value("CLIENT", "LIST").splitlines())
        self.eventually(lambda: clients() == 1, message="the slow reader is still connected")
        self.assertLess(self.server.status("VmRSS") - before, 200 * MEGABYTE)
        self.assertEqual(self.client.value("GET", "k"), value.encode())

    def test_soft_limit(self):
        self.client.ok("CONFIG", "SET", "client-output-buffer-limit", "normal 0 1mb 1")
        self.addCleanup(lambda: self.connect().ok(
            "CONFIG", "SET", "client-output-buffer-limit", "normal 8mb 0 0"))
        self.client.ok("SET", "k", "x" * 500_000)
        slow = self.connect()
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.send(encode("GET", "k") * 40)

        def closed():
            # Output past the soft limit for its whole second ends the connection.
            rows = self.client.value("CLIENT", "LIST").splitlines()
            return len(rows) == 1
        self.eventually(closed, 15, "a reader over the soft limit is still connected")


class QueryBuffer(ServerCase):
    options = {"client-query-buffer-limit": "4mb"}

    def test_a_request_over_the_limit_is_closed(self):
        self.assertEqual(self.client.command("SET", "k", "x" * (3 * MEGABYTE)), b"+OK\r\n")
        flood = self.connect()
        try:
            flood.send(encode("SET", "k", "y" * (16 * MEGABYTE)))
            self.assertEqual(flood.read_until_closed(), b"")
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertEqual(self.client.value("GETRANGE", "k", "0", "3"), b"xxxx")
        self.eventually(lambda: len(self.client.value("CLIENT", "LIST").splitlines()) == 1)


class Connections(ServerCase):
    options = {"maxclients": "10"}

    def test_maxclients(self):
        limit = 10
        others = [self.connect() for _ in range(limit - 1)]
        for other in others:
            other.ok("PING")
        extra = self.connect()
        self.assertEqual(extra.read_until_closed(), b"-ERR max number of clients reached\r\n")
        others[0].close()
        self.eventually(lambda: self.served(), message="no place became free")

    def served(self):
        with self.server.connect() as connection:
            try:
                connection.send(b"PING\r\n")
                return connection.read_reply() == b"+PONG\r\n"
            except (Closed, ConnectionResetError, BrokenPipeError):
                return False


class Timeout(ServerCase):
    def test_idle_clients_are_closed(self):
        idle = self.connect()
        idle.ok("PING")
        self.client.ok("CONFIG", "SET", "timeout", "1")
        self.addCleanup(lambda: self.connect().ok("CONFIG", "SET", "timeout", "0"))
        busy_until = time.monotonic() + 20
        idle.socket.settimeout(0.05)
        while time.monotonic() < busy_until:
            self.client.ok("PING")  # A client that works is not idle.
            try:
                if idle.socket.recv(1) == b"":
                    return
            except TimeoutError:
                pass
        self.fail("the idle client was not closed within 20 s")


class ManyConnections(ServerCase):
    WANTED = 10_000
    options = {"maxclients": str(WANTED + 100)}

    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = cls.WANTED + 1000
        try:
            if soft < needed:
                resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))
        except (ValueError, PermissionError):
            pass
        super().setUpClass()

    def test_10000_idle_connections(self):
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < self.WANTED + 500:
            self.skipTest(f"this process may open only {soft} files")
        idle = []
        self.addCleanup(lambda: [connection.close() for connection in idle])
        before = self.server.status("VmRSS")
        for number in range(self.WANTED):
            idle.append(Connection(("127.0.0.1", self.server.port), timeout=20))
            if number % 500 == 0:
                idle[-1].ok("PING")
        self.assertGreaterEqual(int(self.server.info("clients")["connected_clients"]), self.WANTED)
        for number in range(2000):
            self.assertEqual(self.client.command("SET", f"k{number}", "v"), b"+OK\r\n")
        # Every one of them is alive, and answers in its turn.
        for connection in idle[::100]:
            connection.ok("PING")
        for connection in idle:
            connection.send(b"PING\r\n")
        for connection in idle:
            self.assertEqual(connection.read_reply(), b"+PONG\r\n")
        per_client = (self.server.status("VmRSS") - before) / self.WANTED
        self.assertLess(per_client, 40_000, "an idle connection holds too much memory")
        for connection in idle:
            connection.close()
        idle.clear()
        self.eventually(lambda: int(self.server.info("clients")["connected_clients"]) < 10, 30)


class Expiry(ServerCase):
    def test_expired_keys_leave_without_being_asked_for(self):
        count = 200_000
        deadline = int(time.time() * 1000) + 4000
        batch = 1000
        for first in range(0, count, batch):
            self.client.send(b"".join(
                encode("SET", f"key:{number}", "v" * 64, "PXAT", deadline)
                for number in range(first, first + batch)))
            for _ in range(batch):
                self.client.read_reply()
        self.client.ok("SET", "stays", "v")
        self.eventually(lambda: self.client.command("DBSIZE") == b":1\r\n", 30,
                        "keys past their deadline are still there")
        expired = int(self.server.info("stats")["expired_keys"])
        self.assertEqual(expired, count)
