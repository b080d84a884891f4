"""Replies of large collections, which are written piece by piece: that they are those of one moment,
whole and in order, that a slow reader costs little, and that nobody else waits for them."""

import re
import socket
import time

from support import environment
from support.case import ServerCase
from support.resp import decode, encode

COUNT = 16_000
# More than the sockets' buffers hold, so that a reader who does not read has an unfinished reply.
VALUE = "v" * 1000


class LongReplies(ServerCase):
    def fill(self, key, make, count=COUNT):
        """A large collection, by many requests of 250 elements."""
        requests = 0
        for first in range(0, count, 250):
            self.client.send(encode(*make(key, range(first, min(first + 250, count)))))
            requests += 1
        for _ in range(requests):
            self.assertIn(self.client.read_reply()[:1], (b":", b"+"))

    def hash(self, key, count=COUNT):
        self.fill(key, lambda key, numbers: ["HSET", key] + [
            word for number in numbers for word in (f"field:{number}", f"{VALUE}{number}")], count)

    def expected(self, count=COUNT):
        return {f"field:{number}".encode(): f"{VALUE}{number}".encode() for number in range(count)}

    def begin(self, *words, then=()):
        """A client that has sent a command and reads nothing of its reply yet."""
        connection = self.connect()
        number = connection.value("CLIENT", "ID")
        connection.send(encode(*words) + b"".join(encode(*each) for each in then))
        self.eventually(lambda: self.output_bytes(number) > 0)
        return connection, number

    def output_bytes(self, number):
        line = self.client.value("CLIENT", "LIST", "ID", str(number))
        return int(re.search(rb" omem=(\d+)", line)[1])

    def pairs(self, connection):
        reply = decode(connection.read_reply())
        self.assertEqual(len(reply), 2 * COUNT)
        return dict(zip(reply[::2], reply[1::2]))

    def test_a_slow_reader_costs_a_piece(self):
        self.hash("h")
        connection, number = self.begin("HGETALL", "h", then=[("PING",), ("HLEN", "h")])
        if not environment.is_redis():
            for _ in range(20):
                self.assertLess(self.output_bytes(number), 4 << 20)
                time.sleep(0.005)
        self.assertEqual(self.pairs(connection), self.expected())
        # What was sent behind it is answered behind it.
        self.assertEqual(connection.read_reply(), b"+PONG\r\n")
        self.assertEqual(connection.read_reply(), b":%d\r\n" % COUNT)

    def test_every_command(self):
        self.hash("h")
        self.fill("s", lambda key, numbers: ["SADD", key] + [f"m:{n}:{VALUE}" for n in numbers])
        self.fill("l", lambda key, numbers: ["RPUSH", key] + [f"e:{n}:{VALUE}" for n in numbers])
        self.fill("z", lambda key, numbers: ["ZADD", key] + [
            word for n in numbers for word in (str(n), f"m:{n:05}:{VALUE}")])
        elements = [f"e:{n}:{VALUE}".encode() for n in range(COUNT)]
        members = [f"m:{n:05}:{VALUE}".encode() for n in range(COUNT)]
        value = self.client.value
        self.assertEqual(set(value("HKEYS", "h")), set(self.expected()))
        self.assertEqual(set(value("HVALS", "h")), set(self.expected().values()))
        self.assertEqual(set(value("SMEMBERS", "s")),
                         {f"m:{n}:{VALUE}".encode() for n in range(COUNT)})
        self.assertEqual(value("LRANGE", "l", "0", "-1"), elements)
        self.assertEqual(value("LRANGE", "l", "5", "-7"), elements[5:-6])
        self.assertEqual(value("ZRANGE", "z", "0", "-1"), members)
        self.assertEqual(value("ZREVRANGE", "z", "3", "-1"), members[::-1][3:])
        self.assertEqual(value("ZRANGEBYSCORE", "z", "10", "(14000", "WITHSCORES"),
                         [word for n in range(10, 14000)
                          for word in (members[n], str(n).encode())])
        self.client.ok("HELLO", "3")
        self.assertEqual(value("ZRANGE", "z", "0", "2999", "WITHSCORES"),
                         [[members[n], float(n)] for n in range(3000)])
        self.assertEqual(value("HGETALL", "h"), self.expected())

    def test_the_reply_is_that_of_one_moment(self):
        changes = [
            ("HSET", "h", "field:7", "changed", "new", "1"), ("HDEL", "h", "field:1"), ("DEL", "h"),
            ("UNLINK", "x", "h"), ("RENAME", "h", "other"), ("SET", "h", "string"), ("FLUSHALL",),
            ("FLUSHDB", "ASYNC"), ("SWAPDB", "0", "1"), ("MOVE", "h", "1"), ("PEXPIRE", "h", "1"),
            ("HPEXPIRE", "h", "1", "FIELDS", "1", "field:3"), ("HINCRBY", "h", "n", "1"),
            ("RESTORE", "h", "0", None, "REPLACE"), ("COPY", "x", "h", "REPLACE"),
        ]
        if environment.is_redis():
            changes = [change for change in changes if change[0] != "HPEXPIRE"]
        for change in changes:
            with self.subTest(change=change[:2]):
                self.client.ok("FLUSHALL")
                self.client.ok("SET", "x", "1")
                change = [self.client.value("DUMP", "x") if word is None else word
                          for word in change]
                self.hash("h")
                connection, _ = self.begin("HGETALL", "h")
                self.assertNotEqual(self.client.command(*change)[:1], b"-")
                time.sleep(0.01)
                self.assertEqual(self.pairs(connection), self.expected())
                self.assertEqual(connection.command("PING"), b"+PONG\r\n")

    def test_changes_by_time_transactions_and_waiting_clients(self):
        self.hash("h")
        self.client.ok("PEXPIRE", "h", "3000")
        connection, _ = self.begin("HGETALL", "h")
        self.eventually(lambda: self.client.value("DBSIZE") == 0)
        self.assertEqual(self.pairs(connection), self.expected())

        self.hash("h")
        connection, _ = self.begin("HGETALL", "h")
        self.client.ok("MULTI")
        self.client.command("HDEL", "h", "field:5")
        self.client.command("HGETALL", "h")
        reply = decode(self.client.command("EXEC"))
        self.assertEqual(reply[0], 1)
        self.assertEqual(len(reply[1]), 2 * COUNT - 2)
        self.assertEqual(self.pairs(connection), self.expected())

        self.fill("l", lambda key, numbers: ["RPUSH", key] + [f"e:{n}:{VALUE}" for n in numbers])
        mover = self.connect()
        mover.send(encode("BLMOVE", "from", "l", "LEFT", "LEFT", "0"))
        self.eventually(lambda: b"blocked_clients:1" in self.client.value("INFO", "clients"))
        connection, _ = self.begin("LRANGE", "l", "0", "-1")
        self.client.ok("RPUSH", "from", "moved")
        self.assertEqual(mover.read_reply(), b"$5\r\nmoved\r\n")
        self.assertEqual(decode(connection.read_reply()),
                         [f"e:{n}:{VALUE}".encode() for n in range(COUNT)])

    def test_several_readers_and_one_who_leaves(self):
        self.hash("h")
        readers = [self.begin("HGETALL", "h")[0] for _ in range(4)]
        readers[0].close()
        self.assertEqual(self.client.value("HGET", "h", "field:3"), f"{VALUE}3".encode())
        for connection in readers[1:]:
            self.assertEqual(self.pairs(connection), self.expected())
        connection, number = self.begin("HGETALL", "h")
        self.assertEqual(self.client.value("CLIENT", "KILL", "ID", str(number)), 1)
        self.client.ok("DEL", "h")
        self.assertEqual(self.client.value("HLEN", "h"), 0)

    def test_eviction_finishes_it_first(self):
        self.hash("h")
        connection, _ = self.begin("HGETALL", "h")
        self.client.ok("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", "3mb")
        try:
            self.eventually(lambda: self.client.value("DBSIZE") == 0)
            self.assertEqual(self.pairs(connection), self.expected())
        finally:
            self.client.ok("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction")

    def test_a_reader_who_has_said_all(self):
        if environment.is_redis():
            self.skipTest("Redis closes at once")
        self.hash("h")
        connection, _ = self.begin("HGETALL", "h")
        connection.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(self.pairs(connection), self.expected())
