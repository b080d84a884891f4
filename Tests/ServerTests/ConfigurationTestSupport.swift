// Files in memory, and short ways to load and ask a configuration.

import Testing

@testable import Server

/// A file system of a dictionary. Used by one test at a time.
final class MemoryFiles: ConfigurationFiles {
  var contents: [String: [UInt8]] = [:]
  var directories: Set<String> = ["/", "/work", "/tmp"]
  var directory = "/work"
  var replaceProblem: FileProblem?

  init(_ texts: [String: String] = [:]) {
    for (path, text) in texts { contents[path] = Array(text.utf8) }
  }

  private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : directory + "/" + path
  }

  func read(_ path: String) throws(FileProblem) -> [UInt8] {
    guard let content = contents[absolute(path)] else { throw .notFound }
    return content
  }

  func replace(_ path: String, with bytes: [UInt8]) throws(FileProblem) {
    if let replaceProblem { throw replaceProblem }
    contents[absolute(path)] = bytes
  }

  func glob(_ pattern: String) -> [String] {
    contents.keys.sorted().filter {
      ConfigurationText.glob(Array(absolute(pattern).utf8), matches: Array($0.utf8))
    }
  }

  func checkAppendable(_ path: String) throws(FileProblem) {
    if absolute(path).contains("/missing/") { throw .notFound }
  }

  func changeDirectory(_ path: String) throws(FileProblem) {
    guard directories.contains(absolute(path)) else { throw .notFound }
    directory = absolute(path)
  }

  func currentDirectory() -> String { directory }
}

/// What a command line leads to.
enum Outcome: Equatable {
  case serves
  case exits(status: Int32)
  case fails(String)
}

struct Loaded {
  var configuration = Configuration()
  var notes: [ConfigurationNote] = []
  var outcome = Outcome.serves

  init(_ arguments: [String], files: MemoryFiles = MemoryFiles(), input: String = "") {
    do {
      let launch = try Configuration.load(
        arguments: arguments, files: files, standardInput: { Array(input.utf8) })
      switch launch {
      case .serve(let configuration, let notes):
        self.configuration = configuration
        self.notes = notes
      case .exit(_, _, let status):
        outcome = .exits(status: status)
      }
    } catch {
      outcome = .fails(error.message)
    }
  }

  /// A configuration from the text of a file.
  init(file text: String) {
    self.init(["/work/redis.conf"], files: MemoryFiles(["/work/redis.conf": text]))
  }
}

extension Configuration {
  /// CONFIG GET of one name.
  subscript(_ name: String) -> String? {
    self.get([Array(name.utf8)]).first.map { ConfigurationText.string($0.value) }
  }

  func names(_ patterns: String...) -> [String] {
    get(patterns.map { Array($0.utf8) }).map { ConfigurationText.string($0.name) }
  }
}

/// A server that is only its configuration, and refuses the effects it is told to.
struct TestOwner: ConfigurationOwner {
  var configuration = Configuration()
  var applied: [ConfigurationEffect] = []
  var refused: [ConfigurationEffect: String] = [:]

  mutating func apply(_ effect: ConfigurationEffect) throws(EffectFailure) {
    applied.append(effect)
    if let reason = refused[effect] { throw EffectFailure(reason) }
  }

  /// CONFIG SET; "OK" or the error reply.
  mutating func set(
    _ words: String..., context: Configuration.SetContext = Configuration.SetContext()
  ) -> String {
    set(words, context)
  }

  mutating func set(_ words: [String], _ context: Configuration.SetContext) -> String {
    var parameters: [Configuration.Parameter] = []
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      parameters.append((Array(words[index].utf8), Array(words[index + 1].utf8)))
    }
    do {
      _ = try setConfiguration(parameters, context)
      return "OK"
    } catch {
      return error.reply
    }
  }
}

/// A small seeded generator (SplitMix64), so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
