import Testing

@testable import Server

@Suite struct ConfigurationTextTests {
  @Test(arguments: [
    (#"a b  c"#, ["a", "b", "c"]),
    ("  a\tb  ", ["a", "b"]),
    (#"save """#, ["save", ""]),
    (#"x "a b" 'c d'"#, ["x", "a b", "c d"]),
    (#"x "\n\t\x41\"\\\q""#, ["x", "\n\tA\"\\q"]),
    (#"x '\n\'q'"#, ["x", #"\n'q"#]),
    (#"foo"bar" z"#, ["foobar", "z"]),
    (#"x "\x4""#, ["x", "x4"]),
    ("", []),
  ])
  func split(line: String, words: [String]) {
    #expect(ConfigurationText.split(line.utf8)?.map { ConfigurationText.string($0) } == words)
  }

  @Test(arguments: [#"a "b"#, #"a 'b"#, #"a "b"c"#, #"a 'b'c"#, #"a "b\"#, "\""])
  func unbalanced(line: String) {
    #expect(ConfigurationText.split(line.utf8) == nil)
  }

  @Test func quotedSplitsBack() {
    let all = (0...255).map { UInt8($0) }
    #expect(ConfigurationText.split(ConfigurationText.quoted(all)) == [all])
    #expect(ConfigurationText.split(ConfigurationText.quoted([])) == [[]])
    for byte in all {
      #expect(ConfigurationText.split(ConfigurationText.quoted([byte])) == [[byte]])
    }
  }

  @Test func memorySaturates() {
    #expect(ConfigurationText.memory(Array("99999999999999999999999".utf8)) == .max)
    #expect(ConfigurationText.memory(Array("18446744073709551615gb".utf8)) == .max)
    #expect(ConfigurationText.memory(Array("18446744073709551615".utf8)) == .max)
    #expect(ConfigurationText.looseInteger(Array("-99999999999999999999".utf8)) == .min)
  }

  @Test(arguments: [
    ("*", "", true), ("*max*", "maxmemory", true), ("max?emory", "MAXMEMORY", true),
    ("[lm]axmemory", "maxmemory", true), ("[^m]axmemory", "maxmemory", false),
    ("[a-m]*y", "maxmemory", true), ("[z-a]*y", "maxmemory", true), ("a\\*", "a*", true),
    ("a\\*", "ab", false), ("a*b*c", "aXbXbc", true), ("a*b*c", "aXbXb", false),
    ("[", "a", false), ("[a", "a", true), ("", "a", false), ("a**", "a", true), ("?", "", false),
  ])
  func glob(pattern: String, text: String, matches: Bool) {
    #expect(
      ConfigurationText.glob(Array(pattern.utf8), matches: Array(text.utf8)) == matches)
  }

  @Test(arguments: [
    (50.0, "50"), (99.9, "99.9"), (0.123_456_7, "0.123457"), (0, "0"), (100, "100"),
  ])
  func percentile(value: Double, text: String) {
    #expect(ConfigurationText.formatted(percentile: value) == text)
  }

  @Test func keyspaceEventsOfEveryLetter() {
    for letter in "g$lshzxetdnKEm" {
      #expect(KeyspaceEvents(letters: String(letter))?.letters == String(letter))
    }
    #expect(KeyspaceEvents(letters: "AmnKE")?.letters == "AnKEm")
    #expect(KeyspaceEvents(letters: "q") == nil)
  }
}
