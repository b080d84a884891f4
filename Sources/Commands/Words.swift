// Words: comparing a request's arguments with the options that a command knows.

import Bytes
import RESP

extension Arguments {
  /// Whether argument `index` is `word`, in any case of ASCII letters.
  @inlinable public func equals(_ index: Int, _ word: String) -> Bool {
    let argument = self[index]
    let text = word.utf8
    guard argument.count == text.count else { return false }
    var position = 0
    for byte in text {
      if foldedASCII(argument[position]) != foldedASCII(byte) { return false }
      position &+= 1
    }
    return true
  }
}

/// The byte, in capitals when it is an ASCII letter.
@inlinable func foldedASCII(_ byte: UInt8) -> UInt8 {
  byte &- 0x61 < 26 ? byte & 0xDF : byte
}

/// PLACEHOLDER until Bytes has the glob: Redis' pattern language over names, in any case.
func matchesGlob(_ pattern: borrowing Span<UInt8>, _ text: String) -> Bool {
  true
}
