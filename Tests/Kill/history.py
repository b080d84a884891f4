"""history: what each writer has sent, and what a server may hold after a crash.

    base ──► command 1 ──► command 2 ──► ... ──► command n     (one writer's keys, in one database)
             acknowledged   acknowledged          sent

1. `settle` finds, for each writer, a command up to which its history explains what was found; that
   state becomes the next base.
2. A key whose deadline has passed may be gone, whatever its history says. Only SET touches keys
   whose deadlines are close, so that no later command depends on whether they were there.
"""

import time

from resp import ReplyError

DATABASES = 4
# What a clock may be off between driver and server, which run on the same machine.
SLACK_MILLISECONDS = 5


def now_milliseconds():
    return int(time.time() * 1000)


class Writer:
    def __init__(self, number, random, isSmall):
        self.number, self.random, self.isSmall = number, random, isSmall
        self.database = number % DATABASES
        self.prefix = b"w%d:" % number
        self.state = {}       # key → (value, deadline or None): what all acknowledged commands make
        self.sent = []        # commands that are not acknowledged, oldest first
        self.acknowledged = []  # acknowledged since the last crash, where they may be lost
        self.base = {}        # the state at the last crash
        self.counter_seen = 0

    @property
    def counter(self):
        return self.prefix + b"counter"

    def key(self):
        return self.prefix + b"%d" % self.random.randrange(12)

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

    def collection(self):
        """A command on a collection; every type has keys of its own."""
        kind = self.random.choice([b"hash", b"list", b"set", b"zset"])
        key = self.prefix + kind + b"%d" % self.random.randrange(2)
        element = b"e%d" % self.random.randrange(200)
        isRemoval = self.random.random() < 0.3
        if kind == b"hash":
            return [b"HDEL", key, element] if isRemoval else [b"HSET", key, element, self.value()]
        if kind == b"list":
            end = self.random.choice([b"L", b"R"])
            return [end + b"POP", key] if isRemoval else [end + b"PUSH", key, element]
        if kind == b"set":
            return [b"SREM" if isRemoval else b"SADD", key, element]
        if isRemoval:
            return [b"ZREM", key, element]
        return [b"ZADD", key, b"%d" % self.random.randrange(1000), element]

    def command(self):
        """The next command: its words."""
        if self.random.random() < 0.3:
            return self.collection()
        choice = self.random.randrange(16)
        key = self.key()
        if choice < 4:
            return [b"INCR", self.counter]
        if choice < 8:
            return [b"SET", key, self.value()]
        if choice == 8 or self.isSmall and choice == 9:
            return [b"DEL", key, self.key()]
        if choice == 9:
            return [b"APPEND", key, b"%d" % self.random.randrange(1000)]
        if choice == 10:
            words = [b"MSET"]
            for _ in range(self.random.randrange(1, 6)):
                words += [self.key(), self.value()]
            return words
        if choice == 11:
            later = now_milliseconds() + 3_600_000 + self.random.randrange(1000)
            return [b"PEXPIREAT", key, b"%d" % later]
        if choice == 12:
            return [b"PERSIST", key]
        if choice == 13:
            soon = now_milliseconds() + self.random.randrange(20, 800)
            return [b"SET", self.prefix + b"soon%d" % self.random.randrange(4), self.value(),
                    b"PXAT", b"%d" % soon]
        if choice == 14:
            return [b"SETRANGE", key, b"%d" % self.random.randrange(40), b"range"]
        return [b"GETSET", key, self.value()]


def apply(state, words):
    """Does to `state` what the command does."""
    name = words[0]
    if name == b"INCR":
        old = state.get(words[1], (b"0", None))
        state[words[1]] = (b"%d" % (int(old[0]) + 1), old[1])
    elif name == b"SET" and len(words) == 5:
        state[words[1]] = (words[2], int(words[4]))
    elif name in (b"SET", b"GETSET"):
        state[words[1]] = (words[2], None)
    elif name == b"DEL":
        for key in words[1:]:
            state.pop(key, None)
    elif name == b"MSET":
        for index in range(1, len(words), 2):
            state[words[index]] = (words[index + 1], None)
    elif name == b"APPEND":
        old = state.get(words[1], (b"", None))
        state[words[1]] = (old[0] + words[2], old[1])
    elif name == b"SETRANGE":
        old = state.get(words[1], (b"", None))
        offset = int(words[2])
        value = old[0].ljust(offset, b"\0")
        state[words[1]] = (value[:offset] + words[3] + value[offset + len(words[3]):], old[1])
    elif name == b"PEXPIREAT":
        old = state.get(words[1])
        if old is not None:
            state[words[1]] = (old[0], int(words[2]))
    elif name == b"PERSIST":
        old = state.get(words[1])
        if old is not None:
            state[words[1]] = (old[0], None)
    else:
        applyToCollection(state, words)


def applyToCollection(state, words):
    """The same for collections, which are never changed in place: states share them."""
    name, key = words[0], words[1]
    old = state.get(key, (None, None))[0]
    if name == b"HSET":
        new = {**(old or {}), words[2]: words[3]}
    elif name == b"HDEL":
        new = {field: value for field, value in (old or {}).items() if field != words[2]}
    elif name == b"LPUSH":
        new = [words[2]] + (old or [])
    elif name == b"RPUSH":
        new = (old or []) + [words[2]]
    elif name == b"LPOP":
        new = (old or [])[1:]
    elif name == b"RPOP":
        new = (old or [])[:-1]
    elif name == b"SADD":
        new = (old or frozenset()) | {words[2]}
    elif name == b"SREM":
        new = (old or frozenset()) - {words[2]}
    elif name == b"ZADD":
        new = {**(old or {}), words[3]: words[2]}
    elif name == b"ZREM":
        new = {member: score for member, score in (old or {}).items() if member != words[2]}
    else:
        raise AssertionError(f"no model of {name!r}")
    if new:
        state[key] = (new, None)
    else:
        state.pop(key, None)


class History:
    def __init__(self, random, clients, isSmall=False):
        self.writers = [Writer(number, random, isSmall) for number in range(clients)]
        self.databases = range(DATABASES)

    def settle(self, found, isWhole):
        """Compares what was found with the histories. Returns what is wrong, or None."""
        known = set()
        for writer in self.writers:
            held = {key: entry for (database, key), entry in found.items()
                    if database == writer.database and key.startswith(writer.prefix)}
            known.update((writer.database, key) for key in held)
            error = self._settle(writer, held, isWhole)
            if error:
                return error
        strangers = set(found) - known
        return f"keys that nobody wrote: {sorted(strangers)[:5]}" if strangers else None

    @staticmethod
    def _settle(writer, held, isWhole):
        when = now_milliseconds()
        if isWhole:
            state, commands, least = dict(writer.state), writer.sent, len(writer.acknowledged)
        else:
            state, commands, least = dict(writer.base), writer.acknowledged + writer.sent, 0
        nearest = None
        for count in range(len(commands) + 1):
            if count > 0:
                apply(state, commands[count - 1])
            wrong = differences(state, held, when)
            if not wrong:
                counter = int(held.get(writer.counter, (b"0", None))[0])
                if isWhole and counter < writer.counter_seen:
                    return (f"a reader saw {writer.counter.decode()} at {writer.counter_seen}, "
                            f"it is {counter}")
                writer.counter_seen = counter
                writer.state = dict(held)
                writer.base = dict(held)
                writer.sent, writer.acknowledged = [], []
                return None
            if nearest is None or len(wrong) < len(nearest[1]):
                nearest = (count, wrong)
        count, wrong = nearest
        return (f"writer {writer.number}: no prefix of its history explains what is there: "
                f"{least} acknowledged, {len(commands)} candidates; nearest after {count}: "
                f"{wrong[:3]}")


def differences(state, held, when):
    """Keys by which `held` cannot be `state` at about `when`."""
    wrong = []
    for key in state.keys() | held.keys():
        expected, actual = state.get(key), held.get(key)
        if expected == actual:
            continue
        isDue = expected is not None and expected[1] is not None \
            and expected[1] < when + SLACK_MILLISECONDS
        if isDue and actual is None:
            continue
        wrong.append((key, short(expected), short(actual)))
    return wrong


def short(entry):
    if entry is None:
        return None
    value, deadline = entry
    if not isinstance(value, bytes):
        return (f"{len(value)} elements", deadline)
    return (value if len(value) < 40 else value[:37] + b"...%d" % len(value), deadline)


__all__ = ["History", "ReplyError"]
