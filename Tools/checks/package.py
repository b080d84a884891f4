"""package: Package.swift's list of targets, and the proof that imports point down.

1. The order of the list is the order of the layers: a target may name only targets listed earlier.
2. Every `import` of a target's sources is one of its declared dependencies or part of the toolchain.
3. Every directory of Sources is a target, so no source escapes these rules.
"""

import re

TOOLCHAIN = {
    "Swift", "Synchronization", "Glibc", "Dispatch", "Foundation", "FoundationEssentials",
    "Testing", "XCTest", "_Concurrency", "_Builtin_float", "PackageDescription",
}
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+"
    r"(?:(?:struct|class|enum|func|var|let|protocol|typealias)\s+)?([A-Za-z_]\w*)")


class Target:
    def __init__(self, name, kind, dependencies, line):
        self.name, self.kind, self.dependencies, self.line = name, kind, dependencies, line
        self.is_test = kind in ("tests", "testTarget")


def balanced(text, start):
    """The index after the bracket that closes the one at `start`."""
    depth = 0
    in_string = False
    position = start
    while position < len(text):
        character = text[position]
        if in_string:
            if character == "\\":
                position += 1
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    raise ValueError("unbalanced brackets in Package.swift")


def targets(text):
    """The package's targets in the order of its list."""
    package = text.index("Package(\n") if "Package(\n" in text else text.index("Package(")
    start = re.compile(r"\btargets:\s*\[").search(text, _last_targets(text, package))
    opening = start.end() - 1
    closing = balanced(text, opening)
    names = dict(
        re.findall(r'let\s+(\w+)\s*:\s*Target\.Dependency\s*=\s*\.product\(\s*name:\s*"(\w+)"', text))
    found = []
    position = opening + 1
    item = re.compile(r"\.?(\w+)\(")
    while True:
        match = item.search(text, position, closing)
        if not match:
            return found
        comment = text.rfind("//", text.rfind("\n", 0, match.start()) + 1, match.start())
        if comment >= 0:
            position = text.index("\n", match.start())
            continue
        end = balanced(text, match.end() - 1)
        found.append(_target(match.group(1), text[match.end() : end - 1], names,
                             text.count("\n", 0, match.start()) + 1))
        position = end


def _last_targets(text, package):
    """Where the package's own `targets:` begins: the one that is directly inside Package( ... )."""
    end = balanced(text, text.index("(", package))
    for match in re.finditer(r"\btargets:\s*\[", text):
        if not package < match.start() < end:
            continue
        between = text[text.index("(", package) + 1 : match.start()]
        if between.count("(") == between.count(")") and between.count("[") == between.count("]"):
            return match.start()
    raise ValueError("Package.swift has no list of targets")


def _target(kind, arguments, names, line):
    name = re.search(r'"([^"]+)"', arguments).group(1)
    listed = re.search(r"\bdependencies:\s*\[", arguments)
    opening = listed.end() - 1 if listed else arguments.find("[")
    if opening < 0 or kind == "systemLibrary":
        return Target(name, kind, [], line)
    if not listed and re.search(r"\w+:\s*\[", arguments[: opening + 1]):
        return Target(name, kind, [], line)  # That list is of another argument.
    body = arguments[opening + 1 : balanced(arguments, opening) - 1]
    dependencies = []
    for word in re.finditer(r'\.(?:product|target|byName)\([^)]*?name:\s*"([^"]+)"[^)]*\)|"([^"]+)"|(\w+)',
                            body):
        product, plain, constant = word.groups()
        dependencies.append(product or plain or names.get(constant, constant))
    return Target(name, kind, dependencies, line)


def check(root, sources, report):
    """Reports every breach; `sources` are the Swift files as Source values."""
    text = (root / "Package.swift").read_text()
    listed = targets(text)
    position = {target.name: index for index, target in enumerate(listed)}
    products = set(re.findall(r'\.product\(\s*name:\s*"(\w+)"', text))
    for target in listed:
        for dependency in target.dependencies:
            if dependency in products:
                continue
            if dependency not in position:
                report("Package.swift", target.line,
                       f"{target.name} depends on {dependency}, which is no target here")
            elif position[dependency] >= position[target.name]:
                report("Package.swift", target.line,
                       f"{target.name} depends on {dependency}, which stands above it: "
                       "imports point down only")
    for directory in sorted((root / "Sources").iterdir()):
        if directory.is_dir() and directory.name not in position:
            report(f"Sources/{directory.name}", 1, "is no target of Package.swift")
    by_name = {target.name: target for target in listed}
    for source in sources:
        parts = source.path.split("/")
        if parts[0] not in ("Sources", "Tests") or len(parts) < 3:
            continue
        target = by_name.get(parts[1])
        if target is None:
            report(source.path, 1, f"{parts[0]}/{parts[1]} is no target of Package.swift")
            continue
        for index, line in enumerate(source.code):
            match = IMPORT.match(line)
            if not match:
                continue
            module = match.group(1)
            if module in TOOLCHAIN or module in target.dependencies or module == target.name:
                continue
            report(source.path, index + 1,
                   f"imports {module}, which Package.swift does not list for {target.name}")
