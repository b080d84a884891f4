// PLACEHOLDER, to be deleted this session: stands in for every handler of a server
// command that is not written yet. A real `static func ping(...)` in an extension of these types
// takes precedence; once all are there, delete the subscripts and the compiler names what is
// missing.

import Commands
import Keyspace
import RESP

typealias HostHandler =
  @Sendable (borrowing Arguments, inout Server, inout ReplyBuffer) throws(CommandError) -> Void

private func pending(
  _ arguments: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
) throws(CommandError) {
  throw .fixed("ERR this command is not implemented yet")
}

@dynamicMemberLookup enum ServerHandlers {
  static subscript(dynamicMember name: String) -> HostHandler { pending }
}
