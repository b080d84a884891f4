"""queues: two clients to a key: one puts numbers in, 1, 2, 3, ..., another waits for them and takes them
out with a blocking command, while the server is killed.

    taken ...  | numbers in the queue |  not put in
          3 ◄──┤ 4 5 6 7 8            │◄── 9

1. What was put in and is not there was taken: nothing is lost, nothing stands twice.
2. What is or was there is no less than what was acknowledged, no more than what was sent.
3. What a taker was told is not there any more; beyond it at most what was on its way to it is missing,
   and where there is an order it is the next.
"""

DEPTH = 4


class Queue:
    """What all kinds share."""

    name, hasOrder = "", True
    database = 1

    def __init__(self, number):
        self.keys = [b"q%d:%s" % (number, self.name.encode())]
        self.added = self.sent = 0  # how many the server has acknowledged, and the last that was sent
        self.gone = 0               # all up to this had been taken at the last crash,
        self.goneToo = set()        # and these
        self.taken = set()          # numbers that the taker has been told of since
        self.asked = []             # its requests that have no reply yet

    def __str__(self):
        return f"queue {self.name}"

    def puts(self):
        """Requests of the one who puts in."""
        requests = []
        while self.sent - self.added < DEPTH:
            self.sent += 1
            requests.append(self.put(self.sent))
        return requests

    def takes(self):
        """Requests of the taker."""
        requests = [self.take() for _ in range(len(self.asked), 2)]
        self.asked += requests
        return requests

    def wasPut(self, reply):
        self.added += 1

    def wasTaken(self, reply):
        self.asked.pop(0)
        number = self.number(reply)
        if number is None:
            return
        if not 0 < number <= self.sent or number in self.taken or number <= self.gone \
                or number in self.goneToo:
            raise AssertionError(f"{self}: {number} was taken twice, or never put in")
        self.taken.add(number)

    def settle(self, held, isWhole):
        """Compares what is there after a crash. Returns what is wrong, or None."""
        there = self.contents(held)
        last = max(there + [self.gone, *self.goneToo]
                   + ([self.added, *self.taken] if isWhole else []))
        missing = set(range(self.gone + 1, last + 1)) - self.goneToo - set(there)
        back = [number for number in there if number <= self.gone or number in self.goneToo
                or isWhole and number in self.taken]
        lost = missing - self.taken
        if len(set(there)) != len(there) or self.hasOrder and there != sorted(there):
            return f"order or number is wrong: {there[:20]}"
        if last > self.sent:
            return f"{last} is there, {self.sent} was the last to be sent"
        if back:
            return f"what was taken is back: {back[:5]}"
        if isWhole and len(lost) > len(self.asked):
            return f"lost: {sorted(lost)[:5]}, with {len(self.asked)} requests on their way"
        if self.hasOrder and there and missing and max(missing) > there[0]:
            return f"{max(missing)} went before {there[0]}"
        self.goneToo |= missing
        while self.gone + 1 in self.goneToo:
            self.gone += 1
            self.goneToo.discard(self.gone)
        self.added = self.sent = last
        self.taken, self.asked = set(), []
        return None


class ListQueue(Queue):
    name = "list"

    def put(self, number):
        return [b"RPUSH", self.keys[0], b"%d" % number]

    def take(self):
        return [b"BLPOP", self.keys[0], b"0"]

    def number(self, reply):
        return int(reply[1])

    def contents(self, held):
        return [int(each) for each in held[0] or []]


class SortedSetQueue(Queue):
    name = "zset"

    def put(self, number):
        return [b"ZADD", self.keys[0], b"%d" % number, b"member%d" % number]

    def take(self):
        return [b"BZPOPMIN", self.keys[0], b"0"]

    def number(self, reply):
        return int(reply[2])

    def contents(self, held):
        return [int(score) for score in (held[0] or {}).values()]


class SetQueue(Queue):
    """SPOP does not wait, and takes any."""

    name, hasOrder = "set", False

    def put(self, number):
        return [b"SADD", self.keys[0], b"%d" % number]

    def take(self):
        return [b"SPOP", self.keys[0]]

    def number(self, reply):
        return None if reply is None else int(reply)

    def contents(self, held):
        return sorted(map(int, held[0] or []))


class RelayQueue(Queue):
    """What is taken moves on, and is dropped there by the taker later, ten at a time:

        dropped ... | moved | still in the queue | not put in

    Some of what has moved always stays, so that what is there tells all three borders.
    """

    def __init__(self, number):
        super().__init__(number)
        self.moved = self.dropped = 0  # the last numbers that the taker was told of

    def takes(self):
        requests = []
        while self.added and len(self.asked) < 2:
            mayDrop = self.moved - self.dropped > 20 and self.drop() not in self.asked
            requests.append(self.drop() if mayDrop else self.take())
            self.asked.append(requests[-1])
        return requests

    def wasTaken(self, reply):
        if self.asked.pop(0) == self.drop():
            expected = self.dropReply()
            self.dropped += 10
        else:
            reply = self.number(reply)
            expected = self.moved = self.moved + 1
        if reply != expected:
            raise AssertionError(f"{self}: {reply} instead of {expected}")

    def settle(self, held, isWhole):
        dropped, moved, last = self.borders(held)
        if isinstance(dropped, str):
            return dropped
        drops = self.asked.count(self.drop())
        if last > self.sent or isWhole and not (
                self.added <= last
                and self.dropped <= dropped <= self.dropped + 10 * drops
                and self.moved <= moved <= self.moved + len(self.asked) - drops):
            return (f"dropped {dropped}, moved {moved}, put in {last}; told: {self.dropped}, "
                    f"{self.moved}, {self.added} of {self.sent}, {len(self.asked)} on their way")
        self.dropped, self.moved, self.added, self.sent, self.asked = dropped, moved, last, last, []
        return None


class MoveQueue(RelayQueue):
    """What BLMOVE takes out of one list must stand in the other: in one of them at every moment."""

    name = "movedlist"

    def __init__(self, number):
        super().__init__(number)
        self.keys.append(self.keys[0] + b"2")

    def put(self, number):
        return [b"RPUSH", self.keys[0], b"%d" % number]

    def take(self):
        return [b"BLMOVE", *self.keys, b"LEFT", b"RIGHT", b"0"]

    def number(self, reply):
        return int(reply)

    def drop(self):
        return [b"LPOP", self.keys[1], b"10"]

    def dropReply(self):
        return [b"%d" % (self.dropped + each) for each in range(1, 11)]

    def borders(self, held):
        first, second = [[int(each) for each in some or []] for some in held]
        both = second + first
        if not both:
            return 0, 0, 0
        if both != list(range(both[0], both[-1] + 1)):
            return f"no run of numbers: {second[-5:]} and {first[:5]}", 0, 0
        return both[0] - 1, both[0] - 1 + len(second), both[-1]


class StreamQueue(RelayQueue):
    """XREADGROUP makes pending what it takes; XACK and XDEL in one transaction drop it."""

    name = "stream"

    def put(self, number):
        words = [b"XADD", self.keys[0], b"%d-0" % number, b"n", b"%d" % number]
        return (words, [b"XGROUP", b"CREATE", self.keys[0], b"g", b"0"]) if number == 1 else words

    def take(self):
        return [b"XREADGROUP", b"GROUP", b"g", b"c", b"COUNT", b"1", b"BLOCK", b"0", b"STREAMS",
                self.keys[0], b">"]

    def number(self, reply):
        return int(reply[0][1][0][0].split(b"-")[0])

    def drop(self):
        some = [b"%d-0" % (self.dropped + each) for each in range(1, 11)]
        return [b"XACK", self.keys[0], b"g", *some], [b"XDEL", self.keys[0], *some]

    def dropReply(self):
        return [10, 10]

    def borders(self, held):
        stream = held[0]
        if stream is None:
            return 0, 0, 0
        if b"g" not in stream.groups or stream.added != stream.last:
            return f"groups {list(stream.groups)}, {stream.added} added, last {stream.last}", 0, 0
        group = stream.groups[b"g"]
        dropped = min(stream.entries) - 1
        if list(stream.entries) != list(range(dropped + 1, stream.last + 1)):
            return f"{len(stream.entries)} entries up to {stream.last}", 0, 0
        if group.pending != {each: (b"c", 1) for each in range(dropped + 1, group.last + 1)}:
            return f"{len(group.pending)} pending, dropped {dropped}, delivered {group.last}", 0, 0
        return dropped, group.last, stream.last


QUEUES = [ListQueue, SortedSetQueue, SetQueue, MoveQueue, StreamQueue]
