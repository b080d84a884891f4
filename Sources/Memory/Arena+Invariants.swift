// checkInvariants: walks everything that the allocator keeps and compares it with itself.
//
// 1. Walking a zone from run to run ends exactly at the zone's end, or at the last used page.
// 2. What the walk counts is what the header's counters say.
// 3. Each list holds what the walk found for it, once, linked in both directions.
//
// For tests: it takes time and memory in proportion to the arena.

extension Arena {
  /// Traps, saying what is wrong, when the allocator's state contradicts itself.
  public func checkInvariants() {
    require(header(Header.magic, as: UInt64.self) == Self.magic, "the magic number is wrong", 0)
    require(usedPages <= dirty.pageCount, "more pages used than the reach holds", usedPages)
    var census = Census()
    var zoneStart = 0
    while zoneStart < usedPages {
      walkZone(zoneStart, &census)
      zoneStart += Self.zonePages
    }
    let counters = [
      (census.allocatedBytes, Header.allocatedBytes, "allocated bytes"),
      (census.allocations, Header.allocations, "allocations"),
      (census.residentFreePages, Header.residentFreePages, "resident free pages"),
      (census.releasedPages, Header.releasedPages, "released pages"),
    ]
    for (counted, field, name) in counters {
      let claimed = header(field, as: Int.self)
      require(counted == claimed, "the header's \(name) say \(claimed), not \(counted)", 0)
    }
    for index in 0..<SizeClass.count { checkPartialSlabs(index, census) }
    for bin in 0..<64 {
      checkBin(bin, released: false, census)
      checkBin(bin, released: true, census)
    }
  }

  /// What a walk through the zones found.
  private struct Census {
    var allocatedBytes = 0
    var allocations = 0
    var residentFreePages = 0
    var releasedPages = 0
    /// Slabs with room, by class.
    var partialSlabs = [Int](repeating: 0, count: SizeClass.count)
    var emptySlabs = [Int](repeating: 0, count: SizeClass.count)
    /// Free runs, by bin.
    var residentRuns = [Int](repeating: 0, count: 64)
    var releasedRuns = [Int](repeating: 0, count: 64)
  }

  private func require(_ condition: Bool, _ message: @autoclosure () -> String, _ page: Int) {
    if !condition { fatalError("arena, page \(page): \(message())") }
  }

  private func walkZone(_ zoneStart: Int, _ census: inout Census) {
    let bounds = allocatablePages(around: zoneStart)
    var page = bounds.lowerBound + (zoneStart == 0 ? 1 : 0)
    // The kind of the free run that ends here: 0 resident, 1 released.
    var freeBefore: UInt8?
    while page < bounds.upperBound {
      let head = descriptor(page)
      var pages = Int(head.large)
      var isFree: UInt8?
      switch head.kind {
      case PageDescriptor.Kind.slabHead:
        pages = checkSlab(page, head, &census)
      case PageDescriptor.Kind.runHead:
        checkRun(page, head, &census)
      case PageDescriptor.Kind.freeHead:
        checkFreeRun(page, head, &census)
        isFree = head.sizeClass
        require(isFree != freeBefore, "two free runs of the same kind touch", page)
      default:
        fatalError("arena, page \(page): no run starts here, the kind is \(head.kind)")
      }
      require(pages > 0 && page + pages <= bounds.upperBound, "the run leaves its zone", page)
      freeBefore = isFree
      page += pages
    }
  }

  /// - Returns: the slab's pages.
  private func checkSlab(_ page: Int, _ head: PageDescriptor, _ census: inout Census) -> Int {
    let slab = head.slab
    let index = slab.sizeClass
    require(index < SizeClass.count, "a slab of class \(index)", page)
    // SAFETY: index is below the count by the line above.
    let sizeClass = unsafe classes[index]
    let used = slab.used
    let fresh = slab.fresh
    require(used <= fresh && fresh <= Int(sizeClass.capacity), "\(used) of \(fresh) used", page)
    for back in 1..<Int(sizeClass.slabPages) {
      let tail = descriptor(page + back)
      require(
        tail.kind == PageDescriptor.Kind.slabTail && Int(tail.small) == back,
        "the slab's page \(back) is no tail", page)
    }
    let free = countFreeObjects(page, slab, sizeClass)
    require(free == fresh - used, "\(free) objects free, not \(fresh - used)", page)
    census.allocations += used
    census.allocatedBytes += used * Int(sizeClass.objectBytes)
    if used < Int(sizeClass.capacity) {
      census.partialSlabs[index] += 1
    } else {
      require(head.next == 0 && head.previous == 0, "a full slab is linked", page)
    }
    if used == 0 {
      census.emptySlabs[index] += 1
      require(census.emptySlabs[index] == 1, "a second empty slab of its class", page)
    }
    return Int(sizeClass.slabPages)
  }

  private func countFreeObjects(
    _ page: Int, _ slab: SlabWord, _ sizeClass: SizeClass
  ) -> Int {
    var isFree = [Bool](repeating: false, count: Int(sizeClass.capacity))
    var count = 0
    var next = slab.freeHead
    while next != 0 {
      let object = next - 1
      require(object < slab.fresh, "free object \(object) was never handed out", page)
      require(!isFree[object], "object \(object) is free twice", page)
      isFree[object] = true
      count += 1
      let place = page << Self.pageShift + object * Int(sizeClass.objectBytes)
      let word = loadWord(place)
      require(word >> 16 == Self.freeMark(place), "free object \(object) lost its mark", page)
      next = Int(word & 0xFFFF)
    }
    return count
  }

  private func checkRun(_ page: Int, _ run: PageDescriptor, _ census: inout Census) {
    let pages = Int(run.large)
    census.allocations += 1
    census.allocatedBytes += pages << Self.pageShift
    require(pages << Self.pageShift > SizeClass.largestBytes, "a run of \(pages) pages", page)
    let tail = descriptor(page + pages - 1)
    require(tail.kind == PageDescriptor.Kind.runTail, "the run has no tail", page)
  }

  private func checkFreeRun(_ page: Int, _ run: PageDescriptor, _ census: inout Census) {
    let pages = Int(run.large)
    require(pages > 0, "a free run without pages", page)
    if pages > 1 {
      let tail = descriptor(page + pages - 1)
      require(
        tail.kind == PageDescriptor.Kind.freeTail && tail.large == run.large
          && tail.sizeClass == run.sizeClass,
        "the free run's tail disagrees with its head", page)
    }
    if run.sizeClass == 0 {
      census.residentFreePages += pages
      census.residentRuns[Self.bin(pages: pages)] += 1
    } else {
      require(run.sizeClass == 1, "a free run of kind \(run.sizeClass)", page)
      census.releasedPages += pages
      census.releasedRuns[Self.bin(pages: pages)] += 1
    }
  }

  private func checkPartialSlabs(_ index: Int, _ census: Census) {
    // SAFETY: index is below the count.
    let capacity = unsafe classes[index].capacity
    let found = checkList(from: partialHead(index), limit: census.partialSlabs[index]) { slab in
      slab.kind == PageDescriptor.Kind.slabHead && Int(slab.sizeClass) == index
        && slab.small < capacity
    }
    require(found, "class \(index)'s partial list is not its slabs with room", 0)
  }

  private func checkBin(_ bin: Int, released: Bool, _ census: Census) {
    let count = released ? census.releasedRuns[bin] : census.residentRuns[bin]
    let hasBit = binBits(released: released) >> UInt64(bin) & 1 != 0
    require(hasBit == (count > 0), "bin \(bin)'s bit disagrees with its \(count) runs", 0)
    guard bin < Self.binCount else { return }
    let head = header(binOffset(released: released, bin: bin), as: UInt32.self)
    let found = checkList(from: head, limit: count) { run in
      run.kind == PageDescriptor.Kind.freeHead && run.sizeClass == (released ? 1 : 0)
        && Self.bin(pages: Int(run.large)) == bin
    }
    require(found, "bin \(bin) is not its free runs", 0)
  }

  /// Whether the list from `head` has `limit` members, linked both ways, all as `isMember` says.
  /// With the walk's count that makes the list complete: a member twice would break a back link.
  private func checkList(
    from head: UInt32, limit: Int, _ isMember: (PageDescriptor) -> Bool
  ) -> Bool {
    var previous: UInt32 = 0
    var page = head
    var count = 0
    while page != 0 {
      let member = descriptor(Int(page))
      count += 1
      guard count <= limit, member.previous == previous, isMember(member) else { return false }
      previous = page
      page = member.next
    }
    return count == limit
  }
}
