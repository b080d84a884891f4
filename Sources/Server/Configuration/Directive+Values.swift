// How a row reads, writes and prints its value; the reasons it gives are Redis' to the letter.

extension Directive {
  /// Sets the directive from its words.
  func set(
    _ words: [[UInt8]], in configuration: inout Configuration, _ phase: Phase
  ) throws(DirectiveError) {
    switch form {
    case .special(let special):
      try special.set(&configuration, words, phase)
    case .choice(let choice):
      try Self.set(choice, words, in: &configuration)
    default:
      guard let word = words.first, words.count == 1 else {
        throw DirectiveError("wrong number of arguments")
      }
      try set(word, in: &configuration)
    }
    if case .unavailable(let reason) = use, get(configuration) != get(Configuration.defaults) {
      throw DirectiveError(reason.text)
    }
  }

  private func set(_ word: [UInt8], in configuration: inout Configuration) throws(DirectiveError) {
    switch form {
    case .boolean(let field):
      let isYes = ConfigurationText.matches(word, "yes")
      guard isYes || ConfigurationText.matches(word, "no") else {
        throw DirectiveError("argument must be 'yes' or 'no'")
      }
      configuration[keyPath: field] = isYes
    case .integer(let field, let bounds, let notation):
      configuration[keyPath: field] = try notation.parse(word, bounds)
    case .text(let field, let check):
      guard let text = String(validating: word, as: UTF8.self), !text.utf8.contains(0) else {
        throw DirectiveError("argument must be valid UTF-8 text")
      }
      if let reason = check(text) { throw DirectiveError(reason) }
      configuration[keyPath: field] = text
    case .secret(let field):
      configuration[keyPath: field] = word
    case .choice, .special:
      preconditionFailure("set by the caller")
    }
  }

  private static func set(
    _ choice: Choice, _ words: [[UInt8]], in configuration: inout Configuration
  ) throws(DirectiveError) {
    guard words.count == 1,
      let index = choice.words.firstIndex(where: { ConfigurationText.matches(words[0], $0) })
    else {
      throw DirectiveError(
        "argument(s) must be one of the following: " + choice.words.joined(separator: ", "))
    }
    choice.write(&configuration, index)
  }

  /// The value as CONFIG GET tells it.
  func get(_ configuration: Configuration) -> [UInt8] {
    switch form {
    case .boolean(let field): return Array((configuration[keyPath: field] ? "yes" : "no").utf8)
    case .integer(let field, _, let notation):
      return Array(notation.print(configuration[keyPath: field]).utf8)
    case .text(let field, _): return Array(configuration[keyPath: field].utf8)
    case .secret(let field): return configuration[keyPath: field]
    case .choice(let choice): return Array(choice.read(configuration).utf8)
    case .special(let special): return Array(special.get(configuration).utf8)
    }
  }

  /// The lines that CONFIG REWRITE writes.
  func rewrite(_ configuration: Configuration) -> RewrittenLines {
    let value = get(configuration)
    let isChanged = value != get(Configuration.defaults)
    switch form {
    case .special(let special):
      return special.rewrite(configuration)
    case .text, .secret:
      // An empty value that is the default has no line: the directive's absence says it.
      if value.isEmpty && !isChanged && !options.contains(.emptyIsValue) { return .none }
      return .values([(ConfigurationText.quoted(value), isChanged)])
    case .integer(let field, _, .memory), .integer(let field, _, .unboundedMemory):
      let text = ConfigurationText.formatted(memory: configuration[keyPath: field])
      return .values([(Array(text.utf8), isChanged)])
    case .integer(let field, _, .memoryOrPercent) where configuration[keyPath: field] >= 0:
      let text = ConfigurationText.formatted(memory: configuration[keyPath: field])
      return .values([(Array(text.utf8), isChanged)])
    case .boolean, .integer, .choice:
      return .values([(value, isChanged)])
    }
  }
}

extension Directive.Notation {
  func parse(_ word: [UInt8], _ bounds: ClosedRange<Int>) throws(DirectiveError) -> Int {
    switch self {
    case .decimal:
      guard let value = ConfigurationText.integer(word) else {
        throw DirectiveError("argument couldn't be parsed into an integer")
      }
      return try check(value, bounds)
    case .octal:
      guard let value = ConfigurationText.octal(word) else {
        throw DirectiveError("argument couldn't be parsed as an octal number")
      }
      return try check(value, bounds)
    case .memory:
      guard let size = ConfigurationText.memory(word) else {
        throw DirectiveError("argument must be a memory value")
      }
      guard let value = Int(exactly: size) else { throw outside(bounds) }
      return try check(value, bounds)
    case .unboundedMemory:
      guard let size = ConfigurationText.memory(word) else {
        throw DirectiveError("argument must be a memory value")
      }
      return try check(Int(clamping: size), bounds)
    case .memoryOrPercent:
      return try memoryOrPercent(word, bounds)
    }
  }

  private func memoryOrPercent(
    _ word: [UInt8], _ bounds: ClosedRange<Int>
  ) throws(DirectiveError) -> Int {
    if let size = ConfigurationText.memory(word) {
      guard let value = Int(exactly: size) else { throw outside(bounds) }
      return try check(value, bounds)
    }
    guard word.last == UInt8(ascii: "%"),
      let percent = ConfigurationText.integer(Array(word.dropLast())), percent >= 0
    else { throw DirectiveError("argument must be a memory or percent value") }
    guard percent <= -bounds.lowerBound else {
      throw DirectiveError("percentage argument must be less or equal to \(-bounds.lowerBound)")
    }
    return -percent
  }

  private func check(_ value: Int, _ bounds: ClosedRange<Int>) throws(DirectiveError) -> Int {
    guard bounds.contains(value) else { throw outside(bounds) }
    return value
  }

  private func outside(_ bounds: ClosedRange<Int>) -> DirectiveError {
    let radix = self == .octal ? 8 : 10
    let low = String(bounds.lowerBound, radix: radix)
    let high = String(bounds.upperBound, radix: radix)
    return DirectiveError("argument must be between \(low) and \(high) inclusive")
  }

  func print(_ value: Int) -> String {
    switch self {
    case .octal: return String(value, radix: 8)
    case .memoryOrPercent where value < 0: return "\(-value)%"
    default: return "\(value)"
    }
  }
}
