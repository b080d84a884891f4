// ParserHarness: plays the server's part for one client: collects input, parses, drops what is
// done with, places large arguments.

import Bytes

@testable import RESP

/// What a client's bytes came to.
struct Outcome: Equatable, CustomStringConvertible {
  var requests: [[String]] = []
  var error: String?
  var description: String { "\(requests) \(error ?? "no error")" }
}

struct ParserHarness: ~Copyable {
  var parser = RequestParser()
  var input = ByteBuffer()
  var limits = RequestLimits()
  var ranges = ArgumentList()
  var inlineText = ByteBuffer()
  var outcome = Outcome()
  var accepts = true
  /// The large argument being collected, and how many bytes it still lacks.
  var place: [UInt8] = []
  var missing = 0
  var placedCount = 0

  /// Takes the next bytes from the network.
  mutating func receive(_ chunk: ArraySlice<UInt8>) {
    guard outcome.error == nil else { return }
    let direct = min(missing, chunk.count)
    place.append(contentsOf: chunk.prefix(direct))
    missing -= direct
    for byte in chunk.dropFirst(direct) { input.append(byte) }
    if direct > 0 && missing == 0 { parser.resumeAfterPlaced() }
    if missing == 0 { parse() }
  }

  private mutating func parse() {
    var offset = 0
    var calls = 0
    while outcome.error == nil {
      calls += 1
      precondition(calls <= input.count + 2, "next did not advance")
      do throws(ProtocolError) {
        let result = try parser.next(
          input, from: &offset, limits: limits, into: &ranges, inlineText: &inlineText)
        switch result {
        case .complete(let isInline): collect(isInline)
        case .empty: continue
        case .incomplete:
          input.removeFirst(offset)
          return
        case .largeArgument(_, let count):
          input.removeFirst(offset)
          offset = 0
          guard accepts else {
            parser.declinePlace()
            continue
          }
          takeLarge(count)
          return
        }
      } catch {
        outcome.error = error.text
      }
    }
  }

  private mutating func takeLarge(_ count: Int) {
    place = Array(copying: input.span.extracting(droppingFirst: parser.parsedCount))
    missing = count - place.count
    placedCount += 1
    input.truncate(to: parser.parsedCount)
  }

  private mutating func collect(_ isInline: Bool) {
    outcome.requests.append(words(isInline))
    ranges.removeAll(keepingCapacity: true)
    inlineText.removeAll()
  }

  private func words(_ isInline: Bool) -> [String] {
    let bytes = isInline ? inlineText.span : input.span
    let arguments = Arguments(bytes: bytes, ranges: ranges.span, request: Span())
    return (0..<arguments.count).map { index in
      let word = index == parser.placedIndex ? place : Array(copying: arguments[index])
      return String(word.map { Character(Unicode.Scalar($0)) })
    }
  }
}

extension Array where Element == UInt8 {
  init(copying span: Span<UInt8>) {
    self = []
    for index in span.indices { append(span[index]) }
  }
}

/// Parses `bytes` as they arrive in pieces that end at `cuts`.
func parse(
  _ bytes: [UInt8], cuts: [Int] = [], limits: RequestLimits = RequestLimits(),
  accepts: Bool = true
) -> Outcome {
  var harness = ParserHarness()
  harness.limits = limits
  harness.accepts = accepts
  var start = 0
  for cut in cuts + [bytes.count] {
    harness.receive(bytes[start..<cut])
    start = cut
  }
  return harness.outcome
}

func parse(_ text: String, limits: RequestLimits = RequestLimits()) -> Outcome {
  parse(Array(text.utf8), limits: limits)
}

/// SplitMix64, so that a failure can be repeated from its seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
