"""bench_types: the data types' part of Tools/bench: what is run on which collections, and memory per
element of large ones.

1. Every collection has 1 M elements, written once in order, unless its line says otherwise.
2. A workload that takes elements away is preceded, untimed, by one that puts as many in.
"""

MILLION = 1_000_000
RANDOM = "__rand_int__"


class TypeWorkload:
    """One command as redis-benchmark sends it; `refill` puts back what it takes away."""

    goal = None
    group = "types"

    def __init__(self, name, pipeline, words, rate, keys=MILLION, refill=None):
        self.name = f"types-{name}-p{pipeline}"
        self.pipeline, self.clients, self.keys = pipeline, 50, keys
        self.words, self.refill = words.split(), refill.split() if refill else None
        self.rate = rate


# name, command, about how many a second one core serves at pipeline 1 and 16, refill
COMMANDS = [
    ("lpush", f"LPUSH pushed element:{RANDOM}", 90_000, 500_000, None),
    ("lpop", "LPOP popped", 90_000, 500_000, f"RPUSH popped element:{RANDOM}"),
    ("lrange-100", "LRANGE list 5000 5099", 40_000, 60_000, None),
    ("hset", f"HSET hash field:{RANDOM} value:{RANDOM}", 90_000, 500_000, None),
    ("hget", f"HGET hash field:{RANDOM}", 90_000, 500_000, None),
    ("hgetall-20", "HGETALL hash20", 60_000, 150_000, None),
    ("sadd", f"SADD set member:{RANDOM}", 90_000, 500_000, None),
    ("spop", "SPOP spopped", 90_000, 500_000, f"SADD spopped member:{RANDOM}"),
    ("sinter-100", "SINTER hundred1 hundred2", 30_000, 40_000, None),
    ("zadd", f"ZADD zset {RANDOM} member:{RANDOM}", 90_000, 300_000, None),
    ("zrange-10", "ZRANGE zset 500000 500009", 80_000, 300_000, None),
    ("zrange-byscore-10", f"ZRANGE zset {RANDOM} +inf BYSCORE LIMIT 0 10", 80_000, 200_000, None),
    ("zrank", f"ZRANK zset member:{RANDOM}", 90_000, 300_000, None),
    ("xadd", f"XADD added * field value:{RANDOM}", 90_000, 400_000, None),
    ("xread-10", f"XREAD COUNT 10 STREAMS stream {RANDOM}-0", 60_000, 150_000, None),
]


def workloads():
    return [TypeWorkload(name, pipeline, words, rate, refill=refill)
            for name, words, *rates, refill in COMMANDS
            for pipeline, rate in zip((1, 16), rates)]


def batches(count, request, share=1000):
    """Requests for 0 ..< count, joined a thousand at a time."""
    for start in range(0, count, share):
        yield b"".join(request(index) for index in range(start, start + share)), share


def bulk(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in words)


LARGE = {
    "list": lambda i: bulk(b"RPUSH", b"list", b"element:%012d" % i),
    "hash": lambda i: bulk(b"HSET", b"hash", b"field:%012d" % i, b"value:%012d" % i),
    "set": lambda i: bulk(b"SADD", b"set", b"member:%012d" % i),
    # Scores in no order, as members arrive in practice; 7919 has no factor in common with a million.
    "zset": lambda i: bulk(b"ZADD", b"zset", b"%d" % (i * 7919 % MILLION), b"member:%012d" % i),
    "stream": lambda i: bulk(b"XADD", b"stream", b"%d-0" % (i + 1), b"field", b"value:%012d" % i),
}


def fill_one(connection, kind, count=MILLION):
    for data, replies in batches(count, LARGE[kind]):
        connection.send(data)
        for _ in range(replies):
            if connection.read_reply()[:1] == b"-":
                raise SystemExit(f"bench: filling the {kind} fails")


def fill(server):
    """What the workloads read."""
    with server.connect() as connection:
        for kind in LARGE:
            fill_one(connection, kind)
        fields = [word for i in range(20) for word in (b"field%d" % i, b"a value of twenty %d" % i)]
        connection.ok("HSET", "hash20", *fields)
        connection.ok("SADD", "hundred1", *(b"member:%d" % i for i in range(100)))
        connection.ok("SADD", "hundred2", *(b"member:%d" % i for i in range(50, 150)))


def measure_memory(contender):
    """Bytes per element of each large collection, in a server that holds nothing else."""
    figures = {}
    for kind in LARGE:
        with contender.server() as server, server.connect() as connection:
            before = int(server.info("memory")["used_memory"])
            fill_one(connection, kind)
            figures[kind] = (int(server.info("memory")["used_memory"]) - before) / MILLION
    return figures


MEMORY_GOALS = {"list": 0.9, "hash": 0.9, "set": 0.9, "zset": 0.6, "stream": 0.9}


def memory_table(memory):
    names = list(memory)
    out = ["", "Bytes per element of collections of a million (used memory; goal: part of Redis'):", "",
           "| | " + " | ".join(names) + " | part | goal |", "|---|" + "---:|" * (len(names) + 2)]
    for kind, goal in MEMORY_GOALS.items():
        cells = [f"{memory[name][kind]:.1f}" for name in names]
        part = memory["Ferrite"][kind] / memory["Redis"][kind] if "Redis" in memory else None
        cells += [f"{part:.2f}", f"≤ {goal}: " + ("met" if part <= goal else "missed")] if part \
            else ["", ""]
        out.append(f"| {kind} | " + " | ".join(cells) + " |")
    return out


def summary(results):
    """Throughput and CPU time beside Redis', by pipeline."""
    out = []
    for pipeline in (1, 16):
        ratios = sorted((result["Ferrite"]["per_second"] / result["Redis"]["per_second"],
                         result["Redis"]["cpu_us"] / result["Ferrite"]["cpu_us"])
                        for name, result in results.items()
                        if name.endswith(f"-p{pipeline}") and {"Ferrite", "Redis"} <= set(result))
        if not ratios:
            continue
        middle = len(ratios) // 2
        times = [each[0] for each in ratios]
        work = sorted(each[1] for each in ratios)
        out.append(f"* Pipeline {pipeline}: {times[middle]:.2f} times Redis' requests per second in the "
                   f"median, {times[0]:.2f} at the least; {work[middle]:.2f} and {work[0]:.2f} times the "
                   f"requests per second of CPU time.")
    return [""] + out if out else []
