// ConfigurationText: how settings are written: words, quotes, numbers, memory sizes.
//
//   name "double \"quoted\" \x41\n" 'single \'quoted\'' 64mb
//
// 1. Text is bytes: a value need not be UTF-8, and a quoted value may hold any byte.
// 2. `split(quoted(x)) == [x]` for every x.
// 3. No input traps: numbers that do not fit saturate or are refused.

enum ConfigurationText {
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
    bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
  }

  /// ASCII case-insensitive comparison with a lower-case word.
  static func matches(_ bytes: [UInt8], _ word: String) -> Bool {
    lowercased(bytes).elementsEqual(word.utf8)
  }

  /// Removes blanks, tabs and line ends on both sides.
  static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isTrimmed(_ byte: UInt8) -> Bool {
      byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
    guard let first = line.firstIndex(where: { !isTrimmed($0) }),
      let last = line.lastIndex(where: { !isTrimmed($0) })
    else { return [] }
    return line[first...last]
  }

  /// The text for people; bytes that are not UTF-8 are replaced.
  static func string(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  /// Splits a line into words by Redis' quoting rules; nil when a quote is left open or a closing
  /// quote is not followed by a blank.
  static func split(_ line: some Sequence<UInt8>) -> [[UInt8]]? {
    var scanner = WordScanner(bytes: Array(line))
    var words: [[UInt8]] = []
    while scanner.skipSpaces() {
      guard let word = scanner.word() else { return nil }
      words.append(word)
    }
    return words
  }

  /// `bytes` in double quotes, escaped so that `split` gives them back.
  static func quoted(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "\"")]
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "\""): text += [UInt8(ascii: "\\"), byte]
      case 0x0A: text += Array("\\n".utf8)
      case 0x0D: text += Array("\\r".utf8)
      case 0x09: text += Array("\\t".utf8)
      case 0x07: text += Array("\\a".utf8)
      case 0x08: text += Array("\\b".utf8)
      case 0x20...0x7E: text.append(byte)
      default:
        let digits = Array("0123456789abcdef".utf8)
        text += Array("\\x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    text.append(UInt8(ascii: "\""))
    return text
  }

  /// A decimal integer in its one canonical spelling: no sign but `-`, no leading zeros.
  static func integer(_ bytes: [UInt8]) -> Int? {
    guard let value = Int(string(bytes)), String(value).utf8.elementsEqual(bytes) else {
      return nil
    }
    return value
  }

  /// A decimal integer as strtoll(3) takes it: leading blanks, a sign, saturating; the empty text
  /// is 0. Nil when anything else follows the digits.
  static func looseInteger(_ bytes: [UInt8]) -> Int? {
    if bytes.isEmpty { return 0 }
    var rest = bytes.drop(while: isSpace)
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    guard !rest.isEmpty, rest.allSatisfy(isDigit) else { return nil }
    var value = 0
    for digit in rest {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(digit - 0x30))
      if overflow || carry { return isNegative ? .min : .max }
      value = sum
    }
    return isNegative ? -value : value
  }

  /// An octal number as `unixsocketperm` takes it.
  static func octal(_ bytes: [UInt8]) -> Int? {
    if bytes.isEmpty { return 0 }
    guard let value = Int(string(bytes), radix: 8) else { return nil }
    return value
  }

  /// A size such as `100`, `1k` (1000), `1kb` (1024), `5mb`, `1gb`; saturates at the largest.
  /// No digits are 0, as in Redis.
  static func memory(_ bytes: [UInt8]) -> UInt64? {
    let digits = bytes.prefix(while: isDigit)
    guard let unit = units[string(lowercased(Array(bytes.dropFirst(digits.count))))] else {
      return nil
    }
    var value: UInt64 = 0
    for digit in digits {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit - 0x30))
      if overflow || carry { return .max }
      value = sum
    }
    let (size, overflow) = value.multipliedReportingOverflow(by: unit)
    return overflow ? .max : size
  }

  private static let units: [String: UInt64] = [
    "": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1_000_000, "mb": 1 << 20, "g": 1_000_000_000,
    "gb": 1 << 30,
  ]

  /// A size in the largest unit that divides it.
  static func formatted(memory size: Int) -> String {
    for (unit, name) in [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")]
    where size != 0 && size % unit == 0 {
      return "\(size / unit)\(name)"
    }
    return "\(size)"
  }

  /// A percentile with at most six decimals and no trailing zeros.
  static func formatted(percentile: Double) -> String {
    let millionths = Int((percentile * 1_000_000).rounded(.toNearestOrEven))
    let (whole, fraction) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
    if fraction == 0 { return "\(whole)" }
    var decimals = String(String(1_000_000 + fraction).dropFirst())
    while decimals.last == "0" { decimals.removeLast() }
    return "\(whole).\(decimals)"
  }

  /// Glob matching (`*`, `?`, `[a-z]`, `[^a]`, `\x`), blind to ASCII case.
  static func glob(_ pattern: [UInt8], matches text: [UInt8]) -> Bool {
    var matcher = GlobMatcher(pattern: lowercased(pattern), text: lowercased(text))
    return matcher.matches()
  }
}

/// Takes one word after the other off a line.
private struct WordScanner {
  let bytes: [UInt8]
  var position = 0

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
  private func peek(_ distance: Int) -> UInt8? {
    position + distance < bytes.count ? bytes[position + distance] : nil
  }

  /// Moves to the next word; false at the end of the line.
  mutating func skipSpaces() -> Bool {
    while let byte = current, ConfigurationText.isSpace(byte) { position += 1 }
    return current != nil
  }

  mutating func word() -> [UInt8]? {
    var word: [UInt8] = []
    while let byte = current {
      position += 1
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: return word
      case UInt8(ascii: "\""): return doubleQuoted(&word) ? word : nil
      case UInt8(ascii: "'"): return singleQuoted(&word) ? word : nil
      default: word.append(byte)
      }
    }
    return word
  }

  /// A closing quote ends the word, so a blank or nothing has to follow.
  private func closes() -> Bool { current.map(ConfigurationText.isSpace) ?? true }

  private mutating func doubleQuoted(_ word: inout [UInt8]) -> Bool {
    while let byte = current {
      position += 1
      if byte == UInt8(ascii: "\"") { return closes() }
      guard byte == UInt8(ascii: "\\"), let escaped = current else {
        word.append(byte)
        continue
      }
      if escaped == UInt8(ascii: "x"), let high = hexadecimal(peek(1)),
        let low = hexadecimal(peek(2))
      {
        word.append(high << 4 | low)
        position += 3
        continue
      }
      position += 1
      switch escaped {
      case UInt8(ascii: "n"): word.append(0x0A)
      case UInt8(ascii: "r"): word.append(0x0D)
      case UInt8(ascii: "t"): word.append(0x09)
      case UInt8(ascii: "b"): word.append(0x08)
      case UInt8(ascii: "a"): word.append(0x07)
      default: word.append(escaped)
      }
    }
    return false
  }

  private mutating func singleQuoted(_ word: inout [UInt8]) -> Bool {
    while let byte = current {
      position += 1
      if byte == UInt8(ascii: "'") { return closes() }
      if byte == UInt8(ascii: "\\"), current == UInt8(ascii: "'") {
        position += 1
        word.append(UInt8(ascii: "'"))
      } else {
        word.append(byte)
      }
    }
    return false
  }

  private func hexadecimal(_ byte: UInt8?) -> UInt8? {
    byte.flatMap { Character(UnicodeScalar($0)).hexDigitValue }.map { UInt8($0) }
  }
}

/// Matches with one remembered `*`, so the time is at most pattern × text.
private struct GlobMatcher {
  let pattern: [UInt8]
  let text: [UInt8]
  private var p = 0
  private var t = 0

  init(pattern: [UInt8], text: [UInt8]) {
    self.pattern = pattern
    self.text = text
  }

  mutating func matches() -> Bool {
    var retry: (p: Int, t: Int)?
    while t < text.count || p < pattern.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        retry = (p, t + 1)
        p += 1
      } else if p < pattern.count, t < text.count, matchesOne() {
        t += 1
      } else if let last = retry, last.t <= text.count {
        (p, t) = last
      } else {
        return false
      }
    }
    return true
  }

  /// Matches one byte and moves past the pattern's part for it.
  private mutating func matchesOne() -> Bool {
    let byte = text[t]
    switch pattern[p] {
    case UInt8(ascii: "?"):
      p += 1
      return true
    case UInt8(ascii: "["):
      return matchesClass(byte)
    case UInt8(ascii: "\\") where p + 1 < pattern.count:
      p += 2
      return pattern[p - 1] == byte
    default:
      p += 1
      return pattern[p - 1] == byte
    }
  }

  private mutating func matchesClass(_ byte: UInt8) -> Bool {
    p += 1
    let isNegated = p < pattern.count && pattern[p] == UInt8(ascii: "^")
    if isNegated { p += 1 }
    var found = false
    while p < pattern.count, pattern[p] != UInt8(ascii: "]") {
      if pattern[p] == UInt8(ascii: "\\"), p + 1 < pattern.count {
        p += 1
        found = found || pattern[p] == byte
      } else if p + 2 < pattern.count, pattern[p + 1] == UInt8(ascii: "-") {
        let low = min(pattern[p], pattern[p + 2])
        let high = max(pattern[p], pattern[p + 2])
        found = found || (low...high).contains(byte)
        p += 2
      } else {
        found = found || pattern[p] == byte
      }
      p += 1
    }
    if p < pattern.count { p += 1 }
    return found != isNegated
  }
}
