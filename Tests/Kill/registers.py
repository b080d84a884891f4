"""registers: HyperLogLogs as the driver understands them: hashes elements and decodes the bytes.

The stored forms and the hash are Redis' published ones (docs/FORMATS.md): 16384 registers of six
bits, MurmurHash64A with its seed; a sparse value is a run of opcodes.
"""

from functools import lru_cache

COUNT, HEADER = 16384, 16
MASK = (1 << 64) - 1
MULTIPLIER, SEED = 0xC6A4A7935BD1E995, 0xADC83B19


def murmur(data):
    value = (SEED ^ len(data) * MULTIPLIER) & MASK
    whole = len(data) & ~7
    for index in range(0, whole, 8):
        part = int.from_bytes(data[index:index + 8], "little") * MULTIPLIER & MASK
        part = (part ^ part >> 47) * MULTIPLIER & MASK
        value = (value ^ part) * MULTIPLIER & MASK
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * MULTIPLIER & MASK
    value = (value ^ value >> 47) * MULTIPLIER & MASK
    return value ^ value >> 47


@lru_cache(maxsize=4096)
def place(element):
    """An element's register, and what it asks of it."""
    value = murmur(element)
    rest = value >> 14 | 1 << 50
    return value & (COUNT - 1), (rest & -rest).bit_length()


class Registers:
    """The registers that are not 0."""

    def __init__(self, values=None):
        self.values = values or {}

    def __eq__(self, other):
        return isinstance(other, Registers) and self.values == other.values

    def __len__(self):
        return len(self.values)

    def adding(self, elements):
        values = dict(self.values)
        for index, run in map(place, elements):
            values[index] = max(values.get(index, 0), run)
        return Registers(values)

    def merging(self, others):
        values = dict(self.values)
        for other in others:
            for index, run in other.values.items():
                values[index] = max(values.get(index, 0), run)
        return Registers(values)

    @staticmethod
    def decoded(data):
        """From a stored value, dense or sparse."""
        if data[:4] != b"HYLL":
            raise AssertionError(f"no HyperLogLog: {data[:20]!r}")
        values, index = {}, 0
        if data[4] == 0:
            bits = int.from_bytes(data[HEADER:], "little")
            return Registers({each: bits >> 6 * each & 63 for each in range(COUNT)
                              if bits >> 6 * each & 63})
        position = HEADER
        while position < len(data):
            code = data[position]
            if code & 0x80:  # one value, up to four times
                for each in range(index, index + (code & 3) + 1):
                    values[each] = (code >> 2 & 31) + 1
                index += (code & 3) + 1
            elif code & 0x40:
                index += ((code & 63) << 8 | data[position + 1]) + 1
                position += 1
            else:
                index += (code & 63) + 1
            position += 1
        if index != COUNT:
            raise AssertionError(f"a sparse HyperLogLog has {index} registers")
        return Registers(values)
