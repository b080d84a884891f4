"""grammar: random requests for every command, drawn from the arguments that COMMAND DOCS describes.

    SET key value [NX | XX] [GET] [EX seconds | ...]   ──►   SET s3 "17" XX EX 100000
        │   └ a pool by the argument's name and kind
        └ a key of the command's group most of the time, of any other at times

1. The same seed draws the same requests, whatever the server answers.
2. Few keys and few members, so that commands meet; a word in thirty makes no sense.
3. No request waits for long: timeouts are milliseconds. None draws on the clock but as "long ahead".
"""

import random

FAR = 32503680000  # A deadline that no test lives to see, in seconds.
INTEGERS = ["0", "1", "-1", "2", "3", "-2", "5", "7", "10", "100", "-100"]
ODD_INTEGERS = ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "abc", "",
                "1.5", " 1", "01", "+1", "4294967296"]
DOUBLES = ["0", "1", "2", "3", "-1", "0.5", "1.5", "-2.25", "10", "100", "inf", "-inf"]
ODD_DOUBLES = ["abc", "", "nan", "1e400", "0x10", "1 ", "1e3", "-0", "17179869184", "1e17"]
MEMBERS = ["a", "b", "c", "d", "e", "f", "aa", "ab", "", "1", "2", "3", "10", "-5", "70000", "x\r\ny"]
GARBAGE = ["", "abc", "-1", "0", "99999999999999999999", "nan", "*", "(", "\x00", "NX", "COUNT", "LIMIT"]
IDS = ["1-1", "1-2", "1-3", "2-0", "2-1", "3-3", "5-0", "7-7", "9-1", "20-1", "100-0"]
# Which keys a group's commands like.
PREFIXES = {"string": "s", "bitmap": "s", "list": "l", "set": "t", "sorted-set": "z", "hash": "h",
            "stream": "x", "hyperloglog": "p", "geo": "g", "generic": None}


class Grammar:
    def __init__(self, docs, seed):
        """`docs`: what COMMAND DOCS says of each command: {name: {"group": ..., "arguments": ...}}."""
        self.random = random.Random(seed)
        self.docs = docs
        self.names = sorted(docs)
        self.command = ""
        self.group = "generic"

    # What is drawn

    def draw(self):
        """A request: a list of bytes."""
        self.command = self.random.choice(self.names)
        facts = self.docs[self.command]
        self.group = facts["group"]
        special = getattr(self, "draw_" + self.command.replace("|", "_").replace("-", "_"), None)
        words = self.command.upper().split("|")
        words += special() if special else self.arguments(facts["arguments"])
        if "lex" in self.command or "BYLEX" in words:
            # By name only where all scores are one: what other sets answer is not defined.
            words = [f"q{word[1:]}" if isinstance(word, str) and word[:1] == "z" and word[1:].isdigit()
                     else word for word in words]
        return self.spoil([self.encode(word) for word in words])

    @staticmethod
    def encode(word):
        return word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape")

    def spoil(self, words):
        """Makes nonsense of a few requests."""
        draw = self.random.random()
        if draw < 0.01 and len(words) > 1:
            del words[self.random.randrange(1, len(words))]
        elif draw < 0.02:
            words.insert(self.random.randrange(1, len(words) + 1), b"extra")
        elif draw < 0.03 and len(words) > 2:
            words[self.random.randrange(1, len(words))] = self.random.choice(GARBAGE).encode()
        return words

    def key(self):
        prefix = PREFIXES.get(self.group)
        if prefix is None or self.random.random() < 0.06:
            prefix = self.random.choice("slltzzhhxg")
        return f"{prefix}{self.random.randrange(4)}"

    def member(self):
        draw = self.random.random()
        if draw < 0.75:
            return self.random.choice(MEMBERS)
        if draw < 0.95:
            return f"m{self.random.randrange(300)}"
        return "long" * self.random.choice([15, 16, 17, 40, 600])

    def integer(self):
        return self.random.choice(INTEGERS if self.random.random() < 0.96 else ODD_INTEGERS)

    def double(self):
        return self.random.choice(DOUBLES if self.random.random() < 0.96 else ODD_DOUBLES)

    def one_of(self, *choices):
        return self.random.choice(choices)

    # From the grammar

    def arguments(self, specs):
        words = []
        for spec in specs:
            flags = spec["flags"]
            if "optional" in flags and self.random.random() < 0.6:
                continue
            count = 1
            if "multiple" in flags:
                count = self.random.choice([1, 1, 2, 2, 3, 5])
                if self.random.random() < 0.02:
                    count = self.random.choice([30, 140, 600])
            words += self.repeated(spec, count, "multiple_token" in flags)
        return self.counted(words)

    def repeated(self, spec, count, repeats_token):
        words = []
        token = [spec["token"]] if spec.get("token") is not None else []
        if spec["type"] == "pure-token":
            return token
        for number in range(count):
            words += token if number == 0 or repeats_token else []
            words += self.value(spec)
        return words

    def value(self, spec):
        kind = spec["type"]
        if kind == "oneof":
            chosen = self.random.choice(spec["arguments"])
            return self.repeated(chosen, 1, False)
        if kind == "block":
            return self.arguments(spec["arguments"])
        return [self.scalar(kind, spec["name"])]

    @staticmethod
    def counted(words):
        """Puts the number of keys where a numkeys argument stands: it was drawn as a marker."""
        for index, word in enumerate(words):
            if word is NUMKEYS:
                count = 0
                while index + 1 + count < len(words) and isinstance(words[index + 1 + count], Key):
                    count += 1
                words[index] = str(count)
        return words

    def scalar(self, kind, name):
        pool = getattr(self, "pool_" + name.replace("-", "_"), None)
        if pool:
            return pool()
        if kind == "key":
            return Key(self.key())
        if kind == "integer":
            return self.integer()
        if kind == "double":
            return self.double()
        if kind == "pattern":
            return self.one_of("*", "a*", "?", "[a-c]*", "m1*", "*\\*", "s*")
        if kind == "unix-time":
            seconds = FAR + self.random.randrange(100)
            return self.one_of(str(seconds), str(seconds * 1000), "1", "-1", "abc")
        return self.member()

    # Pools by argument name

    def pool_numkeys(self):
        return NUMKEYS if self.random.random() < 0.96 else self.integer()

    def pool_timeout(self):
        return self.one_of("0.001", "0.002", "0.0001", "-1", "abc", "1e-3")

    def pool_milliseconds(self):
        if self.group == "stream":  # XREAD's BLOCK.
            return self.one_of("1", "2", "-1", "abc")
        return self.one_of("100000000", "90000000000", "0", "-1", "abc", "9223372036854775807")

    def pool_seconds(self):
        return self.one_of("100000", "90000000", "0", "-1", "abc", "9223372036854775807")

    def pool_min(self):
        return self.bound()

    def pool_max(self):
        return self.bound()

    def pool_start(self):
        return self.bound() if self.group == "sorted-set" else self.id_or_integer()

    def pool_stop(self):
        return self.bound() if self.group == "sorted-set" else self.id_or_integer()

    def pool_end(self):
        return self.id_or_integer()

    def bound(self):
        if "lex" in self.command or self.random.random() < 0.15:
            return self.one_of("-", "+", "[a", "(a", "[c", "(f", "[m2", "[", "x")
        if "score" in self.command or self.random.random() < 0.3:
            return self.one_of("-inf", "+inf", "0", "(1", "2", "(2", "1.5", "100", "(-1", "x", "(")
        return self.integer()

    def id_or_integer(self):
        return self.stream_id() if self.group == "stream" else self.integer()

    def stream_id(self):
        if self.random.random() < 0.9:
            return self.random.choice(IDS)
        return self.one_of("0", "-", "+", "(1-1", "5", "0-0", "1-", "abc", "$", ">",
                           "18446744073709551615-18446744073709551615")

    def pool_id(self):
        return self.stream_id()

    def pool_lastid(self):
        return self.stream_id()

    def pool_last_id(self):
        return self.stream_id()

    def pool_max_deleted_id(self):
        return self.stream_id()

    def pool_threshold(self):
        return self.one_of("0", "1", "3", "10", "100", "2-0", "-1", "x")

    def pool_min_idle_time(self):
        return self.one_of("0", "99999999", "-1", "x")

    def pool_group(self):
        return self.one_of("g1", "g1", "g2", "nogroup")

    def pool_groupname(self):
        return self.pool_group()

    def pool_consumer(self):
        return self.one_of("c1", "c1", "c2", "c3")

    def pool_consumername(self):
        return self.pool_consumer()

    def pool_offset(self):
        if self.command in ("setbit", "getbit"):
            return self.one_of("0", "1", "7", "8", "63", "300", "9000", "-1", "abc")
        if "bitfield" in self.command:
            return self.one_of("0", "3", "8", "100", "#0", "#2", "#9")
        return self.one_of("0", "1", "5", "44", "-1") if self.random.random() < 0.9 else self.integer()

    def pool_encoding(self):
        return self.one_of("u", "i") + self.one_of("1", "3", "8", "16", "31", "63", "64", "0")

    def pool_operation(self):
        return self.one_of("AND", "OR", "XOR", "NOT", "NAND")

    def pool_bit(self):
        return self.one_of("0", "1", "1", "2")

    def pool_longitude(self):
        return self.one_of("13.361389", "15.087269", "2.35", "-73.9", "0", "179.9", "-180", "181", "x")

    def pool_latitude(self):
        return self.one_of("38.115556", "37.502669", "48.85", "40.7", "0", "85", "-85.05", "86", "x")

    def pool_radius(self):
        return self.one_of("1", "100", "500.5", "5000", "20000", "0", "-1", "x")

    def pool_width(self):
        return self.pool_radius()

    def pool_height(self):
        return self.pool_radius()

    def pool_destination_db(self):
        return self.one_of("0", "1", "1", "16", "x")

    def pool_db(self):
        return self.pool_destination_db()

    def pool_cursor(self):
        return "0" if self.random.random() < 0.95 else self.one_of("abc", "", "1x")

    def pool_newkey(self):
        return Key(self.key())

    # Commands whose grammar says too little

    def value_text(self):
        draw = self.random.random()
        if draw < 0.4:
            return self.integer()
        if draw < 0.5:
            return self.double()
        # Few long ones: LCS takes the product of two lengths.
        sizes = [0, 1, 3, 8, 20, 43, 44, 45, 64, 200] if draw < 0.99 else [2047, 2048, 2049, 5000]
        return self.random.randbytes(self.random.choice(sizes))

    def pool_value(self):
        if "bitfield" in self.command or self.command == "setbit":
            return self.one_of("0", "1", "1", "2", "-1", "255", "99999")
        return self.value_text() if self.group == "string" else self.member()

    def draw_xadd(self):
        words = [self.key()]
        if self.random.random() < 0.2:
            words.append("NOMKSTREAM")
        if self.random.random() < 0.2:
            words += [self.one_of("MAXLEN", "MINID"), *self.one_of([], ["="], ["~"]),
                      self.pool_threshold()]
            if self.random.random() < 0.2:
                words += ["LIMIT", self.integer()]
        number = self.random.randrange(1, 400)
        words.append(self.one_of(f"{number}-{self.random.randrange(3)}", f"{number}-*", f"{number}",
                                 self.stream_id()))
        for _ in range(self.random.choice([1, 1, 2, 3])):
            words += [self.member(), self.member()]
        return words

    def draw_zadd(self):
        if self.random.random() < 0.2:
            members = [self.member() for _ in range(self.random.choice([1, 2, 5]))]
            return [f"q{self.random.randrange(4)}", *[word for name in members for word in (0, name)]]
        words = [self.key()]
        for word in ("NX", "XX", "GT", "LT", "CH", "INCR"):
            if self.random.random() < 0.12:
                words.append(word)
        for _ in range(self.random.choice([1, 1, 2, 4, 150] if self.random.random() < 0.1 else [1, 3])):
            words += [self.double(), self.member()]
        return words

    def draw_xreadgroup(self):
        words = ["GROUP", self.pool_group(), self.pool_consumer()]
        if self.random.random() < 0.5:
            words += ["COUNT", self.integer()]
        if self.random.random() < 0.05:
            words += ["BLOCK", self.pool_milliseconds()]
        if self.random.random() < 0.2:
            words.append("NOACK")
        keys = [self.key() for _ in range(self.random.choice([1, 1, 2]))]
        return words + ["STREAMS", *keys, *[self.one_of(">", ">", "0", self.stream_id()) for _ in keys]]

    def draw_xread(self):
        words = self.one_of([], ["COUNT", self.integer()])
        if self.random.random() < 0.05:
            words = words + ["BLOCK", self.pool_milliseconds()]
        keys = [self.key() for _ in range(self.random.choice([1, 1, 2]))]
        return words + ["STREAMS", *keys, *[self.one_of("0", "$", self.stream_id()) for _ in keys]]

    def draw_sort(self):
        words = [self.key()]
        by = self.one_of([], [], ["BY", "s*"], ["BY", "h*->a"])
        words += by
        if self.random.random() < 0.3:
            words += ["LIMIT", self.integer(), self.integer()]
        for _ in range(self.random.choice([0, 0, 1, 2])):
            words += ["GET", self.one_of("#", "s*", "h*->b", "s1")]
        words += self.one_of([], ["ASC"], ["DESC"])
        # Texts that are missing are equal, and the order of equals is not defined.
        words += ["ALPHA"] if not by and self.random.random() < 0.8 else []
        if self.command == "sort" and self.random.random() < 0.3:
            words += ["STORE", self.key()]
        return words

    draw_sort_ro = draw_sort

    def draw_sscan(self):
        """All in one step: what a step returns is each server's own affair."""
        words = [self.key(), self.pool_cursor(), *self.one_of([], ["MATCH", self.scalar("pattern", "")])]
        count = "100000" if self.random.random() < 0.95 else self.one_of("0", "-1", "abc")
        return words + ["COUNT", count]

    draw_hscan = draw_zscan = draw_sscan


class Key(str):
    """A word that is a key: what a numkeys argument counts."""


NUMKEYS = object()
