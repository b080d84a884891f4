"""Blocking commands as more than one client sees them: CLIENT UNBLOCK, CLIENT LIST, INFO, pauses,
fairness among many, and what waiting costs the others."""

import re
import time

from support import environment
from support.case import ServerCase
from support.resp import decode, encode


class Blocking(ServerCase):
    def blocked(self, *words):
        """A connection that waits in a command, and its client's number."""
        connection = self.connect()
        number = connection.value("CLIENT", "ID")
        before = self.blocked_count()
        connection.send(encode(*words))
        self.eventually(lambda: self.blocked_count() == before + 1)
        return connection, number

    def blocked_count(self):
        return int(self.field("blocked_clients"))

    def field(self, name, section="clients"):
        return re.search(rb"%s:(.*)\r" % name.encode(), self.client.value("INFO", section))[1]

    def test_client_unblock(self):
        for reason, reply in ((["TIMEOUT"], b"*-1\r\n"), ([], b"*-1\r\n"),
                              (["ERROR"], b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")):
            connection, number = self.blocked("BLPOP", "k", "0")
            self.assertEqual(self.client.value("CLIENT", "UNBLOCK", number, *reason), 1)
            self.assertEqual(connection.read_reply(), reply)
            self.assertEqual(self.client.value("CLIENT", "UNBLOCK", number, *reason), 0)
            self.assertEqual(connection.command("PING"), b"+PONG\r\n")
        connection, number = self.blocked("WAIT", "1", "0")
        self.assertEqual(self.client.value("CLIENT", "UNBLOCK", number), 1)
        self.assertEqual(connection.read_reply(), b":0\r\n")

    def test_listing(self):
        connection, number = self.blocked("BLPOP", "a", "b", "100")
        line = self.client.value("CLIENT", "LIST", "ID", number)
        self.assertIn(b" flags=b ", line)
        self.assertIn(b" cmd=blpop ", line)
        self.assertEqual(self.field("clients_in_timeout_table"), b"1")
        self.client.ok("RPUSH", "b", "x")
        self.assertEqual(connection.read_reply(), b"*2\r\n$1\r\nb\r\n$1\r\nx\r\n")
        self.assertEqual(self.blocked_count(), 0)
        self.assertEqual(self.field("clients_in_timeout_table"), b"0")
        connection.ok("WATCH", "w")
        connection.ok("MULTI")
        connection.ok("SET", "w", "1")
        line = self.client.value("CLIENT", "LIST", "ID", number)
        self.assertIn(b" flags=x ", line)
        self.assertIn(b" multi=1 ", line)
        self.client.ok("SET", "w", "2")
        self.assertIn(b" flags=xd ", self.client.value("CLIENT", "LIST", "ID", number))

    def test_counted_once_when_over(self):
        self.client.ok("CONFIG", "RESETSTAT")
        connection, _ = self.blocked("BLPOP", "k", "0")
        self.client.ok("RPUSH", "k", "x")
        connection.read_reply()
        self.assertIn(b"cmdstat_blpop:calls=1,", self.client.value("INFO", "commandstats"))

    def test_timeouts_in_fractions(self):
        began = time.monotonic()
        self.assertEqual(self.client.command("BLPOP", "k", "0.05"), b"*-1\r\n")
        elapsed = time.monotonic() - began
        self.assertGreaterEqual(elapsed, 0.045)
        self.assertLess(elapsed, 5)

    def test_many_wait_in_order(self):
        waiting = [self.blocked("BLPOP", "queue", "0")[0] for _ in range(50)]
        self.client.ok("RPUSH", "queue", *range(30))
        for number, connection in enumerate(waiting[:30]):
            self.assertEqual(decode(connection.read_reply()), [b"queue", str(number).encode()])
        self.assertEqual(self.blocked_count(), 20)
        self.client.ok("RPUSH", "queue", *range(30, 60))
        for number, connection in enumerate(waiting[30:], 30):
            self.assertEqual(decode(connection.read_reply()), [b"queue", str(number).encode()])
        self.assertEqual(self.client.value("LLEN", "queue"), 10)

    def test_pause_does_not_lose_anybody(self):
        connection, _ = self.blocked("BLPOP", "k", "0")
        self.client.ok("CLIENT", "PAUSE", "100000", "WRITE")
        other = self.connect()
        other.send(encode("RPUSH", "k", "x"))
        self.assertEqual(self.client.command("GET", "none"), b"$-1\r\n")
        self.client.ok("CLIENT", "UNPAUSE")
        self.assertEqual(decode(connection.read_reply()), [b"k", b"x"])
        self.assertEqual(other.read_reply(), b":1\r\n")

    def test_killed_while_waiting(self):
        _, number = self.blocked("BLPOP", "k", "0")
        self.assertEqual(self.client.value("CLIENT", "KILL", "ID", number), 1)
        self.eventually(lambda: self.blocked_count() == 0)
        self.client.ok("RPUSH", "k", "x")
        self.assertEqual(self.client.value("LLEN", "k"), 1)

    def test_reply_modes(self):
        connection = self.connect()
        connection.send(encode("CLIENT", "REPLY", "SKIP") + encode("BLPOP", "k", "0"))
        self.eventually(lambda: self.blocked_count() == 1)
        self.client.ok("RPUSH", "k", "x")
        self.assertEqual(connection.command("PING"), b"+PONG\r\n")


class QueueLimits(ServerCase):
    options = {"client-query-buffer-limit": "1mb"}

    def test_a_transaction_counts_as_input(self):
        if environment.is_redis():
            self.skipTest("came with Redis 7.2")
        self.client.ok("MULTI")
        value = "x" * 100_000
        try:
            for _ in range(20):
                self.client.command("SET", "k", value)
        except Exception:  # noqa: BLE001 (closed, in whatever way the socket tells)
            pass
        else:
            self.fail("the queue was allowed to grow without limit")
        other = self.connect()
        self.assertEqual(other.command("EXISTS", "k"), b":0\r\n")
