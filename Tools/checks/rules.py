"""rules: what STYLE asks of a Swift file beyond its format.

1. `unsafe` in any form stands only in the targets that STYLE names, and their tests.
2. A function or property that uses an `unsafe` expression has a `SAFETY:` line inside it or in the
   comment directly above. One marked `@unsafe` passes the duty on to its callers instead.
3. Files, lines and functions have limits (a table of command rows is data, not a function); there
   is no `try!` and no empty `catch`.
4. A file on the hot path has none of the constructs in FORBIDDEN, unless the line, or the comment
   directly above its declaration, says `// cold: reason`.
"""

import fnmatch
import re

UNSAFE_TARGETS = {"Bytes", "Memory", "Structures", "Storage", "Simulation", "Platform"}
UNSAFE = re.compile(
    r"\bunsafe\b|@unsafe\b|@safe\b|\bUnsafe\w*Pointer\b|\bunsafeBitCast\b|\bunsafeDowncast\b|"
    r"\bunsafe(?:Mutable)?Address\b|\bwithUnsafe\w*\b|\bOpaquePointer\b|\bUnmanaged\b")
EXPRESSION = re.compile(r"(?<![@(\w])\bunsafe\b(?!\s*[):])")
FILE_LINES, FUNCTION_LINES, COLUMNS = 800, 60, 100
FORBIDDEN = [
    (re.compile(r"(?<![.\w])class\s+(?!func|var|let|subscript)\w"), "a class"),
    (re.compile(r"\bany\s+\(?[A-Z~]"), "an existential"),
    (re.compile(r"\basync\b|\bawait\b"), "async"),
    (re.compile(r"\btry!"), "try!"),
    (re.compile(r"\bas!"), "as!"),
    (re.compile(r"\bString\s*\("), "a fresh String"),
    (re.compile(r"\[UInt8\]\s*\("), "a fresh byte array"),
    (re.compile(r"(?<![\w.])Array\s*[(<]"), "a fresh Array"),
]
COLD = re.compile(r"//\s*cold:\s*\S+")


def check_unsafe(source, report):
    """Rules 1 and 2."""
    parts = source.path.split("/")
    if len(parts) < 3:
        return
    place = parts[1][: -len("Tests")] if parts[0] == "Tests" else parts[1]
    allowed = place in UNSAFE_TARGETS
    reported = set()
    for index, line in enumerate(source.code):
        match = UNSAFE.search(line)
        if match and not allowed:
            report(source.path, index + 1,
                   f"`{match.group(0)}` outside {', '.join(sorted(UNSAFE_TARGETS))} and C targets")
        if parts[0] != "Sources" or not allowed or not EXPRESSION.search(line):
            continue
        owner = _unjustified(source, index)
        if owner is not None and owner not in reported:
            reported.add(owner)
            report(source.path, index + 1,
                   f"`unsafe` without a SAFETY: line in or above its declaration, line {owner + 1}")


def _unjustified(source, index):
    """The first line of the declaration that owes a SAFETY: line for line `index`, or None."""
    around = source.functions_around(index)
    if not around:
        start = source.start_with_comments(_statement(source, index))
        has = any("SAFETY:" in source.comments[i] for i in range(start, index + 1))
        return None if has else index
    for function in around:
        start = source.start_with_comments(function.first)
        lines = range(start, function.last + 1)
        if any("SAFETY:" in source.comments[i] for i in lines):
            return None
        if any("@unsafe" in source.code[i] for i in range(start, function.body + 1)):
            return None
    return around[0].first


def _statement(source, index):
    """The first line of a declaration without a body that line `index` belongs to."""
    while index > 0 and not re.match(r"\s*(?:@\w+.*\s)?[\w ()]*\b(?:let|var|case)\b",
                                     source.code[index]) and source.code[index].strip():
        index -= 1
    return index


def check_lengths(source, report):
    """Rule 3's limits."""
    if len(source.lines) >= FILE_LINES:
        report(source.path, len(source.lines),
               f"{len(source.lines)} lines; a file has fewer than {FILE_LINES}")
    for index, line in enumerate(source.lines):
        if len(line) > COLUMNS:
            report(source.path, index + 1, f"{len(line)} columns; a line has at most {COLUMNS}")
    for declaration in source.declarations:
        if _is_table(source, declaration):
            continue
        if declaration.is_function and declaration.line_count >= FUNCTION_LINES:
            report(source.path, declaration.first + 1,
                   f"{declaration.line_count} lines; a function has fewer than {FUNCTION_LINES}")


def _is_table(source, declaration):
    """Whether the declaration is a list of command rows: data, however long."""
    start = source.start_with_comments(declaration.first)
    return any("@CommandList" in source.code[i] for i in range(start, declaration.first + 1))


def check_errors(source, report):
    """Rule 3: errors are met, not swallowed."""
    for index, line in enumerate(source.code):
        if re.search(r"\btry!", line):
            report(source.path, index + 1, "try!")
    text = "\n".join(source.code)
    for match in re.finditer(r"\bcatch\b[^{}\n]*\{\s*\}", text):
        report(source.path, text.count("\n", 0, match.start()) + 1, "an empty catch")


def is_hot(path, globs):
    """Invariants are checked by tests only, so their files are never hot."""
    if path.endswith("+Invariants.swift"):
        return False
    return any(fnmatch.fnmatchcase(path, glob) for glob in globs)


def check_hot_path(source, report):
    """Rule 4, for a file on the hot path."""
    cold = _cold_lines(source)
    for index, line in enumerate(source.code):
        if index in cold:
            continue
        for pattern, name in FORBIDDEN:
            if pattern.search(line):
                report(source.path, index + 1,
                       f"{name} on the hot path; move it off, or mark it `// cold: reason`")
        if index in source.interpolations:
            report(source.path, index + 1,
                   "string interpolation on the hot path; move it off, or mark it `// cold: reason`")


def _cold_lines(source):
    """Indexes of the lines that say why they are cold, or belong to a declaration that does."""
    cold = set()
    for index, comment in enumerate(source.comments):
        if COLD.search(comment) and source.code[index].strip():
            cold.add(index)
    for declaration in source.declarations:
        start = source.start_with_comments(declaration.first)
        if any(COLD.search(source.comments[i]) for i in range(start, declaration.first)):
            cold.update(range(start, declaration.last + 1))
    return cold
