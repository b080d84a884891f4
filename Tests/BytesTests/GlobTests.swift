// Glob, by examples and against a recursive model.

import Testing

@testable import Bytes

private func matches(_ pattern: String, _ text: String, ignoringCase: Bool = false) -> Bool {
  let pattern = bytes(pattern)
  let text = bytes(text)
  return Glob.matches(text.span, pattern: pattern.span, ignoringCase: ignoringCase)
}

@Test(arguments: [
  ("*", "abc"), ("h?llo", "hello"), ("h*llo", "hllo"), ("h*llo", "heeeello"), ("h[ae]llo", "hallo"),
  ("h[^e]llo", "hallo"), ("h[a-b]llo", "hbllo"), ("h[b-a]llo", "hallo"), ("\\*", "*"),
  ("a\\", "a\\"),
  ("", ""), ("a*", "a"), ("a**", "a"), ("**a**", "xax"), ("*a*b*c", "xxaxbxbxc"), ("[abc", "b"),
  ("[^", "x"), ("[\\]]", "]"), ("[\\-a]", "-"), ("[a-]", "_"), ("*[0-9]", "key:9"), ("?*", "a"),
  ("a]", "a]"), ("[a\\", "\\"),
])
func accepted(pattern: String, text: String) {
  #expect(matches(pattern, text))
}

@Test(arguments: [
  ("", "a"), ("a", ""), ("*", ""), ("a", "ab"), ("ab", "a"), ("h?llo", "hllo"),
  ("h[ae]llo", "hillo"),
  ("[]", "]"), ("[", "["), ("[^a]", "a"), ("\\a", "b"), ("*a", "ab"), ("A", "a"), ("[A-Z]", "a"),
  ("?", ""),
  ("[a-c]", "\u{e9}"),
])
func refused(pattern: String, text: String) {
  #expect(!matches(pattern, text))
}

@Test func caseIsIgnoredOnRequest() {
  #expect(matches("H[A-E]LLO*", "hellO!", ignoringCase: true))
  #expect(matches("h[E]llo", "heLLo", ignoringCase: true))
  #expect(!matches("h[\\E]llo", "hello", ignoringCase: true))
  #expect(!matches("hx", "hy", ignoringCase: true))
}

@Test func manyStarsStayCheap() {
  let pattern = String(repeating: "a*", count: 900) + "b"
  #expect(!matches(pattern, String(repeating: "a", count: 20000)))
  #expect(matches(String(repeating: "*a", count: 1000), String(repeating: "a", count: 1000)))
  #expect(!matches(String(repeating: "*a", count: 1001), String(repeating: "a", count: 1001)))
}

/// Stars, question marks and letters only.
private func model(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
  guard let first = pattern.first else { return text.isEmpty }
  if first == 0x2A {
    return (text.startIndex...text.endIndex).contains { model(pattern.dropFirst(), text[$0...]) }
  }
  guard let byte = text.first, first == 0x3F || first == byte else { return false }
  return model(pattern.dropFirst(), text.dropFirst())
}

@Test func globAgreesWithTheModel() {
  var generator = SeededGenerator(seed: 3)
  for _ in 0..<20000 {
    let pattern = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
      "ab*?".utf8.randomElement(using: &generator)!
    }
    let text = (0..<Int.random(in: 1...7, using: &generator)).map { _ in
      "ab".utf8.randomElement(using: &generator)!
    }
    #expect(
      Glob.matches(text.span, pattern: pattern.span) == model(pattern[...], text[...]),
      "\(pattern) \(text)")
  }
}

@Test func anyPatternIsSafe() {
  var generator = SeededGenerator(seed: 4)
  var found = 0
  for _ in 0..<50000 {
    let pattern = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
      "a*?[]^-\\".utf8.randomElement(using: &generator)!
    }
    let text = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
      "a]^-\\[".utf8.randomElement(using: &generator)!
    }
    if Glob.matches(text.span, pattern: pattern.span, ignoringCase: true) { found += 1 }
  }
  #expect(found > 1000)
}

@Test func namesCompareWithoutCase() {
  #expect(bytes("KeepTTL").span.equalsIgnoringCase("KEEPTTL") == true)
  #expect(bytes("KeepTT").span.equalsIgnoringCase("KEEPTTL") == false)
  #expect(bytes("@").span.equalsIgnoringCase("`") == false)
  #expect(bytes("[").span.equalsIgnoringCase("{") == false)
  #expect(bytes("aBc").span.equalsIgnoringCase(bytes("AbC").span) == true)
  #expect(bytes("aBc").span.equalsIgnoringCase(bytes("AbD").span) == false)
  #expect(bytes("LIBRARY-NAME").span.hasPrefixIgnoringCase("library") == true)
  #expect(bytes("lib").span.hasPrefixIgnoringCase("library") == false)
  #expect(bytes("GET").span.lowercasedWord == bytes("get\0\0\0\0\0").span.word(at: 0))
  #expect(bytes("longername").span.lowercasedWord == 0)
}
