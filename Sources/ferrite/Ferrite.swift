// Ferrite: the tool beside the server: looks at data directories and at what they lie on.

import ArgumentParser

@main struct Ferrite: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ferrite",
    abstract: "Looks at Ferrite's data directories and at what they lie on.",
    subcommands: [Assess.self, Check.self])
}
