// ImageFormat: what the headers of the image's files have in common, and the superblock.
//
//   every header:  | 0 magic 8 | 8 version 4 | 12 features 4 | 16 identity 16 | 32 ... | crc 4 |
//   superblock:    | 32 epoch 8 | 40 LSN 8 | 48 used pages 8 | 56 page bytes 4 | 60 crc 4 |
//
//   ferrite.image  | superblock A 4 KiB | superblock B 4 KiB | zeros to 2 MiB | arena ...
//
// 1. A header's CRC covers all of it before the CRC. Magic, version and CRC keep their places in
//    every version, so that a newer file can be told from a damaged one.
// 2. Epoch n's superblock is in slot n % 2; the valid one with the larger epoch counts.
// 3. Features are bits that a program must know to read the file; none exist yet.

import Bytes
import Platform

enum ImageFormat {
  static let version: UInt32 = 1
  static let pageBytes = 4096
  static let pageShift = 12
  static let lineBytes = 64
  /// Where the arena begins in the image file: a huge page's border.
  static let dataOffset = 2 << 20
  /// Where sums, and the journal's records, begin in their files.
  static let bodyOffset = 4096

  static let imageName = "ferrite.image"
  static let newImageName = "ferrite.image.new"
  static let sumsName = "ferrite.sums"
  static let journalName = "ferrite.journal"

  // "FERRIMG1", "FERRSUM1" and "FERRJNL1".
  static let imageMagic: UInt64 = 0x3147_4D49_5252_4546
  static let sumsMagic: UInt64 = 0x314D_5553_5252_4546
  static let journalMagic: UInt64 = 0x314C_4E4A_5252_4546

  /// What a page's sum is stored as: 0 says that no content is known.
  static func stored(sum: UInt32) -> UInt32 { sum == 0 ? 1 : sum }

  static func sum(of page: borrowing Span<UInt8>) -> UInt32 {
    stored(sum: CRC32C.checksum(page))
  }

  static func place(ofPage page: Int) -> Int { dataOffset + page << pageShift }

  /// Where the sums of a block of 1024 pages lie.
  static func sumsOffset(ofBlock block: Int) -> Int { bodyOffset + block << pageShift }

  static let sumsPerBlock = pageBytes / 4

  /// The whole blocks that hold the sums of `pages`.
  static func sumsRange(ofPages pages: Range<Int>) -> Range<Int> {
    let last = (pages.upperBound - 1) / sumsPerBlock
    return sumsOffset(ofBlock: pages.lowerBound / sumsPerBlock)..<sumsOffset(ofBlock: last + 1)
  }
}

/// The fields that begin every header.
struct HeaderPrefix {
  static let bytes = 32

  /// - Parameters:
  ///   - crcOffset: where the CRC lies, which ends the header.
  ///   - covered: what the CRC covers, if that is not all before it (a planted bug).
  static func seal(
    _ block: inout Block, at offset: Int = 0, magic: UInt64, identity: StorageIdentity,
    crcOffset: Int, covered: Int? = nil
  ) {
    block.store(offset, magic)
    block.store(offset + 8, ImageFormat.version)
    block.store(offset + 12, UInt32(0))
    block.store(offset + 16, identity.low)
    block.store(offset + 24, identity.high)
    let end = offset + (covered ?? crcOffset)
    block.store(offset + crcOffset, block.checksum(offset..<end))
  }

  enum Verdict: Equatable {
    case valid(StorageIdentity)
    case foreign
    case damaged
    case newer(UInt32, features: UInt32)
  }

  static func judge(
    _ block: borrowing Block, at offset: Int = 0, magic: UInt64, crcOffset: Int,
    covered: Int? = nil
  ) -> Verdict {
    guard block.load(offset, as: UInt64.self) == magic else { return .foreign }
    let end = offset + (covered ?? crcOffset)
    guard block.load(offset + crcOffset) == block.checksum(offset..<end) else { return .damaged }
    let version = block.load(offset + 8, as: UInt32.self)
    let features = block.load(offset + 12, as: UInt32.self)
    guard version == ImageFormat.version else { return .newer(version, features: 0) }
    guard features == 0 else { return .newer(version, features: features) }
    return .valid(
      StorageIdentity(low: block.load(offset + 16), high: block.load(offset + 24)))
  }

  /// Reads a file's header, which must be there and belong to `identity`.
  static func check(
    _ block: borrowing Block, magic: UInt64, crcOffset: Int, identity: StorageIdentity,
    path: String
  ) throws(StorageError) {
    switch judge(block, magic: magic, crcOffset: crcOffset) {
    case .valid(identity): return
    case .valid: throw .foreign(path: path, "the file belongs to another image")
    case .foreign: throw .foreign(path: path, "not a file of Ferrite's")
    case .damaged: throw .corrupt(path: path, "the header is damaged: its checksum is wrong")
    case .newer(let version, let features):
      throw .newer(path: path, version: version, features: features)
    }
  }
}

/// The state that an image is in: everything up to a checkpoint.
struct Superblock: Equatable, Sendable {
  static let crcOffset = 60
  static let slotBytes = 4096

  var epoch: UInt64
  /// Where in the log the effects begin that the image does not have.
  var lsn: UInt64
  var usedPages: Int

  static func offset(ofEpoch epoch: UInt64) -> Int { Int(epoch & 1) * slotBytes }

  /// What the CRC covers with the planted bug: neither LSN nor used pages.
  private static func covered(_ medium: any Medium) -> Int? {
    medium.has(.imageSuperblockChecksumTooShort) ? 40 : nil
  }

  func encode(_ block: inout Block, identity: StorageIdentity, _ medium: any Medium) {
    block.clear(0..<Self.slotBytes)
    block.store(32, epoch)
    block.store(40, lsn)
    block.store(48, UInt64(usedPages))
    block.store(56, UInt32(ImageFormat.pageBytes))
    HeaderPrefix.seal(
      &block, magic: ImageFormat.imageMagic, identity: identity, crcOffset: Self.crcOffset,
      covered: Self.covered(medium))
  }

  /// The newest superblock of the two that `block` holds.
  static func newest(
    in block: borrowing Block, path: String, _ medium: any Medium
  ) throws(StorageError) -> (Superblock, StorageIdentity) {
    var best: (superblock: Superblock, identity: StorageIdentity)?
    var problem: StorageError?
    for offset in [0, slotBytes] {
      switch HeaderPrefix.judge(
        block, at: offset, magic: ImageFormat.imageMagic, crcOffset: crcOffset,
        covered: covered(medium))
      {
      case .valid(let identity):
        let found = decode(block, at: offset)
        guard block.load(offset + 56, as: UInt32.self) == UInt32(ImageFormat.pageBytes) else {
          throw .foreign(path: path, "the image has pages of another size")
        }
        if found.epoch > best?.superblock.epoch ?? 0 || best == nil { best = (found, identity) }
      case .newer(let version, let features):
        throw .newer(path: path, version: version, features: features)
      case .damaged: problem = .corrupt(path: path, "both superblocks are damaged")
      case .foreign: break
      }
    }
    guard let best else { throw problem ?? .foreign(path: path, "not an image of Ferrite's") }
    return (best.superblock, best.identity)
  }

  private static func decode(_ block: borrowing Block, at offset: Int) -> Superblock {
    Superblock(
      epoch: block.load(offset + 32), lsn: block.load(offset + 40),
      usedPages: Int(truncatingIfNeeded: block.load(offset + 48, as: UInt64.self)))
  }
}
