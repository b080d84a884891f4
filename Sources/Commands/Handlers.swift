// PLACEHOLDER, to be deleted this session: stands in for every data handler that is not written
// yet. A real `static func get(...)` in an extension of these types takes precedence; once all
// are there, delete this file's subscripts and the compiler names what is missing.

import Keyspace
import RESP

private func pending(
  _ arguments: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
) throws(CommandError) {
  throw .fixed("ERR this command is not implemented yet")
}

@dynamicMemberLookup enum GenericHandlers {
  static subscript(dynamicMember name: String) -> KeyspaceHandler { pending }
}
