"""The wire: requests split anywhere, inline commands, pipelines, and what is malformed."""

import random
import unittest

from support import environment
from support.case import ServerCase
from support.resp import encode
from support.server import Server

# (name, bytes sent, bytes expected). A protocol error ends the connection after its reply; a table
# entry that ends in CLOSED says so.
CLOSED = object()
MALFORMED = [
    ("a bulk length that is no number", b"*1\r\n$a\r\n",
     [b"-ERR Protocol error: invalid bulk length\r\n", CLOSED]),
    ("a negative bulk length", b"*1\r\n$-1\r\n",
     [b"-ERR Protocol error: invalid bulk length\r\n", CLOSED]),
    ("a bulk length over the limit", b"*1\r\n$536870913\r\n",
     [b"-ERR Protocol error: invalid bulk length\r\n", CLOSED]),
    ("a bulk length beyond 64 bits", b"*1\r\n$99999999999999999999\r\n",
     [b"-ERR Protocol error: invalid bulk length\r\n", CLOSED]),
    ("a word without its dollar", b"*1\r\nPING\r\n",
     [b"-ERR Protocol error: expected '$', got 'P'\r\n", CLOSED]),
    ("a word with a colon", b"*2\r\n:1\r\n", [b"-ERR Protocol error: expected '$', got ':'\r\n", CLOSED]),
    ("an array length that is no number", b"*x\r\n",
     [b"-ERR Protocol error: invalid multibulk length\r\n", CLOSED]),
    ("an array length over the limit", b"*2147483648\r\n",
     [b"-ERR Protocol error: invalid multibulk length\r\n", CLOSED]),
    ("an array length with a sign", b"*+1\r\n$4\r\nPING\r\n",
     [b"-ERR Protocol error: invalid multibulk length\r\n", CLOSED]),
    ("an array length with a space", b"* 1\r\n$4\r\nPING\r\n",
     [b"-ERR Protocol error: invalid multibulk length\r\n", CLOSED]),
    ("an inline command that is never ended", b"x" * 70000,
     [b"-ERR Protocol error: too big inline request\r\n", CLOSED]),
    ("an array length that is never ended", b"*" + b"1" * 70000,
     [b"-ERR Protocol error: too big mbulk count string\r\n", CLOSED]),
    ("a bulk length that is never ended", b"*1\r\n$" + b"1" * 70000,
     [b"-ERR Protocol error: too big bulk count string\r\n", CLOSED]),
    ("quotes that are not closed", b'SET k "value\r\n',
     [b"-ERR Protocol error: unbalanced quotes in request\r\n", CLOSED]),
    ("text after a closing quote", b'SET k "value"x\r\n',
     [b"-ERR Protocol error: unbalanced quotes in request\r\n", CLOSED]),
    ("good requests before a bad one", b"PING\r\n*1\r\n$4\r\nPING\r\n*1\r\n!\r\nPING\r\n",
     [b"+PONG\r\n+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n", CLOSED]),
    ("an empty array", b"*0\r\nPING\r\n", [b"+PONG\r\n"]),
    ("a negative array length", b"*-1\r\nPING\r\n", [b"+PONG\r\n"]),
    ("empty lines", b"\r\n\r\n\n \r\nPING\r\n", [b"+PONG\r\n"]),
    ("line ends without a carriage return", b"PING\nECHO hi\n", [b"+PONG\r\n$2\r\nhi\r\n"]),
    ("an inline command with quotes", b'ECHO "a \\x41\\n\\t\\"b"\r\n', [b'$7\r\na A\n\t"b\r\n']),
    ("single quotes", b"ECHO 'it\\'s \\n'\r\n", [b"$7\r\nit's \\n\r\n"]),
    ("an empty argument", b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", [b"$0\r\n\r\n"]),
    ("an empty command name", b"*1\r\n$0\r\n\r\n",
     [b"-ERR unknown command '', with args beginning with: \r\n"]),
    ("an unknown command",
     b"*3\r\n$3\r\nFOO\r\n$1\r\na\r\n$4\r\nb\r\nc\r\n",
     [b"-ERR unknown command 'FOO', with args beginning with: 'a' 'b  c' \r\n"]),
]


class Malformed(ServerCase):
    def exchange(self, server, request, closes):
        with server.connect(timeout=20) as connection:
            try:
                connection.send(request if closes else request + b"ECHO end\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass  # The reply came, and the end of the connection, before all was sent.
            if closes:
                return connection.read_until_closed()
            replies = b""
            while not replies.endswith(b"$3\r\nend\r\n"):
                replies += connection.read_reply()
            return replies[: -len(b"$3\r\nend\r\n")]

    def test_table(self):
        for name, request, expected in MALFORMED:
            with self.subTest(name):
                closes = CLOSED in expected
                reply = self.exchange(self.server, request, closes)
                self.assertEqual(reply, expected[0])

    @unittest.skipUnless(environment.reference, "there is no redis-server to compare with")
    def test_table_against_the_judge(self):
        with Server(environment.reference) as judge:
            for name, request, expected in MALFORMED:
                with self.subTest(name):
                    closes = CLOSED in expected
                    self.assertEqual(self.exchange(self.server, request, closes),
                                     self.exchange(judge, request, closes))

    def test_other_clients_are_not_disturbed(self):
        bystander = self.connect()
        for _, request, expected in MALFORMED:
            self.exchange(self.server, request, CLOSED in expected)
            self.assertEqual(bystander.command("PING"), b"+PONG\r\n")


class Splits(ServerCase):
    REQUESTS = (
        encode("SET", "k", "v" * 30) + b"GET k\r\n" + encode("APPEND", "k", b"\r\n\x00") + b"\r\n"
        + encode("STRLEN", "k") + b'ECHO "x y"\r\n' + encode("GET", "k") + encode("DEL", "k"))
    REPLIES = (b"+OK\r\n$30\r\n" + b"v" * 30 + b"\r\n:33\r\n:33\r\n$3\r\nx y\r\n$33\r\n" + b"v" * 30
               + b"\r\n\x00\r\n:1\r\n")

    def expect(self, connection):
        received = b"".join(connection.read_reply() for _ in range(7))
        self.assertEqual(received, self.REPLIES)

    def test_split_at_every_byte(self):
        connection = self.connect()
        for cut in range(1, len(self.REQUESTS)):
            connection.send(self.REQUESTS[:cut])
            # A round trip elsewhere lets the server read the first part alone.
            self.client.ok("PING")
            connection.send(self.REQUESTS[cut:])
            self.expect(connection)

    def test_byte_by_byte(self):
        connection = self.connect()
        for byte in self.REQUESTS:
            connection.send(bytes([byte]))
            self.client.ok("PING")
        self.expect(connection)

    def test_many_pipelines_at_once(self):
        connections = [self.connect() for _ in range(20)]
        for connection in connections:
            connection.send(encode("INCR", "n") * 1000)
        seen = set()
        for connection in connections:
            replies = [int(connection.read_reply()[1:]) for _ in range(1000)]
            self.assertEqual(replies, sorted(replies))
            seen.update(replies)
        self.assertEqual(seen, set(range(1, 20001)))

    def test_random_cuts(self):
        random_numbers = random.Random(environment.seed)
        connection = self.connect()
        stream, expected = bytearray(), bytearray()
        for number in range(300):
            value = random_numbers.randbytes(random_numbers.choice([0, 1, 15, 300, 20000, 70000]))
            stream += encode("SET", f"k{number % 7}", value) + encode("GET", f"k{number % 7}")
            expected += b"+OK\r\n$%d\r\n%s\r\n" % (len(value), value)
        received = bytearray()
        position = 0
        while position < len(stream):
            step = random_numbers.choice([1, 7, 100, 5000, 16384, 65536])
            connection.send(stream[position : position + step])
            position += step
            if random_numbers.random() < 0.2:
                self.client.ok("PING")
        while len(received) < len(expected):
            received += connection.read_reply()
        self.assertEqual(bytes(received), bytes(expected), f"seed {environment.seed}")

    def test_a_pipeline_larger_than_every_buffer(self):
        """A client may send for long before it reads: the server must neither stall nor mix up."""
        count = 20000
        request = encode("ECHO", "y" * 50) * count
        connection = self.connect()
        sent, received = 0, bytearray()
        expected = (b"$50\r\n" + b"y" * 50 + b"\r\n") * count
        connection.socket.setblocking(False)
        while len(received) < len(expected):
            if sent < len(request):
                try:
                    sent += connection.socket.send(request[sent : sent + 262144])
                except BlockingIOError:
                    pass
            try:
                received += connection.socket.recv(65536)
            except BlockingIOError:
                pass
        self.assertEqual(bytes(received), expected)


class Versions(ServerCase):
    def test_hello(self):
        reply = self.client.value("HELLO")
        self.assertEqual(reply[reply.index(b"proto") + 1], 2)
        self.assertIsInstance(self.client.value("HELLO", "3"), dict)
        self.assertEqual(self.client.command("GET", "missing"), b"_\r\n")
        self.assertTrue(self.client.command("CONFIG", "GET", "port").startswith(b"%1\r\n"))
        self.client.ok("HELLO", "2")
        self.assertEqual(self.client.command("GET", "missing"), b"$-1\r\n")
        self.assertEqual(self.client.command("HELLO", "4"),
                         b"-NOPROTO unsupported protocol version\r\n")
        self.assertEqual(self.client.command("HELLO", "x"),
                         b"-ERR Protocol version is not an integer or out of range\r\n")

    def test_reset_and_quit(self):
        self.client.ok("HELLO", "3")
        self.client.ok("SELECT", "3")
        self.assertEqual(self.client.command("RESET"), b"+RESET\r\n")
        self.assertEqual(self.client.command("GET", "missing"), b"$-1\r\n")
        connection = self.connect()
        connection.send(encode("QUIT") + encode("PING"))
        self.assertEqual(connection.read_until_closed(), b"+OK\r\n")
