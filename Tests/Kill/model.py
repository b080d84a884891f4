"""model: what each command of the writers does to a keyspace.

    state    key → (value, deadline in milliseconds, or None)
    value    string: bytes; list: list; set: frozenset; hash: dict; sorted set: dict member → score;
             stream: Stream; HyperLogLog: Registers

1. Values are never changed in place: states share them.
2. A collection without elements is no key; a stream without entries is one.
"""

from dataclasses import dataclass, replace

from registers import Registers


@dataclass(frozen=True)
class Group:
    """One consumer group: the last id delivered, what is pending, who reads."""

    last: int
    pending: dict  # id → (consumer, deliveries)
    consumers: frozenset


@dataclass(frozen=True)
class Stream:
    entries: dict  # id → fields and values
    last: int
    added: int
    groups: dict  # name → Group

    def __len__(self):
        return len(self.entries)


def apply(state, words):
    """Does to `state` what the command does, or all commands of a group."""
    if isinstance(words, tuple):
        for each in words:
            apply(state, each)
        return
    name, key = words[0].lower(), words[1]
    if name in (b"del", b"pexpireat", b"persist", b"rename", b"copy"):
        return applyToKeys(state, name, words)
    for prefix, handler in ((b"x", applyToStream), (b"z", applyToSortedSet), (b"h", applyToHash),
                            (b"pf", applyToRegisters)):
        if name.startswith(prefix):
            return handler(state, name, words)
    if name in SET_COMMANDS:
        return applyToSet(state, name, words)
    if name in LIST_COMMANDS:
        return applyToList(state, name, words)
    return applyToString(state, name, key, words)


LIST_COMMANDS = {b"lpush", b"rpush", b"lpop", b"rpop", b"lset", b"lrem", b"ltrim", b"linsert",
                 b"lmove"}
SET_COMMANDS = {b"sadd", b"srem", b"smove", b"sunionstore", b"sinterstore", b"sdiffstore"}


def value(state, key):
    return state.get(key, (None, None))[0]


def put(state, key, new, keepsDeadline=True):
    """Stores a value; without elements it is gone."""
    if not new and not isinstance(new, (bytes, Stream, Registers)):
        state.pop(key, None)
    else:
        state[key] = (new, state[key][1] if keepsDeadline and key in state else None)


def applyToKeys(state, name, words):
    if name == b"del":
        for key in words[1:]:
            state.pop(key, None)
    elif words[1] not in state:
        return
    elif name == b"pexpireat":
        state[words[1]] = (state[words[1]][0], int(words[2]))
    elif name == b"persist":
        state[words[1]] = (state[words[1]][0], None)
    elif name == b"rename":
        state[words[2]] = state.pop(words[1])
    elif words[1] != words[2]:  # COPY ... REPLACE
        state[words[2]] = state[words[1]]


def applyToString(state, name, key, words):
    old = value(state, key)
    if name == b"incr":
        put(state, key, b"%d" % (int(old or b"0") + 1))
    elif name == b"set" and len(words) == 5:
        state[key] = (words[2], int(words[4]))
    elif name in (b"set", b"getset"):
        state[key] = (words[2], None)
    elif name == b"mset":
        for index in range(1, len(words), 2):
            state[words[index]] = (words[index + 1], None)
    elif name == b"append":
        put(state, key, (old or b"") + words[2])
    elif name == b"setrange":
        offset = int(words[2])
        base = (old or b"").ljust(offset, b"\0")
        put(state, key, base[:offset] + words[3] + base[offset + len(words[3]):])
    else:
        raise AssertionError(f"no model of {name!r}")


def applyToList(state, name, words):
    key = words[1]
    old = value(state, key) or []
    if name == b"lpush":
        put(state, key, words[:1:-1] + old)
    elif name == b"rpush":
        put(state, key, old + words[2:])
    elif name == b"lpop":
        put(state, key, old[int(words[2]) if len(words) > 2 else 1:])
    elif name == b"rpop":
        count = int(words[2]) if len(words) > 2 else 1
        put(state, key, old[:max(0, len(old) - count)])
    elif name == b"ltrim":
        put(state, key, old[int(words[2]): int(words[3]) + 1])
    elif name == b"lrem":
        left, new = int(words[2]), []
        for element in old:
            if element == words[3] and left > 0:
                left -= 1
            else:
                new.append(element)
        put(state, key, new)
    elif name == b"linsert":
        if words[3] in old:
            index = old.index(words[3]) + (words[2] == b"AFTER")
            put(state, key, old[:index] + [words[4]] + old[index:])
    else:  # LMOVE from to LEFT|RIGHT LEFT|RIGHT
        if not old:
            return
        element = old[0] if words[3] == b"LEFT" else old[-1]
        put(state, key, old[1:] if words[3] == b"LEFT" else old[:-1])
        target = value(state, words[2]) or []
        put(state, words[2], [element] + target if words[4] == b"LEFT" else target + [element])


def applyToSet(state, name, words):
    key = words[1]
    old = value(state, key) or frozenset()
    if name == b"sadd":
        put(state, key, old | frozenset(words[2:]))
    elif name == b"srem":
        put(state, key, old - frozenset(words[2:]))
    elif name == b"smove":
        if words[3] in old:
            put(state, key, old - {words[3]})
            put(state, words[2], (value(state, words[2]) or frozenset()) | {words[3]})
    else:
        sources = [value(state, each) or frozenset() for each in words[2:]]
        combine = {b"sunionstore": frozenset.union, b"sinterstore": frozenset.intersection,
                   b"sdiffstore": frozenset.difference}[name]
        put(state, key, combine(*sources), keepsDeadline=False)


def applyToHash(state, name, words):
    key = words[1]
    old = value(state, key) or {}
    if name == b"hset":
        put(state, key, {**old, **dict(zip(words[2::2], words[3::2]))})
    elif name == b"hincrby":
        put(state, key, {**old, words[2]: b"%d" % (int(old.get(words[2], b"0")) + int(words[3]))})
    else:  # HDEL
        put(state, key, {field: each for field, each in old.items() if field not in words[2:]})


def applyToSortedSet(state, name, words):
    key = words[1]
    old = value(state, key) or {}
    if name == b"zadd":
        put(state, key, {**old, **dict(zip(words[3::2], words[2::2]))})
    elif name == b"zincrby":
        put(state, key, {**old, words[3]: b"%d" % (int(old.get(words[3], b"0")) + int(words[2]))})
    elif name == b"zrem":
        put(state, key, {member: each for member, each in old.items() if member not in words[2:]})
    elif name == b"zunionstore":
        sums = {}
        for source in words[3:]:
            for member, score in (value(state, source) or {}).items():
                sums[member] = sums.get(member, 0) + int(score)
        put(state, key, {member: b"%d" % score for member, score in sums.items()},
            keepsDeadline=False)
    else:
        order = sorted(old, key=lambda member: (int(old[member]), member))
        if name == b"zpopmin":
            order = order[int(words[2]):]
        elif name == b"zremrangebyrank":
            order = order[:int(words[2])] + order[int(words[3]) + 1:]
        else:
            raise AssertionError(f"no model of {name!r}")
        put(state, key, {member: old[member] for member in order})


def applyToRegisters(state, name, words):
    key = words[1]
    old = value(state, key) or Registers()
    if name == b"pfadd":
        put(state, key, old.adding(words[2:]))
    else:  # PFMERGE
        put(state, key, old.merging([value(state, each) for each in words[2:] if each in state]))


def applyToStream(state, name, words):
    """Ids are `number-0`, and stand here as their number."""
    if name == b"xgroup":  # XGROUP CREATE key group 0 MKSTREAM, after a DESTROY
        key, group = words[2], words[3]
        old = stream(state, key)
        groups = {each: of for each, of in old.groups.items() if each != group}
        if words[1] == b"CREATE":
            groups[group] = Group(0, {}, frozenset())
        put(state, key, replace(old, groups=groups))
        return
    key = words[words.index(b"STREAMS") + 1] if name == b"xreadgroup" else words[1]
    old = stream(state, key)
    if name == b"xadd":
        rest = words[2:]
        limit = None
        if rest[0] == b"MAXLEN":
            limit, rest = int(rest[1]), rest[2:]
        number = int(rest[0].split(b"-")[0])
        entries = {**old.entries, number: rest[1:]}
        if limit is not None:
            entries = dict(list(entries.items())[max(0, len(entries) - limit):])
        put(state, key, replace(old, entries=entries, last=number, added=old.added + 1))
    elif name in (b"xdel", b"xtrim"):
        if name == b"xdel":
            gone = set(map(numbered, words[2:]))
            entries = {each: of for each, of in old.entries.items() if each not in gone}
        else:  # XTRIM key MINID id
            entries = {each: of for each, of in old.entries.items() if each >= numbered(words[3])}
        if key in state:
            put(state, key, replace(old, entries=entries))
    elif key in state:
        put(state, key, groupChanged(old, name, words))


def groupChanged(old, name, words):
    """The stream after XREADGROUP GROUP g c COUNT n STREAMS key >, XACK key g id ..., or
    XCLAIM key g c 0 id ..."""
    group = words[2]
    of = old.groups[group]
    pending = dict(of.pending)
    if name == b"xack":
        for each in words[3:]:
            pending.pop(numbered(each), None)
        return replace(old, groups={**old.groups, group: replace(of, pending=pending)})
    consumer = words[3]
    last = of.last
    if name == b"xreadgroup":
        some = [each for each in old.entries if each > last][:int(words[5])]
        for each in some:
            pending[each] = (consumer, 1)
            last = each
    else:
        for each in map(numbered, words[5:]):
            if each not in pending:
                continue
            if each in old.entries:
                pending[each] = (consumer, pending[each][1] + 1)
            else:
                del pending[each]
    changed = Group(last, pending, of.consumers | {consumer})
    return replace(old, groups={**old.groups, group: changed})


def stream(state, key):
    held = value(state, key)
    return Stream({}, 0, 0, {}) if held is None else held


def numbered(text):
    return int(bytes(text).split(b"-")[0])
