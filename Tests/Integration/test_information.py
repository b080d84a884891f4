"""INFO, CONFIG SET's effects, DEBUG, SLOWLOG, LATENCY and MEMORY, as tools and operators meet them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from support import environment
from support.case import ServerCase
from support.resp import Closed, Connection
from support.server import Server, StartError, free_port

# Fields of redis-server 7.0.15 that depend on what happens, not on what there is.
VARIABLE = re.compile(r"^(cmdstat_|errorstat_|latency_percentiles_usec_|db\d+$|slave\d+$)")


def sections(text):
    """INFO's text as {section: [field, ...]}."""
    result, fields = {}, []
    for line in text.decode().split("\r\n"):
        if line.startswith("# "):
            fields = result.setdefault(line[2:], [])
        elif ":" in line:
            fields.append(line.split(":", 1)[0])
    return result


class Fields(ServerCase):
    @unittest.skipUnless(environment.reference, "no redis-server to compare with")
    def test_every_field_of_redis_is_there(self):
        with Server(environment.reference) as redis, redis.connect() as judge:
            for words in (("everything",), ("all",), ()):
                wanted = sections(judge.value("INFO", *words))
                found = sections(self.client.value("INFO", *words))
                # Sections that fill up with use have nothing to say yet on both sides.
                self.assertEqual(list(found), list(wanted), words)
                for section, fields in wanted.items():
                    missing = [name for name in fields
                               if name not in found[section] and not VARIABLE.match(name)]
                    self.assertEqual(missing, [], f"{words} {section}")

    def test_sections(self):
        value = self.client.value
        self.assertEqual(value("INFO", "nosuch"), b"")
        self.assertEqual(list(sections(value("INFO", "cPu"))), ["CPU"])
        self.assertEqual(list(sections(value("INFO", "keyspace", "server", "nosuch"))),
                         ["Server", "Keyspace"])
        self.assertNotIn("Commandstats", sections(value("INFO")))
        self.assertIn("Commandstats", sections(value("INFO", "default", "commandstats")))
        self.assertTrue(value("INFO", "server").endswith(b"\r\n"))

    def test_numbers_are_numbers(self):
        text = self.client.value("INFO", "memory", "stats", "clients", "cpu").decode()
        words = {"maxmemory_policy", "mem_allocator"}
        for line in text.split("\r\n"):
            if ":" in line:
                name, value = line.split(":")
                if name not in words and not name.endswith("_human"):
                    self.assertRegex(value, r"^-?\d+(\.\d+)?%?$", name)

    def test_what_is_counted(self):
        client = self.client
        client.ok("CONFIG", "RESETSTAT")
        client.ok("SET", "k", "v")
        client.ok("GET", "k")
        client.ok("GET", "missing")
        client.command("INCR", "k")
        client.command("GET")
        client.command("NOSUCH")
        info = self.server.info()
        self.assertEqual((info["keyspace_hits"], info["keyspace_misses"]), ("1", "1"))
        self.assertEqual(info["total_error_replies"], "3")
        self.assertEqual(info["errorstat_ERR"], "count=3")
        self.assertRegex(info["cmdstat_get"],
                         r"^calls=2,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=1,failed_calls=0$")
        self.assertRegex(info["cmdstat_incr"], r"^calls=1,.*,rejected_calls=0,failed_calls=1$")
        self.assertRegex(info["latency_percentiles_usec_get"],
                         r"^p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}$")
        self.assertEqual(info["total_commands_processed"], "5")
        self.assertEqual(info["db0"], "keys=1,expires=0,avg_ttl=0")
        client.ok("PEXPIRE", "k", "100000")
        match = re.match(r"keys=1,expires=1,avg_ttl=(\d+)$", self.server.info()["db0"])
        self.assertTrue(90_000 < int(match[1]) <= 100_000, match[0])

    def test_network_bytes(self):
        self.client.ok("CONFIG", "RESETSTAT")
        request = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000\r\n" + b"x" * 4000 + b"\r\n"
        with self.server.connect() as other:
            for _ in range(10):
                other.send(request)
                other.read_reply()
            live = self.server.info("stats")
        self.assertTrue(40_000 < int(live["total_net_input_bytes"]) < 50_000, live)

        def closed():
            return int(self.server.info("clients")["connected_clients"]) == 2
        self.eventually(closed)
        after = self.server.info("stats")
        self.assertGreaterEqual(int(after["total_net_input_bytes"]),
                                int(live["total_net_input_bytes"]))

    def test_flushed_memory_comes_back(self):
        client = self.connect(timeout=120)
        before = self.server.status("VmRSS")
        for start in range(0, 300_000, 10_000):
            client.send(b"".join(
                b"*3\r\n$3\r\nSET\r\n$8\r\n%08d\r\n$64\r\n%s\r\n" % (number, b"x" * 64)
                for number in range(start, start + 10_000)))
            for _ in range(10_000):
                client.read_reply()
        full = self.server.status("VmRSS")
        self.assertGreater(full, before + 20_000_000)
        client.ok("FLUSHALL")
        self.eventually(lambda: self.server.status("VmRSS") < before + (full - before) / 2)
        info = self.server.info("memory")
        self.assertLess(int(info["used_memory"]), 3_000_000)
        self.assertEqual(info["lazyfree_pending_objects"], "0")
        self.assertGreater(int(info["used_memory_peak"]), 20_000_000)


@unittest.skipUnless(environment.reference, "there is no redis-server to compare with")
class LazyFree(unittest.TestCase):
    """What counts as freed in the background is what counts in Redis."""

    FIELDS = [str(number) for number in range(130)]
    LARGE = {
        "hash": [("HSET", "k", *FIELDS), ("HSET", "k", "long", "x" * 100)],
        "64 members": [("SADD", "k", *FIELDS[:63], "a")],
        "65 members": [("SADD", "k", "a" * 65, *FIELDS[:64])],
        "sorted set": [("ZADD", "k", *FIELDS, "1", "x" * 100)],
        "packed": [("ZADD", "k", *FIELDS)],
        "string": [("SET", "k", "x" * 100_000)],
        "one leaf": [("RPUSH", "k", *FIELDS)],
        "leaves": [("RPUSH", "k", *("x" * 2000 for _ in range(400)))],
        "short stream": [("XADD", "k", "*", "a", "b")],
        "stream": [("XADD", "k", f"{number}-1", "a", "b" * 2000) for number in range(1, 200)],
        "pending": [
            *(("XADD", "k", f"{number}-1", "a", "b") for number in range(1, 80)),
            ("XGROUP", "CREATE", "k", "g", "0"),
            ("XREADGROUP", "GROUP", "g", "alice", "STREAMS", "k", ">")],
    }
    ENDS = {
        "UNLINK": ("UNLINK", "k"), "DEL": ("DEL", "k"), "SET": ("SET", "k", "v"),
        "RENAME": ("RENAME", "other", "k"), "FLUSHALL": ("FLUSHALL",),
        "SYNC": ("FLUSHALL", "SYNC"), "ASYNC": ("FLUSHALL", "ASYNC"), "FLUSHDB": ("FLUSHDB", "ASYNC"),
        "PEXPIRE": ("PEXPIRE", "k", "-1"),
    }
    DIRECTIVES = ["lazyfree-lazy-user-del", "lazyfree-lazy-server-del", "lazyfree-lazy-user-flush",
                  "lazyfree-lazy-expire"]

    def test_counts(self):
        with Server(environment.server, environment.options()) as ours, \
                Server(environment.reference) as redis, \
                ours.connect() as one, redis.connect() as other:
            cases = [(name, "UNLINK", "no") for name in self.LARGE]
            cases += [("hash", end, setting) for end in self.ENDS for setting in ("no", "yes")]
            for name, end, setting in cases:
                counts = [self.count(client, self.LARGE[name], self.ENDS[end], setting)
                          for client in (one, other)]
                self.assertEqual(counts[0], counts[1], (name, end, setting))

    def count(self, client, commands, end, setting):
        client.ok("FLUSHALL")
        while b"lazyfree_pending_objects:0\r" not in client.value("INFO", "memory"):
            pass
        for directive in self.DIRECTIVES:
            client.ok("CONFIG", "SET", directive, setting)
        client.ok("SET", "other", "x")
        for command in commands:
            client.ok(*command)
        client.ok("CONFIG", "RESETSTAT")
        client.ok(*end)
        while b"lazyfree_pending_objects:0\r" not in client.value("INFO", "memory"):
            pass
        lines = client.value("INFO", "memory").split(b"\r\n")
        return next(line for line in lines if line.startswith(b"lazyfreed_objects"))


class Configured(ServerCase):
    options = {"enable-debug-command": "local"}

    def set(self, *words):
        return self.client.command("CONFIG", "SET", *words)

    def reaches(self, port, host="127.0.0.1"):
        try:
            with Connection((host, port)) as connection:
                return connection.command("PING") == b"+PONG\r\n"
        except (ConnectionRefusedError, Closed, ConnectionResetError):
            return False

    def test_port_and_bind(self):
        home, other = self.server.port, free_port()
        self.addCleanup(lambda: self.set("port", str(home), "bind", "127.0.0.1"))
        self.assertEqual(self.set("port", str(other)), b"+OK\r\n")
        self.assertEqual((self.reaches(home), self.reaches(other)), (False, True))
        self.assertEqual(self.set("bind", "*"), b"+OK\r\n")
        self.assertTrue(self.reaches(other))
        self.assertEqual(self.set("bind", "127.0.0.1 -192.0.2.1"), b"+OK\r\n")
        self.assertTrue(self.reaches(other))
        # What cannot be had changes nothing.
        self.assertEqual(self.set("bind", "192.0.2.1"),
                         b"-ERR CONFIG SET failed (possibly related to argument 'bind') - "
                         b"Failed to bind to specified addresses.\r\n")
        self.assertTrue(self.reaches(other))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.assertEqual(self.set("port", str(taken.getsockname()[1])),
                             b"-ERR CONFIG SET failed (possibly related to argument 'port') - "
                             b"Unable to listen on this port. Check server logs.\r\n")
        self.assertTrue(self.reaches(other))
        self.assertEqual(self.set("port", "0"), b"+OK\r\n")
        self.assertFalse(self.reaches(other))

    def test_a_lower_maxmemory_evicts_without_a_stall(self):
        client = self.client
        client.ok("DEBUG", "POPULATE", "100000", "key", "64")
        used = int(self.server.info("memory")["used_memory"])
        self.addCleanup(lambda: self.set("maxmemory", "0", "maxmemory-policy", "noeviction"))
        self.assertEqual(self.set("maxmemory-policy", "allkeys-lru", "maxmemory", str(used // 2)),
                         b"+OK\r\n")
        self.eventually(lambda: int(self.server.info("memory")["used_memory"]) < used * 0.6)
        self.assertGreater(int(self.server.info("stats")["evicted_keys"]), 10_000)
        self.assertEqual(self.set("maxmemory-policy", "noeviction", "maxmemory", "1mb"), b"+OK\r\n")
        self.assertEqual(client.command("SET", "new", "v"),
                         b"-OOM command not allowed when used memory > 'maxmemory'.\r\n")

    def test_settings_take_effect_at_once(self):
        client = self.client
        self.addCleanup(lambda: self.connect().ok("CONFIG", "SET", "proto-max-bulk-len", "512mb"))
        self.assertEqual(self.set("proto-max-bulk-len", "1mb"), b"+OK\r\n")
        self.assertEqual(client.command("SETRANGE", "k", str(1 << 20), "x"),
                         b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n")
        with tempfile.TemporaryDirectory() as directory:
            home = client.value("CONFIG", "GET", "dir")[1]
            client.command("CONFIG", "SET", "dir", home)
            reply = self.set("dir", directory)
            self.assertIn(reply, (b"+OK\r\n", b"-ERR CONFIG SET failed (possibly related to "
                                  b"argument 'dir') - can't set protected config\r\n"))

    def test_rewrite(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "test.conf")
            with open(path, "w") as file:
                file.write("# mine\nmaxmemory 1mb\n")
            with Server(environment.server, environment.options(), config=path) as server:
                with server.connect() as client:
                    client.ok("CONFIG", "SET", "maxmemory", "2mb")
                    client.ok("CONFIG", "REWRITE")
            with open(path) as file:
                text = file.read()
            self.assertIn("# mine\nmaxmemory 2mb\n", text)


class Observed(ServerCase):
    options = {"enable-debug-command": "yes"}

    def test_slowlog(self):
        client = self.client
        self.addCleanup(lambda: client.ok("CONFIG", "SET", "slowlog-log-slower-than", "10000",
                                          "slowlog-max-len", "128"))
        client.ok("CLIENT", "SETNAME", "me")
        client.ok("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "3")
        client.ok("SLOWLOG", "RESET")
        for number in range(5):
            client.ok("SET", f"k{number}", "x" * 200)
        client.ok("CONFIG", "SET", "slowlog-log-slower-than", "-1")
        self.assertEqual(client.value("SLOWLOG", "LEN"), 3)
        entries = client.value("SLOWLOG", "GET", "-1")
        self.assertEqual([entry[3][:2] for entry in entries],
                         [[b"SET", b"k4"], [b"SET", b"k3"], [b"SET", b"k2"]])
        identifier, seconds, microseconds, words, peer, name = entries[0]
        self.assertEqual(identifier, entries[1][0] + 1)
        self.assertEqual(words[2], b"x" * 128 + b"... (72 more bytes)")
        self.assertLess(abs(time.time() - seconds), 60)
        self.assertGreaterEqual(microseconds, 0)
        self.assertRegex(peer, rb"^127\.0\.0\.1:\d+$")
        self.assertEqual(name, b"me")
        self.assertEqual(len(client.value("SLOWLOG", "GET", "1")), 1)

    def test_latency(self):
        client = self.client
        self.addCleanup(lambda: client.ok("CONFIG", "SET", "latency-monitor-threshold", "0"))
        client.ok("CONFIG", "SET", "latency-monitor-threshold", "10")
        client.ok("LATENCY", "RESET")
        self.assertEqual(client.value("LATENCY", "LATEST"), [])
        client.ok("DEBUG", "SLEEP", "0.02")
        (event, seconds, latest, worst), = client.value("LATENCY", "LATEST")
        self.assertEqual((event, latest), (b"command", worst))
        self.assertGreaterEqual(worst, 20)
        self.assertEqual(client.value("LATENCY", "HISTORY", "command"), [[seconds, latest]])
        self.assertTrue(client.value("LATENCY", "GRAPH", "command").startswith(b"command - high "))
        self.assertIn(b"latency spikes", client.value("LATENCY", "DOCTOR"))
        name, histogram = client.value("LATENCY", "HISTOGRAM", "debug")
        self.assertEqual((name, histogram[0], histogram[2]), (b"debug", b"calls", b"histogram_usec"))
        self.assertEqual(histogram[3][-1], histogram[1])
        self.assertEqual(client.value("LATENCY", "RESET", "command", "nosuch"), 1)

    def test_memory(self):
        client = self.client
        client.ok("SET", "small", "x")
        client.ok("SET", "large", "x" * 10_000)
        small, large = (client.value("MEMORY", "USAGE", key) for key in ("small", "large"))
        self.assertTrue(0 < small < 100 and 10_000 < large < 14_000, (small, large))
        stats = client.value("MEMORY", "STATS")
        figures = dict(zip(stats[::2], stats[1::2]))
        self.assertEqual(figures[b"keys.count"], 2)
        self.assertIn(b"db.0", figures)
        client.ok("MEMORY", "PURGE")
        self.assertTrue(client.value("MEMORY", "DOCTOR"))
        self.assertTrue(client.value("MEMORY", "MALLOC-STATS"))

    def test_debug_is_refused_unless_configured(self):
        with Server(environment.server, environment.options()) as server, server.connect() as client:
            self.assertEqual(
                client.command("DEBUG", "SLEEP", "0"),
                b"-ERR DEBUG command not allowed. If the enable-debug-command option is set to "
                b"\"local\", you can run it from a local connection, otherwise you need to set "
                b"this option in the configuration file, and then restart the server.\r\n")

    @unittest.skipUnless(environment.reference, "no redis-server to compare with")
    def test_debug_answers_as_redis_does(self):
        requests = [
            ["DEBUG", "PROTOCOL", kind] for kind in (
                "string integer double bignum null array set map attrib verbatim true false "
                "nosuch").split()]
        requests += [
            ["DEBUG", "ERROR", "FOO bar\r\nbaz"], ["DEBUG", "OBJECT", "nokey"], ["DEBUG", "NOSUCH"],
            ["DEBUG", "HTSTATS", "99"], ["DEBUG", "QUICKLIST-PACKED-THRESHOLD", "5gb"],
            ["DEBUG", "REPLYBUFFER", "RESIZING", "0"], ["DEBUG", "REPLYBUFFER", "x", "0"],
            ["DEBUG", "POPULATE", "100", "p", "20"], ["GET", "p:99"], ["DEBUG", "DIGEST"],
            ["DEBUG", "DIGEST-VALUE", "p:1", "nokey"], ["SLOWLOG", "GET", "x"], ["SWAPDB", "0", "x"],
            ["SWAPDB", "0", "99"], ["FLUSHALL", "NOW"], ["LATENCY", "GRAPH", "x"], ["ROLE"],
            ["MEMORY", "USAGE", "k", "SAMPLES"], ["MODULE", "LIST"]]
        with Server(environment.reference, {"enable-debug-command": "yes"}) as redis:
            for version in ("2", "3"):
                with redis.connect() as judge, self.server.connect() as client:
                    for connection in (judge, client):
                        connection.ok("HELLO", version)
                        connection.ok("FLUSHALL")
                    for request in requests:
                        with self.subTest(request=request, version=version):
                            self.assertEqual(client.command(*request), judge.command(*request))


class Launched(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ferrite-launch-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def wait(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it did not happen in time")
            time.sleep(0.01)

    def test_in_the_background(self):
        port = free_port()
        words = [environment.server, "--port", str(port), "--daemonize", "yes", "--pidfile",
                 self.path("pid"), "--logfile", self.path("log"), "--dir", self.directory]
        for name, value in environment.options().items():
            words += [f"--{name}", value]
        self.assertEqual(subprocess.run(words, timeout=30).returncode, 0)

        def answers():
            try:
                with Connection(("127.0.0.1", port)) as connection:
                    return connection.command("PING") == b"+PONG\r\n"
            except OSError:
                return False
        self.wait(answers)
        with open(self.path("pid")) as file:
            pid = int(file.read())
        with Connection(("127.0.0.1", port)) as connection:
            self.assertIn(b"process_id:%d\r\n" % pid, connection.value("INFO", "server"))
        os.kill(pid, signal.SIGTERM)
        self.wait(lambda: not os.path.exists(self.path("pid")))
        with open(self.path("log")) as file:
            self.assertIn("bye bye", file.read())

    def test_only_a_unix_socket(self):
        path = self.path("socket")
        options = environment.options({"unixsocket": path, "port": None})
        server = Server(environment.server, options)
        server.options["port"] = None
        self.addCleanup(server.stop)
        # Port 0 on the command line; the helper would take it for "choose one".
        server.prefix = ()
        original = server.command_line
        server.command_line = lambda: original() + ["--port", "0"]
        server.start(wait=False)
        self.wait(lambda: os.path.exists(path))
        with Connection(path) as connection:
            self.assertEqual(connection.command("PING"), b"+PONG\r\n")
            self.assertIn(b"tcp_port:0\r\n", connection.value("INFO", "server"))
        self.assertEqual(server.terminate(), 0)
        self.assertFalse(os.path.exists(path))

    def test_renamed_commands(self):
        long = "b840fc02d524045429941cc15f59e41cb7be6c52"
        config = self.path("test.conf")
        with open(config, "w") as file:
            file.write(f'rename-command FLUSHALL ""\nrename-command CONFIG {long}\n'
                       "rename-command GET fetch\nrename-command SET get\n")
        with Server(environment.server, environment.options(), config=config) as server:
            with server.connect() as client:
                self.assertEqual(client.command("FLUSHALL"),
                                 b"-ERR unknown command 'FLUSHALL', with args beginning with: \r\n")
                self.assertEqual(client.command("GET", "k", "v"), b"+OK\r\n")
                self.assertEqual(client.command("Fetch", "k"), b"$1\r\nv\r\n")
                self.assertEqual(client.value(long, "GET", "databases"), [b"databases", b"16"])
                self.assertTrue(client.command("CONFIG", "GET", "x").startswith(b"-ERR unknown command"))

    def test_wrong_renames_are_refused(self):
        for line, reason in (("rename-command NOSUCH x", "No such command in rename-command"),
                             ("rename-command GET set", "Target command name already exists")):
            config = self.path("wrong.conf")
            with open(config, "w") as file:
                file.write(f"# first\n{line}\n")
            with self.assertRaises(StartError) as failure:
                Server(environment.server, environment.options(), config=config).start()
            self.assertIn(f"at line 2\n>>> '{line}'\n{reason}", str(failure.exception))

    def test_a_crash_names_the_command(self):
        server = Server(environment.server, environment.options({"enable-debug-command": "local"}))
        self.addCleanup(server.stop)
        server.start()
        with server.connect() as client, self.assertRaises((Closed, ConnectionResetError)):
            client.command("DEBUG", "SEGFAULT")
        self.assertNotEqual(server.process.wait(timeout=60), 0)
        text = server.log_text()
        self.assertRegex(text, r"signal: 11 SIGSEGV")
        self.assertIn("last command: debug", text)

    def test_save_is_not_promised(self):
        options = environment.options({"persistence": "no"})
        with Server(environment.server, options) as server, server.connect() as client:
            self.assertEqual(client.command("SHUTDOWN", "SAVE"),
                             b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n")
            self.assertEqual(client.command("PING"), b"+PONG\r\n")
