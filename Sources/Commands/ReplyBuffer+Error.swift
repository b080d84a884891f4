// A command's error as a reply.

import Keyspace
import RESP

extension ReplyBuffer {
  public mutating func error(_ error: CommandError) {
    switch error {
    case .fixed(let text):
      bytes.append(0x2D)
      bytes.append(text)
      bytes.append("\r\n")
    case .custom(let text):
      self.error(text)
    }
  }
}
