"""selftest: planted violations; each must be found, at its line, and the clean twin must pass."""

import tempfile
from pathlib import Path

from . import binary, documents, package, rules
from .source import Source, split

PACKAGE = '''
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies)
}
let package = Package(
  name: "x",
  products: [.executable(name: "top", targets: ["top"])],
  targets: [
    .target(name: "CSystem", cSettings: [.unsafeFlags(["-O2"])]),
    .systemLibrary(name: "CLib", pkgConfig: "lib", providers: [.apt(["lib-dev"])]),
    target("Bytes", ["CSystem"%s]),
    // target("Ghost", ["Nothing"]),
    target("Server", ["Bytes", logging]),
    .executableTarget(name: "top", dependencies: ["Server"], swiftSettings: settings),
    tests("BytesTests", ["Bytes"]),
  ]
)
'''


class Recorder:
    """Collects (line, message) pairs."""

    def __init__(self):
        self.found = []

    def __call__(self, path, line, message):
        self.found.append((line, message))


def _rule(rule, path, text):
    recorder = Recorder()
    rule(Source(path, text), recorder)
    return recorder.found


def _imports(files, extra=""):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "Package.swift").write_text(PACKAGE % extra)
        for target in ("CSystem", "CLib", "Bytes", "Server", "top"):
            (root / "Sources" / target).mkdir(parents=True)
        for path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
        recorder = Recorder()
        package.check(root, [Source(path, text) for path, text in files.items()], recorder)
        return recorder.found


LONG = "func f() {\n" + "  g()\n" * 58 + "}\n"
HOT = "Sources/RESP/Hot.swift"
BYTES = "Sources/Bytes/A.swift"
# (name, rule, path, text, lines that must be reported)
CASES = [
    ("unsafe outside its targets", rules.check_unsafe, "Sources/Server/A.swift",
     "func f() {\n  unsafe g()\n}\n", [2]),
    ("an unsafe pointer type outside", rules.check_unsafe, "Sources/Commands/A.swift",
     "let x: UnsafePointer<UInt8>? = nil\n", [1]),
    ("unsafe in a comment or a string", rules.check_unsafe, "Sources/Server/A.swift",
     '// unsafe\nlet x = "unsafe"\n', []),
    ("unsafe in an interpolation", rules.check_unsafe, "Sources/Server/A.swift",
     'let x = "a \\(unsafe g("unsafe")) b"\n', [1]),
    ("unsafe without SAFETY", rules.check_unsafe, BYTES, "func f() {\n  unsafe g()\n}\n", [2]),
    ("SAFETY inside", rules.check_unsafe, BYTES,
     "func f() {\n  // SAFETY: checked.\n  unsafe g()\n}\n", []),
    ("SAFETY above, over attributes", rules.check_unsafe, BYTES,
     "// SAFETY: checked.\n@inlinable\nfunc f(\n  a: Int\n) -> Int\nwhere T: B {\n"
     "  unsafe g()\n}\n", []),
    ("SAFETY of another function", rules.check_unsafe, BYTES,
     "func e() {\n  // SAFETY: checked.\n  unsafe g()\n}\nfunc f() {\n  unsafe g()\n}\n", [6]),
    ("SAFETY in the sibling accessor serves the property", rules.check_unsafe, BYTES,
     "var x: Int {\n  // SAFETY: checked.\n  get { unsafe g() }\n  set { unsafe h() }\n}\n", []),
    ("an @unsafe function passes the duty on", rules.check_unsafe, BYTES,
     "@unsafe func f() {\n  unsafe g()\n}\n", []),
    ("an unsafe initial value", rules.check_unsafe, BYTES,
     "struct S {\n  let x = unsafe g()\n  // SAFETY: checked.\n  let y = unsafe g()\n}\n", [2]),
    ("a closure's body belongs to its function", rules.check_unsafe, BYTES,
     "func f() {\n  let x = map {\n    unsafe g()\n  }\n}\n", [3]),
    ("a long file", rules.check_lengths, BYTES, "\n" * 800, [800]),
    ("a file just short enough", rules.check_lengths, BYTES, "\n" * 799, []),
    ("a long line", rules.check_lengths, BYTES, "x\n" + "y" * 101 + "\n", [2]),
    ("a long function", rules.check_lengths, BYTES, LONG, [1]),
    ("a function just short enough", rules.check_lengths, BYTES, LONG.replace("  g()\n", "", 1), []),
    ("a function whose brace stands alone", rules.check_unsafe, BYTES,
     "func f(_ a: Int)\n{\n  // SAFETY: checked.\n  unsafe g()\n}\n", []),
    ("a long table of commands", rules.check_lengths, BYTES,
     "@_optimize(none) @CommandList<Host>\nvar rows: [Command] {\n" + "  g()\n" * 58 + "}\n", []),
    ("try!", rules.check_errors, BYTES, "let x = try! f()\n", [1]),
    ("an empty catch", rules.check_errors, BYTES, "do {\n} catch {\n  // Nothing.\n}\n", [2]),
    ("a catch that acts", rules.check_errors, BYTES, "do {\n} catch {\n  log(error)\n}\n", []),
    ("a class", rules.check_hot_path, HOT, "final class C {}\n", [1]),
    ("an existential", rules.check_hot_path, HOT, "let x: any P\n", [1]),
    ("async", rules.check_hot_path, HOT, "func f() async {}\n", [1]),
    ("as!", rules.check_hot_path, HOT, "let x = y as! Z\n", [1]),
    ("a fresh string", rules.check_hot_path, HOT, "let x = String(5)\n", [1]),
    ("interpolation", rules.check_hot_path, HOT, 'let x = "\\(y)"\n', [1]),
    ("a fresh array", rules.check_hot_path, HOT, "let x = Array(y)\nlet z = [UInt8](y)\n", [1, 2]),
    ("words that only look alike", rules.check_hot_path, HOT,
     'let s: StaticString = "class any String("  // class\nlet a: MyArray = MyArray(1)\n', []),
    ("a line marked cold", rules.check_hot_path, HOT,
     "let x = String(5)  // cold: an error's text\n", []),
    ("a line marked cold without a reason", rules.check_hot_path, HOT,
     "let x = String(5)  // cold:\n", [1]),
    ("a declaration marked cold", rules.check_hot_path, HOT,
     "// cold: only errors.\nfunc f() {\n  g(String(5))\n}\nlet x = String(5)\n", [5]),
]


def _documents():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "a.md").write_text(
            "# A b\n[x](b.md) [y](c.md) [z](#a-b) [w](#gone) [v](https://host/x)\n`[q](d.md)`\n")
        (root / "b.md").write_text("x\n")
        recorder = Recorder()
        documents.check(root, ["a.md"], recorder)
        return [line for line, _ in recorder.found]


def _binary():
    """The disassembler's lines, and that a pattern without a symbol is a failure."""
    line = "  401020:\tcall   4010f0 <swift_retain@plt>\n  401025:\tjmp    401030 <f+0x10>\n"
    names = [match.group(1) for match in binary.CALL.finditer(line)]
    return names == ["swift_retain@plt", "f+0x10"] and bool(binary.RUNTIME.match("swift_retain"))


def run():
    """Returns (passed, failures as text)."""
    passed, failures = 0, []

    def expect(name, actual, wanted):
        nonlocal passed
        if actual == wanted:
            passed += 1
        else:
            failures.append(f"{name}: reported {actual}, wanted {wanted}")

    for name, rule, path, text, wanted in CASES:
        expect(name, [line for line, _ in _rule(rule, path, text)], wanted)

    good = {"Sources/Server/A.swift": "import Bytes\nimport Logging\nimport Synchronization\n"}
    expect("imports that are declared", _imports(good), [])
    expect("an import that is not declared",
           [line for line, _ in _imports({"Sources/Bytes/A.swift": "\n@testable import Server\n"})],
           [2])
    expect("an import of one name of a module",
           [line for line, _ in _imports({"Sources/Bytes/A.swift": "import struct Server.X\n"})], [1])
    expect("a dependency that points up",
           [message.split(",")[0] for _, message in _imports({}, ', "Server"')],
           ["Bytes depends on Server"])
    expect("a dependency on nothing",
           [message.split(",")[0] for _, message in _imports({}, ', "Nobody"')],
           ["Bytes depends on Nobody"])
    expect("a directory that is no target",
           [message for _, message in _imports({"Sources/Stray/A.swift": ""})],
           ["is no target of Package.swift", "Sources/Stray is no target of Package.swift"])
    listed = package.targets(PACKAGE % "")
    expect("the list of targets",
           [(target.name, target.dependencies) for target in listed],
           [("CSystem", []), ("CLib", []), ("Bytes", ["CSystem"]), ("Server", ["Bytes", "Logging"]),
            ("top", ["Server"]), ("BytesTests", ["Bytes"])])
    expect("links", _documents(), [2, 2])
    expect("disassembly", _binary(), True)
    code, comments, _ = split('let a = #"x\\("#; /* b /* c */ d */ e // f "g"\n')
    expect("nested comments and raw strings",
           (code.strip(), "d" in code, "g" in comments), ('let a = #"   "#;' + " " * 19 + "e", False, True))
    return passed, failures
