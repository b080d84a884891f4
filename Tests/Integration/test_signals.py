"""The process: how it ends, what it says when it breaks, and how it tells systemd."""

import os
import signal
import socket
import tempfile
import time
import unittest

from support import environment
from support.resp import Closed
from support.server import Server


class Ends(unittest.TestCase):
    def start(self, **options):
        server = Server(environment.server, environment.options(options))
        self.addCleanup(server.stop)
        return server.start()

    def test_sigterm_and_sigint(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                server = self.start()
                clients = [server.connect() for _ in range(20)]
                for client in clients:
                    client.ok("SET", "k", "v")
                server.process.send_signal(number)
                self.assertEqual(server.process.wait(timeout=20), 0)
                for client in clients:
                    self.assertEqual(client.read_until_closed(), b"")
                    client.close()

    def test_sigterm_under_load(self):
        server = self.start()
        client = server.connect()
        self.addCleanup(client.close)
        client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n" * 50_000)
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(timeout=20), 0)

    def test_shutdown(self):
        for arguments in ((), ("NOSAVE",), ("NOW", "FORCE")):
            with self.subTest(arguments):
                server = self.start()
                with server.connect() as client:
                    with self.assertRaises((Closed, ConnectionResetError)):
                        client.command("SHUTDOWN", *arguments)
                self.assertEqual(server.process.wait(timeout=20), 0)

    def test_shutdown_errors(self):
        server = self.start()
        with server.connect() as client:
            self.assertEqual(client.command("SHUTDOWN", "MAYBE"), b"-ERR syntax error\r\n")
            self.assertEqual(client.command("SHUTDOWN", "SAVE", "NOSAVE"), b"-ERR syntax error\r\n")
            self.assertEqual(client.command("SHUTDOWN", "ABORT"),
                             b"-ERR No shutdown in progress.\r\n")

    def test_a_crash_leaves_a_report(self):
        server = self.start()
        server.process.send_signal(signal.SIGSEGV)
        code = server.process.wait(timeout=60)
        self.assertNotEqual(code, 0)
        text = server.log_text()
        self.assertRegex(text, "(?i)crash|fatal")
        self.assertRegex(text, r"(?i)signal:? 11|SIGSEGV|segmentation fault")

    def test_ignored_signals(self):
        server = self.start()
        server.process.send_signal(signal.SIGPIPE)
        server.process.send_signal(signal.SIGHUP)
        with server.connect() as client:
            client.ok("PING")
        self.assertIsNone(server.process.poll())

    def test_a_client_that_resets_its_connection(self):
        server = self.start()
        for _ in range(50):
            client = server.connect()
            client.send(b"PING\r\n" * 1000)
            # A zero linger time makes close() send a reset.
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        with server.connect() as client:
            client.ok("PING")


class Systemd(unittest.TestCase):
    def test_readiness(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "notify")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.bind(path)
                notify.settimeout(20)
                os.environ["NOTIFY_SOCKET"] = path
                try:
                    server = Server(environment.server,
                                    environment.options({"supervised": "systemd"}))
                    server.start(wait=False)
                finally:
                    del os.environ["NOTIFY_SOCKET"]
                try:
                    text = b""
                    deadline = time.monotonic() + 20
                    while b"READY=1" not in text and time.monotonic() < deadline:
                        text += notify.recv(4096) + b"\n"
                    self.assertIn(b"READY=1", text)
                    # Ready means ready: no retry is needed now.
                    with server.connect() as client:
                        client.ok("PING")
                finally:
                    server.stop()
