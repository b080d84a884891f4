"""commands: what a writer sends next, over all types.

1. A command never fails: what it needs is looked up in `projected`, the state that everything sent so
   far makes. On a disk that runs full anything may be refused, so that only commands go out that need
   nothing.
2. A tuple is a group: MULTI, its commands, EXEC. It happens whole or not at all.
3. Deadlines are far, or close on keys which no later command asks for.
"""

from model import apply, value

KINDS = [b"hash", b"list", b"set", b"zset", b"stream", b"hll"]
GROUP = b"readers"


class Commands:
    def __init__(self, number, random, isSmall):
        self.random, self.isSmall = random, isSmall
        self.prefix = b"w%d:" % number
        self.counter = self.prefix + b"counter"
        self.lastId = 0

    def next(self, projected):
        choice = self.random.random()
        if choice < 0.45:
            command = self.string()
        elif choice < 0.85:
            command = self.collection(projected)
        else:
            command = self.group(projected)
        apply(projected, command)
        return command

    def key(self, kind=b""):
        return self.prefix + kind + b"%d" % self.random.randrange(2 if kind else 12)

    def keys(self, kind):
        """Two different keys of a kind."""
        keys = [self.prefix + kind + b"0", self.prefix + kind + b"1"]
        return keys if self.random.random() < 0.5 else keys[::-1]

    def element(self):
        # Long ones turn packed collections into large ones; integers, intsets into tables.
        number = self.random.randrange(200)
        if self.random.random() < 0.3:
            return b"%d" % number
        return b"e%d" % number if number % 20 else b"element %d " % number * 8

    def value(self):
        size = self.random.random()
        if self.isSmall:
            count = self.random.randrange(300_000 if size < 0.5 else 80)
        elif size < 0.9:
            count = self.random.randrange(80)
        elif size < 0.99:
            count = self.random.randrange(6000)
        else:
            count = self.random.randrange(300_000)
        return b"%08x" % self.random.getrandbits(32) * (count // 8 + 1)

    def now(self):
        raise NotImplementedError

    def string(self):
        choice = self.random.randrange(16)
        key = self.key()
        if choice < 4:
            return [b"INCR", self.counter]
        if choice < 8:
            return [b"SET", key, self.value()]
        if choice == 8 or self.isSmall and choice == 9:
            other = self.key(self.random.choice(KINDS)) if self.random.random() < 0.2 else self.key()
            return [b"DEL", key, other]
        if choice == 9:
            return [b"APPEND", key, b"%d" % self.random.randrange(1000)]
        if choice == 10:
            words = [b"MSET"]
            for _ in range(self.random.randrange(1, 6)):
                words += [self.key(), self.value()]
            return words
        if choice == 11:
            if self.random.random() < 0.5:
                key = self.key(self.random.choice(KINDS))
            later = self.now() + 3_600_000 + self.random.randrange(1000)
            return [b"PEXPIREAT", key, b"%d" % later]
        if choice == 12:
            return [b"PERSIST", key]
        if choice == 13:
            soon = self.now() + self.random.randrange(20, 800)
            return [b"SET", self.prefix + b"soon%d" % self.random.randrange(4), self.value(),
                    b"PXAT", b"%d" % soon]
        if choice == 14:
            return [b"SETRANGE", key, b"%d" % self.random.randrange(40), b"range"]
        return [b"GETSET", key, self.value()]

    def collection(self, projected):
        kind = self.random.choice(KINDS)
        if kind == b"stream":
            return self.stream(projected)
        key = self.key(kind)
        first, second = self.keys(kind)
        some = [self.element() for _ in range(self.random.choice([1, 1, 1, 5, 60]))]
        pick = self.random.choice
        if kind == b"hash":
            number = b"n%d" % self.random.randrange(4)
            return pick([
                [b"HSET", key, some[0], self.value()],
                [b"HSET", key] + [word for each in some for word in (each, each)],
                [b"HDEL", key] + some, [b"HINCRBY", key, number, b"7"]])
        if kind == b"list":
            return pick([
                [b"LPUSH", key] + some, [b"RPUSH", key] + some, [b"LPOP", key], [b"RPOP", key],
                [b"LREM", key, b"2", some[0]], [b"LTRIM", key, b"1", b"150"],
                [b"LINSERT", key, pick([b"BEFORE", b"AFTER"]), some[0], b"inserted"],
                [b"LMOVE", first, second, pick([b"LEFT", b"RIGHT"]), pick([b"LEFT", b"RIGHT"])],
                [b"LPOP", key, b"%d" % len(some)]])
        if kind == b"set":
            return pick([
                [b"SADD", key] + some, [b"SADD", key] + some, [b"SREM", key] + some,
                [b"SMOVE", first, second, some[0]], [b"SUNIONSTORE", first, first, second],
                [b"SINTERSTORE", self.prefix + b"set2", first, second],
                [b"SDIFFSTORE", first, first, second]])
        if kind == b"hll":
            if self.random.random() < 0.2:
                return [b"PFMERGE", first, second]
            return [b"PFADD", key] + some
        score = b"%d" % self.random.randrange(1000)
        return pick([
            [b"ZADD", key] + [word for each in some for word in (score, each)],
            [b"ZADD", key, score, some[0]], [b"ZREM", key] + some,
            [b"ZINCRBY", key, b"3", some[0]], [b"ZPOPMIN", key, b"2"],
            [b"ZREMRANGEBYRANK", key, b"10", b"13"],
            [b"ZUNIONSTORE", self.prefix + b"zset2", b"2", first, second]])

    def identifier(self):
        self.lastId += self.random.randrange(1, 4)
        return b"%d-0" % self.lastId

    def entry(self, key):
        words = [b"XADD", key]
        if self.random.random() < 0.3:
            words += [b"MAXLEN", b"150"]
        words.append(self.identifier())
        for _ in range(self.random.randrange(1, 4)):
            words += [b"field%d" % self.random.randrange(5), self.element()]
        return words

    def recent(self, stream):
        """A few ids, most of them of the stream's entries."""
        known = list(stream.entries)[-40:] or [1]
        return [b"%d-0" % self.random.choice(known) for _ in range(self.random.randrange(1, 4))]

    def stream(self, projected):
        key = self.key(b"stream")
        held = value(projected, key)
        if held is None or self.isSmall or self.random.random() < 0.4:
            return self.entry(key)
        if GROUP not in held.groups:
            return [b"XGROUP", b"CREATE", key, GROUP, b"0"]
        consumer = b"reader%d" % self.random.randrange(3)
        return self.random.choice([
            [b"XREADGROUP", b"GROUP", GROUP, consumer, b"COUNT", b"%d" % self.random.randrange(1, 9),
             b"STREAMS", key, b">"],
            [b"XACK", key, GROUP] + self.recent(held),
            [b"XCLAIM", key, GROUP, consumer, b"0"] + self.recent(held),
            [b"XDEL", key] + self.recent(held), [b"XTRIM", key, b"MINID", self.recent(held)[0]]])

    def group(self, projected):
        """A transaction over several keys."""
        choice = self.random.randrange(4)
        if choice == 0:
            key = self.prefix + b"soonlist%d" % self.random.randrange(2)
            soon = self.now() + self.random.randrange(20, 800)
            return ([b"DEL", key], [b"RPUSH", key, b"a", self.element(), b"c"],
                    [b"PEXPIREAT", key, b"%d" % soon])
        if choice == 1:
            first, second = self.keys(b"set")
            return ([b"SADD", first, self.element()], [b"RENAME", first, second],
                    [b"INCR", self.counter])
        if choice == 2:
            kind = self.random.choice(KINDS)
            first, second = self.keys(kind)
            copied = [b"COPY", first, second, b"REPLACE"]
            return ([b"INCR", self.counter], copied, [b"DEL", self.key()])
        commands, after = [], dict(projected)
        for _ in range(self.random.randrange(2, 9)):
            command = self.string() if self.random.random() < 0.3 else self.collection(after)
            apply(after, command)
            commands.append(command)
        return tuple(commands)
