"""A first session, as new users have it: redis-cli and redis-py, unchanged."""

import subprocess
import threading

import redis
from support.case import ServerCase


class RedisPy(ServerCase):
    def redis(self, **arguments):
        client = redis.Redis(host="127.0.0.1", port=self.server.port, socket_timeout=20, **arguments)
        self.addCleanup(client.close)
        return client

    def test_strings(self):
        client = self.redis(decode_responses=True)
        self.assertTrue(client.set("greeting", "grüß dich"))
        self.assertEqual(client.get("greeting"), "grüß dich")
        self.assertIsNone(client.get("missing"))
        self.assertEqual(client.append("greeting", "!"), len("grüß dich!".encode()))
        self.assertEqual(client.getrange("greeting", 0, 1), "gr")
        self.assertTrue(client.mset({"a": 1, "b": 2}))
        self.assertEqual(client.mget("a", "b", "c"), ["1", "2", None])
        self.assertEqual(client.incr("a", 41), 42)
        self.assertAlmostEqual(client.incrbyfloat("b", 0.5), 2.5)
        self.assertIsNone(client.set("a", "x", nx=True))
        self.assertEqual(client.set("a", "x", get=True), "42")

    def test_binary_values(self):
        client = self.redis()
        value = bytes(range(256)) * 40
        client.set(b"\x00\r\n key", value)
        self.assertEqual(client.get(b"\x00\r\n key"), value)
        self.assertEqual(client.strlen(b"\x00\r\n key"), len(value))

    def test_expiry(self):
        client = self.redis()
        client.set("k", "v", ex=100)
        self.assertTrue(90 < client.ttl("k") <= 100)
        self.assertTrue(client.persist("k"))
        self.assertEqual(client.ttl("k"), -1)
        self.assertEqual(client.ttl("missing"), -2)
        client.pexpire("k", 1)
        self.eventually(lambda: client.get("k") is None)
        self.assertEqual(client.exists("k"), 0)

    def test_pipeline(self):
        client = self.redis()
        pipeline = client.pipeline(transaction=False)
        for number in range(2000):
            pipeline.set(f"key:{number}", number)
        for number in range(2000):
            pipeline.get(f"key:{number}")
        replies = pipeline.execute()
        self.assertEqual(replies[:2000], [True] * 2000)
        self.assertEqual(replies[2000:], [b"%d" % number for number in range(2000)])
        self.assertEqual(client.dbsize(), 2000)

    def test_scan_finds_every_key(self):
        client = self.redis()
        names = {f"key:{number}".encode() for number in range(3000)}
        client.mset({name: 1 for name in names})
        self.assertEqual(set(client.scan_iter(count=50)), names)
        self.assertEqual(set(client.scan_iter(match="key:29*")),
                         {name for name in names if name.startswith(b"key:29")})

    def test_resp3(self):
        client = self.redis(protocol=3, decode_responses=True)
        self.assertTrue(client.ping())
        self.assertTrue(client.set("k", "v"))
        self.assertEqual(client.get("k"), "v")
        self.assertIsNone(client.get("missing"))
        self.assertIsInstance(client.execute_command("CONFIG", "GET", "maxmemory"), dict)

    def test_errors(self):
        client = self.redis()
        client.set("k", "word")
        with self.assertRaisesRegex(redis.ResponseError, "not an integer or out of range"):
            client.incr("k")
        with self.assertRaisesRegex(redis.ResponseError, "unknown command"):
            client.execute_command("NOSUCHCOMMAND")
        with self.assertRaisesRegex(redis.ResponseError, "wrong number of arguments"):
            client.execute_command("GET")
        self.assertEqual(client.get("k"), b"word")

    def test_keys_and_databases(self):
        client = self.redis()
        client.mset({"a": 1, "b": 2})
        self.assertEqual(client.exists("a", "b", "c"), 2)
        self.assertTrue(client.rename("a", "c"))
        self.assertEqual(sorted(client.keys("*")), [b"b", b"c"])
        self.assertEqual(client.type("c"), b"string")
        self.assertEqual(client.unlink("b", "nothing"), 1)
        other = self.redis(db=5)
        self.assertIsNone(other.get("c"))
        self.assertTrue(client.move("c", 5))
        self.assertEqual(other.get("c"), b"1")
        other.flushdb()
        self.assertEqual(other.dbsize(), 0)

    def test_bits(self):
        client = self.redis()
        for bit in (1, 5, 77):
            self.assertEqual(client.setbit("bits", bit, 1), 0)
        self.assertEqual(client.bitcount("bits"), 3)
        self.assertEqual(client.bitpos("bits", 1), 1)
        self.assertEqual(client.bitop("NOT", "inverse", "bits"), 10)
        self.assertEqual(client.bitcount("inverse"), 77)

    def test_server_and_client_commands(self):
        client = self.redis(client_name="session", decode_responses=True)
        self.assertEqual(client.client_getname(), "session")
        self.assertTrue(any(row["name"] == "session" for row in client.client_list()))
        information = client.info()
        self.assertGreaterEqual(information["connected_clients"], 1)
        self.assertGreater(information["used_memory"], 0)
        self.assertIn("redis_version", information)
        client.config_set("maxmemory", "200mb")
        self.assertEqual(client.config_get("maxmem*")["maxmemory"], str(200 << 20))
        client.config_set("maxmemory", "0")
        self.assertGreater(len(client.command()), 50)
        self.assertEqual(len(client.time()), 2)

    def test_threads_share_a_pool(self):
        client = self.redis()
        failures = []

        def work():
            try:
                for _ in range(200):
                    client.incr("counter")
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(client.get("counter"), b"2000")


class RedisCLI(ServerCase):
    def cli(self, *arguments, text=None):
        run = subprocess.run(
            ["redis-cli", "-p", str(self.server.port), *arguments], input=text, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            stdin=subprocess.DEVNULL if text is None else None)
        return run.stdout.strip()

    def test_one_command(self):
        self.assertEqual(self.cli("SET", "k", "v"), "OK")
        self.assertEqual(self.cli("GET", "k"), "v")
        self.assertEqual(self.cli("--no-raw", "GET", "missing"), "(nil)")
        self.assertEqual(self.cli("-3", "--no-raw", "STRLEN", "k"), "(integer) 1")
        self.assertIn("ERR unknown command", self.cli("NOSUCH"))

    def test_a_file_of_commands(self):
        self.assertEqual(self.cli(text="SET a 1\nINCR a\nGET a\n").split(), ["OK", "2", "2"])

    def test_mass_insertion(self):
        requests = "".join(f"SET key:{number} {number}\r\n" for number in range(10000))
        self.assertIn("errors: 0, replies: 10000", self.cli("--pipe", text=requests))
        self.assertEqual(self.cli("DBSIZE"), "10000")
        self.assertEqual(len(self.cli("--scan", "--pattern", "key:1*").split()), 1111)

    def test_reports(self):
        self.cli("SET", "big", "x" * 5000)
        self.assertIn("Biggest string found", self.cli("--bigkeys"))
        self.assertIn("# Server", self.cli("INFO", "server"))
        self.assertIn("big", self.cli("--memkeys"))
