// DirectiveCheck: what a text must look like, beyond being text. Each check returns the reason for
// refusing it, in Redis' words, or nil.

enum DirectiveCheck {
  /// A file's or directory's name without a path.
  static func baseName(
    _ text: String, _ directive: String, _ kind: String, mayBeEmpty: Bool
  ) -> String? {
    if text.isEmpty && !mayBeEmpty { return "\(directive) can't be empty" }
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }) else {
      return nil
    }
    return "\(directive) can't be a path, just a \(kind)"
  }

  static func announcedHostname(_ text: String) -> String? {
    if text.utf8.count >= 256 { return "Hostnames must be less than 256 characters" }
    let isValid = text.utf8.allSatisfy { byte in
      isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
    return isValid ? nil : "Hostnames may only contain alphanumeric characters, hyphens or dots"
  }

  static func announcedNodename(_ text: String) -> String? {
    let forbidden = Array("!#$%&()*+:;<>?@[]^{|}~".utf8)
    guard text.utf8.contains(where: { forbidden.contains($0) }) else { return nil }
    return "Announced human node name contained invalid character"
  }

  /// `{name}` stands for a variable, `{{` for a brace; the result may not be empty.
  static func titleTemplate(_ text: String) -> String? {
    let reason = "template format is invalid or contains unknown variables"
    // These print something on every server; the others may be empty.
    let printing = ["listen-addr", "port", "tls-port", "config-file"]
    let maybeEmpty = ["title", "server-mode", "unixsocket"]
    var rest = text[...]
    var printsSomething = false
    while let character = rest.popFirst() {
      guard character == "{" else {
        if character != " " { printsSomething = true }
        continue
      }
      if rest.first == "{" {
        rest.removeFirst()
        printsSomething = true
        continue
      }
      guard let end = rest.firstIndex(of: "}") else { return reason }
      let name = String(rest[..<end])
      guard printing.contains(name) || maybeEmpty.contains(name) else { return reason }
      if printing.contains(name) { printsSomething = true }
      rest = rest[rest.index(after: end)...]
    }
    return printsSomething ? nil : reason
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
