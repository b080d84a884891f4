// Glob: Redis' patterns, as in KEYS, SCAN MATCH, PSUBSCRIBE and CONFIG GET.
//
//   *  any run of bytes      [abc] [a-z] [^a]  one byte of (or outside) a class
//   ?  any one byte          \x                that byte itself
//
// 1. What looks odd is Redis' own: no pattern but the empty one matches the empty text, an unclosed
//    class ends with the pattern, a trailing backslash is literal, "[a-]" is a range up to ']',
//    escapes in classes keep their case, and ranges compare bytes as signed.
// 2. After a mismatch only the last star grows: a longer match of an earlier star could not help.
//    So time is bounded by pattern × text, however many stars there are.
// 3. Patterns that need more than 1000 stars match nothing, as in Redis.

public enum Glob {
  /// Whether the whole of `text` matches `pattern`.
  public static func matches(
    _ text: borrowing Span<UInt8>, pattern: borrowing Span<UInt8>, ignoringCase: Bool = false
  ) -> Bool {
    if text.isEmpty { return pattern.isEmpty }
    var position = 0
    var index = 0
    var stars = 0
    /// Where the pattern goes on after the last star, and where its match in the text ends.
    var resumeIndex = -1
    var resumePosition = 0
    while true {
      if index < pattern.count && position < text.count && pattern[index] == 0x2A {
        while index < pattern.count && pattern[index] == 0x2A { index += 1 }
        if index == pattern.count { return true }
        stars += 1
        if stars > 1000 { return false }
        resumeIndex = index
        resumePosition = position
        continue
      }
      if index < pattern.count && position < text.count {
        let end = element(pattern, at: index, matches: text[position], ignoringCase)
        if end >= 0 {
          index = end
          position += 1
          continue
        }
      } else if position == text.count {
        while index < pattern.count && pattern[index] == 0x2A { index += 1 }
        if index == pattern.count { return true }
      }
      guard resumeIndex >= 0 else { return false }
      resumePosition += 1
      guard resumePosition < text.count else { return false }
      index = resumeIndex
      position = resumePosition
    }
  }

  /// Where the pattern's element at `index` ends if it matches `byte`; -1 if it does not.
  @inline(__always) private static func element(
    _ pattern: borrowing Span<UInt8>, at index: Int, matches byte: UInt8, _ ignoringCase: Bool
  ) -> Int {
    var index = index
    switch pattern[index] {
    case 0x3F: return index + 1
    case 0x5B: return group(pattern, at: index, matches: byte, ignoringCase)
    case 0x5C where index + 1 < pattern.count: index += 1
    default: break
    }
    return equal(pattern[index], byte, ignoringCase) ? index + 1 : -1
  }

  /// The same for a class in brackets.
  private static func group(
    _ pattern: borrowing Span<UInt8>, at index: Int, matches byte: UInt8, _ ignoringCase: Bool
  ) -> Int {
    var index = index + 1
    let isInverted = index < pattern.count && pattern[index] == 0x5E
    if isInverted { index += 1 }
    var found = false
    while index < pattern.count && pattern[index] != 0x5D {
      let left = pattern.count - index
      if pattern[index] == 0x5C && left >= 2 {
        found = found || pattern[index + 1] == byte
        index += 2
      } else if left >= 3 && pattern[index + 1] == 0x2D {
        found = found || range(pattern[index], pattern[index + 2], contains: byte, ignoringCase)
        index += 3
      } else {
        found = found || equal(pattern[index], byte, ignoringCase)
        index += 1
      }
    }
    guard found != isInverted else { return -1 }
    return min(index + 1, pattern.count)
  }

  private static func range(
    _ first: UInt8, _ second: UInt8, contains byte: UInt8, _ ignoringCase: Bool
  ) -> Bool {
    var low = Int8(bitPattern: first)
    var high = Int8(bitPattern: second)
    if low > high { swap(&low, &high) }
    guard ignoringCase else { return (low...high).contains(Int8(bitPattern: byte)) }
    // Lowering may turn the ends around; then nothing is between them.
    let value = Int8(bitPattern: byte.asciiLowercased)
    return value >= Int8(bitPattern: UInt8(bitPattern: low).asciiLowercased)
      && value <= Int8(bitPattern: UInt8(bitPattern: high).asciiLowercased)
  }

  @inline(__always) private static func equal(
    _ a: UInt8, _ b: UInt8, _ ignoringCase: Bool
  ) -> Bool {
    a == b || (ignoringCase && a.asciiLowercased == b.asciiLowercased)
  }
}
