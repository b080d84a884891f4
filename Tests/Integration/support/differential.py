"""differential: the same random requests to two servers; every reply and all data must be the same.

1. Replies are compared as bytes, except where Redis itself leaves the answer open (the order of a
   set's members, random picks, times): `WAYS` says how.
2. What the answer leaves open does not stay in the data: a key from which a random member went is
   deleted on both sides.
3. After each batch every key's type, digest, encoding and deadline are compared, too, and what XINFO
   tells of streams and their groups.
"""

import time

from .grammar import Grammar
from .resp import decode, encode
from .transcript import shape

GROUPS = {"string", "bitmap", "list", "set", "sorted-set", "hash", "stream", "hyperloglog", "geo",
          "generic"}
# Not for two servers with one client each, or told in other tests.
LEFT_OUT = {"migrate", "wait", "waitaof", "restore", "restore-asking", "scan", "randomkey", "pfdebug",
            "pfselftest", "object|help", "xgroup|help", "xinfo|help", "object|freq", "keys"}
UNORDERED = {"smembers", "sinter", "sunion", "sdiff", "hkeys", "hvals", "geosearch", "georadius",
             "georadius_ro", "georadiusbymember", "georadiusbymember_ro", "keys"}
PAIRS = {"hgetall"}
SCANS = {"sscan": 1, "hscan": 2, "zscan": 2}
RANDOM = {"srandmember", "hrandfield", "zrandmember"}
SHAPES = {"object|idletime", "object|refcount", "memory|usage", "dump"}
NEAR = {"ttl": 2, "pttl": 2000, "expiretime": 2, "pexpiretime": 2000}
CONSUMING = {"spop"}


class Differential:
    """Two connections and a grammar."""

    def __init__(self, mine, judge, seed):
        self.peers = [mine, judge]
        self.grammar = Grammar(common_docs(mine, judge), seed)
        self.random = self.grammar.random
        self.history = []
        # Keys that may hold a sorted set which Redis' SORT has made a skiplist.
        self.sorted = set()

    def batch(self, count):
        """Sends `count` requests or a few more. Gives what differed, as text, or None."""
        requests = []
        if self.random.random() < 0.2:
            requests.append((b"HELLO", self.random.choice([b"2", b"3"])))
        while len(requests) < count:
            if self.random.random() < 0.01:
                requests += self.transaction()
            else:
                requests += self.request()
        data = b"".join(encode(*words) for words in requests)
        for peer in self.peers:
            peer.send(data)
        queued = None
        for words in requests:
            self.history.append(words)
            self.note(words)
            replies = [self.read(number, words) for number in range(2)]
            name = words[0].lower()
            if name == b"multi":
                queued = []
            if name == b"exec" and queued is not None:
                trouble = self.compare_transaction(queued, replies)
                queued = None
            else:
                if queued is not None and replies[0] == b"+QUEUED\r\n":
                    queued.append(words)
                trouble = compare(words, *replies)
            if trouble:
                self.drain(requests, words)
                return f"{self.story(words)}{trouble}"
        del self.history[:-4000]
        return self.compare_data()

    def note(self, words):
        name = words[0].lower()
        if name in (b"sort", b"sort_ro"):
            self.sorted.update(words[1:2])
        elif name in (b"rename", b"renamenx", b"copy") and words[1:2] and words[1] in self.sorted:
            self.sorted.update(words[2:3])

    def read(self, number, words):
        try:
            return self.peers[number].read_reply()
        except TimeoutError as error:
            who = ["server", "judge"][number]
            raise TimeoutError(f"the {who} does not answer\n{self.story(words)}") from error

    def request(self):
        words = self.grammar.draw()
        name = words[0].lower().decode("latin1")
        # 7.2 refuses an XSETID below the greatest ID that was deleted, 7.0 takes it.
        if name in CONSUMING or name == "xsetid" or (name == "xadd" and b"*" in words):
            return [tuple(words)] + [(b"DEL", word) for word in words[1:2]]
        return [tuple(words)]

    def transaction(self):
        body = [request for _ in range(self.random.randrange(5)) for request in self.request()]
        return [(b"MULTI",), *body, (b"EXEC",)]

    def compare_transaction(self, queued, replies):
        if not all(reply.startswith(b"*") and reply != b"*-1\r\n" for reply in replies):
            return describe(*replies) if replies[0] != replies[1] else None
        parts = [elements(reply) for reply in replies]
        if any(len(part) != len(queued) for part in parts):
            return describe(*replies)
        for words, mine, judge in zip(queued, *parts):
            trouble = compare(words, mine, judge)
            if trouble:
                return f"  inside the transaction: {printable(words)}\n{trouble}"
        return None

    def drain(self, requests, words):
        """Reads the replies to the requests after `words`, so that the connections can go on."""
        rest = len(requests) - 1 - next(
            index for index, request in enumerate(requests) if request is words)
        for _ in range(rest):
            for peer in self.peers:
                peer.read_reply()

    def story(self, words):
        """The last requests that named one of the same keys."""
        told = [past for past in self.history[:-1] if set(past[1:]) & set(words[1:3])][-12:]
        lines = [f"    {printable(past)}" for past in told] + [f"  > {printable(words)}"]
        return "\n".join(lines) + "\n"

    def compare_data(self):
        """What is stored, key by key."""
        keys = set()
        for peer in self.peers:
            keys |= set(decode(peer.command("KEYS", "*")))
        for key in sorted(keys):
            kind = None
            for words in ((b"TYPE", key), (b"DEBUG", b"DIGEST-VALUE", key),
                          (b"OBJECT", b"ENCODING", key), (b"PEXPIRETIME", key),
                          (b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0")):
                if words[0] == b"XINFO" and kind != b"+stream\r\n":
                    continue
                mine, judge = (peer.command(*words) for peer in self.peers)
                kind = mine if words[0] == b"TYPE" else kind
                trouble = compare(words, mine, judge)
                if not trouble and words[0] == b"OBJECT" and mine != judge:
                    trouble = self.compare_encodings(key, kind, mine, judge)
                if trouble:
                    return self.story(words) + trouble + self.contents(key)
        # A key that is due counts until it is removed, which takes its time.
        for _ in range(50):
            mine, judge = (peer.command("DBSIZE") for peer in self.peers)
            if mine == judge:
                return None
            time.sleep(0.05)
        return describe(mine, judge, "DBSIZE")

    def compare_encodings(self, key, kind, mine, judge):
        """Each name may stand for another one only where it is its type's, and its reason holds."""
        excused = {b"+list\r\n": b"quicklist", b"+set\r\n": b"hashtable"}.get(kind)
        if kind == b"+zset\r\n" and key in self.sorted:
            excused = b"skiplist"
        return None if excused is not None and excused in judge else describe(mine, judge, "encoding")

    def contents(self, key):
        kind = decode(self.peers[0].command("TYPE", key))
        words = {"string": ("GET", key), "list": ("LRANGE", key, "0", "-1"), "set": ("SMEMBERS", key),
                 "zset": ("ZRANGE", key, "0", "-1", "WITHSCORES"), "hash": ("HGETALL", key),
                 "stream": ("XINFO", "STREAM", key, "FULL")}.get(kind, ("TYPE", key))
        return "\n" + describe(*(peer.command(*words) for peer in self.peers), "content")

    def restart(self):
        """Both servers empty again, on RESP2, for going on after a difference."""
        self.sorted.clear()
        for peer in self.peers:
            for words in (("RESET",), ("SELECT", "1"), ("FLUSHALL",), ("SELECT", "0")):
                peer.command(*words)
        self.history.clear()


def common_docs(mine, judge):
    """COMMAND DOCS of the judge for the commands that both have, subcommands as "object|encoding"."""
    known = {name.decode() for name in decode(mine.command("COMMAND", "LIST"))}
    docs = {}
    for name, facts in pairs(decode(judge.command("COMMAND", "DOCS"))):
        facts = dict(pairs(facts))
        if name.decode() in known and facts[b"group"].decode() in GROUPS:
            children = pairs(facts.get(b"subcommands", [])) or [(name, pairs_list(facts))]
            for child, rest in children:
                rest = dict(pairs(rest))
                if child.decode() not in LEFT_OUT:
                    docs[child.decode()] = {"group": facts[b"group"].decode(),
                                            "arguments": parsed(rest.get(b"arguments", []))}
    return docs


def pairs(items):
    return list(items.items()) if isinstance(items, dict) else list(zip(items[::2], items[1::2]))


def pairs_list(facts):
    return [item for pair in facts.items() for item in pair]


def parsed(arguments):
    """The arguments' facts with text for bytes."""
    found = []
    for argument in arguments:
        facts = dict(pairs(argument))
        found.append({
            "name": facts[b"name"].decode(), "type": facts[b"type"].decode(),
            "token": facts[b"token"].decode() if b"token" in facts else None,
            "flags": {flag if isinstance(flag, str) else flag.decode()
                      for flag in facts.get(b"flags", [])},
            "arguments": parsed(facts.get(b"arguments", []))})
    return found


def elements(raw):
    """The replies that an aggregate is made of."""
    end = raw.index(b"\r\n") + 2
    found = []
    while end < len(raw):
        start = end
        end = skip(raw, end)
        found.append(raw[start:end])
    return found


def skip(raw, position):
    """Where the reply at `position` ends."""
    remaining = 1
    while remaining:
        remaining -= 1
        end = raw.index(b"\r\n", position)
        kind, text = raw[position:position + 1], raw[position + 1:end]
        position = end + 2
        if kind in (b"$", b"=", b"!"):
            position += int(text) + 2 if int(text) >= 0 else 0
        elif kind in (b"*", b"~", b">", b"%", b"|"):
            remaining += max(int(text), 0) * (2 if kind in (b"%", b"|") else 1)
    return position


def compare(words, mine, judge):
    """None when the replies agree as the command asks, else both as text."""
    if mine == judge:
        return None
    name = words[0].lower().decode("latin1")
    if name in ("zrank", "zrevrank") and len(words) > 3:
        return None  # 7.2 has an option there.
    if name == "lrem" and b"-9223372036854775808" in words:
        return None  # 7.2 refuses it.
    if name == "lpos" and b"-9223372036854775808" in words:
        return None  # The same.
    if mine == b"-ERR timeout is out of range\r\n" and judge == b"-ERR timeout is negative\r\n":
        return None  # 7.0 lets it overflow.
    if name == "xsetid" and b"smaller than current max_deleted_entry_id" in mine:
        return None
    if b"\x00" in words and mine[:1] == b"-":
        return None  # Redis reads some numbers up to a NUL.
    if judge[:1] in b"-!" or mine[:1] in b"-!":
        return describe(mine, judge)
    if name == "xgroup" and words[1].upper() == b"CREATECONSUMER":
        return None  # 7.2 may have the consumer already: X[AUTO]CLAIM makes it at once.
    if len(words) > 1 and name in ("object", "xinfo", "memory", "debug"):
        name += "|" + words[1].lower().decode("latin1")
    options = {word.upper() for word in words[1:]}
    same = False
    if name == "object|encoding":
        same = (mine, judge) in ENCODINGS
    elif name.startswith("xinfo|") or name == "xpending":
        same = told(decode(mine)) == told(decode(judge))
    elif name == "hello":
        same = shape(mine)[:1] == shape(judge)[:1]
    elif name in NEAR:
        same = abs(decode(mine) - decode(judge)) <= NEAR[name]
    elif name in SHAPES or name in RANDOM or name in CONSUMING or b"ANY" in options:
        same = shape(mine) == shape(judge) or len(decode(mine)) == len(decode(judge))
    elif name == "xadd" and b"*" in words:
        same = shape(mine) == shape(judge)
    elif name in UNORDERED and not options & {b"ASC", b"DESC", b"COUNT"}:
        same = sorted(elements(mine)) == sorted(elements(judge))
    elif name.startswith(("z", "bz", "geo")) and name not in SCANS and same_numbers(mine, judge):
        same = True
    elif name in PAIRS:
        same = paired(elements(mine)) == paired(elements(judge))
    elif name in SCANS and (b"100000" not in words or words[2:3] != [b"0"]):
        same = True  # Where a step ends is each server's own affair.
    elif name in SCANS:
        (_, mine_items), (_, judge_items) = (elements(reply) for reply in (mine, judge))
        first, second = elements(mine_items), elements(judge_items)
        same = (paired(first) == paired(second)) if SCANS[name] == 2 else sorted(first) == sorted(second)
    return None if same else describe(mine, judge)


# Facts that XINFO tells, and that may differ: times, what only 7.2 has, and how the radix tree is built.
UNTOLD = {b"idle", b"inactive", b"seen-time", b"active-time", b"radix-tree-keys",
          b"radix-tree-nodes"}


def told(value):
    """What XINFO and XPENDING say, without what the two servers may say differently: 7.2 has more consumers, since
    X[AUTO]CLAIM and XREADGROUP make them at once, and they have nothing pending."""
    if isinstance(value, dict):
        value = [word for pair in value.items() for word in pair]
    if not isinstance(value, list):
        return value
    if len(value) == 4 and isinstance(value[2], int) and isinstance(value[3], int) \
            and isinstance(value[0], bytes):
        return [*value[:2], "a time", value[3]]  # pending: id, consumer, delivered when, how often
    if len(value) == 3 and isinstance(value[1], int) and isinstance(value[2], int):
        return [value[0], "a time", value[2]]
    if value[:1] in ([b"name"], [b"length"]):
        facts = dict(zip(value[::2], value[1::2]))
        if b"seen-time" in facts or b"idle" in facts:
            if not facts.get(b"pel-count", facts.get(b"pending")):
                return None
        elif b"consumers" in facts and isinstance(facts[b"consumers"], int):
            facts.pop(b"consumers")
        return [(name, told(fact)) for name, fact in facts.items() if name not in UNTOLD]
    return [each for each in map(told, value) if each is not None]


def same_numbers(mine, judge):
    """Whether two replies differ only in how they write doubles: 7.0 with 17 digits, 7.2 as short as
    it goes."""
    first, second = mine.split(b"\r\n"), judge.split(b"\r\n")
    return len(first) == len(second) and all(
        a == b or same_number(a, b) or (a[:1] == b[:1] == b"$") for a, b in zip(first, second))


def same_number(first, second):
    first, second = first.lstrip(b","), second.lstrip(b",")
    try:
        return float(first) == float(second) and second == b"%.17g" % float(first)
    except ValueError:
        return False


# What Redis 7.2 calls otherwise than 7.0: small lists and small sets are listpacks. And Redis' SORT
# leaves a small sorted set as a skiplist, Ferrite's as it was.
ENCODINGS = {(b"$8\r\nlistpack\r\n", b"$9\r\nquicklist\r\n"),
             (b"$8\r\nlistpack\r\n", b"$8\r\nskiplist\r\n"),
             (b"$8\r\nlistpack\r\n", b"$9\r\nhashtable\r\n")}


def paired(items):
    return sorted(zip(items[::2], items[1::2]))


def printable(words):
    text = " ".join(repr(word[:60])[2:-1] or '""' for word in words[:24])
    return text + (f" ... ({len(words)} words)" if len(words) > 24 else "")


def describe(mine, judge, title=""):
    return f"  server: {mine[:500]!r} {title}\n  judge:  {judge[:500]!r}"
