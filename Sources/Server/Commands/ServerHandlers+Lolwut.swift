// LOLWUT: a plane of ferrite cores, the memory that Ferrite is named after.
//
//   one letter is one row of eight rings; a ring magnetised one way is a 1, the other way a 0
//
// LOLWUT VERSION 1 word ... weaves the words given instead.

import Bytes
import Commands
import Keyspace
import RESP

extension ServerHandlers {
  static func lolwut(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var first = 1
    if args.count > 2 && args[1].equalsIgnoringCase("VERSION") {
      guard args[2].parseInteger() != nil else { throw .notInteger }
      first = 3
    }
    var words: [String] = []
    for index in first..<max(args.count, first) { words.append(String(copying: args[index])) }
    let text = words.isEmpty ? "FERRITE" : words.joined(separator: " ")
    reply.verbatim(
      corePlane(Array(text.utf8.prefix(32))) + """

        Redis ver. \(Configuration.redisVersion) (Ferrite ver. \(Configuration.version))

        """)
  }

  /// The plane that holds `bytes`, a row for each.
  static func corePlane(_ bytes: [UInt8]) -> String {
    let wires = "   " + String(repeating: "  │", count: 8) + "\n"
    var picture = wires
    for byte in bytes {
      let isPrintable = (0x21...0x7E).contains(byte)
      picture += " \(isPrintable ? String(UnicodeScalar(byte)) : " ") ──"
      for bit in stride(from: 7, through: 0, by: -1) {
        picture += (byte >> UInt8(bit) & 1 == 1 ? "◉" : "○") + (bit > 0 ? "──" : "")
      }
      picture += "──\n" + wires
    }
    return picture
  }
}
