"""process: the server that is killed, and what it holds when it is back."""

import os
import signal
import socket
import subprocess
import time

from model import Group, Stream, numbered
from registers import Registers
from resp import Connection, ReplyError

START_SECONDS = 60.0


class Process:
    def __init__(self, binary, port, directory, options):
        self.binary, self.port, self.directory = binary, port, directory
        self.options = options
        self.process = None
        self.log_path = directory.rstrip("/") + ".log"

    def command_line(self):
        words = [self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
                 self.directory, "--persistence", "yes"]
        for name, value in self.options.items():
            words += [f"--{name}", value]
        return words

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command_line(), stdout=log, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while wait:
            code = self.process.poll()
            if code is not None:
                raise AssertionError(f"the server ended with code {code} at start")
            try:
                with Connection(self.port) as connection:
                    connection.command("PING")
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer within {START_SECONDS} s of the start")
            time.sleep(0.002)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        if code != 0:
            raise AssertionError(f"a clean end has exit code {code}")

    def contents(self, history):
        """By database and key: what is there now, as histories write it down."""
        found = {}
        with Connection(self.port, timeout=60) as connection:
            for database in history.databases:
                connection.command("SELECT", database)
                keys, cursor = set(), b"0"
                while True:
                    cursor, some = connection.command("SCAN", cursor, "COUNT", 1000)
                    keys.update(some)
                    if cursor == b"0":
                        break
                keys = sorted(keys)
                requests = []
                for key in keys:
                    requests += [read(key), ("PEXPIRETIME", key)]
                replies = connection.pipeline(requests)
                for index, key in enumerate(keys):
                    value, deadline = replies[2 * index], replies[2 * index + 1]
                    if isinstance(value, ReplyError):
                        # XINFO STREAM calls a key that has just expired an error.
                        if value == "ERR no such key":
                            continue
                        raise AssertionError(f"{key!r}: {value}")
                    if value is not None and value != []:
                        found[database, key] = (understood(key, value),
                                                deadline if deadline > 0 else None)
        return found

    def log_tail(self, lines=25):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return "\n".join("    " + line for line in log.read().splitlines()[-lines:])
        except OSError:
            return ""


def kind(key):
    """A key's type, by its name (commands.Commands, queues.Queue)."""
    for word in ("hash", "list", "zset", "set", "stream", "hll"):
        if word.encode() in key:
            return word
    return "string"


def read(key):
    return {"hash": ("HGETALL", key), "list": ("LRANGE", key, 0, -1), "set": ("SMEMBERS", key),
            "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"), "hll": ("GET", key),
            "stream": ("XINFO", "STREAM", key, "FULL", "COUNT", 0),
            "string": ("GET", key)}[kind(key)]


def understood(key, value):
    """The reply as histories write it down."""
    if kind(key) in ("hash", "zset"):
        return dict(zip(value[::2], value[1::2]))
    if kind(key) == "set":
        return frozenset(value)
    if kind(key) == "hll":
        return Registers.decoded(value)
    return stream(named(value)) if kind(key) == "stream" else value


def named(flat):
    return dict(zip(flat[::2], flat[1::2]))


def stream(fields):
    groups = {}
    for group in map(named, fields[b"groups"]):
        pending = {numbered(identifier): (consumer, deliveries)
                   for identifier, consumer, _, deliveries in group[b"pending"]}
        consumers = [named(each) for each in group[b"consumers"]]
        ofConsumers = sorted(numbered(each[0]) for of in consumers for each in of[b"pending"])
        if ofConsumers != sorted(pending) or group[b"pel-count"] != len(pending):
            raise AssertionError("a group's pending list and its consumers' differ")
        groups[group[b"name"]] = Group(
            numbered(group[b"last-delivered-id"]), pending,
            frozenset(each[b"name"] for each in consumers))
    entries = {numbered(identifier): values for identifier, values in fields[b"entries"]}
    if len(entries) != fields[b"length"]:
        raise AssertionError("a stream miscounts its entries")
    return Stream(entries, numbered(fields[b"last-generated-id"]), fields[b"entries-added"], groups)
