"""redis-benchmark runs every test whose commands exist."""

import csv
import io
import subprocess

from support.case import ServerCase


class RedisBenchmark(ServerCase):
    def bench(self, *arguments):
        run = subprocess.run(
            ["redis-benchmark", "-p", str(self.server.port), "--csv", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
        rows = list(csv.DictReader(io.StringIO(run.stdout)))
        for row in rows:
            self.assertGreater(float(row["rps"]), 0, row)
        return [row["test"] for row in rows]

    def test_every_test(self):
        names = self.bench("-t", "ping,set,get,incr,mset", "-n", "3000")
        self.assertEqual(names, ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR",
                                 "MSET (10 keys)"])

    def test_pipelines_and_random_keys(self):
        self.assertEqual(
            self.bench("-t", "set,get", "-n", "20000", "-P", "16", "-r", "1000", "-c", "30",
                       "-d", "200"), ["SET", "GET"])
        size = int(self.client.command("DBSIZE")[1:-2])
        self.assertTrue(500 < size <= 1000, size)

    def test_threads_and_resp3(self):
        self.assertEqual(self.bench("-t", "set,get", "-n", "5000", "--threads", "2", "-3"),
                         ["SET", "GET"])

    def test_own_commands(self):
        self.assertEqual(len(self.bench("-n", "1000", "SETRANGE", "key:__rand_int__", "5", "abc")), 1)
        self.assertEqual(len(self.bench("-n", "1000", "-P", "10", "GETEX", "k", "EX", "100")), 1)
