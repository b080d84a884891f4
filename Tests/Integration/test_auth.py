"""Who may speak: requirepass, AUTH, HELLO AUTH, protected mode, Unix sockets."""

import os
import socket
import stat
import subprocess

from support import environment
from support.case import ServerCase
from support.resp import Connection
from support.server import Server

NOAUTH = b"-NOAUTH Authentication required.\r\n"


class RequirePassword(ServerCase):
    options = {"requirepass": "sesame"}

    def test_nothing_works_before_auth(self):
        stranger = self.connect()
        for command in (("PING",), ("GET", "k"), ("INFO",), ("CONFIG", "GET", "*"), ("COMMAND",),
                        ("CLIENT", "LIST")):
            self.assertEqual(stranger.command(*command)[:7], NOAUTH[:7], command)
        self.assertEqual(stranger.command("GET", "k"), NOAUTH)

    def test_auth(self):
        stranger = self.connect()
        wrong = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        self.assertEqual(stranger.command("AUTH", "open"), wrong)
        self.assertEqual(stranger.command("AUTH", "nobody", "sesame"), wrong)
        self.assertEqual(stranger.command("AUTH", "sesamex"), wrong)
        self.assertEqual(stranger.command("AUTH", "sesam"), wrong)
        self.assertEqual(stranger.command("GET", "k"), NOAUTH)
        self.assertEqual(stranger.command("AUTH", "default", "sesame"), b"+OK\r\n")
        self.assertEqual(stranger.command("PING"), b"+PONG\r\n")
        self.assertEqual(stranger.command("AUTH", "a", "b", "c"), b"-ERR syntax error\r\n")

    def test_hello_auth(self):
        stranger = self.connect()
        # Redis 7.0 leaves out the word <proto>.
        proto = b"" if environment.is_redis() else b"<proto> "
        self.assertEqual(
            stranger.command("HELLO", "3"),
            b"-NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            b"HELLO " + proto + b"AUTH <user> <pass> option can be used to authenticate the client and "
            b"select the RESP protocol version at the same time\r\n")
        self.assertEqual(stranger.command("HELLO", "3", "AUTH", "default", "open")[:10],
                         b"-WRONGPASS")
        reply = stranger.command("HELLO", "3", "AUTH", "default", "sesame", "SETNAME", "friend")
        self.assertEqual(reply[:1], b"%")
        self.assertEqual(stranger.value("CLIENT", "GETNAME"), b"friend")

    def test_reset_asks_again(self):
        self.assertEqual(self.client.command("RESET"), b"+RESET\r\n")
        self.assertEqual(self.client.command("GET", "k"), NOAUTH)

    def test_strangers_may_send_little(self):
        for request, reply in (
            (b"*11\r\n", b"-ERR Protocol error: unauthenticated multibulk length\r\n"),
            (b"*1\r\n$16385\r\n", b"-ERR Protocol error: unauthenticated bulk length\r\n"),
        ):
            stranger = self.connect()
            stranger.send(request)
            self.assertEqual(stranger.read_until_closed(), reply)

    def test_the_password_can_change(self):
        self.client.ok("CONFIG", "SET", "requirepass", "barley")
        self.assertEqual(self.connect().command("AUTH", "sesame")[:10], b"-WRONGPASS")
        self.assertEqual(self.connect().command("AUTH", "barley"), b"+OK\r\n")
        # Who is in stays in.
        self.client.ok("CONFIG", "SET", "requirepass", "sesame")

    def test_redis_cli(self):
        def cli(*arguments):
            return subprocess.run(
                ["redis-cli", "-p", str(self.server.port), *arguments, "PING"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30).stdout
        self.assertIn("NOAUTH", cli())
        self.assertIn("PONG", cli("-a", "sesame", "--no-auth-warning"))
        self.assertIn("PONG", cli("--user", "default", "--pass", "sesame"))


class NoPassword(ServerCase):
    def test_auth_without_a_password(self):
        self.assertEqual(
            self.client.command("AUTH", "x"),
            b"-ERR AUTH <password> called without any password configured for the default user. "
            b"Are you sure your configuration is correct?\r\n")
        self.assertEqual(self.client.command("AUTH", "default", "x"), b"+OK\r\n")


class UnixSocket(ServerCase):
    def test_unix_socket(self):
        with Server(environment.server) as scratch:
            path = os.path.join(scratch.directory, "other.sock")
            options = environment.options({"unixsocket": path, "unixsocketperm": "700"})
            with Server(environment.server, options):
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700)
                with Connection(path) as connection:
                    self.assertEqual(connection.command("SET", "k", "v"), b"+OK\r\n")
                    self.assertEqual(connection.value("GET", "k"), b"v")
                    self.assertIn(path.encode(), connection.value("CLIENT", "LIST"))
                output = subprocess.run(["redis-cli", "-s", path, "GET", "k"], text=True,
                                        stdout=subprocess.PIPE, timeout=30).stdout
                self.assertEqual(output.strip(), "v")


class ProtectedMode(ServerCase):
    def outside_address(self):
        """An address of this machine that is not a loopback one."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("203.0.113.1", 9))  # Sends nothing; only chooses a route.
            except OSError:
                self.skipTest("this machine has only a loopback address")
            return probe.getsockname()[0]

    def test_strangers_are_refused_where_nothing_is_set(self):
        address = self.outside_address()
        with Server(environment.server, environment.options({"bind": "0.0.0.0"})) as server:
            with Connection((address, server.port)) as connection:
                self.assertEqual(connection.read_until_closed()[:39],
                                 b"-DENIED Redis is running in protected m")
            with server.connect() as local:
                local.ok("CONFIG", "SET", "protected-mode", "no")
            with Connection((address, server.port)) as connection:
                self.assertEqual(connection.command("PING"), b"+PONG\r\n")
