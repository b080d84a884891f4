// DispatchErrors: the replies to requests that reach no handler, in Redis' words.
//
// 1. What is quoted from the client ends at a NUL and after 128 bytes, and its CR and LF become
//    spaces, so that a reply stays one line of bounded length.

import Bytes
import RESP

extension ReplyBuffer {
  private static var quoteLimit: Int { 128 }

  /// The reply to a name that the table does not know. With a container's name this is an unknown
  /// subcommand.
  public mutating func unknownCommand<Host: ~Copyable>(
    _ arguments: borrowing Arguments, in table: borrowing CommandTable<Host>
  ) {
    if arguments.count > 1, let id = table.index.find(arguments[0]), table[id].isContainer {
      bytes.append("-ERR unknown subcommand '")
      quote(arguments[1])
      bytes.append("'. Try ")
      quote(arguments[0], limit: .max, capitals: true)
      bytes.append(" HELP.\r\n")
      return
    }
    bytes.append("-ERR unknown command '")
    quote(arguments[0])
    bytes.append("', with args beginning with: ")
    var length = 0
    var index = 1
    while index < arguments.count && length < Self.quoteLimit {
      bytes.append(0x27)
      let written = quote(arguments[index], limit: Self.quoteLimit - length)
      bytes.append("' ")
      length += written + 3
      index += 1
    }
    bytes.append("\r\n")
  }

  /// The reply to the wrong number of arguments; `fullName` as in "config|get".
  public mutating func wrongArity(_ fullName: String) {
    bytes.append("-ERR wrong number of arguments for '")
    bytes.append(fullName)
    bytes.append("' command\r\n")
  }

  /// The reply of commands that tell their subcommands apart themselves, such as DEBUG.
  public mutating func subcommandSyntax(_ arguments: borrowing Arguments) {
    bytes.append("-ERR unknown subcommand or wrong number of arguments for '")
    quote(arguments[1])
    bytes.append("'. Try ")
    quote(arguments[0], limit: .max, capitals: true)
    bytes.append(" HELP.\r\n")
  }

  /// A HELP reply: header, lines and footer.
  public mutating func help(_ command: String, _ lines: [String]) {
    array(lines.count + 3)
    simple("\(command.uppercased()) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    for line in lines { simple(line) }
    simple("HELP")
    simple("    Print this help.")
  }

  /// Appends at most `limit` bytes of what the client sent and returns how many.
  @discardableResult
  private mutating func quote(
    _ text: borrowing Span<UInt8>, limit: Int = ReplyBuffer.quoteLimit, capitals: Bool = false
  ) -> Int {
    var count = 0
    while count < text.count && count < limit {
      let byte = text[count]
      if byte == 0 { break }
      let printed = byte == 13 || byte == 10 ? 32 : byte
      bytes.append(capitals && printed &- 0x61 < 26 ? printed & 0xDF : printed)
      count += 1
    }
    return count
  }
}
