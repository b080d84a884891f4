"""load: writers that pipeline, a reader and the clients of queues beside them, until the server is gone.

1. A reply settles the oldest command of its connection: acknowledged, or refused. A group's reply is
   EXEC's.
2. `drain` takes in what the server had sent before it died: that is acknowledged too.
"""

import selectors
import socket
import time

from model import apply
from resp import Connection, Parser, ReplyError, encode


class Refused(Exception):
    pass


def encoded(command):
    """One command, or a group of them as a transaction."""
    if isinstance(command, tuple):
        return b"".join(map(encode, [[b"MULTI"], *command, [b"EXEC"]]))
    return encode(command)


class Client:
    """A connection in a database, and what it has to send."""

    def __init__(self, port, database):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(encode(["SELECT", database]))
        self.awaited = [None]   # what was sent without a reply
        self.passed = 0         # replies inside the oldest group so far
        self.socket.setblocking(False)
        self.parser = Parser()
        self.output = b""
        self.isOpen = True

    def send(self, commands):
        self.awaited += commands
        self.output += b"".join(map(encoded, commands))
        self.flush()

    def flush(self):
        if not self.output or not self.isOpen:
            return
        try:
            count = self.socket.send(self.output)
            self.output = self.output[count:]
        except BlockingIOError:
            pass
        except OSError:
            self.isOpen = False

    def take(self, reply):
        """Takes in one reply. Returns whether a command is settled by it."""
        command = self.awaited[0]
        if isinstance(command, tuple) and self.passed <= len(command):
            self.passed += 1
            # A queued command that was refused makes EXEC refuse all.
            if isinstance(reply, ReplyError) and not reply.startswith("MISCONF"):
                raise Refused(f"{command[self.passed - 2][0].decode()}: {reply}")
            return False
        self.passed = 0
        self.awaited.pop(0)
        if command is None:
            return False
        errors = [each for each in reply if isinstance(each, ReplyError)] \
            if isinstance(command, tuple) and isinstance(reply, list) else []
        if errors:
            raise Refused(f"{command}: {errors}")
        return True


class WriterClient(Client):
    def __init__(self, port, writer, depth, load):
        super().__init__(port, writer.database)
        self.writer, self.depth, self.load = writer, depth, load

    def fill(self):
        if self.output:
            return self.flush()
        commands = []
        while len(self.writer.sent) < self.depth:
            commands.append(self.writer.command())
            self.writer.sent.append(commands[-1])
        self.send(commands)

    def take(self, reply):
        if super().take(reply):
            command = self.writer.sent.pop(0)
            if self.load.isAcknowledged(command, reply):
                apply(self.writer.state, command)
                self.writer.acknowledged.append(command)


class QueueClient(Client):
    """One of the two clients of a queue: `requests` and `told` are that queue's methods."""

    def __init__(self, port, queue, requests, told, load):
        super().__init__(port, queue.database)
        self.requests, self.told, self.load = requests, told, load

    def fill(self):
        self.flush()
        self.send(self.requests())

    def take(self, reply):
        command = self.awaited[0]
        if super().take(reply) and self.load.isAcknowledged(command, reply):
            self.told(reply)


class Reader:
    """Asks for the writers' counters, and remembers what it was told."""

    def __init__(self, port, writers):
        self.writers = writers
        self.parser = Parser()
        self.asked = []
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setblocking(False)
        self.isOpen = True

    def ask(self):
        if len(self.asked) > 64:
            return b""
        requests = []
        for writer in self.writers:
            requests += [encode(["SELECT", writer.database]), encode(["GET", writer.counter])]
            self.asked += [None, writer]
        return b"".join(requests)

    def take(self, reply):
        writer = self.asked.pop(0)
        if writer is not None and isinstance(reply, bytes):
            writer.counter_seen = max(writer.counter_seen, int(reply))


class Load:
    def __init__(self, port, history, random, depth=None):
        self.port, self.random = port, random
        self.acknowledged = self.refused = 0
        self.mayRefuse = False
        self.writers = history.writers
        self.clients = [WriterClient(port, writer, depth or random.choice([1, 4, 16, 64]), self)
                        for writer in history.writers]
        self.pairs = [QueueClient(port, queue, *half, self) for queue in history.queues
                      for half in ((queue.takes, queue.wasTaken), (queue.puts, queue.wasPut))]
        self.reader = Reader(port, history.writers)

    @property
    def everybody(self):
        return self.clients + self.pairs + [self.reader]

    def run(self, seconds, checkpoints=False, mayRefuse=False):
        """Keeps every client's pipeline full for that long."""
        self.mayRefuse = mayRefuse
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for client in self.everybody:
                if client.isOpen:
                    selector.register(client.socket, selectors.EVENT_READ, client)
            nextCheckpoint = time.monotonic()
            while time.monotonic() < deadline:
                for client in self.clients + self.pairs:
                    client.fill()
                self.poke(self.reader.ask())
                if checkpoints and time.monotonic() >= nextCheckpoint:
                    self.checkpoint()
                    nextCheckpoint += 0.05
                for key, _ in selector.select(timeout=0.002):
                    self.read(key.data, selector)

    def checkpoint(self):
        with Connection(self.port) as connection:
            reply = connection.command("CHECKPOINT")
            if isinstance(reply, ReplyError) and "progress" not in reply:
                raise AssertionError(f"CHECKPOINT: {reply}")

    def poke(self, data):
        try:
            if data and self.reader.isOpen:
                self.reader.socket.sendall(data)
        except OSError:
            self.reader.isOpen = False

    def read(self, client, selector=None):
        """Takes in what has arrived; False at the stream's end."""
        try:
            data = client.socket.recv(1 << 18)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            client.isOpen = False
            if selector is not None:
                selector.unregister(client.socket)
            return False
        client.parser.feed(data)
        while True:
            isThere, reply = client.parser.next()
            if not isThere:
                return True
            client.take(reply)

    def isAcknowledged(self, command, reply):
        if not isinstance(reply, ReplyError):
            self.acknowledged += 1
            return True
        if not (self.mayRefuse and reply.startswith(("MISCONF", "EXECABORT"))):
            raise Refused(f"{command}: {reply}")
        self.refused += 1
        return False

    def canRead(self):
        """Whether a read of a key that nobody writes is answered now."""
        with Connection(self.port, timeout=5) as connection:
            return connection.command("GET", "nobody") is None

    def finish(self, seconds=20):
        """Waits for the replies to everything that the writers sent."""
        deadline = time.monotonic() + seconds
        while any(writer.sent for writer in self.writers):
            if time.monotonic() > deadline:
                raise AssertionError("replies are missing")
            for client in self.clients:
                client.flush()
                self.read(client)
            time.sleep(0.001)

    def drain(self):
        """After the server's death: what it had sent still counts."""
        deadline = time.monotonic() + 5
        for client in self.everybody:
            while client.isOpen and self.read(client) and time.monotonic() < deadline:
                time.sleep(0.0005)
            client.socket.close()
