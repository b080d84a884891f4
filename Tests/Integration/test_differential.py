"""A slice of Tests/Integration/differential: random commands of every kind, the same to the server
and to redis-server. FERRITE_TEST_SEED chooses others."""

import unittest

from support import environment
from support.differential import Differential
from support.server import Server


@unittest.skipUnless(environment.reference, "there is no redis-server to compare with")
class DifferentialSlice(unittest.TestCase):
    SEEDS, BATCHES, BATCH = 6, 20, 200

    def test_random_commands_of_every_kind(self):
        settings = {"enable-debug-command": "yes", "save": ""}
        with Server(environment.server, environment.options(settings)) as server, \
                Server(environment.reference, settings) as judge:
            for number in range(self.SEEDS):
                seed = environment.seed * 1000 + number
                with server.connect(timeout=60) as mine, judge.connect(timeout=60) as wanted:
                    test = Differential(mine, wanted, seed)
                    test.restart()
                    for _ in range(self.BATCHES):
                        trouble = test.batch(self.BATCH)
                        if trouble:
                            self.fail(f"seed {seed}:\n{trouble}")
