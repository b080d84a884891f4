"""Random commands, the same to the server and to redis-server: every reply must be the same bytes, and
so must the data at the end. FERRITE_TEST_SEED chooses other commands; a failure prints its seed."""

import random
import unittest

from support import environment
from support.resp import encode
from support.server import Server

FAR = 32503680000  # A deadline that no test lives to see, in seconds.
INTEGERS = ["0", "1", "-1", "7", "100", "-100", "9223372036854775807", "-9223372036854775808",
            "9223372036854775808", "abc", "", "1.5", " 1", "01"]
FLOATS = ["0.1", "-2.5", "3", "1e5", "5.0e-3", "abc", "inf", "nan", "1e308", "-0"]
SMALL = list(range(-12, 30)) + [100, -100, 1000]


class Commands:
    """Draws commands over few keys, so that they meet."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.makers = [getattr(self, name) for name in dir(self) if name.startswith("make_")]

    def draw(self):
        command = self.random.choice(self.makers)()
        if self.random.random() < 0.01:
            command = command[:-1] or ["PING"]  # One argument too few, at times.
        if self.random.random() < 0.01:
            command = command + ["extra"]
        return [str(word) if not isinstance(word, bytes) else word for word in command]

    def key(self):
        return f"k{self.random.randrange(12)}"

    def value(self):
        choice = self.random.random
        if choice() < 0.3:
            return self.random.choice(INTEGERS)
        if choice() < 0.2:
            return self.random.choice(FLOATS)
        return self.random.randbytes(self.random.choice([0, 1, 3, 8, 20, 43, 44, 45, 64, 200, 5000]))

    def number(self):
        return self.random.choice(INTEGERS) if self.random.random() < 0.2 else self.random.choice(SMALL)

    def one_of(self, *words):
        return self.random.choice(words)

    def some(self, *words):
        return [word for word in words if self.random.random() < 0.25]

    def deadline(self):
        return self.one_of(["EXAT", FAR + self.random.randrange(100)],
                           ["PXAT", FAR * 1000 + self.random.randrange(100000)],
                           ["EXAT", 1], ["PXAT", 1], ["EX", 0], ["PX", "abc"], ["EXAT", -1])

    def make_set(self):
        command = ["SET", self.key(), self.value()] + self.some("NX", "XX", "GET", "KEEPTTL")
        return command + (self.deadline() if self.random.random() < 0.3 else [])

    def make_reads(self):
        return [self.one_of("GET", "STRLEN", "EXISTS", "TYPE", "EXPIRETIME", "PEXPIRETIME", "GETDEL",
                            "PERSIST", "TOUCH", "DEL", "UNLINK", "INCR", "DECR", "BITCOUNT"), self.key()]

    def make_encoding(self):
        return ["OBJECT", "ENCODING", self.key()]

    def make_getex(self):
        return ["GETEX", self.key()] + self.one_of([], ["PERSIST"], self.deadline(), self.deadline())

    def make_values(self):
        return [self.one_of("APPEND", "SETNX", "GETSET"), self.key(), self.value()]

    def make_counters(self):
        return [self.one_of("INCRBY", "DECRBY"), self.key(), self.number()]

    def make_float(self):
        return ["INCRBYFLOAT", self.key(), self.random.choice(FLOATS)]

    def make_multiple(self):
        name = self.one_of("MSET", "MSETNX", "MGET", "DEL", "EXISTS", "TOUCH")
        count = self.random.randrange(1, 5)
        if name.startswith("MSET"):
            return [name] + [word for _ in range(count) for word in (self.key(), self.value())]
        return [name] + [self.key() for _ in range(count)]

    def make_ranges(self):
        return [self.one_of("GETRANGE", "SUBSTR"), self.key(), self.number(), self.number()]

    def make_setrange(self):
        return ["SETRANGE", self.key(), self.random.choice([0, 1, 5, 44, 300, -1]), self.value()]

    def make_expire(self):
        seconds = self.one_of(FAR, FAR + 5, 1, -1, "abc", "9223372036854775807")
        name = self.one_of("EXPIREAT", "PEXPIREAT")
        if name == "PEXPIREAT" and isinstance(seconds, int) and seconds > 1:
            seconds = seconds * 1000 + 7
        return [name, self.key(), seconds] + self.some("NX", "XX", "GT", "LT")

    def make_move(self):
        return [self.one_of("RENAME", "RENAMENX", "COPY"), self.key(), self.key()]

    def make_copy(self):
        return ["COPY", self.key(), self.key()] + self.some("REPLACE") + self.one_of([], ["DB", 1])

    def make_move_database(self):
        return ["MOVE", self.key(), self.random.choice([0, 1, 16])]

    def make_select(self):
        return ["SELECT", self.random.choice([0, 0, 0, 1])]

    def make_bit(self):
        offset = self.random.choice([0, 1, 7, 8, 63, 300, 9000, -1, "abc"])
        return self.one_of(["SETBIT", self.key(), offset, self.random.choice([0, 1, 1, 2])],
                           ["GETBIT", self.key(), offset])

    def make_bit_ranges(self):
        unit = self.one_of([], ["BYTE"], ["BIT"])
        return self.one_of(
            ["BITCOUNT", self.key(), self.number(), self.number()] + unit,
            ["BITPOS", self.key(), self.random.choice([0, 1]), self.number()],
            ["BITPOS", self.key(), self.random.choice([0, 1]), self.number(), self.number()] + unit)

    def make_bitop(self):
        sources = [self.key() for _ in range(self.random.randrange(1, 4))]
        return ["BITOP", self.one_of("AND", "OR", "XOR", "NOT"), self.key()] + sources

    def make_bitfield(self):
        words = ["BITFIELD", self.key()]
        for _ in range(self.random.randrange(1, 4)):
            kind = self.one_of("u", "i") + str(self.random.choice([1, 3, 8, 16, 31, 63, 64]))
            offset = self.random.choice([0, 3, 8, 100, "#0", "#2", "#9"])
            words += self.one_of(
                ["GET", kind, offset], ["SET", kind, offset, self.random.choice(SMALL)],
                ["INCRBY", kind, offset, self.random.choice(INTEGERS[:9])],
                ["OVERFLOW", self.one_of("WRAP", "SAT", "FAIL"), "INCRBY", kind, offset, 100])
        return words

    def make_push(self):
        name = self.one_of("LPUSH", "RPUSH", "LPUSHX", "RPUSHX")
        return [name, self.key()] + [self.value() for _ in range(self.random.randrange(1, 9))]

    def make_pop(self):
        count = self.one_of([], [], [self.random.choice([0, 1, 2, 3, 50, -1, "x"])])
        return [self.one_of("LPOP", "RPOP"), self.key()] + count

    def make_list_reads(self):
        return self.one_of(
            ["LRANGE", self.key(), self.number(), self.number()], ["LINDEX", self.key(), self.number()],
            ["LLEN", self.key()], ["LTRIM", self.key(), self.random.choice(SMALL[8:16]), -1],
            ["LPOS", self.key(), self.random.choice(INTEGERS)] + self.some("COUNT", 0, "RANK", -1))

    def make_list_changes(self):
        return self.one_of(
            ["LSET", self.key(), self.number(), self.value()],
            ["LINSERT", self.key(), self.one_of("BEFORE", "AFTER"), self.random.choice(INTEGERS),
             self.value()],
            ["LREM", self.key(), self.random.choice([0, 1, 2, -1, -2]), self.random.choice(INTEGERS)],
            ["LMOVE", self.key(), self.key(), self.end(), self.end()],
            ["RPOPLPUSH", self.key(), self.key()],
            ["LMPOP", 2, self.key(), self.key(), self.end()] + self.one_of([], ["COUNT", 3]))

    def end(self):
        return self.one_of("LEFT", "RIGHT")

    def stream(self):
        return f"s{self.random.randrange(3)}"

    def stream_id(self):
        """Mostly the IDs of recent entries."""
        self.tick = getattr(self, "tick", 0) + (self.random.random() < 0.3)
        return f"{max(self.tick - self.random.randrange(12), 0)}-{self.random.randrange(3)}"

    def make_xadd(self):
        trim = self.one_of([], [], [], ["MAXLEN", 30], ["MAXLEN", "~", 20], ["MINID", self.stream_id()],
                           ["MAXLEN", "~", 5, "LIMIT", 7])
        fields = self.one_of(["f", self.value()], ["f", self.value(), "g", 7],
                             [self.value(), self.value()])
        return ["XADD", self.stream()] + trim + [self.stream_id().split("-")[0] + "-*"] + fields

    def make_stream_reads(self):
        return self.one_of(
            ["XLEN", self.stream()], ["XINFO", "STREAM", self.stream()],
            ["XRANGE", self.stream(), self.one_of("-", self.stream_id()), self.one_of("+", self.stream_id())],
            ["XREVRANGE", self.stream(), self.one_of("+", self.stream_id()), "-", "COUNT", 3],
            ["XREAD", "COUNT", 5, "STREAMS", self.stream(), self.stream(), self.stream_id(), 0])

    def make_stream_cuts(self):
        return self.one_of(
            ["XDEL", self.stream(), self.stream_id(), self.stream_id()],
            ["XTRIM", self.stream(), "MINID", self.one_of("=", "~"), self.stream_id()],
            ["XTRIM", self.stream(), "MAXLEN", self.random.randrange(40)])

    def make_group(self):
        return self.one_of(
            ["XGROUP", "CREATE", self.stream(), self.one_of("g", "h"), self.one_of("0", "$"), "MKSTREAM"],
            ["XGROUP", "SETID", self.stream(), "g", self.stream_id()],
            ["XGROUP", "DELCONSUMER", self.stream(), "g", self.one_of("a", "b")],
            ["XACK", self.stream(), "g", self.stream_id(), self.stream_id()],
            ["XPENDING", self.stream(), "g"])

    def make_deliveries(self):
        # Who is a consumer without having anything differs between 7.0 and 7.2: nothing here tells.
        group = [self.stream(), "g", self.one_of("a", "b")]
        return self.one_of(
            ["XREADGROUP", "GROUP", "g", self.one_of("a", "b"), "COUNT", 4, "STREAMS", self.stream(), ">"],
            ["XREADGROUP", "GROUP", "g", self.one_of("a", "b"), "STREAMS", self.stream(), self.stream_id()],
            ["XCLAIM"] + group + [0, self.stream_id(), self.stream_id()] + self.some("FORCE", "JUSTID"),
            ["XAUTOCLAIM"] + group + [0, self.stream_id(), "COUNT", 3] + self.some("JUSTID"))

    def make_lcs(self):
        return ["LCS", self.key(), self.key()] + self.some("LEN", "IDX", "WITHMATCHLEN")


def same(mine, wanted):
    """Short lists are listpacks in 7.2, quicklists in 7.0."""
    return mine == wanted or (mine, wanted) == (b"$8\r\nlistpack\r\n", b"$9\r\nquicklist\r\n")


@unittest.skipUnless(environment.reference, "there is no redis-server to compare with")
class Differential(unittest.TestCase):
    COUNT, BATCH = 40_000, 200

    def test_random_commands(self):
        settings = {"enable-debug-command": "yes"}
        with Server(environment.server, environment.options(settings)) as server, \
                Server(environment.reference, settings) as judge:
            peers = [server.connect(timeout=60), judge.connect(timeout=60)]
            drawn = Commands(environment.seed)
            for first in range(0, self.COUNT, self.BATCH):
                commands = [drawn.draw() for _ in range(self.BATCH)]
                for peer in peers:
                    peer.send(b"".join(encode(*command) for command in commands))
                for number, command in enumerate(commands):
                    mine, wanted = (peer.read_reply() for peer in peers)
                    if not same(mine, wanted):
                        self.fail(
                            f"seed {environment.seed}, command {first + number}: {command!r}\n"
                            f"server: {mine[:300]!r}\njudge:  {wanted[:300]!r}")
            self.compare_data(peers)

    def compare_data(self, peers):
        """What is stored is the same, database by database."""
        for database in ("0", "1"):
            for command in [("SELECT", database), ("DBSIZE",)] + [
                    (*words, f"k{number}") for number in range(12)
                    for words in (("GET",), ("PEXPIRETIME",), ("OBJECT", "ENCODING"))]:
                mine, wanted = (peer.command(*command) for peer in peers)
                self.assertTrue(same(mine, wanted), f"seed {environment.seed}: {command} at the end: "
                                f"{mine[:300]!r} {wanted[:300]!r}")
        mine, wanted = (peer.command("DEBUG", "DIGEST") for peer in peers)
        self.assertEqual(mine, wanted, f"seed {environment.seed}: the digests differ")
        for peer in peers:
            peer.close()
