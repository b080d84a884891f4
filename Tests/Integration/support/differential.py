"""differential: the same random requests to two servers; every reply and all data must be the same.

1. Replies are compared as bytes, except where Redis itself leaves the answer open (the order of a
   set's members, random picks, times): `WAYS` says how.
2. What the answer leaves open does not stay in the data: a key from which a random member went is
   deleted on both sides.
3. After each batch every key's type, digest, encoding and deadline are compared, too.
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
SHAPES = {"xpending", "xinfo|consumers", "xinfo|groups", "xinfo|stream", "object|idletime",
          "object|refcount", "memory|usage", "dump"}
NEAR = {"ttl": 2, "pttl": 2000, "expiretime": 2, "pexpiretime": 2000}
CONSUMING = {"spop"}


class Differential:
    """Two connections and a grammar."""

    def __init__(self, mine, judge, seed):
        self.peers = [mine, judge]
        self.grammar = Grammar(common_docs(mine, judge), seed)
        self.random = self.grammar.random
        self.history = []

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

    def read(self, number, words):
        try:
            return self.peers[number].read_reply()
        except TimeoutError as error:
            who = ["server", "judge"][number]
            raise TimeoutError(f"the {who} does not answer\n{self.story(words)}") from error

    def request(self):
        words = self.grammar.draw()
        name = words[0].lower().decode("latin1")
        if name in CONSUMING or (name == "xadd" and b"*" in words):
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
            for words in ((b"TYPE", key), (b"DEBUG", b"DIGEST-VALUE", key),
                          (b"OBJECT", b"ENCODING", key), (b"PEXPIRETIME", key)):
                mine, judge = (peer.command(*words) for peer in self.peers)
                trouble = compare(words, mine, judge)
                if trouble:
                    return self.story(words) + trouble + self.contents(key)
        # A key that is due counts until it is removed, which takes its time.
        for _ in range(50):
            mine, judge = (peer.command("DBSIZE") for peer in self.peers)
            if mine == judge:
                return None
            time.sleep(0.05)
        return describe(mine, judge, "DBSIZE")

    def contents(self, key):
        kind = decode(self.peers[0].command("TYPE", key))
        words = {"string": ("GET", key), "list": ("LRANGE", key, "0", "-1"), "set": ("SMEMBERS", key),
                 "zset": ("ZRANGE", key, "0", "-1", "WITHSCORES"), "hash": ("HGETALL", key),
                 "stream": ("XINFO", "STREAM", key, "FULL")}.get(kind, ("TYPE", key))
        return "\n" + describe(*(peer.command(*words) for peer in self.peers), "content")

    def restart(self):
        """Both servers empty again, on RESP2, for going on after a difference."""
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
    if mine == b"-ERR timeout is out of range\r\n" and judge == b"-ERR timeout is negative\r\n":
        return None  # 7.0 lets it overflow.
    if b"\x00" in words and mine[:1] == b"-":
        return None  # Redis reads some numbers up to a NUL.
    if judge[:1] in b"-!" or mine[:1] in b"-!":
        return describe(mine, judge)
    if name.startswith("xinfo") or name == "xgroup" and b"CONSUMER" in words[1].upper():
        return None  # 7.2 tells more, of more consumers: X[AUTO]CLAIM makes them at once.
    if len(words) > 1 and name in ("object", "xinfo", "memory", "debug"):
        name += "|" + words[1].lower().decode("latin1")
    options = {word.upper() for word in words[1:]}
    same = False
    if name == "object|encoding":
        same = (mine, judge) in ENCODINGS
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


def same_numbers(mine, judge):
    """Whether two replies differ only in how they write numbers: 7.2 writes doubles shorter."""
    first, second = mine.split(b"\r\n"), judge.split(b"\r\n")
    return len(first) == len(second) and all(
        a == b or same_number(a, b) or (a[:1] == b[:1] == b"$") for a, b in zip(first, second))


def same_number(first, second):
    try:
        return float(first.lstrip(b",")) == float(second.lstrip(b",")) and first[:1] != b":"
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
