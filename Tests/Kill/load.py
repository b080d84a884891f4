"""load: writers that pipeline, a reader beside them, until the server is gone.

1. A reply settles the oldest command of its connection: acknowledged, or refused.
2. `drain` takes in what the server had sent before it died: that is acknowledged too.
"""

import selectors
import socket
import time

from history import apply
from resp import Connection, Parser, ReplyError, encode


class Refused(Exception):
    pass


class Client:
    def __init__(self, port, writer, depth):
        self.writer, self.depth = writer, depth
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(encode(["SELECT", writer.database]))
        self.awaitsSelect = True
        self.socket.setblocking(False)
        self.parser = Parser()
        self.output = b""
        self.isOpen = True


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
        self.lastRefusal = ""
        self.clients = [Client(port, writer, depth or random.choice([1, 4, 16, 64]))
                        for writer in history.writers]
        self.reader = Reader(port, history.writers)

    def run(self, seconds, checkpoints=False, mayRefuse=False):
        """Keeps every client's pipeline full for that long."""
        self.mayRefuse = mayRefuse
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for client in self.clients + [self.reader]:
                if client.isOpen:
                    selector.register(client.socket, selectors.EVENT_READ, client)
            nextCheckpoint = time.monotonic()
            while time.monotonic() < deadline:
                for client in self.clients:
                    self.write(client)
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

    def write(self, client):
        if not client.isOpen:
            return
        writer = client.writer
        if not client.output and len(writer.sent) < client.depth:
            requests = []
            while len(writer.sent) < client.depth:
                command = writer.command()
                writer.sent.append(command)
                requests.append(encode(command))
            client.output = b"".join(requests)
        if client.output:
            try:
                count = client.socket.send(client.output)
                client.output = client.output[count:]
            except BlockingIOError:
                pass
            except OSError:
                client.isOpen = False

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
            self.settle(client, reply)

    def settle(self, client, reply):
        if client is self.reader:
            return client.take(reply)
        if client.awaitsSelect:
            client.awaitsSelect = False
            return None
        writer = client.writer
        command = writer.sent.pop(0)
        if isinstance(reply, ReplyError):
            if not (self.mayRefuse and reply.startswith("MISCONF")):
                raise Refused(f"{command[0].decode()}: {reply}")
            self.refused += 1
            self.lastRefusal = reply
            return None
        apply(writer.state, command)
        writer.acknowledged.append(command)
        self.acknowledged += 1
        return None

    def canRead(self):
        """Whether a read of a key that nobody writes is answered now."""
        with Connection(self.port, timeout=5) as connection:
            return connection.command("GET", "nobody") is None

    def finish(self, seconds=20):
        """Waits for the replies to everything that was sent."""
        deadline = time.monotonic() + seconds
        while any(client.writer.sent for client in self.clients):
            if time.monotonic() > deadline:
                raise AssertionError("replies are missing")
            for client in self.clients:
                if client.output:
                    try:
                        count = client.socket.send(client.output)
                        client.output = client.output[count:]
                    except BlockingIOError:
                        pass
                self.read(client)
            time.sleep(0.001)

    def drain(self):
        """After the server's death: what it had sent still counts."""
        deadline = time.monotonic() + 5
        for client in self.clients + [self.reader]:
            while client.isOpen and self.read(client) and time.monotonic() < deadline:
                time.sleep(0.0005)
            client.socket.close()
