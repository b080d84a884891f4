// The request parser: what it accepts, what it refuses, and that cutting the input changes nothing.

import Bytes
import Testing

@testable import RESP

private func array(_ words: [String]) -> String {
  "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
}

private let samples: [String] = [
  array(["PING"]),
  array(["SET", "key", "value"]),
  array(["SET", "", String(repeating: "v", count: 12)]) + array(["GET", ""]),
  array(["MSET"] + (0..<12).map { "k\($0)" } + [String(repeating: "x", count: 1234)]),
  "*0\r\n*-1\r\n*-12\r\n\r\n\n" + array(["PING"]) + "  \t \r\n",
  "PING\r\nSET a b\n" + array(["GET", "a"]) + "get  a\t\r\n",
  #"SET "a b\x41\n\r\t\b\a\q\x4" 'it\'s \x41' x"y z" """# + "\r\n",
  "*1\rX$4\rXPINGXX*1\r\n$4\r\nPING\r\n",
  array(["A", "b"]) + "*1\r\n$x\r\n" + array(["C"]),
  array(["A"]) + "*3000000000\r\n",
  "a \"b\r\n" + array(["A"]),
  "*2\r\n$1\r\na\r\n:1\r\n",
]

@Test func wholeRequests() {
  #expect(parse(samples[1]).requests == [["SET", "key", "value"]])
  #expect(parse(samples[4]) == Outcome(requests: [["PING"]]))
  #expect(
    parse(samples[5]).requests == [["PING"], ["SET", "a", "b"], ["GET", "a"], ["get", "a"]])
  #expect(
    parse(samples[6]).requests == [
      ["SET", "a bA\n\r\t\u{8}\u{7}qx4", "it's \\x41", "xy z", ""]
    ])
  #expect(parse(samples[7]).requests == [["PING"], ["PING"]])
}

@Test func bulkLengthsOfEverySize() {
  for length in [0, 1, 9, 10, 99, 100, 101, 999, 1000, 9999, 10000, 70000] {
    let value = String(repeating: "v", count: length)
    #expect(parse(array(["A", value, "b"])).requests == [["A", value, "b"]])
  }
}

@Test(arguments: samples.indices)
func everySplitGivesTheSame(sample: Int) {
  let bytes = Array(samples[sample].utf8)
  let whole = parse(bytes)
  for cut in 0...bytes.count {
    #expect(parse(bytes, cuts: [cut]) == whole, "cut at \(cut)")
  }
  #expect(parse(bytes, cuts: Array(0..<bytes.count)) == whole, "byte by byte")
}

@Test(arguments: [
  ("*x\r\n", "invalid multibulk length"),
  ("*\r\n", "invalid multibulk length"),
  ("*+1\r\n", "invalid multibulk length"),
  ("*01\r\n", "invalid multibulk length"),
  ("*-0\r\n", "invalid multibulk length"),
  ("*2147483648\r\n", "invalid multibulk length"),
  ("*99999999999999999999\r\n", "invalid multibulk length"),
  ("*1\r\n$-1\r\n", "invalid bulk length"),
  ("*1\r\n$\r\n", "invalid bulk length"),
  ("*1\r\n$ 1\r\n", "invalid bulk length"),
  ("*1\r\n$007\r\nPING123\r\n", "invalid bulk length"),
  ("*1\r\n$536870913\r\n", "invalid bulk length"),
  ("*1\r\n$2000000000000\r\n", "invalid bulk length"),
  ("*1\r\nfoo\r\n", "expected '$', got 'f'"),
  ("*1\r\n\r\n", "expected '$', got ' '"),
  ("*1\r\n*1\r\n$4\r\nPING\r\n", "expected '$', got '*'"),
  ("'a\r\n", "unbalanced quotes in request"),
  ("\"a\r\n", "unbalanced quotes in request"),
  ("\"a\"b\r\n", "unbalanced quotes in request"),
  ("'a'b\r\n", "unbalanced quotes in request"),
  ("\"a\\\r\n", "unbalanced quotes in request"),
])
func refusals(text: String, error: String) {
  #expect(parse(text) == Outcome(error: "Protocol error: " + error))
}

@Test func refusalsOfEndlessLines() {
  // Not arguments of the test, as they would be printed.
  let filler = String(repeating: "1", count: 65536)
  #expect(parse("x" + filler) == Outcome(error: "Protocol error: too big inline request"))
  #expect(parse("*" + filler) == Outcome(error: "Protocol error: too big mbulk count string"))
  #expect(
    parse("*1\r\n$" + filler) == Outcome(error: "Protocol error: too big bulk count string"))
  let hidden = "\0" + String(repeating: "y\n", count: 40000)
  #expect(parse(hidden) == Outcome(error: "Protocol error: too big inline request"))
}

@Test func linesMayBeAsLongAsTheLimit() {
  let word = String(repeating: "y", count: 65536)
  #expect(parse(word).error == nil)
  #expect(parse(word + "\n").requests == [[word]])
}

@Test func nulHidesTheLineEndUntilTheLimit() {
  #expect(parse("*1\0\r\n$4\r\nPING\r\n") == Outcome())
}

@Test func unauthenticatedClientsGetLess() {
  let limits = RequestLimits(isAuthenticated: false)
  let ten = (0..<10).map { "w\($0)" }
  #expect(parse(array(ten), limits: limits).requests == [ten])
  #expect(
    parse(array(ten + ["x"]), limits: limits).error
      == "Protocol error: unauthenticated multibulk length")
  #expect(parse("*1\r\n$16384\r\n", limits: limits).error == nil)
  #expect(
    parse("*1\r\n$16385\r\n", limits: limits).error
      == "Protocol error: unauthenticated bulk length")
  #expect(
    parse("*1\r\n$536870913\r\n", limits: limits).error == "Protocol error: invalid bulk length")
}

@Test func errorBytesAreWrittenAsTheyCame() {
  var buffer = ByteBuffer()
  ProtocolError(.expectedDollar, found: 0xFF).append(to: &buffer)
  let bytes = buffer.span
  #expect(bytes.count == "Protocol error: expected '$', got 'x'".utf8.count)
  #expect(bytes[bytes.count - 2] == 0xFF)
}

@Test(arguments: [true, false])
func largeArgumentsCutAnywhere(accepts: Bool) {
  let value = String((0..<40).map { Character(Unicode.Scalar(UInt8(65 + $0))) })
  let words = ["SET", "k", value, "EX", value + "2"]
  let bytes = Array((array(["GET", "a"]) + array(words) + array(["GET", "b"])).utf8)
  let limits = RequestLimits(placesLargeArguments: true, largeThreshold: 32)
  let expected = Outcome(requests: [["GET", "a"], words, ["GET", "b"]])
  for first in 0...bytes.count {
    for second in stride(from: first, through: bytes.count, by: 7) {
      let outcome = parse(bytes, cuts: [first, second], limits: limits, accepts: accepts)
      #expect(outcome == expected, "cuts at \(first), \(second)")
    }
  }
  #expect(parse(bytes, cuts: Array(0..<bytes.count), limits: limits, accepts: accepts) == expected)
}

@Test func onlyOneArgumentIsPlacedAndOnlyWhenUnfinished() {
  let value = String(repeating: "v", count: 100)
  let bytes = Array(array(["SET", "k", value, value]).utf8)
  var harness = ParserHarness()
  harness.limits = RequestLimits(placesLargeArguments: true, largeThreshold: 100)
  for index in bytes.indices { harness.receive(bytes[index...index]) }
  #expect(harness.placedCount == 1)
  harness.receive(bytes[...])
  #expect(harness.placedCount == 1)
  #expect(harness.outcome.requests.count == 2)
  #expect(harness.parser.placedIndex == nil)
}

@Test func mutatedRequestsNeverTrapNorLoop() {
  for seed in 0..<3000 {
    var generator = SeededGenerator(seed: seed)
    var bytes = Array(samples.randomElement(using: &generator)!.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let index = Int.random(in: bytes.indices, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
      case 1:
        bytes[index] = Array("*$0123456789-\r\n\0\"'\\".utf8).randomElement(using: &generator)!
      case 2: bytes.remove(at: index)
      default: bytes.insert(bytes[index], at: index)
      }
    }
    let limits = RequestLimits(
      isAuthenticated: Bool.random(using: &generator),
      placesLargeArguments: Bool.random(using: &generator), maxBulkLength: 1 << 20,
      largeThreshold: 8)
    let whole = parse(bytes, limits: limits)
    let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
    #expect(parse(bytes, cuts: cuts, limits: limits) == whole, "seed \(seed)")
  }
}

#if DEBUG
  @Test(arguments: [1, 7, 1000])
  func workIsLinearHoweverTheInputIsCut(piece: Int) {
    let words = (0..<20000).map { _ in "w" }
    for text in [array(words), "*1\r\n$60000\r\n" + String(repeating: "x", count: 60002)] {
      let bytes = Array(text.utf8)
      var harness = ParserHarness()
      for start in stride(from: 0, to: bytes.count, by: piece) {
        harness.receive(bytes[start..<min(start + piece, bytes.count)])
      }
      #expect(harness.outcome.requests.count == 1)
      #expect(harness.parser.steps <= 3 * bytes.count)
      #expect(harness.parser.pending.capacity == 0)
    }
  }

  @Test func longLinesAreScannedOnce() {
    let bytes = Array((String(repeating: "word ", count: 13000) + "\n").utf8)
    var harness = ParserHarness()
    for index in bytes.indices { harness.receive(bytes[index...index]) }
    #expect(harness.outcome.requests.first?.count == 13000)
    #expect(harness.parser.steps <= 3 * bytes.count)
  }
#endif

@Test func parserIsSmall() {
  #expect(MemoryLayout<RequestParser>.size <= 64)
}
