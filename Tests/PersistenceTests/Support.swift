// Support: payloads by hand, sealed as DUMP seals them, and what is read from them as text.

import Bytes
import Keyspace
import Testing

@testable import Persistence

func bytes(_ span: borrowing Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }

/// The payload of a value: type, value, version and checksum.
func sealed(_ body: [UInt8], version: Int = 10) -> [UInt8] {
  var payload = body + [UInt8(version & 255), UInt8(version >> 8)]
  let checksum = CRC64.checksum(payload.span)
  for index in 0..<8 { payload.append(UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))) }
  return payload
}

/// A string of RDB with its length.
func string(_ bytes: [UInt8]) -> [UInt8] {
  precondition(bytes.count < 1 << 14)
  return bytes.count < 64
    ? [UInt8(bytes.count)] + bytes
    : [0x40 | UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
}

func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }

/// What was read: the elements, or the error.
func decode(_ payload: [UInt8]) -> [String] {
  do throws(CommandError) {
    var reader = RDBReader(try DumpPayload.body(payload.span))
    return decode(&reader)
  } catch {
    return [error.text]
  }
}

private func decode(_ reader: inout RDBReader) -> [String] {
  do throws(PayloadError) {
    let value = try DecodedValue(type: try reader.byte(), &reader)
    var lines: [String] = []
    for index in 0..<value.elements.count {
      var line = String(decoding: bytes(value.elements.element(index)), as: UTF8.self)
      if value.type == .sortedSet { line += "=\(value.scores[index])" }
      lines.append(line)
    }
    if !value.deadlines.isEmpty {
      lines.append("\((0..<value.deadlines.count).map { value.deadlines[$0] })")
    }
    return ["\(value.type)"] + lines
  } catch {
    return badFormat
  }
}

let badFormat = ["bad format"]
let badFooter = ["ERR DUMP payload version or checksum are wrong"]

struct Seeded: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: Int) { state = UInt64(seed) &* 0x2545_F491_4F6C_DD1D &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
}

// MARK: Packed lists by hand

/// A ziplist as Redis before 7 wrote it.
func ziplist(_ elements: [[UInt8]]) -> [UInt8] {
  var body: [UInt8] = []
  var previous = 0
  var last = 10
  for element in elements {
    last = 10 + body.count
    let back: [UInt8] =
      previous < 254 ? [UInt8(previous)] : [0xFE] + little(previous, 4)
    body += back + element
    previous = back.count + element.count
  }
  let total = 10 + body.count + 1
  return little(total, 4) + little(last, 4) + little(elements.count, 2) + body + [0xFF]
}

/// A ziplist's element: a string.
func zipped(_ text: String) -> [UInt8] {
  let bytes = Array(text.utf8)
  let count = bytes.count
  if count < 64 { return [UInt8(count)] + bytes }
  if count < 1 << 14 { return [0x40 | UInt8(count >> 8), UInt8(count & 255)] + bytes }
  return [0x80] + little(count, 4).reversed() + bytes
}

func little(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// A listpack of short strings and integers below 128.
func listpack(_ elements: [String]) -> [UInt8] {
  var body: [UInt8] = []
  for element in elements {
    let text = Array(element.utf8)
    let entry: [UInt8] =
      if let integer = UInt8(element), integer < 128 { [integer] } else {
        [0x80 | UInt8(text.count)] + text
      }
    body += entry + [UInt8(entry.count)]
  }
  return little(6 + body.count + 1, 4) + little(elements.count, 2) + body + [0xFF]
}
