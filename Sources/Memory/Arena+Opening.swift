// Opening an arena that an earlier process left: what is checked before anything is believed.
//
// 1. After `checkHeader`, every page number in the header is below `usedPages`, which the reach
//    covers; so the allocator's first step from the header stays inside the arena.
// 2. It takes constant time: descriptors and objects are behind page checksums, not behind this.

/// Why an existing arena cannot be opened.
public enum ArenaOpenError: Error, Sendable, CustomStringConvertible {
  case memory(MemoryError)
  /// What is wrong with the header page.
  case damaged(String)

  public var description: String {
    switch self {
    case .memory(let error): error.description
    case .damaged(let reason): reason
    }
  }
}

extension Arena {
  // cold: once
  static func noPages(_ provider: any PageProvider) throws(ArenaOpenError) -> DirtyPages {
    do throws(MemoryError) {
      return try DirtyPages(pageCount: provider.reachBytes >> pageShift)
    } catch {
      throw .memory(error)
    }
  }

  // cold: once
  func checkHeader() throws(ArenaOpenError) {
    guard header(Header.magic, as: UInt64.self) == Self.magic else {
      throw .damaged("the arena's header page has no magic number")
    }
    let version = header(Header.version, as: UInt32.self)
    guard version == Self.version else {
      throw .damaged("the arena has version \(version), this program knows \(Self.version)")
    }
    guard usedPages > Self.descriptorPages, usedPages <= dirty.pageCount else {
      throw .damaged("the arena uses \(usedPages) pages, the reach has \(dirty.pageCount)")
    }
    let bytes = header(Header.allocatedBytes, as: Int.self)
    let free = header(Header.residentFreePages, as: Int.self)
    let released = header(Header.releasedPages, as: Int.self)
    guard bytes >= 0, bytes <= usedPages << Self.pageShift,
      header(Header.allocations, as: Int.self) >= 0, free >= 0, released >= 0,
      free <= usedPages, released <= usedPages
    else { throw .damaged("the arena's counters contradict its \(usedPages) pages") }
    try checkHeads()
  }

  // cold: once
  private func checkHeads() throws(ArenaOpenError) {
    for index in 0..<SizeClass.count where Int(partialHead(index)) >= usedPages {
      throw .damaged("size class \(index) begins at page \(partialHead(index))")
    }
    for isReleased in [false, true] {
      guard binBits(released: isReleased) >> UInt64(Self.binCount) == 0 else {
        throw .damaged("the arena has bins that do not exist")
      }
      for bin in 0..<Self.binCount {
        let head = header(binOffset(released: isReleased, bin: bin), as: UInt32.self)
        let hasBit = binBits(released: isReleased) >> UInt64(bin) & 1 != 0
        guard Int(head) < usedPages, hasBit == (head != 0) else {
          throw .damaged("bin \(bin) begins at page \(head)")
        }
      }
    }
  }
}
