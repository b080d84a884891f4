// AllCommands: the groups that make up the server's command table. A new group is one line here.

import Commands

extension CommandTable where Host == Server {
  /// Every command of this server.
  public static func all() -> CommandTable<Server> {
    CommandTable(
      Command.connection + Command.server + Command.generic + Command.strings + Command.bitmaps)
  }
}
