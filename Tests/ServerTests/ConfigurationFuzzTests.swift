import Testing

@testable import Server

/// Whatever a file holds, loading it ends in a configuration or an error, and what serves can be
/// rewritten and loaded again.
@Suite struct ConfigurationFuzzTests {
  @Test(arguments: 0..<40 as Range<UInt64>)
  func mutatedFilesNeverTrap(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for round in 0..<50 {
      let text = mutated(sample(&random), &random)
      let files = MemoryFiles()
      files.contents["/work/a"] = text
      let loaded = Loaded(["a"], files: files)
      guard loaded.outcome == .serves else { continue }
      let again = loaded.configuration.rewritten(text)
      files.contents["/work/a"] = again
      let reloaded = Loaded(["a"], files: files)
      #expect(reloaded.outcome == .serves, "seed \(seed) round \(round)")
      #expect(
        reloaded.configuration.rewritten(again) == again, "seed \(seed) round \(round)")
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func randomValuesNeverTrap(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var configuration = Configuration()
    configuration.protectedConfigs = .yes
    for round in 0..<20 {
      for directive in DirectiveTable.shared.rows {
        let value = bytes(&random, upTo: 12)
        guard
          let proposal = try? configuration.proposal([(Array(directive.name.utf8), value)])
        else { continue }
        // What a value is told as sets the same value.
        let told = directive.get(proposal.configuration)
        let again = try? proposal.configuration.proposal([(Array(directive.name.utf8), told)])
        #expect(
          again.map { directive.get($0.configuration) } == told,
          "seed \(seed) round \(round) \(directive.name) \(value)")
      }
    }
  }

  /// Lines of known directives with plausible and absurd values.
  private func sample(_ random: inout SeededGenerator) -> [UInt8] {
    var text: [UInt8] = []
    for _ in 0..<Int.random(in: 0..<6, using: &random) {
      guard let directive = DirectiveTable.shared.rows.randomElement(using: &random) else { break }
      text += Array(directive.name.utf8) + [0x20]
      if Bool.random(using: &random) {
        text += directive.get(Configuration.defaults)
      } else {
        let words = ["yes", "no", "1", "-1", "99999999999999999999", "5%", "1gb", "\"\"", "'a b'"]
        for _ in 0..<Int.random(in: 0..<4, using: &random) {
          text += Array((words.randomElement(using: &random) ?? "").utf8) + [0x20]
        }
      }
      text.append(0x0A)
    }
    return text
  }

  private func mutated(_ text: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var text = text
    for _ in 0..<Int.random(in: 0..<3, using: &random) {
      let at = Int.random(in: 0...text.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: text.insert(contentsOf: bytes(&random, upTo: 6), at: at)
      case 1: text.removeSubrange(at..<min(text.count, at + 3))
      default: if at < text.count { text[at] = UInt8.random(in: 0...255, using: &random) }
      }
    }
    return text
  }

  private func bytes(_ random: inout SeededGenerator, upTo count: Int) -> [UInt8] {
    let alphabet = Array("0123456789 \"'\\x%kmgb-+.*[?]^AKEgyesno\n\r\t#".utf8) + [0, 0xFF]
    return (0..<Int.random(in: 0...count, using: &random)).map { _ in
      alphabet.randomElement(using: &random) ?? 0
    }
  }
}
