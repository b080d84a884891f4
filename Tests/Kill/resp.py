"""resp: a small client: requests out, decoded RESP2 replies in."""

import socket


class ReplyError(str):
    pass


class Closed(OSError):
    pass


def encode(arguments):
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if isinstance(argument, str):
            argument = argument.encode()
        elif isinstance(argument, int):
            argument = b"%d" % argument
        parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(parts)


class Parser:
    """Finds replies in bytes, however the network has cut them."""

    def __init__(self):
        self.buffer = bytearray()
        self.position = 0

    def feed(self, data):
        if self.position > 1 << 16:
            del self.buffer[: self.position]
            self.position = 0
        self.buffer += data

    def next(self):
        """(True, reply), or (False, None) when it has not arrived yet."""
        start = self.position
        result = self._parse()
        if result is None:
            self.position = start
            return False, None
        return True, result[0]

    def _parse(self):
        end = self.buffer.find(b"\r\n", self.position)
        if end < 0:
            return None
        kind, text = self.buffer[self.position], bytes(self.buffer[self.position + 1 : end])
        self.position = end + 2
        if kind in b"+":
            return (text.decode(),)
        if kind in b"-":
            return (ReplyError(text.decode()),)
        if kind in b":":
            return (int(text),)
        if kind in b"$":
            count = int(text)
            if count < 0:
                return (None,)
            if len(self.buffer) < self.position + count + 2:
                return None
            value = bytes(self.buffer[self.position : self.position + count])
            self.position += count + 2
            return (value,)
        if kind in b"*":
            values = []
            for _ in range(int(text)):
                inner = self._parse()
                if inner is None:
                    return None
                values.append(inner[0])
            return (values,)
        raise AssertionError(f"no reply begins with {bytes([kind])!r}")


class Connection:
    """Requests one by one, or all at once."""

    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parser = Parser()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def command(self, *arguments):
        return self.pipeline([arguments])[0]

    def pipeline(self, requests, share=500):
        replies = []
        for start in range(0, len(requests), share):
            some = requests[start : start + share]
            self.socket.sendall(b"".join(encode(request) for request in some))
            wanted = len(replies) + len(some)
            while len(replies) < wanted:
                isThere, reply = self.parser.next()
                if isThere:
                    replies.append(reply)
                    continue
                data = self.socket.recv(1 << 16)
                if not data:
                    raise Closed("the server closed the connection")
                self.parser.feed(data)
        return replies
