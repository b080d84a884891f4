// Disk: what a simulated medium holds: what is durable for certain, and what may be.
//
//   file     durable pages | pending: unit → its contents since it was last durable, oldest first
//   names    durable names | pending changes, in order
//
// A unit is what reaches the medium on its own: a line of 64 bytes on persistent memory, a sector
// of 512 otherwise. `powerCut` decides for each unit which of its contents survived.
//
// 1. On persistent memory a line that is not durable may be torn at each 8 aligned bytes.
// 2. `synchronize` makes the flushed content of a line durable, and nothing of a line that was not
//    flushed; on a file system, the latest content of every sector.
// 3. After a synchronize that failed, each unit's fate is drawn, and no later one changes it. On a
//    file system what did not reach the medium is still read, by later processes too, until the
//    power goes: it is `cached`, and only writing it again makes it pending.
// 4. Changes of names survive in order, as a journalling file system keeps them: a prefix.

import Storage

public struct Disk: Sendable {
  public let kind: MediumFacts.Kind
  var files: [Int: File] = [:]
  var durableNames: [String: Int] = [:]
  var names: [String: Int] = [:]
  var pendingNames: [NameChange] = []
  var nextFile = 0

  public init(kind: MediumFacts.Kind) { self.kind = kind }

  var unitBytes: Int { kind == .persistentMemory ? 64 : 512 }

  enum NameChange: Sendable {
    case create(String, Int)
    case remove(String)
    case rename(String, String)

    func apply(to names: inout [String: Int]) {
      switch self {
      case .create(let name, let file): names[name] = file
      case .remove(let name): names[name] = nil
      case .rename(let old, let new): names[new] = names.removeValue(forKey: old)
      }
    }
  }

  /// The contents that a unit has had since it was last durable.
  struct Unit: Sendable {
    var contents: [[UInt8]] = []
    /// How many of them a flush has covered.
    var flushed = 0
  }

  struct File: Sendable {
    /// Pages of 4096 bytes; those that are missing are zeros.
    var pages: [Int: [UInt8]] = [:]
    var pending: [Int: Unit] = [:]
    /// What readers see of units that the medium does not have, and never will by itself.
    var cached: [Int: [UInt8]] = [:]
    var count = 0
    var durableCount = 0
    /// Pages that have blocks.
    var allocated: Set<Int> = []
    var durableAllocated: Set<Int> = []

    /// What is durable of a unit.
    func durable(_ unit: Int, _ unitBytes: Int) -> [UInt8] {
      let offset = unit * unitBytes
      guard let page = pages[offset / 4096] else { return [UInt8](repeating: 0, count: unitBytes) }
      return [UInt8](page[offset % 4096..<offset % 4096 + unitBytes])
    }

    mutating func setDurable(_ unit: Int, _ bytes: [UInt8]) {
      let offset = unit * bytes.count
      pages[offset / 4096, default: [UInt8](repeating: 0, count: 4096)]
        .replaceSubrange(offset % 4096..<offset % 4096 + bytes.count, with: bytes)
    }

    /// What a reader sees of a unit.
    func latest(_ unit: Int, _ unitBytes: Int) -> [UInt8] {
      pending[unit]?.contents.last ?? cached[unit] ?? durable(unit, unitBytes)
    }
  }

  // MARK: Operations

  mutating func change(_ change: NameChange) {
    change.apply(to: &names)
    pendingNames.append(change)
  }

  mutating func synchronizeNames() {
    for change in pendingNames { change.apply(to: &durableNames) }
    pendingNames = []
  }

  mutating func write(_ file: Int, _ offset: Int, _ bytes: [UInt8]) {
    let unitBytes = unitBytes
    var position = 0
    while position < bytes.count {
      let unit = (offset + position) / unitBytes
      let inside = (offset + position) % unitBytes
      let count = min(unitBytes - inside, bytes.count - position)
      var content = files[file]!.latest(unit, unitBytes)
      content.replaceSubrange(inside..<inside + count, with: bytes[position..<position + count])
      files[file]!.pending[unit, default: Unit()].contents.append(content)
      files[file]!.cached[unit] = nil
      position += count
    }
    for page in offset / 4096..<(offset + bytes.count + 4095) / 4096 {
      files[file]!.allocated.insert(page)
    }
  }

  mutating func flush(_ file: Int, _ range: Range<Int>) {
    guard kind == .persistentMemory, !range.isEmpty else { return }
    for unit in range.lowerBound / unitBytes...(range.upperBound - 1) / unitBytes {
      guard let pending = files[file]!.pending[unit] else { continue }
      files[file]!.pending[unit]!.flushed = pending.contents.count
    }
  }

  mutating func synchronize(_ file: Int) {
    let isLines = kind == .persistentMemory
    for (unit, pending) in files[file]!.pending {
      let settled = isLines ? pending.flushed : pending.contents.count
      guard settled > 0 else { continue }
      files[file]!.setDurable(unit, pending.contents[settled - 1])
      if settled == pending.contents.count {
        files[file]!.pending[unit] = nil
      } else {
        files[file]!.pending[unit]!.contents.removeFirst(settled)
        files[file]!.pending[unit]!.flushed = 0
      }
    }
    synchronizeLength(file)
  }

  /// A direct write is over: its units are durable, no others.
  mutating func settle(_ file: Int, _ range: Range<Int>) {
    for unit in range.lowerBound / unitBytes...(range.upperBound - 1) / unitBytes {
      guard let last = files[file]!.pending.removeValue(forKey: unit)?.contents.last else {
        continue
      }
      files[file]!.setDurable(unit, last)
    }
    synchronizeLength(file)
  }

  private mutating func synchronizeLength(_ file: Int) {
    files[file]!.durableCount = files[file]!.count
    files[file]!.durableAllocated = files[file]!.allocated
  }

  /// Invariant 3.
  mutating func failSynchronize(_ file: Int, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for (unit, pending) in files[file]!.pending.sorted(by: { $0.key < $1.key }) {
      let last = pending.contents[pending.contents.count - 1]
      if Bool.random(using: &random) {
        files[file]!.setDurable(unit, last)
      } else if kind == .file {
        files[file]!.cached[unit] = last
      }
    }
    files[file]!.pending = [:]
  }

  mutating func resize(_ file: Int, _ count: Int) {
    let old = files[file]!.count
    files[file]!.count = count
    if count < old {
      zero(file, count..<old)
      files[file]!.allocated = files[file]!.allocated.filter { $0 * 4096 < count }
    }
  }

  mutating func punch(_ file: Int, _ range: Range<Int>) {
    zero(file, range)
    for page in range.lowerBound / 4096..<range.upperBound / 4096 {
      files[file]!.allocated.remove(page)
    }
  }

  /// Pending zeros where there is something else. The kernel writes them itself: no flush needed.
  private mutating func zero(_ file: Int, _ range: Range<Int>) {
    let zeros = [UInt8](repeating: 0, count: unitBytes)
    let known = Set(files[file]!.pages.keys).union(
      files[file]!.pending.keys.map { $0 * unitBytes / 4096 }
    ).union(files[file]!.cached.keys.map { $0 * unitBytes / 4096 })
    for page in known where page * 4096 >= range.lowerBound && page * 4096 < range.upperBound {
      for unit in page * 4096 / unitBytes..<(page + 1) * 4096 / unitBytes {
        var pending = files[file]!.pending[unit, default: Unit()]
        pending.contents.append(zeros)
        pending.flushed = pending.contents.count
        files[file]!.pending[unit] = pending
        files[file]!.cached[unit] = nil
      }
    }
  }

  // MARK: Power cuts

  /// How the units that are not durable fare.
  public enum Fate: Sendable, CaseIterable {
    /// Nothing survives that need not.
    case lost
    /// Everything survives, as if it had been synchronized.
    case kept
    /// Each unit for itself, as it pleases.
    case mixed
    /// Most are lost, and the other way round.
    case mostlyLost
    case mostlyKept
  }

  /// What is on the medium when power is back. Everything on it is durable then.
  public func powerCut(_ fate: Fate, using random: inout SeededRandom) -> Disk {
    var disk = Disk(kind: kind)
    disk.nextFile = nextFile
    disk.durableNames = durableNames
    for change in pendingNames.prefix(namesKept(fate, &random)) {
      change.apply(to: &disk.durableNames)
    }
    disk.names = disk.durableNames
    for file in Set(disk.names.values).sorted() {
      var content = files[file]!
      for (unit, pending) in content.pending.sorted(by: { $0.key < $1.key }) {
        content.setDurable(unit, survivor(content.durable(unit, unitBytes), pending, fate, &random))
      }
      content.pending = [:]
      content.cached = [:]
      let keepsLength = Disk.isKept(fate, &random)
      content.count = keepsLength ? content.count : content.durableCount
      content.allocated = keepsLength ? content.allocated : content.durableAllocated
      content.durableCount = content.count
      content.durableAllocated = content.allocated
      content.pages = content.pages.filter { $0.key * 4096 < content.count }
      disk.files[file] = content
    }
    return disk
  }

  private func namesKept(_ fate: Fate, _ random: inout SeededRandom) -> Int {
    switch fate {
    case .lost: 0
    case .kept: pendingNames.count
    default: random.below(pendingNames.count + 1)
    }
  }

  private static func isKept(_ fate: Fate, _ random: inout SeededRandom) -> Bool {
    switch fate {
    case .lost: false
    case .kept: true
    case .mixed: Bool.random(using: &random)
    case .mostlyLost: random.oneIn(8)
    case .mostlyKept: !random.oneIn(8)
    }
  }

  private func survivor(
    _ durable: [UInt8], _ pending: Unit, _ fate: Fate, _ random: inout SeededRandom
  ) -> [UInt8] {
    let isWhole = kind == .file || fate == .lost || fate == .kept || Bool.random(using: &random)
    func draw(_ random: inout SeededRandom) -> [UInt8] {
      guard Disk.isKept(fate, &random) else { return durable }
      // Usually the latest; sometimes one that was evicted early, before it was overwritten.
      let isLatest = fate == .kept || !random.oneIn(4)
      return isLatest
        ? pending.contents[pending.contents.count - 1]
        : pending.contents[random.below(pending.contents.count)]
    }
    if isWhole { return draw(&random) }
    var torn = durable
    for word in stride(from: 0, to: durable.count, by: 8) {
      torn.replaceSubrange(word..<word + 8, with: draw(&random)[word..<word + 8])
    }
    return torn
  }
}
