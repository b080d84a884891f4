"""resp: the wire protocol, read as raw bytes.

A Connection keeps replies verbatim, because the transcripts compare bytes and not meanings:

    command("GET", "k")   →   b"$5\\r\\nhello\\r\\n"

1. `read_reply` consumes exactly one complete reply of RESP2 or RESP3, whatever its nesting.
2. Every socket has a timeout, so a missing reply is a failure and never a hang.
"""

import select
import socket

TIMEOUT_SECONDS = 30.0


class Closed(Exception):
    """The server closed the connection."""


def encode(*arguments):
    """A request as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if isinstance(argument, str):
            argument = argument.encode()
        elif isinstance(argument, int):
            argument = b"%d" % argument
        parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(parts)


class Connection:
    """One client connection that sends bytes and reads raw replies."""

    def __init__(self, address, timeout=TIMEOUT_SECONDS):
        """`address` is (host, port) or the path of a Unix socket."""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.position = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def command(self, *arguments):
        """Sends one command and returns its raw reply."""
        self.send(encode(*arguments))
        return self.read_reply()

    def ok(self, *arguments):
        """Sends a command that must not fail and returns its raw reply."""
        reply = self.command(*arguments)
        if reply[:1] in b"-!":
            raise AssertionError(f"{arguments!r} answered {reply!r}")
        return reply

    def value(self, *arguments):
        """Sends a command and returns its reply decoded (errors as ReplyError values)."""
        return decode(self.command(*arguments))

    def has_input(self, seconds):
        """Whether something to read is there, or comes within `seconds`."""
        if self.position < len(self.buffer):
            return True
        return bool(select.select([self.socket], [], [], seconds)[0])

    def _fill(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise Closed()
        if self.position:
            del self.buffer[: self.position]
            self.position = 0
        self.buffer += data

    def _line(self):
        """Takes one CRLF line, with its end, from the buffer."""
        searched = self.position
        while True:
            end = self.buffer.find(b"\r\n", searched)
            if end >= 0:
                line = bytes(self.buffer[self.position : end + 2])
                self.position = end + 2
                return line
            searched = len(self.buffer) - self.position - 1
            self._fill()
            searched = max(searched, 0)

    def _exactly(self, count):
        while len(self.buffer) - self.position < count:
            self._fill()
        data = bytes(self.buffer[self.position : self.position + count])
        self.position += count
        return data

    def read_reply(self):
        """Reads one complete reply and returns its bytes."""
        parts = []
        remaining = 1
        while remaining:
            remaining -= 1
            line = self._line()
            parts.append(line)
            kind = line[:1]
            if kind in (b"$", b"=", b"!"):
                count = int(line[1:-2])
                if count >= 0:
                    parts.append(self._exactly(count + 2))
            elif kind in (b"*", b"~", b">"):
                remaining += max(int(line[1:-2]), 0)
            elif kind == b"%":
                remaining += int(line[1:-2]) * 2
            elif kind == b"|":
                remaining += int(line[1:-2]) * 2 + 1
            elif kind not in (b"+", b"-", b":", b"_", b"#", b",", b"("):
                raise AssertionError(f"not a reply: {line!r}")
        return b"".join(parts)

    def read_until_closed(self, limit=1 << 20):
        """Everything the server still sends, up to its end of the connection."""
        data = bytearray(self.buffer[self.position :])
        self.buffer.clear()
        self.position = 0
        try:
            while len(data) < limit:
                chunk = self.socket.recv(1 << 16)
                if not chunk:
                    return bytes(data)
                data += chunk
        except (ConnectionResetError, BrokenPipeError):
            return bytes(data)
        raise AssertionError(f"still open after {limit} bytes")


class ReplyError(str):
    """An error reply's text."""


def decode(raw):
    """The value of a raw reply: bytes, int, float, bool, None, list, dict or ReplyError."""
    value, end = _decode(raw, 0)
    if end != len(raw):
        raise AssertionError(f"bytes after the reply: {raw[end:]!r}")
    return value


def _decode(raw, start):
    """The value that begins at `start`, and where it ends."""
    end = raw.index(b"\r\n", start)
    kind, text, end = raw[start : start + 1], raw[start + 1 : end], end + 2
    if kind == b"+":
        return text.decode(), end
    if kind == b"-":
        return ReplyError(text.decode()), end
    if kind in (b":", b"("):
        return int(text), end
    if kind == b",":
        return float(text), end
    if kind == b"#":
        return text == b"t", end
    if kind == b"_":
        return None, end
    count = int(text)
    if count < 0:
        return None, end
    if kind in (b"$", b"=", b"!"):
        body = raw[end : end + count]
        if kind == b"!":
            body = ReplyError(body.decode())
        return (body[4:] if kind == b"=" else body), end + count + 2
    items = []
    for _ in range(count * 2 if kind in (b"%", b"|") else count):
        item, end = _decode(raw, end)
        items.append(item)
    if kind == b"%":
        return dict(zip(items[::2], items[1::2])), end
    return items, end
