"""binary: looks into the release binary for reference counting on the hot path.

Tools/hot-path.txt names functions by regular expressions over their demangled names; each is
disassembled, and a call or jump into Swift's runtime for counting or allocating fails the check.

1. A pattern that matches no symbol fails: a renamed or inlined function must not pass unseen.
2. A call to one of the compiler's "outlined" helpers counts as the runtime calls that it makes.
3. `allow=N` after a pattern permits N such calls in one function: the cold exits, with a reason.
"""

import re
import shutil
import subprocess

RUNTIME = re.compile(
    r"swift_(?:retain|release|bridgeObjectRetain|bridgeObjectRelease|allocObject|beginAccess|"
    r"endAccess|initStackObject|slowAlloc|dynamicCast\w*|projectBox|allocBox|willThrow|"
    r"unknownObjectRetain|unknownObjectRelease|retain_n|release_n|deallocClassInstance)\b")
# A throw is allowed to cost what it costs; the check is about the way that succeeds.
TOLERATED = {"swift_willThrow"}
CALL = re.compile(r"\b(?:call|jmp|bl|b)q?\s+[0-9a-f]+ <([^>]+)>")


class Symbol:
    def __init__(self, address, size, mangled):
        self.address, self.size, self.mangled = address, size, mangled
        self.name = mangled


def symbols(binary):
    """Every function of the binary, demangled, by mangled name."""
    listing = subprocess.run(["nm", "-S", "--defined-only", binary], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    found = {}
    for line in listing.splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[2] in "tTwW":
            found[parts[3]] = Symbol(int(parts[0], 16), int(parts[1], 16), parts[3])
    swift = [name for name in found if name.startswith(("$s", "$S"))]
    demangler = [shutil.which("swift-demangle")] if shutil.which("swift-demangle") else [
        "swift", "demangle"]
    output = subprocess.run([*demangler, "--simplified"], input="\n".join(swift), check=True,
                            stdout=subprocess.PIPE, text=True).stdout.splitlines()
    if len(output) != len(swift):
        raise SystemExit("check: swift demangle answered another number of names")
    for mangled, name in zip(swift, output):
        found[mangled].name = name
    return found


def calls(binary, symbol):
    """The symbols that a function calls or jumps to, one entry per place."""
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", f"--start-address={symbol.address:#x}",
         f"--stop-address={symbol.address + symbol.size:#x}", binary],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    found = []
    for match in CALL.finditer(text):
        target = re.sub(r"@plt$|@@?[\w.]+$", "", match.group(1))
        if "+0x" not in target:
            found.append(target)
    return found


def runtime_calls(binary, symbol, table, depth=2):
    """The runtime calls that a function makes itself or through outlined helpers."""
    found = []
    for target in calls(binary, symbol):
        match = RUNTIME.match(target)
        if match and match.group(0) not in TOLERATED:
            found.append(match.group(0))
        elif depth and target in table and table[target].name.startswith("outlined "):
            found += runtime_calls(binary, table[target], table, depth - 1)
    return found


def check(binary, patterns, report):
    """`patterns` are (line number, regular expression, allowed calls) of Tools/hot-path.txt."""
    table = symbols(str(binary))
    judged = 0
    for line, pattern, allowed in patterns:
        wanted = re.compile(pattern)
        matching = [symbol for symbol in table.values() if wanted.search(symbol.name)]
        if not matching:
            report("Tools/hot-path.txt", line,
                   f"`{pattern}` matches no symbol of {binary}: renamed, inlined or gone?")
        for symbol in matching:
            judged += 1
            found = runtime_calls(str(binary), symbol, table)
            if len(found) > allowed:
                counts = ", ".join(f"{found.count(name)} {name}" for name in sorted(set(found)))
                report("Tools/hot-path.txt", line,
                       f"{symbol.name} calls the runtime {len(found)} times ({allowed} allowed): "
                       f"{counts}")
    return judged
