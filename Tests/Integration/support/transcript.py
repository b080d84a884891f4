"""transcript: a text file of commands that two servers must answer alike, byte for byte.

One command a line, in redis-cli's quoting ("\\x00\\n" in double quotes). `#` begins a comment.
A word with % in front changes how the next part is handled:

    %sorted KEYS *             the elements of an array in any order
    %type TTL k                the same kind of reply (its first byte), whatever its content
    %shape CLIENT LIST         the same types and lengths of aggregates, whatever the scalars
    %error FOO                 both refuse, with the same error code word
    %any LOLWUT                neither answers with an error
    %raw "PING\\r\\n"            these bytes as they are, then one reply
    %send "GET a\\r\\n"          these bytes as they are, without waiting for a reply
    %read                      one more reply
    %closed                    the server closes the connection; what it still sends is compared
    %needs XREAD               the rest is left out when the server has no such command
    %nothing                   no reply comes; %read takes one that is there
    %blocked 2                 go on when that many clients wait in blocking commands
    %on b                      go on with the connection named b (opened when new)
    %reconnect                 close the present connection and open it anew
    %resp 3                    HELLO 3 on the present connection, its reply not compared
    %expect "-ERR text\\r\\n"    what the next command must be answered with, whatever the judge says:
                               for what Redis 7.2 changed against a judge that is older

1. Every mismatch is reported with its line; the rest of the file still runs.
2. Both servers begin empty, in database 0, with one connection.
"""

import re
import select
import socket
import time

from .resp import Closed, Connection, decode, encode

ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b", "\\": b"\\", '"': b'"'}


def words(line):
    """A line's words as bytes, by redis-cli's rules."""
    found = []
    position = 0
    while position < len(line):
        if line[position].isspace():
            position += 1
            continue
        word = bytearray()
        while position < len(line) and not line[position].isspace():
            character = line[position]
            if character == '"':
                position = _double_quoted(line, position + 1, word)
            elif character == "'":
                end = line.index("'", position + 1)
                word += line[position + 1 : end].encode()
                position = end + 1
            else:
                word += character.encode()
                position += 1
        found.append(bytes(word))
    return found


def _double_quoted(line, position, word):
    while line[position] != '"':
        if line[position] != "\\":
            word += line[position].encode()
            position += 1
        elif line[position + 1] == "x":
            word.append(int(line[position + 2 : position + 4], 16))
            position += 4
        else:
            word += ESCAPES[line[position + 1]]
            position += 2
    return position + 1


def shape(raw):
    """A reply's types and counts without its scalars."""
    found = []
    remaining = 1
    position = 0
    while remaining:
        remaining -= 1
        end = raw.index(b"\r\n", position)
        kind, text = raw[position : position + 1], raw[position + 1 : end]
        position = end + 2
        found.append(kind)
        if kind in (b"$", b"=", b"!"):
            if int(text) >= 0:
                position += int(text) + 2
        elif kind in (b"*", b"~", b">", b"%", b"|"):
            found.append(text)
            remaining += max(int(text), 0) * (2 if kind in (b"%", b"|") else 1)
    return found


def ordered(raw):
    value = decode(raw)
    return sorted(value, key=repr) if isinstance(value, list) else value


class Peer:
    """One server's side of a transcript: its named connections."""

    def __init__(self, port):
        self.port = port
        self.connections = {}
        self.name = "a"
        self.use("a")

    def use(self, name):
        self.name = name
        if name not in self.connections:
            self.connections[name] = Connection(("127.0.0.1", self.port), timeout=20)

    def reconnect(self):
        self.connections.pop(self.name).close()
        self.use(self.name)

    @property
    def connection(self):
        return self.connections[self.name]

    def has_reply(self):
        """Whether a reply has come, or does so in a moment."""
        if len(self.connection.buffer) > self.connection.position:
            return True
        return bool(select.select([self.connection.socket], [], [], 0.05)[0])

    def wait_for_blocked(self, count):
        """Waits until `count` clients wait; says how many do if that does not come to pass."""
        with Connection(("127.0.0.1", self.port), timeout=20) as watcher:
            for _ in range(500):
                text = decode(watcher.command("INFO", "clients"))
                found = int(re.search(rb"blocked_clients:(\d+)", text)[1])
                if found == count:
                    break
                time.sleep(0.01)
            return b":%d\r\n" % found

    def close(self):
        for connection in self.connections.values():
            connection.close()

    def reply(self):
        try:
            return self.connection.read_reply()
        except Closed:
            return b"(closed)"
        except ConnectionResetError:
            return b"(closed)"
        except socket.timeout:
            return b"(no reply)"


class Transcript:
    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().split("\n")

    def run(self, port, reference_port, resp=2, is_older=False):
        """Returns the mismatches as text. `is_older`: the server under test is itself older than
        7.2, so that %expect does not bind it."""
        peers = [Peer(port), Peer(reference_port)]
        mismatches = []
        expected = None
        try:
            for peer in peers:
                peer.connection.ok("FLUSHALL")
                if resp == 3:
                    peer.connection.ok("HELLO", "3")
            for number, line in enumerate(self.lines, 1):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                if line.startswith("%needs"):
                    facts = peers[0].connection.value("COMMAND", "INFO", line.split()[1])
                    if facts == [None]:
                        break
                    continue
                if line.startswith("%expect"):
                    expected = words(line)[1]
                    continue
                text = self._step(line, peers, resp, None if is_older else expected)
                if text:
                    mismatches.append(f"{self.path.name}:{number}: {line}\n{text}")
                expected = None
        finally:
            for peer in peers:
                peer.close()
        return mismatches

    def _step(self, line, peers, resp, expected):
        arguments = words(line)
        how = arguments[0].decode() if arguments[0].startswith(b"%") else ""
        rest = arguments[1:] if how else arguments
        if how == "%on":
            for peer in peers:
                is_new = rest[0].decode() not in peer.connections
                peer.use(rest[0].decode())
                if is_new and resp == 3:
                    peer.connection.ok("HELLO", "3")
            return None
        if how == "%reconnect":
            for peer in peers:
                peer.reconnect()
                if resp == 3:
                    peer.connection.ok("HELLO", "3")
            return None
        if how == "%resp":
            for peer in peers:
                peer.connection.ok("HELLO", rest[0])
            return None
        if how == "%blocked":
            replies = [peer.wait_for_blocked(int(rest[0])) for peer in peers]
            return compare(how, replies, b":%d\r\n" % int(rest[0]))
        if how == "%nothing":
            replies = [b"(a reply)" if peer.has_reply() else b"" for peer in peers]
            return compare(how, replies, b"")
        replies = [self._exchange(peer, how, rest) for peer in peers]
        if how == "%send":
            return None
        return compare(how, replies, expected)

    def _exchange(self, peer, how, rest):
        try:
            if how == "%closed":
                return peer.connection.read_until_closed()
            if how in ("%raw", "%send"):
                peer.connection.send(rest[0])
            elif how != "%read":
                peer.connection.send(encode(*rest))
        except (BrokenPipeError, ConnectionResetError):
            return b"(closed)"
        except (socket.timeout, AssertionError):
            return b"(still open)"
        return b"" if how == "%send" else peer.reply()


def compare(how, replies, expected):
    """None when the two replies agree as `how` asks, else both as text."""
    mine, judge = replies
    if expected is not None:
        return None if mine == expected else f"  server:   {mine!r}\n  expected: {expected!r}"
    if how == "%type":
        same = mine[:1] == judge[:1]
    elif how == "%shape":
        same = shape(mine) == shape(judge)
    elif how == "%sorted":
        same = ordered(mine) == ordered(judge)
    elif how == "%error":
        same = mine[:1] == judge[:1] == b"-" and mine.split()[0] == judge.split()[0]
    elif how == "%any":
        same = mine[:1] not in b"-(" and judge[:1] not in b"-("
    else:
        same = mine == judge
    return None if same else f"  server: {mine[:600]!r}\n  judge:  {judge[:600]!r}"
