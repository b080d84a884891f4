"""history: what each writer has sent, and what a server may hold after a crash.

    base ──► command 1 ──► command 2 ──► ... ──► command n     (one writer's keys, in one database)
             acknowledged   acknowledged          sent

A command may be a group: MULTI, commands, EXEC. Queues, which two clients share, stand in queues.py.

1. `settle` finds, for each writer, a command up to which its history explains what was found; that
   state becomes the next base.
2. A key whose deadline has passed may be gone, whatever its history says. No later command depends on
   whether a key whose deadline is close was there.
"""

import time

from commands import Commands
from model import apply
from queues import QUEUES
from resp import ReplyError

DATABASES = 4
# What a clock may be off between driver and server, which run on the same machine.
SLACK_MILLISECONDS = 5


def now_milliseconds():
    return int(time.time() * 1000)


class Writer(Commands):
    def __init__(self, number, random, isSmall):
        super().__init__(number, random, isSmall)
        self.number = number
        self.database = number % DATABASES
        self.state = {}       # key → (value, deadline or None): what all acknowledged commands make
        self.projected = {}   # the same of everything that was sent
        self.sent = []        # commands that are not acknowledged, oldest first
        self.acknowledged = []  # acknowledged since the last crash, where they may be lost
        self.base = {}        # the state at the last crash
        self.counter_seen = 0

    def command(self):
        """The next command: its words, or the words of each command of a group."""
        return self.next(self.projected)

    def now(self):
        return now_milliseconds()


class History:
    def __init__(self, random, clients, isSmall=False):
        self.writers = [Writer(number, random, isSmall) for number in range(clients)]
        self.queues = [] if isSmall else [kind(number) for number, kind in enumerate(QUEUES)]
        self.databases = range(DATABASES)

    def settle(self, found, isWhole):
        """Compares what was found with the histories. Returns what is wrong, or None."""
        known = set()
        for queue in self.queues:
            known.update((queue.database, key) for key in queue.keys)
            held = [found.get((queue.database, key), (None, None))[0] for key in queue.keys]
            error = queue.settle(held, isWhole)
            if error:
                return f"{queue}: {error}"
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
                writer.state, writer.base, writer.projected = dict(held), dict(held), dict(held)
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
