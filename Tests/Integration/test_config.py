"""Configuration: files, the command line, standard input, CONFIG, and what is refused."""

import os
import shutil
import socket
import tempfile
import unittest

from support import environment
from support.case import ServerCase
from support.resp import Connection
from support.server import Server, StartError

STOCK = "/etc/redis/redis.conf"


class Files(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ferrite-config-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def value(self, server, name):
        with server.connect() as connection:
            return connection.value("CONFIG", "GET", name)[1]

    @unittest.skipUnless(os.access(STOCK, os.R_OK), f"{STOCK} is not readable here")
    def test_the_stock_file_starts_the_server(self):
        # Only what would touch the machine's own Redis is overridden: port, directory, log, pid file.
        config = shutil.copy(STOCK, self.directory)
        options = {"logfile": "", "pidfile": os.path.join(self.directory, "pid"), "daemonize": "no"}
        with Server(environment.server, environment.options(options), config=config) as server:
            with server.connect() as connection:
                self.assertEqual(connection.command("SET", "k", "v"), b"+OK\r\n")
            self.assertEqual(self.value(server, "databases"), b"16")

    def test_directives(self):
        self.write("more.conf", "timeout 77\n")
        config = self.write(
            "test.conf",
            "# A comment\n\nmaxmemory 3mb\nMAXMEMORY-POLICY allkeys-lru\n"
            f"include {self.directory}/more.conf\ntcp-keepalive 123\n"
            'requirepass "two words"\n')
        options = environment.options({"tcp-keepalive": "55", "requirepass": None})
        server = Server(environment.server, options, config=config)
        server.options["requirepass"] = None
        with server:
            with server.connect() as connection:
                connection.ok("AUTH", "two words")
                for name, wanted in (("maxmemory", b"3145728"), ("maxmemory-policy", b"allkeys-lru"),
                                     ("timeout", b"77"), ("tcp-keepalive", b"55")):
                    self.assertEqual(connection.value("CONFIG", "GET", name)[1], wanted, name)

    def test_standard_input(self):
        with Server(environment.server, environment.options(),
                    standard_input="maxmemory 5mb\ntimeout 9\n") as server:
            self.assertEqual(self.value(server, "maxmemory"), b"5242880")
            self.assertEqual(self.value(server, "timeout"), b"9")

    def refused(self, config=None, options=None):
        server = Server(environment.server, environment.options(options), config=config)
        with self.assertRaises(StartError) as caught:
            server.start()
        return str(caught.exception)

    def test_an_unknown_directive_is_refused_by_name_and_line(self):
        config = self.write("test.conf", "timeout 5\n\nno-such-thing 1\n")
        text = self.refused(config)
        self.assertIn("no-such-thing", text)
        self.assertRegex(text, r"(?i)line:? 3\b|:3\b")

    def test_bad_values_are_refused(self):
        for line in ("port abc", "maxmemory 12parsecs", "appendfsync sometimes", "timeout -5",
                     "databases 0"):
            with self.subTest(line):
                text = self.refused(self.write("test.conf", line + "\n"))
                self.assertIn(line.split()[0], text)

    def test_a_missing_file_is_refused(self):
        self.assertIn("missing.conf", self.refused(os.path.join(self.directory, "missing.conf")))

    def test_a_taken_port_is_refused(self):
        with Server(environment.server, environment.options()) as first:
            second = Server(environment.server,
                            environment.options({"port": str(first.port)}))
            second.start(wait=False)
            try:
                self.assertNotEqual(second.process.wait(timeout=20), 0)
                self.assertRegex(second.log_text(), "(?i)address already in use|failed listening|bind")
            finally:
                second.stop()

    def test_no_port_at_all(self):
        path = os.path.join(self.directory, "only.sock")
        server = Server(environment.server, environment.options({"unixsocket": path}))
        server.port = 0
        server.options["port"] = "0"
        server.start(wait=False)
        try:
            case = ServerCase()
            case.eventually(lambda: os.path.exists(path), 20, "no socket appeared")
            case.eventually(lambda: self.answers(path), 20, "the socket does not answer")
        finally:
            server.stop()

    @staticmethod
    def answers(path):
        try:
            with Connection(path) as connection:
                return connection.command("PING") == b"+PONG\r\n"
        except (ConnectionRefusedError, FileNotFoundError):
            return False

    def test_pidfile_and_logfile(self):
        pid = os.path.join(self.directory, "server.pid")
        log = os.path.join(self.directory, "server.log")
        with Server(environment.server,
                    environment.options({"pidfile": pid, "logfile": log, "daemonize": "no"})) as server:
            with open(pid) as file:
                self.assertEqual(int(file.read()), server.pid)
            self.assertGreater(os.path.getsize(log), 0)
            server.terminate()
            self.assertFalse(os.path.exists(pid), "the pid file outlived the server")

    def test_config_rewrite(self):
        config = self.write("test.conf", "# Keep this line\ntimeout 5\nmaxclients 100\n")
        options = environment.options({"dir": self.directory})
        with Server(environment.server, options, config=config) as server:
            with server.connect() as connection:
                connection.ok("CONFIG", "SET", "timeout", "42", "maxmemory", "9mb")
                connection.ok("CONFIG", "REWRITE")
        with open(config) as file:
            text = file.read()
        self.assertIn("# Keep this line", text)
        self.assertIn("timeout 42", text)
        self.assertIn("maxclients 100", text)
        with Server(environment.server, options, config=config) as server:
            self.assertEqual(self.value(server, "timeout"), b"42")
            self.assertEqual(self.value(server, "maxmemory"), b"9437184")


class Config(ServerCase):
    def names(self, *patterns):
        return self.client.value("CONFIG", "GET", *patterns)[::2]

    def test_get(self):
        self.assertEqual(sorted(self.names("maxmemory*")), sorted(set(self.names("maxmemory*"))))
        self.assertIn(b"maxmemory-policy", self.names("maxmemory*"))
        self.assertEqual(set(self.names("port", "timeout", "port")), {b"port", b"timeout"})
        self.assertEqual(self.names("nothing-like-this"), [])
        self.assertGreater(len(self.names("*")), 60)
        self.assertEqual(set(self.names("[pt][oi][rm][te]*")) & {b"port", b"timeout"},
                         {b"port", b"timeout"})

    def test_set_is_all_or_nothing(self):
        before = self.client.value("CONFIG", "GET", "timeout")
        self.assertTrue(self.client.command(
            "CONFIG", "SET", "timeout", "99", "maxmemory", "nonsense").startswith(b"-ERR CONFIG SET"))
        self.assertEqual(self.client.value("CONFIG", "GET", "timeout"), before)
        self.assertTrue(self.client.command("CONFIG", "SET", "no-such", "1").startswith(
            b"-ERR Unknown option or number of arguments for CONFIG SET - 'no-such'"))
        self.assertTrue(self.client.command(
            "CONFIG", "SET", "timeout", "1", "timeout", "2").startswith(b"-ERR CONFIG SET failed"))

    def test_resetstat(self):
        self.client.ok("SET", "k", "v")
        self.client.ok("GET", "k")
        self.assertGreater(int(self.server.info("stats")["keyspace_hits"]), 0)
        self.client.ok("CONFIG", "RESETSTAT")
        self.assertEqual(self.server.info("stats")["keyspace_hits"], "0")

    def test_maxclients_needs_descriptors(self):
        self.client.ok("CONFIG", "SET", "maxclients", "500")
        self.assertEqual(self.client.value("CONFIG", "GET", "maxclients")[1], b"500")

    def test_port_can_move(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with Server(environment.server, environment.options()) as server:
            with server.connect() as connection:
                connection.ok("CONFIG", "SET", "port", str(port))
                with Connection(("127.0.0.1", port)) as moved:
                    self.assertEqual(moved.command("PING"), b"+PONG\r\n")
                self.assertEqual(connection.command("PING"), b"+PONG\r\n")
            server.port = port
