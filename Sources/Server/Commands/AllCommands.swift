// AllCommands: the groups that make up the server's command table. A new group is one line here.

import Commands

extension CommandTable where Host == Server {
  /// Every command of this server, called as the configuration wants.
  public static func all(renamed: [RenamedCommand] = []) -> CommandTable<Server> {
    CommandTable(
      Command.connection + Command.server + Command.transactions + Command.generic
        + Command.strings + Command.bitmaps + Command.hashes + Command.sets + Command.lists
        + Command.streams + Command.hyperLogLogs + Command.keyMoves + Command.sorting
        + Command.sortedSets
        + Command.geo + Command.migration,
      renamed: renamed.map { ($0.from, $0.to) })
  }

  /// The names of all commands, in lower case.
  static var names: Set<String> {
    let table = all()
    return Set(table.fullNames.prefix(table.topLevelCount))
  }
}
