// Checksums and SHA-1, by their published check values and against bitwise models.

import Testing

@testable import Bytes

@Test func publishedCheckValues() {
  let digits = bytes("123456789")
  #expect(CRC16.checksum(digits.span) == 0x31C3)
  #expect(CRC32C.checksum(digits.span) == 0xE306_9283)
  #expect(CRC32C.tableChecksum(digits.span) == 0xE306_9283)
  #expect(CRC64.checksum(digits.span) == 0xE9C6_D914_C4B8_D9CA)
  #expect(CRC32C.checksum(Array(repeating: UInt8(0), count: 32).span) == 0x8A91_36AA)
}

@Test func pieceByPieceGivesTheSame() {
  var generator = SeededGenerator(seed: 5)
  let content = (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) }
  for count in 0...content.count {
    let (head, tail) = (Array(content[..<count]), Array(content[count...]))
    #expect(
      CRC32C.checksum(tail.span, after: CRC32C.checksum(head.span))
        == CRC32C.tableChecksum(content.span))
    #expect(CRC32C.checksum(head.span) == CRC32C.tableChecksum(head.span))
    #expect(
      CRC64.checksum(tail.span, after: CRC64.checksum(head.span)) == CRC64.checksum(content.span))
    #expect(CRC64.checksum(head.span) == bitwiseCRC64(head))
  }
}

private func bitwiseCRC64(_ bytes: [UInt8]) -> UInt64 {
  var crc: UInt64 = 0
  for byte in bytes {
    crc ^= UInt64(byte)
    for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ 0x95AC_9329_AC4B_C9B5 : crc >> 1 }
  }
  return crc
}

// Answered by redis-server to CLUSTER KEYSLOT.
@Test(arguments: [
  ("", 0), ("foo", 12182), ("bar", 5061), ("{foo}.bar", 12182), ("x{foo}", 12182),
  ("{}foo", 9500), ("foo{}bar", 14292), ("{foo", 13308), ("foo}{bar", 7624), ("a{b}{c}", 3300),
])
func slots(key: String, slot: Int) {
  #expect(CRC16.keySlot(bytes(key).span) == slot)
}

private func hex(_ digest: SHA1.Digest) -> String {
  digest.indices.map { index in
    let byte = String(digest[index], radix: 16)
    return byte.count == 1 ? "0" + byte : byte
  }.joined()
}

@Test func sha1OfPublishedMessages() {
  #expect(hex(SHA1.digest(Span())) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
  #expect(hex(SHA1.digest(bytes("abc").span)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
  #expect(
    hex(SHA1.digest(bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").span))
      == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
  var hash = SHA1()
  for _ in 0..<1000 { hash.update(String(repeating: "a", count: 1000)) }
  #expect(hex(hash.finish()) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
}
