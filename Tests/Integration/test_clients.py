"""Clients: what CLIENT shows and changes, and large arguments on their way in."""

import random
import re
import time

from support import environment
from support.case import ServerCase
from support.resp import encode

MEGABYTE = 1 << 20
OK = b"+OK\r\n"
PONG = b"+PONG\r\n"


def bulk(data):
    return b"$%d\r\n%s\r\n" % (len(data), data)


class Lines(ServerCase):
    FIELDS = ("id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem "
              "multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp")

    def lines(self, *arguments):
        text = self.client.value("CLIENT", "LIST", *arguments).decode()
        self.assertTrue(text == "" or text.endswith("\n"))
        return [dict(word.split("=", 1) for word in line.split(" ")) for line in text.splitlines()]

    def test_fields(self):
        fields = self.FIELDS.split() + ([] if environment.is_redis() else ["lib-name", "lib-ver"])
        self.client.ok("CLIENT", "SETNAME", "me")
        self.client.ok("SELECT", "3")
        self.assertEqual(self.client.command("NOSUCH")[:4], b"-ERR")
        line = self.client.value("CLIENT", "INFO").decode()
        self.assertTrue(line.endswith("\n"))
        pairs = [word.split("=", 1) for word in line[:-1].split(" ")]
        self.assertEqual([name for name, _ in pairs], fields)
        values = dict(pairs)
        self.assertEqual(values["name"], "me")
        self.assertEqual(values["db"], "3")
        self.assertEqual(values["flags"], "N")
        self.assertEqual(values["cmd"], "client|info")
        self.assertEqual(values["argv-mem"], "10")
        self.assertEqual(values["user"], "default")
        self.assertEqual(values["events"], "r")
        self.assertEqual(values["resp"], "2")
        self.assertRegex(values["addr"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(values["laddr"], f"127.0.0.1:{self.server.port}")
        self.assertGreater(int(values["qbuf"]), 10)

    def test_choice(self):
        others = [self.connect() for _ in range(3)]
        ids = [other.value("CLIENT", "ID") for other in others]
        self.assertEqual(sorted(ids), ids)
        mine = self.client.value("CLIENT", "ID")
        self.assertEqual([int(line["id"]) for line in self.lines()], [mine] + ids)
        self.assertEqual(len(self.lines("TYPE", "normal")), 4)
        for kind in ("master", "replica", "slave", "pubsub"):
            self.assertEqual(self.lines("TYPE", kind), [])
        asked = [str(ids[2]), "99999999", str(ids[0])]
        self.assertEqual([int(line["id"]) for line in self.lines("ID", *asked)], [ids[2], ids[0]])

    def test_library(self):
        if environment.is_redis():
            self.skipTest("came with Redis 7.2")
        self.client.ok("CLIENT", "SETINFO", "LIB-NAME", "redis-py")
        self.client.ok("CLIENT", "SETINFO", "lib-ver", "5.0.1")
        self.client.ok("RESET")
        line = self.client.value("CLIENT", "INFO").decode()
        self.assertIn(" lib-name=redis-py lib-ver=5.0.1\n", line)
        self.assertEqual(self.client.command("CLIENT", "SETINFO", "lib-name", "a b"),
                         b"-ERR lib-name cannot contain spaces, newlines or special characters.\r\n")
        self.assertEqual(self.client.command("CLIENT", "SETINFO", "nosuch", "a"),
                         b"-ERR Unrecognized option 'nosuch'\r\n")

    def test_flags(self):
        self.client.ok("CLIENT", "NO-EVICT", "on")
        expected = "e"
        if not environment.is_redis():
            self.client.ok("CLIENT", "NO-TOUCH", "on")
            expected = "eT"
        self.assertEqual(self.lines()[0]["flags"], expected)
        if not environment.is_redis():
            # Redis 7.0 kept "e".
            self.client.ok("RESET")
            self.assertEqual(self.lines()[0]["flags"], "N")


class Kill(ServerCase):
    def test_oneself(self):
        for form in ((), ("ADDR",)):
            connection = self.connect()
            address = re.search(r" addr=(\S+)", connection.value("CLIENT", "INFO").decode())[1]
            connection.send(encode("PING") + encode("CLIENT", "KILL", *form, address,
                                                    *(("SKIPME", "no") if form else ()))
                            + encode("PING"))
            self.assertEqual(connection.read_until_closed(), PONG + (b":1\r\n" if form else OK))

    def test_filters(self):
        a, b = self.connect(), self.connect()
        info = a.value("CLIENT", "INFO").decode()
        address = re.search(r" addr=(\S+)", info)[1]
        number = str(a.value("CLIENT", "ID"))
        other = str(b.value("CLIENT", "ID"))
        # Conditions hold together.
        self.assertEqual(self.client.command("CLIENT", "KILL", "ID", other, "ADDR", address), b":0\r\n")
        self.assertEqual(self.client.command("CLIENT", "KILL", "ID", number, "ADDR", address, "USER",
                                             "default", "TYPE", "normal"), b":1\r\n")
        self.assertEqual(a.read_until_closed(), b"")
        self.assertEqual(b.command("PING"), PONG)
        here = f"127.0.0.1:{self.server.port}"
        self.assertEqual(self.client.command("CLIENT", "KILL", "LADDR", here), b":1\r\n")
        self.assertEqual(b.read_until_closed(), b"")
        self.assertEqual(self.client.command("PING"), PONG)

    def test_what_the_killed_sent_is_not_executed(self):
        """Many rounds, so that both clients' requests meet in one batch."""
        for _ in range(100):
            victim = self.connect()
            number = str(victim.value("CLIENT", "ID"))
            self.client.send(encode("CLIENT", "KILL", "ID", number) + encode("SET", "after", "1"))
            try:
                victim.send(encode("GET", "after") * 50 + encode("PING"))
                reply = victim.read_until_closed()
            except (BrokenPipeError, ConnectionResetError):
                reply = b""
            self.assertNotIn(PONG + PONG, reply)
            self.assertEqual(self.client.read_reply(), b":1\r\n")
            self.assertEqual(self.client.read_reply(), OK)
            victim.close()

    def test_in_the_middle_of_a_large_argument(self):
        victim = self.connect()
        number = str(victim.value("CLIENT", "ID"))
        victim.send(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % (8 * MEGABYTE) + b"x" * MEGABYTE)
        self.assertEqual(self.client.command("CLIENT", "KILL", "ID", number), b":1\r\n")
        self.assertEqual(victim.read_until_closed(), b"")
        self.assertEqual(self.client.command("EXISTS", "big"), b":0\r\n")

    def test_browsers(self):
        for text in (b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n"):
            browser = self.connect()
            browser.send(text + b"\r\nSET browser 1\r\n")
            self.assertNotIn(b"OK", browser.read_until_closed())
        self.assertEqual(self.client.command("EXISTS", "browser"), b":0\r\n")


class Reply(ServerCase):
    def test_in_one_pipeline(self):
        reply = "CLIENT REPLY".split()
        requests = [
            [*reply, "SKIP"], ["PING", "a"], ["PING", "b"],
            [*reply, "SKIP"], [*reply, "SKIP"], ["PING", "c"], ["PING", "d"],
            [*reply, "SKIP"], [*reply, "ON"], ["PING", "e"],
            [*reply, "OFF"], ["PING", "f"], ["NOSUCH"], [*reply, "SKIP"], [*reply, "NOSUCH"],
            [*reply, "ON"], ["PING", "g"],
            [*reply, "OFF"], ["RESET"], ["PING", "h"],
            [*reply, "SKIP"], ["RESET"], ["PING", "i"],
        ]
        self.client.send(b"".join(encode(*request) for request in requests))
        expected = [bulk(b"b"), bulk(b"d"), OK, bulk(b"e"), OK, bulk(b"g"), b"+RESET\r\n",
                    bulk(b"h"), bulk(b"i")]
        self.assertEqual([self.client.read_reply() for _ in expected], expected)

    def test_one_at_a_time(self):
        self.client.send(encode("CLIENT", "REPLY", "OFF"))
        for number in range(20):
            self.client.send(encode("SET", "k", str(number)))
        self.assertEqual(self.client.command("CLIENT", "REPLY", "ON"), OK)
        self.assertEqual(self.client.value("GET", "k"), b"19")


class Pause(ServerCase):
    """The pauses here are long and ended by UNPAUSE: no test measures time."""

    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.client.ok("CLIENT", "UNPAUSE"))

    def pause_writes(self):
        self.client.ok("CLIENT", "PAUSE", "1000000", "WRITE")

    def is_held(self, connection_id):
        line = self.client.value("CLIENT", "LIST", "ID", str(connection_id)).decode()
        return " flags=b " in line

    def hold(self, requests):
        """A connection whose requests have been held back somewhere."""
        connection = self.connect()
        number = connection.value("CLIENT", "ID")
        connection.send(requests)
        self.eventually(lambda: self.is_held(number), message="the client was not held back")
        return connection

    def test_writes_wait_and_all_else_goes_on(self):
        self.pause_writes()
        held = self.hold(encode("PING") + encode("GET", "k") + encode("NOSUCH") + encode("SET")
                         + encode("SET", "k", "v") + encode("GET", "k") + b"PING inline\r\n"
                         + b"*2\r\n$3\r\nGE")
        self.assertEqual(held.read_reply(), PONG)
        self.assertEqual(held.read_reply(), b"$-1\r\n")
        self.assertEqual(held.read_reply()[:12], b"-ERR unknown")
        self.assertEqual(held.read_reply()[:10], b"-ERR wrong")
        self.assertEqual(self.client.command("GET", "k"), b"$-1\r\n")
        held.send(b"T\r\n$1\r\nk\r\n")
        self.client.ok("CLIENT", "UNPAUSE")
        self.assertEqual([held.read_reply() for _ in range(4)],
                         [OK, bulk(b"v"), bulk(b"inline"), bulk(b"v")])

    def test_nothing_expires(self):
        expired = int(self.server.info("stats")["expired_keys"])
        self.client.ok("SET", "k", "v", "PX", "1")
        self.client.send(encode("MULTI") + encode("SET", "k2", "v", "PX", "1")
                         + encode("CLIENT", "PAUSE", "1000000", "WRITE") + encode("EXEC"))
        for _ in range(4):
            self.client.read_reply()
        self.eventually(lambda: self.client.value("EXISTS", "k2") == 0)
        self.assertEqual(self.client.value("DBSIZE"), 2 - self.expired_since(expired))
        self.assertLess(self.expired_since(expired), 2)
        self.client.ok("CLIENT", "UNPAUSE")
        self.eventually(lambda: self.client.value("DBSIZE") == 0)
        self.assertEqual(self.expired_since(expired), 2)

    def expired_since(self, before):
        return int(self.server.info("stats")["expired_keys"]) - before

    def test_more_input_than_a_batch(self):
        self.pause_writes()
        requests = b"".join(encode("INCR", "k") + encode("PING", str(n)) for n in range(2000))
        held = self.hold(requests[:100])
        position = 100
        generator = random.Random(environment.seed)
        while position < len(requests):
            count = generator.randint(1, 5000)
            held.send(requests[position : position + count])
            position += count
        self.assertEqual(self.client.command("GET", "k"), b"$-1\r\n")
        self.client.ok("CLIENT", "UNPAUSE")
        for number in range(2000):
            self.assertEqual(held.read_reply(), b":%d\r\n" % (number + 1))
            self.assertEqual(held.read_reply(), bulk(b"%d" % number))

    def test_everything(self):
        # The pause holds its own client, too; another one ends by time.
        other = self.connect()
        self.client.send(encode("CLIENT", "PAUSE", "300", "ALL") + encode("NOSUCH") + encode("PING"))
        self.assertEqual(self.client.read_reply(), OK)
        other.send(encode("PING", "x") + encode("PING", "y"))
        self.assertEqual(self.client.read_reply()[:4], b"-ERR")
        self.assertEqual(self.client.read_reply(), PONG)
        self.assertEqual(other.read_reply(), bulk(b"x"))
        self.assertEqual(other.read_reply(), bulk(b"y"))

    def test_a_held_client_goes(self):
        self.pause_writes()
        for _ in range(3):
            held = self.hold(encode("SET", "k", "v"))
            held.close()
        self.eventually(lambda: len(self.client.value("CLIENT", "LIST").splitlines()) == 1,
                        message="held clients that went are still listed")
        # Their slots serve others, in the same pause and after it.
        others = [self.hold(encode("INCR", "n")) for _ in range(3)]
        killed = self.hold(encode("INCR", "n"))
        self.client.ok("CLIENT", "KILL", "SKIPME", "yes")
        for other in [*others, killed]:
            self.assertEqual(other.read_until_closed(), b"")
        last = self.hold(encode("INCR", "n"))
        self.client.ok("CLIENT", "UNPAUSE")
        self.assertEqual(last.read_reply(), b":1\r\n")
        self.assertEqual(self.client.command("EXISTS", "k"), b":0\r\n")

    def test_a_held_large_argument(self):
        value = random.Random(environment.seed).randbytes(3 * MEGABYTE)
        rest = encode("STRLEN", "big") + encode("ECHO", value[:100_000]) + b"PING inline\r\n"
        for requests in (
            encode("PING") + encode("SET", "big", value) + rest,
            encode("PING") + encode("MSET", "a", "1", "big", value, "b", value[:70_000]) + rest,
        ):
            self.pause_writes()
            held = self.hold(requests)
            self.assertEqual(held.read_reply(), PONG)
            self.assertEqual(self.client.command("EXISTS", "big"), b":0\r\n")
            self.client.ok("CLIENT", "UNPAUSE")
            self.assertEqual(held.read_reply(), OK)
            self.assertEqual(held.read_reply(), b":%d\r\n" % len(value))
            self.assertEqual(held.read_reply(), bulk(value[:100_000]))
            self.assertEqual(held.read_reply(), bulk(b"inline"))
            self.assertEqual(self.client.value("GET", "big"), value)
            self.client.ok("FLUSHALL")

    def test_a_client_with_a_held_large_argument_goes(self):
        before = int(self.server.info("memory")["used_memory"])
        self.pause_writes()
        for _ in range(4):
            held = self.hold(encode("SET", "big", b"x" * (16 * MEGABYTE)) + encode("PING"))
            held.close()
        self.eventually(
            lambda: int(self.server.info("memory")["used_memory"]) < before + 16 * MEGABYTE,
            message="memory of held arguments did not come back")
        self.client.ok("CLIENT", "UNPAUSE")
        self.assertEqual(self.client.command("EXISTS", "big"), b":0\r\n")


class LargeArguments(ServerCase):
    """Arguments that are read straight into their place, wherever the network cuts them."""

    def exchange(self, requests, replies, cuts):
        connection = self.connect(timeout=120)
        position = 0
        for cut in cuts:
            connection.send(requests[position:cut])
            position = cut
            # Other clients are served in between.
            self.assertEqual(self.client.command("PING"), PONG)
        connection.send(requests[position:])
        for number, reply in enumerate(replies):
            got = connection.read_reply()
            self.assertEqual(len(got), len(reply), f"reply {number}, cuts {cuts}: {got[:80]!r}")
            self.assertTrue(got == reply, f"reply {number} differs; cuts {cuts}")

    def test_cuts(self):
        generator = random.Random(environment.seed)
        value, other = generator.randbytes(300_000), generator.randbytes(70_000)
        requests = b"".join(encode(*request) for request in (
            ["SET", "a", "1"], ["SET", "big", value], ["GET", "a"], ["GET", "big"],
            ["SET", "big", other], ["SET", "next", value], ["APPEND", "next", other],
            ["MSET", "x", other, "y", value, "z", "3"], ["ECHO", other], ["NOSUCH", value],
            ["GET", "a", value], [b"n" * 70_000, "x"], ["CLIENT", "SETNAME", value],
            ["SET", value[:80_000], "v"], ["GET", value[:80_000]], ["MGET", "x", "y", "z"],
            ["STRLEN", "next"], ["PING", other]))
        judge = self.connect(timeout=120)
        judge.send(requests)
        replies = [judge.read_reply() for _ in range(18)]
        self.assertEqual(replies[3], bulk(value))
        self.assertEqual(replies[8], bulk(other))
        self.assertEqual(replies[15], b"*3\r\n" + bulk(other) + bulk(value) + bulk(b"3"))
        self.assertEqual(replies[16], b":%d\r\n" % 370_000)
        edges = [match.start() for match in re.finditer(rb"\$\d{5,}\r\n", requests)]
        for attempt in range(30):
            near = [edge + generator.randint(-4, 14) for edge in generator.sample(edges, 3)]
            cuts = near + [generator.randrange(len(requests)) for _ in range(generator.randint(0, 5))]
            self.exchange(requests, replies, sorted(cuts))

    def test_two_large_values_in_a_pipeline(self):
        value = random.Random(environment.seed).randbytes(MEGABYTE) * 40
        requests = encode("SET", "a", value) + encode("SET", "b", value[::-1])
        self.exchange(requests, [OK, OK], [])
        self.assertTrue(self.client.value("GET", "a") == value)
        self.assertTrue(self.client.value("GET", "b") == value[::-1])

    def test_memory_comes_back(self):
        """A client goes in the middle of its large argument, or one that no key takes over."""
        before = int(self.server.info("memory")["used_memory"])
        big = b"x" * (16 * MEGABYTE)
        header = b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % len(big)
        for ending in (b"", big[: 8 * MEGABYTE], big, big + b"\r"):
            with self.server.connect() as connection:
                connection.send(header + ending)
        # Whole arguments, requests that never end or go wrong after them.
        for tail in (b"\r\n$1\r\n", b"\r\nnonsense\r\n"):
            with self.server.connect() as connection:
                connection.send(b"*5\r\n$4\r\nMSET\r\n$3\r\nbig\r\n$%d\r\n" % len(big) + big + tail)
        for request in (["NOSUCH", big], ["GET", "a", big], ["ECHO", big]):
            with self.server.connect() as connection:
                connection.send(encode(*request))
                connection.read_reply()
        self.assertEqual(self.client.command("EXISTS", "big"), b":0\r\n")
        self.eventually(
            lambda: int(self.server.info("memory")["used_memory"]) < before + 8 * MEGABYTE,
            message="memory of large arguments did not come back")

    def test_quit_before_a_large_argument(self):
        connection = self.connect()
        connection.send(encode("QUIT") + b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$10000000\r\n")
        try:
            connection.send(b"x" * MEGABYTE)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertIn(connection.read_until_closed(), (OK, b""))
        self.assertEqual(self.client.command("PING"), PONG)

    def test_the_query_buffer_limit_holds_for_them(self):
        self.client.ok("CONFIG", "SET", "client-query-buffer-limit", "1mb")
        self.addCleanup(lambda: self.connect().ok("CONFIG", "SET", "client-query-buffer-limit", "1gb"))
        connection = self.connect()
        try:
            connection.send(encode("SET", "big", b"x" * (4 * MEGABYTE)))
            self.assertEqual(connection.read_until_closed(), b"")
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertEqual(self.client.command("EXISTS", "big"), b":0\r\n")
        self.assertEqual(self.client.command("SET", "big", b"x" * (MEGABYTE - 100)), OK)


class Transfers(ServerCase):
    options = {"timeout": "1"}

    def test_a_slow_large_argument_is_not_silence(self):
        connection = self.connect()
        connection.send(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$200000\r\n")
        for _ in range(8):
            connection.send(b"x" * 25_000)
            time.sleep(0.4)
            self.client.ok("PING")
        connection.send(b"\r\n")
        self.assertEqual(connection.read_reply(), OK)
