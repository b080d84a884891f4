// ConfigurationLoader: takes redis.conf, line by line, into a Configuration.
//
//   # comment
//   port 6380                      one directive a line: a name and its words
//   include /etc/redis/conf.d/*    another file's lines, here
//   save 900 1 300 10              several words
//
// 1. The first line that is wrong ends the load; the error names the line as Redis does.
// 2. Includes nest at most `depthLimit` deep and number at most `fileLimit`, so that a file that
//    includes itself ends in an error.
// 3. Each directive without effect is noted once per load, however often it stands in the files.

import Commands

/// Why the server cannot start: what to print on standard error before exiting with status 1.
public struct ConfigurationFailure: Error, Equatable, Sendable {
  public let message: String
}

struct ConfigurationLoader<Files: ConfigurationFiles> {
  let files: Files
  private(set) var configuration = Configuration()
  private(set) var notes: [ConfigurationNote] = []
  private var notedRows: Set<Int> = []
  private var fileCount = 0
  /// The commands' names as renamed so far, in lower case; filled when the first is renamed.
  private var commandNames: Set<String> = []

  private static var depthLimit: Int { 16 }
  private static var fileLimit: Int { 1000 }

  init(files: Files) {
    self.files = files
    configuration.directory = files.currentDirectory()
  }

  mutating func note(_ text: String) {
    notes.append(ConfigurationNote(isWarning: false, text: text))
  }

  /// Reads a file that the configuration names.
  func read(_ path: String) throws(ConfigurationFailure) -> [UInt8] {
    do {
      return try files.read(path)
    } catch {
      throw ConfigurationFailure(
        message: "Fatal error, can't open config file '\(path)': \(error.reason)\n")
    }
  }

  /// Takes all lines of `text`.
  mutating func load(_ text: [UInt8]) throws(ConfigurationFailure) {
    try load(text, path: nil, depth: 0)
  }

  /// Checks what only the whole configuration can tell.
  mutating func finish(filePath: String?) throws(ConfigurationFailure) {
    configuration.filePath = filePath
    configuration.savePointsLoaded = false
    configuration.clampFrequency()
    if !configuration.logFile.isEmpty {
      do {
        try files.checkAppendable(configuration.logFile)
      } catch {
        throw ConfigurationFailure(
          message: Self.header + "Can't open the log file: \(error.reason)\n")
      }
    }
  }

  private mutating func load(
    _ text: [UInt8], path: String?, depth: Int
  ) throws(ConfigurationFailure) {
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    for (index, untrimmed) in lines.enumerated() {
      let line = ConfigurationText.trimmed(untrimmed)
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      do throws(LineProblem) {
        try take(line, depth: depth)
      } catch {
        switch error {
        case .directive(let problem):
          throw Self.failure(problem.reason, line: line, number: index + 1, path: path)
        case .included(let failure):
          throw failure
        }
      }
    }
  }

  /// A wrong line, or a wrong line in a file that the line includes.
  private enum LineProblem: Error {
    case directive(DirectiveError)
    case included(ConfigurationFailure)

    init(_ reason: String) { self = .directive(DirectiveError(reason)) }
  }

  private mutating func take(_ line: ArraySlice<UInt8>, depth: Int) throws(LineProblem) {
    guard let words = ConfigurationText.split(line) else {
      throw LineProblem("Unbalanced quotes in configuration line")
    }
    guard let name = words.first else { return }
    let rest = Array(words.dropFirst())
    if let entry = DirectiveTable.shared.entry(name) {
      do throws(DirectiveError) {
        try set(entry, rest)
      } catch {
        throw .directive(error)
      }
    } else {
      let name = ConfigurationText.string(ConfigurationText.lowercased(name))
      try takeFileOnly(name, rest, depth: depth)
    }
  }

  private mutating func set(
    _ entry: DirectiveTable.Entry, _ words: [[UInt8]]
  ) throws(DirectiveError) {
    let directive = DirectiveTable.shared[entry]
    var words = words
    if directive.options.contains(.multipleWords) {
      // `save "900 1"` is `save 900 1`, but `save ""` keeps its empty word.
      if words.count == 1, !words[0].isEmpty {
        guard let split = ConfigurationText.split(words[0]) else {
          throw DirectiveError("Unbalanced quotes in configuration line")
        }
        words = split
      }
    } else if words.count != 1 {
      throw DirectiveError("wrong number of arguments")
    }
    try directive.set(words, in: &configuration, .loading)
    if directive.effect == .directory { try enterDirectory() }
    if let note = directive.note(configuration), notedRows.insert(entry.row).inserted {
      notes.append(note)
    }
  }

  /// Redis enters the directory at once, so that relative paths on later lines start there.
  private mutating func enterDirectory() throws(DirectiveError) {
    do {
      try files.changeDirectory(configuration.directory)
    } catch {
      throw DirectiveError(error.reason)
    }
    configuration.directory = files.currentDirectory()
  }

  private mutating func takeFileOnly(
    _ name: String, _ words: [[UInt8]], depth: Int
  ) throws(LineProblem) {
    switch (name, words.count) {
    case (let name, 1) where DirectiveTable.deprecated.contains(name):
      return
    case ("include", 1):
      try include(words[0], depth: depth)
    case ("rename-command", 2):
      try rename(ConfigurationText.string(words[0]), to: ConfigurationText.string(words[1]))
    case ("user", 1...):
      throw LineProblem(Reason.noACL.text)
    case ("loadmodule", 1...):
      throw LineProblem(Reason.noModules.text)
    case ("sentinel", 1...):
      throw LineProblem("sentinel directive while not in sentinel mode")
    case (let name, let count) where name.contains("."):
      throw LineProblem(
        count == 0 ? "Module config specified without value" : Reason.noModules.text)
    default:
      throw LineProblem("Bad directive or wrong number of arguments")
    }
  }

  private mutating func rename(_ name: String, to new: String) throws(LineProblem) {
    if commandNames.isEmpty { commandNames = CommandTable<Server>.names }
    guard commandNames.remove(name.lowercased()) != nil else {
      throw LineProblem("No such command in rename-command")
    }
    if !new.isEmpty {
      guard commandNames.insert(new.lowercased()).inserted else {
        throw LineProblem("Target command name already exists")
      }
    }
    configuration.renamedCommands.append(RenamedCommand(from: name, to: new))
  }

  private mutating func include(_ word: [UInt8], depth: Int) throws(LineProblem) {
    guard depth < Self.depthLimit else {
      throw LineProblem("include files are nested more than \(Self.depthLimit) deep")
    }
    guard let path = String(validating: word, as: UTF8.self), !path.utf8.contains(0) else {
      throw LineProblem("argument must be valid UTF-8 text")
    }
    let isPattern = path.contains { $0 == "*" || $0 == "?" || $0 == "[" }
    for path in isPattern ? files.glob(path) : [path] {
      fileCount += 1
      guard fileCount <= Self.fileLimit else {
        throw LineProblem("more than \(Self.fileLimit) files are included")
      }
      do throws(ConfigurationFailure) {
        try load(read(path), path: path, depth: depth + 1)
      } catch {
        throw .included(error)
      }
    }
  }
}

// MARK: - Failures

extension ConfigurationLoader {
  private static var header: String {
    "\n*** FATAL CONFIG FILE ERROR (Ferrite \(Configuration.version)) ***\n"
  }

  private static func failure(
    _ reason: String, line: ArraySlice<UInt8>, number: Int, path: String?
  ) -> ConfigurationFailure {
    let place = path.map { "configuration file '\($0)'" } ?? "configuration file"
    return ConfigurationFailure(
      message: header + "Reading the \(place), at line \(number)\n>>> '\(shown(line))'\n\(reason)\n"
    )
  }

  /// The line for the error, without the value of a directive that holds a secret.
  private static func shown(_ line: ArraySlice<UInt8>) -> String {
    let name = Array(line.prefix { !ConfigurationText.isSpace($0) })
    guard let entry = DirectiveTable.shared.entry(name),
      DirectiveTable.shared[entry].options.contains(.sensitive)
    else { return ConfigurationText.string(line) }
    return ConfigurationText.string(name) + " (redacted)"
  }
}

extension Configuration {
  /// `hz` is a hint: a value outside 1...500 is taken and brought inside, as Redis does.
  mutating func clampFrequency() { hz = min(max(hz, 1), 500) }
}
