// CONFIG GET and CONFIG SET.
//
//   CONFIG SET maxclients 100 port 7000
//     1 names    every name is known, changeable, given once
//     2 values   set on a copy: a wrong one changes nothing
//     3 apply    the server acts on the new configuration, effect by effect
//     4 undo     when an effect fails: the old configuration is put back and applied again
//
// 1. All or nothing: after an error the configuration is what it was.
// 2. Error texts are Redis 7.2's.

/// A refused CONFIG command.
public struct ConfigurationError: Error, Equatable, Sendable {
  /// The error reply, with its code, without the line end.
  public let reply: String

  init(reply: String) {
    // A name comes from the client; a line end in it would end the reply.
    self.reply = String(reply.map { $0.isNewline ? " " : $0 })
  }
}

/// An effect that could not be applied, in words for the client.
public struct EffectFailure: Error, Equatable, Sendable {
  public let reason: String
  public init(_ reason: String) { self.reason = reason }
}

extension Configuration {
  /// One parameter of CONFIG SET, as the client sent it.
  public typealias Parameter = (name: [UInt8], value: [UInt8])

  /// What CONFIG SET's permission depends on.
  public struct SetContext: Sendable {
    public var isLoading: Bool
    public var isLocalConnection: Bool

    public init(isLoading: Bool = false, isLocalConnection: Bool = false) {
      self.isLoading = isLoading
      self.isLocalConnection = isLocalConnection
    }
  }

  /// A checked CONFIG SET that has not happened yet.
  public struct Proposal: Sendable {
    public let configuration: Configuration
    /// What the server has to do, once each, with the parameter that asked for it first.
    public let effects: [(effect: ConfigurationEffect, name: String)]
    /// What to write to the log.
    public let notes: [ConfigurationNote]
  }

  /// Whether a directive's value must not be seen in the slow log, MONITOR or the log.
  public static func isSensitive(_ name: [UInt8]) -> Bool {
    let table = DirectiveTable.shared
    return table.entry(name).map { table[$0].options.contains(.sensitive) } ?? false
  }

  /// The settings that match any of the patterns, each once, in the table's order. A pattern
  /// without wildcards is a name and answered as the client spelled it, as in Redis.
  public func get(_ patterns: [[UInt8]]) -> [(name: [UInt8], value: [UInt8])] {
    let table = DirectiveTable.shared
    var answers: [(name: [UInt8], value: [UInt8])] = []
    var answered: Set<String> = []
    for pattern in patterns {
      if !pattern.contains(where: { $0 == 0x2A || $0 == 0x3F || $0 == 0x5B }) {
        guard let entry = table.entry(pattern), answered.insert(entry.name).inserted else {
          continue
        }
        answers.append((pattern, table[entry].get(self)))
        continue
      }
      for directive in table.rows where !directive.options.contains(.hidden) {
        for name in [directive.name, directive.alias].compactMap({ $0 })
        where ConfigurationText.glob(pattern, matches: Array(name.utf8)) {
          if answered.insert(name).inserted {
            answers.append((Array(name.utf8), directive.get(self)))
          }
        }
      }
    }
    return answers
  }

  /// Checks parameters and values of CONFIG SET: its steps 1 and 2.
  public func proposal(
    _ parameters: [Parameter], _ context: SetContext = SetContext()
  ) throws(ConfigurationError) -> Proposal {
    let table = DirectiveTable.shared
    var entries: [DirectiveTable.Entry] = []
    for parameter in parameters {
      let entry = try check(parameter.name, after: entries, context)
      entries.append(entry)
    }
    var changed = self
    var effects: [(effect: ConfigurationEffect, name: String)] = []
    var notes: [ConfigurationNote] = []
    for (entry, parameter) in zip(entries, parameters) {
      let directive = table[entry]
      do {
        try directive.set(directive.words(parameter.value), in: &changed, .command)
      } catch {
        throw .failed(entry.name, error.reason)
      }
      changed.clampFrequency()
      if let note = directive.note(changed), directive.get(self) != directive.get(changed) {
        notes.append(note)
      }
      if let effect = directive.effect, directive.get(self) != directive.get(changed),
        !effects.contains(where: { $0.effect == effect })
      {
        effects.append((effect, entry.name))
      }
    }
    return Proposal(configuration: changed, effects: effects, notes: notes)
  }

  private func check(
    _ name: [UInt8], after earlier: [DirectiveTable.Entry], _ context: SetContext
  ) throws(ConfigurationError) -> DirectiveTable.Entry {
    let table = DirectiveTable.shared
    let spelling = ConfigurationText.string(name)
    guard let entry = table.entry(name) else {
      throw ConfigurationError(
        reply: "ERR Unknown option or number of arguments for CONFIG SET - '\(spelling)'")
    }
    let options = table[entry].options
    if options.contains(.immutable) { throw .failed(spelling, "can't set immutable config") }
    if options.contains(.protected)
      && !protectedConfigs.allows(localConnection: context.isLocalConnection)
    {
      throw .failed(spelling, "can't set protected config")
    }
    if options.contains(.denyLoading) && context.isLoading {
      throw ConfigurationError(reply: "LOADING Redis is loading the dataset in memory")
    }
    // By name, not by row: a name and its alias may stand together, and the later one wins.
    if earlier.contains(where: { $0.name == entry.name }) {
      throw .failed(spelling, "duplicate parameter")
    }
    return entry
  }
}

extension ConfigurationError {
  static func failed(_ name: String, _ reason: String) -> ConfigurationError {
    let argument = "(possibly related to argument '\(name)')"
    return ConfigurationError(reply: "ERR CONFIG SET failed \(argument) - \(reason)")
  }
}

extension Directive {
  /// A value of CONFIG SET as words. Redis splits at every single blank, without quotes.
  fileprivate func words(_ value: [UInt8]) -> [[UInt8]] {
    guard options.contains(.multipleWords) else { return [value] }
    if value.isEmpty { return [] }
    return value.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
  }
}

// MARK: - Applying

/// Whoever lives by a configuration: the server.
public protocol ConfigurationOwner: ~Copyable {
  var configuration: Configuration { get set }

  /// Acts on a changed setting; `configuration` already holds it. May correct the configuration,
  /// as `directory` stores the absolute path. Also called to go back, when a later effect fails.
  mutating func apply(_ effect: ConfigurationEffect) throws(EffectFailure)
}

extension ConfigurationOwner where Self: ~Copyable {
  /// CONFIG SET, all four steps. Returns what to write to the log.
  public mutating func setConfiguration(
    _ parameters: [Configuration.Parameter],
    _ context: Configuration.SetContext = Configuration.SetContext()
  ) throws(ConfigurationError) -> [ConfigurationNote] {
    let proposal = try configuration.proposal(parameters, context)
    let previous = configuration
    configuration = proposal.configuration
    for (index, (effect, name)) in proposal.effects.enumerated() {
      do throws(EffectFailure) {
        try apply(effect)
      } catch {
        configuration = previous
        for (effect, _) in proposal.effects[...index] {
          // Going back is the best we can do; the client learns of the first failure.
          do { try apply(effect) } catch { continue }
        }
        throw .failed(name, error.reason)
      }
    }
    return proposal.notes
  }
}
