"""WAITAOF: who waits for the log, what it tells him, and how the wait ends; over sockets. The replies
are Redis 7.2's; the judge, 7.0, does not have the command."""

import unittest

from support import environment
from support.resp import encode
from support.server import Server

DURABLE = b"*2\r\n:1\r\n:0\r\n"
PENDING = b"*2\r\n:0\r\n:0\r\n"


@unittest.skipIf(environment.is_redis(), "the judge has no WAITAOF")
class WaitAOF(unittest.TestCase):
    def start(self, policy):
        server = Server(environment.server, environment.options(
            {"persistence": "yes", "storage-medium": "ssd", "appendfsync": policy}))
        self.addCleanup(server.stop)
        return server.start()

    def test_always(self):
        server = self.start("always")
        with server.connect() as client:
            # Who has written nothing has nothing to wait for.
            self.assertEqual(client.command("WAITAOF", "1", "0", "0"), DURABLE)
            for number in range(1, 50):
                client.send(encode("INCR", "n") + encode("WAITAOF", "1", "0", "0") + encode("PING"))
                self.assertEqual(client.read_reply(), b":%d\r\n" % number)
                self.assertEqual(client.read_reply(), DURABLE)
                self.assertEqual(client.read_reply(), b"+PONG\r\n")
            self.assertEqual(client.command("WAITAOF", "0", "0", "0"), DURABLE)
            # There are no replicas: time passes, and tells what there is.
            self.assertEqual(client.command("WAITAOF", "1", "1", "20"), DURABLE)
            self.assertEqual(client.command("WAITAOF", "0", "1", "20"), DURABLE)

    def test_every_second(self):
        server = self.start("everysec")
        with server.connect() as client, server.connect() as other:
            for number in range(3):
                client.ok("SET", "k", str(number))
                self.assertEqual(client.command("WAITAOF", "1", "0", "0"), DURABLE)
                self.assertEqual(client.command("WAITAOF", "0", "0", "0"), DURABLE)
            # Several at once, one of whom goes away.
            waiters = [server.connect() for _ in range(5)]
            for waiter in waiters:
                waiter.send(encode("INCR", "n") + encode("WAITAOF", "1", "0", "0"))
            waiters.pop(2).close()
            for waiter in waiters:
                self.assertEqual(waiter.read_reply()[:1], b":")
                self.assertEqual(waiter.read_reply(), DURABLE)
                waiter.close()
            self.assertEqual(other.command("WAITAOF", "1", "0", "0"), DURABLE)

    def test_without_anybody_who_synchronizes(self):
        server = self.start("no")
        with server.connect() as client, server.connect() as other:
            client.ok("SET", "k", "v")
            self.assertEqual(client.command("WAITAOF", "1", "0", "20"), PENDING)
            self.assertEqual(client.command("WAITAOF", "0", "0", "0"), PENDING)
            self.assertEqual(other.command("WAITAOF", "1", "0", "0"), DURABLE)
            # In a transaction nobody waits, and its own writes do not count yet.
            for connection, reply in ((client, PENDING), (other, DURABLE)):
                connection.ok("MULTI")
                connection.command("INCR", "n")
                connection.command("WAITAOF", "1", "0", "0")
                self.assertTrue(connection.command("EXEC").endswith(reply))
                self.assertEqual(connection.command("WAITAOF", "1", "0", "20"), PENDING)
            self.unblock(client, other)
            # The log is made durable when it changes to `always`.
            other.send(encode("WAITAOF", "1", "0", "0"))
            client.send(encode("WAITAOF", "1", "0", "60000"))
            self.assertFalse(client.has_input(0.1))
            with server.connect() as third:
                self.assertEqual(server.info("clients")["blocked_clients"], "2")
                third.ok("CONFIG", "SET", "appendfsync", "always")
            self.assertEqual(client.read_reply(), DURABLE)
            self.assertEqual(other.read_reply(), DURABLE)
            self.assertEqual(server.info("clients")["blocked_clients"], "0")

    def unblock(self, client, other):
        number = client.value("CLIENT", "ID")
        for reason, reply in (("TIMEOUT", PENDING),
                              ("ERROR", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")):
            client.send(encode("WAITAOF", "1", "0", "0"))
            self.assertFalse(client.has_input(0.05))
            self.assertEqual(other.value("CLIENT", "UNBLOCK", number, reason), 1)
            self.assertEqual(client.read_reply(), reply)

    def test_what_serving_a_blocked_client_writes_is_his(self):
        server = self.start("no")
        with server.connect() as client, server.connect() as other:
            client.send(encode("BLPOP", "list", "0"))
            self.assertFalse(client.has_input(0.05))
            other.command("RPUSH", "list", "element")
            client.read_reply()
            self.assertEqual(client.command("WAITAOF", "1", "0", "20"), PENDING)

    def test_without_a_log(self):
        server = Server(environment.server, environment.options({"persistence": "no"}))
        self.addCleanup(server.stop)
        server.start()
        with server.connect() as client:
            client.ok("SET", "k", "v")
            self.assertEqual(
                client.command("WAITAOF", "1", "0", "0"),
                b"-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n")
            self.assertEqual(client.command("WAITAOF", "0", "0", "0"), PENDING)
            self.assertEqual(client.command("WAITAOF", "0", "1", "20"), PENDING)
            for arguments, error in (
                    (("2", "0", "0"), b"value is out of range, value must between 0 and 1"),
                    (("-1", "0", "0"), b"value is out of range, value must between 0 and 1"),
                    (("x", "0", "0"), b"value is not an integer or out of range"),
                    (("1", "-1", "0"), b"value is out of range, must be positive"),
                    (("1", "0", "x"), b"timeout is not an integer or out of range"),
                    (("1", "0", "-1"), b"timeout is negative")):
                self.assertEqual(client.command("WAITAOF", *arguments), b"-ERR " + error + b"\r\n")
