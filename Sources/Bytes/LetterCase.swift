// LetterCase: comparison without regard to the case of ASCII letters, for command and option names.

extension UInt8 {
  /// The byte with an upper-case ASCII letter made lower-case.
  @inlinable public var asciiLowercased: UInt8 {
    self &- 0x41 < 26 ? self | 0x20 : self
  }
}

extension Span where Element == UInt8 {
  /// Whether the bytes are `text` but for letter case.
  @inlinable public func equalsIgnoringCase(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count {
      // SAFETY: a static string has as many bytes as it says, and index is below that.
      let other = unsafe text.utf8Start[index]
      guard self[index] == other || self[index].asciiLowercased == other.asciiLowercased else {
        return false
      }
    }
    return true
  }

  /// Whether the bytes are those of `other` but for letter case.
  @inlinable public func equalsIgnoringCase(_ other: borrowing Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where self[index].asciiLowercased != other[index].asciiLowercased {
      return false
    }
    return true
  }

  /// Whether the bytes begin with `text` but for letter case.
  @inlinable public func hasPrefixIgnoringCase(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount
      && extracting(first: text.utf8CodeUnitCount).equalsIgnoringCase(text)
  }

  /// At most eight bytes, made lower-case, as one word, the first byte lowest: a name to switch
  /// on. 0 when there are more.
  @inlinable public var lowercasedWord: UInt64 {
    guard count <= 8 else { return 0 }
    var word: UInt64 = 0
    for index in 0..<count {
      word |= UInt64(self[index].asciiLowercased) << UInt64(index * 8)
    }
    return word
  }
}
