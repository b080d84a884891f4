"""case: the base of the integration tests: one server for a class' tests, watched.

    class Strings(ServerCase):
        options = {"maxmemory": "100mb"}
        def test_set(self):
            self.assertEqual(self.client.command("SET", "k", "v"), b"+OK\\r\\n")

1. Each test starts on an empty server with a fresh connection `self.client`.
2. A test whose server died fails, even if every assertion held, and its log is shown.
"""

import time
import unittest

from . import environment
from .server import Server


class ServerCase(unittest.TestCase):
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(environment.server, environment.options(cls.options)).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.assertIsNone(self.server.process.poll(), "the server died in an earlier test")
        self.client = self.server.connect()
        self.addCleanup(self.client.close)
        if self.options.get("requirepass"):
            self.client.ok("AUTH", self.options["requirepass"])
        self.client.ok("FLUSHALL")
        self.addCleanup(self.check_alive)

    def check_alive(self):
        code = self.server.process.poll()
        if code is not None:
            self.fail(f"the server died with code {code}:\n{self.server.log_tail()}")

    def connect(self, **arguments):
        """Another connection, closed at the test's end."""
        connection = self.server.connect(**arguments)
        self.addCleanup(connection.close)
        return connection

    def eventually(self, condition, seconds=10.0, message="it did not happen in time"):
        """Waits for a condition that something else brings about. A bound, never a measurement."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.fail(message)
            time.sleep(0.01)
