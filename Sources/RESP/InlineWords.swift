// InlineWords: an inline request's line, split into words by Redis' quoting rules.
//
//   SET "a b\n" 'it\'s' x"y z"   →   SET | a b<LF> | it's | xy z
//
// 1. Inside double quotes \xHH is that byte, \n \r \t \b \a are control characters, and any other
//    escaped character is itself. Inside single quotes only \' is an escape.
// 2. A closing quote ends its word and must be followed by a space or the end.
// 3. Words begin after any white space but unquoted ones end only at space, tab, CR, LF and NUL:
//    a vertical tab or form feed inside a word belongs to it, as in Redis.

import Bytes

enum InlineWords {
  /// Appends the words' bytes to `text` and their places in it to `ranges`; false when quotes are
  /// not balanced.
  static func split(
    _ line: Span<UInt8>, into ranges: inout ArgumentList, text: inout ByteBuffer
  ) -> Bool {
    var position = 0
    while true {
      while position < line.count, isSpace(line[position]) { position += 1 }
      guard position < line.count, line[position] != 0 else { return true }
      let start = text.count
      guard let end = word(line, from: position, into: &text) else { return false }
      ranges.append(ArgumentRange(offset: start, count: text.count - start))
      position = end
    }
  }

  /// Appends the word at `position` and returns where it ends; nil when a quote is left open or
  /// closed in the middle of a word.
  private static func word(
    _ line: Span<UInt8>, from position: Int, into text: inout ByteBuffer
  ) -> Int? {
    var position = position
    while position < line.count {
      let byte = line[position]
      switch byte {
      case 0x20, 0x0A, 0x0D, 0x09, 0x00:
        return position
      case 0x22, 0x27:
        let close =
          byte == 0x22
          ? doubleQuoted(line, from: position + 1, into: &text)
          : singleQuoted(line, from: position + 1, into: &text)
        guard let close else { return nil }
        let next = close + 1
        return next == line.count || isSpace(line[next]) || line[next] == 0 ? next : nil
      default:
        text.append(byte)
        position += 1
      }
    }
    return position
  }

  /// Where the double quote closes.
  private static func doubleQuoted(
    _ line: Span<UInt8>, from position: Int, into text: inout ByteBuffer
  ) -> Int? {
    var position = position
    while position < line.count {
      let byte = line[position]
      if byte == 0x22 { return position }
      guard byte == 0x5C, position + 1 < line.count else {
        text.append(byte)
        position += 1
        continue
      }
      let escaped = line[position + 1]
      if escaped == 0x78, position + 3 < line.count, let high = hex(line[position + 2]),
        let low = hex(line[position + 3])
      {
        text.append(high << 4 | low)
        position += 4
      } else {
        text.append(control(escaped))
        position += 2
      }
    }
    return nil
  }

  /// Where the single quote closes.
  private static func singleQuoted(
    _ line: Span<UInt8>, from position: Int, into text: inout ByteBuffer
  ) -> Int? {
    var position = position
    while position < line.count {
      let byte = line[position]
      if byte == 0x27 { return position }
      if byte == 0x5C, position + 1 < line.count, line[position + 1] == 0x27 { position += 1 }
      text.append(line[position])
      position += 1
    }
    return nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 9 < 5 }

  /// The character that `\` and `letter` stand for.
  private static func control(_ letter: UInt8) -> UInt8 {
    switch letter {
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    case 0x62: 0x08
    case 0x61: 0x07
    default: letter
    }
  }

  private static func hex(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit &- 0x30
    case 0x41...0x46: digit &- 0x37
    case 0x61...0x66: digit &- 0x57
    default: nil
    }
  }
}
