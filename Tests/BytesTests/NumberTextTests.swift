// Integers and floating-point numbers as text.

import Testing

@testable import Bytes

@Test func integersReadBackAsTheyPrint() {
  var generator = SeededGenerator(seed: 1)
  var values = [0, 1, -1, 9, 10, -10, Int.max, Int.min, Int.max - 1, Int.min + 1]
  for _ in 0..<5000 {
    values.append(
      Int(truncatingIfNeeded: generator.next()) >> Int.random(in: 0..<64, using: &generator))
  }
  for value in values {
    let text = bytes(String(value))
    #expect(text.span.parseInteger() == value)
    #expect(text.span.parseUnsigned() == (value < 0 ? nil : UInt64(value)))
    #expect(ByteBuffer.printed { $0.append(decimal: value) } == String(value))
  }
}

@Test(arguments: [
  "", "-", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1a", "a", "1.0", "--1", "1-",
  "9223372036854775808", "-9223372036854775809", "18446744073709551615", "99999999999999999999",
  "100000000000000000000", "18446744073709551616", "-18446744073709551615", "0x1", "1\0",
])
func notAnInteger(text: String) {
  #expect(bytes(text).span.parseInteger() == nil)
}

@Test func unsignedIntegersReachFurther() {
  #expect(bytes("18446744073709551615").span.parseUnsigned() == .max)
  #expect(bytes("18446744073709551616").span.parseUnsigned() == nil)
  #expect(bytes("27670116110564327424").span.parseUnsigned() == nil)
  #expect(bytes("-1").span.parseUnsigned() == nil)
  #expect(bytes("xx12yy").span.parseInteger(2..<4) == 12)
}

@Test func doublesAreReadAsTheStandardLibraryReadsThem() {
  var generator = SeededGenerator(seed: 2)
  for _ in 0..<20000 {
    let value = Double(bitPattern: generator.next())
    guard value.isFinite else { continue }
    #expect(bytes("\(value)").span.parseDouble() == value)
    let whole = Int.random(in: -99999...99999, using: &generator)
    let decimals = String(Int.random(in: 0...9_999_999, using: &generator))
    let text = "\(whole).\(decimals)"
    #expect(bytes(text).span.parseDouble() == Double(text))
  }
}

@Test(
  arguments: [
    ("1.5", 1.5), ("-1.5e3", -1500), ("+2", 2), (".5", 0.5), ("5.", 5), ("0x1p3", 8),
    ("inf", .infinity), ("-inf", -.infinity), ("+Infinity", .infinity), ("1e308", 1e308),
    ("4.9e-324", .leastNonzeroMagnitude), ("999999999999999", 999_999_999_999_999), ("0.1", 0.1),
    ("9007199254740993", 9_007_199_254_740_992), ("00012", 12),
  ] as [(String, Double)])
func doubles(text: String, value: Double) {
  #expect(bytes(text).span.parseDouble() == value)
  #expect(bytes(text).span.parseExtended().map { Double($0) } == value)
}

@Test(arguments: [
  "", " 1", "1 ", "nan", "-nan", "NAN(1)", "1e", "abc", "1.2.3", "-", ".", "-.", "0x", "1,5", "1\0",
  "\t1", "--1", "infinit",
])
func notADouble(text: String) {
  #expect(bytes(text).span.parseDouble() == nil)
  #expect(bytes(text).span.parseExtended() == nil)
}

@Test func whatOverflowsOrVanishesIsRefused() {
  #expect(bytes("1e999").span.parseDouble() == nil)
  #expect(bytes("1e-999").span.parseDouble() == nil)
  #expect(bytes("1e9999").span.parseExtended() == nil)
  #expect(Array(repeating: UInt8(0x31), count: 5120).span.parseExtended() == nil)
  let long = bytes("0." + String(repeating: "1", count: 3000))
  #expect(long.span.parseDouble() == 0.1111111111111111)
}

@Test func minusZeroKeepsItsSign() {
  #expect(bytes("-0").span.parseDouble()?.sign == .minus)
  #expect(ByteBuffer.printed { $0.append(double: -0.0) } == "-0")
  #expect(ByteBuffer.printed { $0.append(double: 0) } == "0")
}

@Test(
  arguments: [
    (1, "1"), (-3, "-3"), (1.5, "1.5"), (0.1, "0.1"), (-0.1, "-0.1"), (1e15, "1000000000000000"),
    (0x1p62, "4611686018427387904"), (0x1p63, "9223372036854776000"),
    (1e20, "1e+20"),
    (1e21, "1e+21"), (-1.5e300, "-1.5e+300"), (1e-5, "0.00001"), (1.5e-5, "0.000015"),
    (1e-6, "0.000001"), (1e-7, "1e-7"), (1.25e-7, "1.25e-7"), (123456.789, "123456.789"),
    (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"), (.leastNonzeroMagnitude, "5e-324"),
    (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
    (2.2250738585072014e-308, "2.2250738585072014e-308"),
    (3.0000000000000004, "3.0000000000000004"), (1.7e19, "1.7e+19"),
    (-0x1p77, "-151115727451828650000000"),
  ] as [(Double, String)])
func printedDoubles(value: Double, text: String) {
  #expect(ByteBuffer.printed { $0.append(double: value) } == text)
}

@Test(arguments: 0..<4)
func printedDoublesReadBack(seed: Int) {
  var generator = SeededGenerator(seed: seed)
  var longer = 0
  for _ in 0..<20000 {
    var value = Double(bitPattern: generator.next())
    if generator.next() & 1 == 0 {
      value = Double(Int.random(in: -1_000_000_000...1_000_000_000, using: &generator)) / 1000
    }
    guard value.isFinite else { continue }
    let text = ByteBuffer.printed { $0.append(double: value) }
    #expect(Double(text) == value, "seed \(seed): \(value) printed as \(text)")
    #expect(text.utf8.count <= 25)
    if digitCount(text) > digitCount("\(value)") { longer += 1 }
  }
  // Grisu2 is rarely longer than the shortest text.
  #expect(longer < 100, "seed \(seed)")
}

/// How many digits a number's text has, without the zeros at its ends.
private func digitCount(_ text: String) -> Int {
  let mantissa = text.prefix { $0 != "e" }.filter(\.isNumber)
  let trimmed = mantissa.drop { $0 == "0" }.reversed().drop { $0 == "0" }
  return trimmed.count
}

#if arch(x86_64)
  // Each line was answered by redis-server 7.0.15 to INCRBYFLOAT on a missing key.
  @Test(arguments: [
    ("10.5", "10.5"), ("0.1", "0.1"), ("5.0e3", "5000"), ("-0", "0"),
    ("1e-17", "0.00000000000000001"),
    ("1e-18", "0"), ("-1e-18", "0"), ("3.0e10", "30000000000"), ("1e20", "100000000000000000000"),
    ("0.12345678901234567890", "0.12345678901234568"), ("17179869184.5", "17179869184.5"),
    ("0x1p-3", "0.125"), ("1.23456789012345678901234", "1.23456789012345679"),
  ])
  func humanText(text: String, printed: String) throws {
    let parsed = bytes(text).span.parseExtended()
    let value = try #require(parsed)
    #expect(ByteBuffer.printed { $0.append(human: value) } == printed)
  }
#endif

@Test func humanTextOfTheLargestNumber() {
  let text = ByteBuffer.printed { $0.append(human: -ExtendedFloat.greatestFiniteMagnitude) }
  #expect(bytes(text).span.parseExtended() == -ExtendedFloat.greatestFiniteMagnitude)
  #expect(ByteBuffer.printed { $0.append(human: .infinity) } == "inf")
}
