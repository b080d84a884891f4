// Words: comparing a request's arguments with the options that a command knows.

import Bytes
import RESP

extension Arguments {
  /// Whether argument `index` is `word`, in any case of ASCII letters.
  @inlinable public func equals(_ index: Int, _ word: StaticString) -> Bool {
    self[index].equalsIgnoringCase(word)
  }
}
