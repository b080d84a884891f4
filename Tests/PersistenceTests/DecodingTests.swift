import Bytes
import Keyspace
import Testing

@testable import Persistence

@Suite struct DecodingTests {
  @Test func stringsInAllForms() {
    #expect(decode(sealed([0] + string("hello"))) == ["string", "hello"])
    #expect(decode(sealed([0, 0])) == ["string", ""])
    #expect(decode(sealed([0, 0xC0, 0xFF])) == ["string", "-1"])
    #expect(decode(sealed([0, 0xC1, 0x00, 0x80])) == ["string", "-32768"])
    #expect(decode(sealed([0, 0xC2, 0xFF, 0xFF, 0xFF, 0x7F])) == ["string", "2147483647"])
    #expect(decode(sealed([0, 0x80, 0, 0, 0, 2, 0x61, 0x62])) == ["string", "ab"])
    #expect(decode(sealed([0, 0x81, 0, 0, 0, 0, 0, 0, 0, 1, 0x61])) == ["string", "a"])
    // One literal, then nineteen more of it.
    let compressed: [UInt8] = [0x00, 0x61, 0xE0, 10, 0x00]
    #expect(
      decode(sealed([0, 0xC3, 5, 20] + compressed))
        == ["string", String(repeating: "a", count: 20)])
  }

  @Test func footersAreChecked() {
    let payload = sealed([0] + string("hello"))
    for index in payload.indices {
      var other = payload
      other[index] ^= 1
      #expect(decode(other) == badFooter)
    }
    #expect(decode([]) == badFooter)
    #expect(decode(Array(payload.prefix(9))) == badFooter)
    #expect(decode(sealed([])) == badFormat)
    for version in [1, 6, 9, 11, 12] {
      #expect(decode(sealed([0] + string("a"), version: version)) == ["string", "a"])
    }
    for version in [13, 80, 0xFFFF] {
      #expect(decode(sealed([0] + string("a"), version: version)) == badFooter)
    }
  }

  @Test func plainCollections() {
    let three = [3] + string("a") + [0xC0, 5] + string("c")
    #expect(decode(sealed([1] + three)) == ["list", "a", "5", "c"])
    #expect(decode(sealed([2] + three)) == ["set", "a", "5", "c"])
    #expect(
      decode(sealed([4, 1] + string("field") + string("value"))) == ["hash", "field", "value"])
    #expect(
      decode(
        sealed(
          [3, 4] + string("a") + string("1.5") + string("b") + [254] + string("c") + [255]
            + string("d") + string("-1e+100")))
        == ["sortedSet", "a=1.5", "b=inf", "c=-inf", "d=-1e+100"])
    #expect(
      decode(sealed([5, 1] + string("a") + [0, 0, 0, 0, 0, 0, 0xF8, 0x3F]))
        == ["sortedSet", "a=1.5"])
  }

  @Test func emptyCollectionsAreRefused() {
    for type: UInt8 in [1, 2, 3, 4, 5, 14, 18] { #expect(decode(sealed([type, 0])) == badFormat) }
    for type: UInt8 in [10, 12, 13] {
      #expect(decode(sealed([type] + string(ziplist([])))) == badFormat)
    }
    for type: UInt8 in [16, 17, 20] {
      #expect(decode(sealed([type] + string(listpack([])))) == badFormat)
    }
    #expect(decode(sealed([9] + string([0, 0xFF]))) == badFormat)
    #expect(decode(sealed([11] + string([2, 0, 0, 0, 0, 0, 0, 0]))) == badFormat)
  }

  @Test func ziplists() {
    let integers: [[UInt8]] = [
      [0xF1], [0xFD], [0xFE, 0x80], [0xC0, 0xFF, 0x7F], [0xF0, 0x00, 0x00, 0x80],
      [0xD0, 0x00, 0x00, 0x00, 0x80], [0xE0, 0, 0, 0, 0, 0, 0, 0, 0x80],
    ]
    let numbers = ["0", "12", "-128", "32767", "-8388608", "-2147483648", "\(Int.min)"]
    #expect(decode(sealed([10] + string(ziplist(integers)))) == ["list"] + numbers)
    let texts = [
      "", "a", String(repeating: "b", count: 63), String(repeating: "c", count: 300), "d",
    ]
    let mixed = ziplist(texts.map { zipped($0) })
    #expect(decode(sealed([10] + string(mixed))) == ["list"] + texts)
    #expect(decode(sealed([14, 1] + string(mixed))) == ["list"] + texts)
    let pairs = ziplist([zipped("a"), [0xF2], zipped("b"), zipped("2.5")])
    #expect(decode(sealed([12] + string(pairs))) == ["sortedSet", "a=1.0", "b=2.5"])
    #expect(decode(sealed([13] + string(pairs))) == ["hash", "a", "1", "b", "2.5"])
    let odd = string(ziplist([zipped("a")]))
    #expect(decode(sealed([12] + odd)) == badFormat)
    #expect(decode(sealed([13] + odd)) == badFormat)
    // A string with a four-byte length.
    let long = [0x80] + little(3, 4).reversed() + Array("abc".utf8)
    #expect(decode(sealed([10] + string(ziplist([long])))) == ["list", "abc"])
  }

  @Test func zipmaps() {
    // Free bytes stand behind a value; a count of 254 is none.
    let map: [UInt8] =
      [2] + [3] + Array("foo".utf8) + [3, 0] + Array("bar".utf8) + [5] + Array("hello".utf8)
      + [2, 2] + Array("yo??".utf8) + [0xFF]
    let expected = ["hash", "foo", "bar", "hello", "yo"]
    #expect(decode(sealed([9] + string(map))) == expected)
    #expect(decode(sealed([9] + string([254] + map.dropFirst()))) == expected)
    #expect(decode(sealed([9] + string([3] + map.dropFirst()))) == badFormat)
    for count in 1..<map.count {
      #expect(decode(sealed([9] + string(Array(map.prefix(count))))) == badFormat)
    }
    let long = [UInt8](repeating: 0x78, count: 300)
    let big: [UInt8] = [1, 254] + little(300, 4) + long + [1, 0, 0x79, 0xFF]
    #expect(
      decode(sealed([9] + string(big))) == ["hash", String(decoding: long, as: UTF8.self), "y"])
  }

  @Test func intsets() {
    let small: [UInt8] = [2, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0xFF, 5, 0]
    #expect(decode(sealed([11] + string(small))) == ["set", "-1", "5"])
    let large = little(8, 4) + little(1, 4) + little(Int.min, 8)
    #expect(decode(sealed([11] + string(large))) == ["set", "\(Int.min)"])
    let unsorted: [UInt8] = [2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 5, 0]
    #expect(decode(sealed([11] + string(unsorted))) == badFormat)
    for width: UInt8 in [0, 1, 3, 16] {
      #expect(decode(sealed([11] + string([width] + small.dropFirst()))) == badFormat)
    }
  }

  @Test func listpacks() {
    #expect(
      decode(sealed([16] + string(listpack(["a", "1", "b", "x"])))) == ["hash", "a", "1", "b", "x"])
    #expect(
      decode(sealed([17] + string(listpack(["a", "1", "b", "2.5"]))))
        == ["sortedSet", "a=1.0", "b=2.5"])
    #expect(decode(sealed([20] + string(listpack(["a", "7"])))) == ["set", "a", "7"])
    let nodes =
      [18, 3, 2] + string(listpack(["a", "7"])) + [1] + string("plain") + [2]
      + string(listpack(["z"]))
    #expect(decode(sealed(nodes)) == ["list", "a", "7", "plain", "z"])
    #expect(decode(sealed([18, 1, 3] + string("plain"))) == badFormat)
    #expect(decode(sealed([17] + string(listpack(["a", "nan"])))) == badFormat)
  }

  @Test func fieldsWithDeadlines() {
    let fields =
      [24] + little(1000, 8) + [2, 1] + string("a") + string("x") + [0] + string("b")
      + string("y")
    #expect(decode(sealed(fields, version: 12)) == ["hash", "a", "x", "b", "y", "[1000, 0]"])
    let packed = [25] + little(9, 8) + string(listpack(["a", "x", "9", "b", "y", "0"]))
    #expect(decode(sealed(packed, version: 12)) == ["hash", "a", "x", "b", "y", "[9, 0]"])
    // As Redis 7.4 had them before its release.
    let early =
      [22, 2, 9] + string("a") + string("x") + [0] + string("b") + string("y")
    #expect(decode(sealed(early, version: 12)) == ["hash", "a", "x", "b", "y", "[9, 0]"])
    let earlyPacked = [23] + string(listpack(["a", "x", "9", "b", "y", "0"]))
    #expect(decode(sealed(earlyPacked, version: 12)) == ["hash", "a", "x", "b", "y", "[9, 0]"])
  }

  @Test func deadlinesThatCannotBeAreRefused() {
    let pair = string("a") + string("x")
    let late: [[UInt8]] = [
      [24] + little(0xFFFF_FFFF_FFFF, 8) + [1, 2] + pair,
      [24] + little(-1, 8) + [1, 1] + pair,
      [24] + little(5, 8) + [1, 0x81] + [UInt8](repeating: 0xFF, count: 8) + pair,
      [25] + little(9, 8) + string(listpack(["a", "x", "281474976710656"])),
      [25] + little(9, 8) + string(listpack(["a", "x", "-9"])),
      [25] + little(9, 8) + string(listpack(["a", "x", "soon"])),
      [25] + little(9, 8) + string(listpack(["a", "x"])),
      [23] + string(listpack(["a", "x"])),
    ]
    for body in late { #expect(decode(sealed(body, version: 12)) == badFormat) }
    let latest = [24] + little(0xFFFF_FFFF_FFFF, 8) + [1, 1] + pair
    #expect(decode(sealed(latest, version: 12)) == ["hash", "a", "x", "[281474976710655]"])
  }

  @Test func unknownTypesAreRefused() {
    for type in (0...255).map({ UInt8($0) }) where RDBType(rawValue: type) == nil {
      #expect(decode(sealed([type] + string("a"))) == badFormat)
    }
  }

  /// Whatever the bytes are: a value or an error, and never more memory than they could fill.
  @Test(arguments: 0..<8)
  func mutatedPayloadsNeverTrap(seed: Int) {
    var random = Seeded(seed)
    let pairs = ziplist([zipped("a"), [0xF2], zipped("b"), zipped("2.5")])
    let bodies: [[UInt8]] = [
      [0] + string("hello"), [0, 0xC3, 5, 20, 0x00, 0x61, 0xE0, 10, 0x00],
      [1, 2] + string("a") + string("b"), [3, 1] + string("a") + string("1.5"),
      [5, 1] + string("a") + [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], [10] + string(pairs),
      [12] + string(pairs), [9] + string([1, 1, 0x61, 1, 0, 0x62, 0xFF]),
      [11] + string([2, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0xFF, 5, 0]),
      [17] + string(listpack(["a", "1", "b", "2.5"])),
      [18, 2, 2] + string(listpack(["a", "7"])) + [1] + string("plain"),
      [25] + little(9, 8) + string(listpack(["a", "x", "9", "b", "y", "0"])),
    ]
    for _ in 0..<4000 {
      var body = bodies[random.below(bodies.count)]
      for _ in 0...random.below(3) {
        let index = random.below(body.count)
        switch random.below(4) {
        case 0: body[index] ^= 1 << UInt8(random.below(8))
        case 1:
          body[index] = [0, 0x7F, 0x80, 0x81, 0xC3, 0xFE, 0xFF].randomElement(using: &random)!
        case 2: body.insert(UInt8(random.below(256)), at: index)
        default: if body.count > 1 { body.remove(at: index) }
        }
      }
      _ = decode(sealed(body))
    }
  }
}
