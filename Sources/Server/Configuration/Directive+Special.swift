// Directives with rules of their own: several words, or a text that is a small language.
//
// 1. `set` checks every word before it changes anything.
// 2. `get` prints what `set` takes.

extension Directive.Special {
  static let bind = Directive.Special(
    set: { (configuration, words, _) throws(DirectiveError) in
      guard words.count <= 16 else { throw DirectiveError("Too many bind addresses specified.") }
      // One empty word means no address at all: the server does not listen on TCP.
      let words = words.count == 1 && words[0].isEmpty ? [] : words
      // No address is empty or has a blank or a quote in it, and REWRITE could not write one.
      guard words.allSatisfy({ ConfigurationText.split($0) == [$0] }) else {
        throw DirectiveError("Failed to bind to specified addresses.")
      }
      configuration.bindAddresses = words.map { ConfigurationText.string($0) }
    },
    get: { $0.bindAddresses.joined(separator: " ") },
    rewrite: { configuration in
      if configuration.bindAddresses == Configuration.defaults.bindAddresses { return .none }
      let text = configuration.bindAddresses.joined(separator: " ")
      return .values([(Array((text.isEmpty ? "\"\"" : text).utf8), true)])
    })

  static let directory = Directive.Special(
    set: { (configuration, words, _) throws(DirectiveError) in
      guard words.count == 1 else { throw DirectiveError("wrong number of arguments") }
      guard let path = String(validating: words[0], as: UTF8.self), !path.utf8.contains(0) else {
        throw DirectiveError("argument must be valid UTF-8 text")
      }
      guard !path.isEmpty else { throw DirectiveError("No such file or directory") }
      configuration.directory = path
    },
    get: { $0.directory },
    rewrite: { configuration in
      if configuration.directory.isEmpty { return .none }
      return .values([(ConfigurationText.quoted(configuration.directory.utf8), true)])
    })

  static let savePoints = Directive.Special(
    set: { (configuration, words, phase) throws(DirectiveError) in
      let words = words.count == 1 && words[0].isEmpty ? [] : words
      guard words.count % 2 == 0 else { throw DirectiveError("Invalid save parameters") }
      var points: [SavePoint] = []
      for index in stride(from: 0, to: words.count, by: 2) {
        guard let seconds = ConfigurationText.looseInteger(words[index]), seconds >= 1,
          let changes = ConfigurationText.looseInteger(words[index + 1]), changes >= 0
        else { throw DirectiveError("Invalid save parameters") }
        points.append(SavePoint(seconds, changes))
      }
      // A file's lines add up, once its first one has replaced the defaults.
      let addsUp = phase == .loading && configuration.savePointsLoaded
      let isReset = words.isEmpty
      configuration.savePoints = addsUp && !isReset ? configuration.savePoints + points : points
      if phase == .loading { configuration.savePointsLoaded = true }
    },
    get: { configuration in
      configuration.savePoints.map { "\($0.seconds) \($0.changes)" }.joined(separator: " ")
    },
    rewrite: { configuration in
      if configuration.savePoints.isEmpty { return .values([(Array("\"\"".utf8), true)]) }
      return .values(
        configuration.savePoints.map { (Array("\($0.seconds) \($0.changes)".utf8), true) })
    })

  static let oomScores = Directive.Special(
    set: { (configuration, words, _) throws(DirectiveError) in
      guard words.count == 3 else { throw DirectiveError("wrong number of arguments") }
      var values: [Int] = []
      for word in words {
        guard let value = ConfigurationText.looseInteger(word), (-2000...2000).contains(value)
        else {
          throw DirectiveError(
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
        }
        values.append(value)
      }
      configuration.oomScoreAdjustments = values
    },
    get: { $0.oomScoreAdjustments.map(String.init).joined(separator: " ") },
    rewrite: { configuration in
      let values = configuration.oomScoreAdjustments
      let text = values.map(String.init).joined(separator: " ")
      let isChanged = values != Configuration.defaults.oomScoreAdjustments
      return .values([(Array(text.utf8), isChanged)])
    })

  static let keyspaceEvents = Directive.Special(
    set: { (configuration, words, _) throws(DirectiveError) in
      guard words.count == 1 else { throw DirectiveError("wrong number of arguments") }
      guard let events = KeyspaceEvents(letters: ConfigurationText.string(words[0])) else {
        throw DirectiveError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
      }
      configuration.keyspaceEvents = events
    },
    get: { $0.keyspaceEvents.letters },
    rewrite: { configuration in
      let letters = configuration.keyspaceEvents.letters
      return .values([(ConfigurationText.quoted(letters.utf8), !letters.isEmpty)])
    })

  static let percentiles = Directive.Special(
    set: { (configuration, words, _) throws(DirectiveError) in
      var values: [Double] = []
      for word in words.count == 1 && words[0].isEmpty ? [] : words {
        guard let value = Double(ConfigurationText.string(word)), !value.isNaN else {
          throw DirectiveError("Invalid latency-tracking-info-percentiles parameters")
        }
        guard value >= 0, value <= 100 else {
          throw DirectiveError(
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
        }
        values.append(value)
      }
      configuration.latencyTrackingPercentiles = values
    },
    get: { printed($0.latencyTrackingPercentiles) },
    rewrite: { configuration in
      let text = printed(configuration.latencyTrackingPercentiles)
      return .values([(Array((text.isEmpty ? "\"\"" : text).utf8), true)])
    })

  private static func printed(_ percentiles: [Double]) -> String {
    percentiles.map(ConfigurationText.formatted(percentile:)).joined(separator: " ")
  }

  /// Only `no one` passes: a row that is unavailable refuses a primary's address.
  static let replicaOf = Directive.Special(
    set: { (configuration, words, _) throws(DirectiveError) in
      guard words.count == 2 else { throw DirectiveError("wrong number of arguments") }
      if ConfigurationText.matches(words[0], "no") && ConfigurationText.matches(words[1], "one") {
        configuration[text: "replicaof", or: ""] = ""
        return
      }
      guard let port = ConfigurationText.looseInteger(words[1]), (0...65535).contains(port) else {
        throw DirectiveError("Invalid master port")
      }
      configuration[text: "replicaof", or: ""] = "\(ConfigurationText.string(words[0])) \(port)"
    },
    get: { $0[text: "replicaof", or: ""] },
    rewrite: { configuration in
      let text = configuration[text: "replicaof", or: ""]
      return text.isEmpty ? .none : .values([(Array(text.utf8), true)])
    })

  static func shutdown(_ field: any Field<ShutdownActions>) -> Directive.Special {
    Directive.Special(
      set: { (configuration, words, _) throws(DirectiveError) in
        var actions = ShutdownActions()
        for word in words {
          guard
            let known = ShutdownActions.spellings.first(where: {
              ConfigurationText.matches(word, $0.name)
            })
          else { throw unknownAction }
          actions.formUnion(known.action)
        }
        if words.isEmpty { throw unknownAction }
        guard !actions.isSuperset(of: [.save, .noSave]) else {
          throw DirectiveError("shutdown options SAVE and NOSAVE can't be used simultaneously")
        }
        configuration[keyPath: field] = actions
      },
      get: { printed($0[keyPath: field]) },
      rewrite: { configuration in
        let actions = configuration[keyPath: field]
        return .values([(Array(printed(actions).utf8), !actions.isEmpty)])
      })
  }

  private static var unknownAction: DirectiveError {
    let names = ShutdownActions.spellings.map(\.name).joined(separator: ", ")
    return DirectiveError("argument(s) must be one of the following: " + names)
  }

  private static func printed(_ actions: ShutdownActions) -> String {
    if actions.isEmpty { return "default" }
    return ShutdownActions.spellings.filter { !$0.action.isEmpty && actions.contains($0.action) }
      .map(\.name).joined(separator: " ")
  }
}

// MARK: - client-output-buffer-limit

extension Directive.Special {
  /// The classes in the order in which CONFIG GET prints them; it calls replicas slaves, the file
  /// calls them replicas.
  private static let classes:
    [(name: String, fileName: String, field: any Field<OutputBufferLimit>)] = [
      ("normal", "normal", \.normalOutputLimit), ("slave", "replica", \.replicaOutputLimit),
      ("pubsub", "pubsub", \.pubsubOutputLimit),
    ]

  static let outputBufferLimits = Directive.Special(
    set: { (configuration, words, _) throws(DirectiveError) in
      guard words.count % 4 == 0 else {
        throw DirectiveError("Wrong number of arguments in buffer limit configuration.")
      }
      var changed = configuration
      for index in stride(from: 0, to: words.count, by: 4) {
        let word = words[index]
        guard
          let known = classes.first(where: {
            ConfigurationText.matches(word, $0.name) || ConfigurationText.matches(word, $0.fileName)
          })
        else {
          throw DirectiveError("Invalid client class specified in buffer limit configuration.")
        }
        guard let hard = ConfigurationText.memory(words[index + 1]),
          let soft = ConfigurationText.memory(words[index + 2]),
          let seconds = ConfigurationText.looseInteger(words[index + 3]), seconds >= 0
        else {
          throw DirectiveError(
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.")
        }
        changed[keyPath: known.field] = OutputBufferLimit(
          hardBytes: Int(clamping: hard), softBytes: Int(clamping: soft), softSeconds: seconds)
      }
      configuration = changed
    },
    get: { configuration in
      classes.map { row in
        let limit = configuration[keyPath: row.field]
        return "\(row.name) \(limit.hardBytes) \(limit.softBytes) \(limit.softSeconds)"
      }.joined(separator: " ")
    },
    rewrite: { configuration in
      .values(
        classes.map { row in
          let limit = configuration[keyPath: row.field]
          let hard = ConfigurationText.formatted(memory: limit.hardBytes)
          let soft = ConfigurationText.formatted(memory: limit.softBytes)
          let text = "\(row.fileName) \(hard) \(soft) \(limit.softSeconds)"
          return (Array(text.utf8), limit != Configuration.defaults[keyPath: row.field])
        })
    })
}
