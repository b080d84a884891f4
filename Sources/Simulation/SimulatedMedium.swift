// SimulatedMedium: a data directory that remembers all that was done to it, fails when it is told
// to, and can lose power at any point (Trace, Disk).
//
//   reader ◄── memory file (what the kernel would show) ◄── write
//                                     Trace             ◄── write, flush, synchronize, names ...
//
// 1. The content lies in a memory file, so that it can be mapped as a real file can.
// 2. A broken rule of the seam (a write beyond the length, or on persistent memory without blocks)
//    traps: there it would kill the server.

import CSystem
import Glibc
import Platform
import Storage
import Synchronization

public final class SimulatedMedium: Medium {
  /// What an operation may be made to do.
  public enum Fault: Sendable {
    case fail(Int32)
    /// Half of a write is done, then it fails.
    case short(Int32)
  }

  /// What is about to be done.
  public struct Attempt: Sendable {
    public enum Kind: Sendable {
      case open, create, remove, rename, synchronizeDirectory
      case write, read, synchronize, resize, allocate, punch
    }
    public let kind: Kind
    public let name: String
  }

  struct State {
    var trace: Trace
    var disk: Disk
    var contents: [Int: SimulatedContent]
    var isLocked = false
    var capacityPages: Int?
    var fault: (@Sendable (Attempt) -> Fault?)?
    var failures: UInt64 = 0
  }

  public let facts: MediumFacts
  public let plantedBug: PlantedBug?
  let state: Mutex<State>

  /// Starts with what `disk` holds: an empty one, one after a power cut, or one whose process was
  /// killed.
  public init(_ disk: Disk, plantedBug: PlantedBug? = nil) {
    self.plantedBug = plantedBug
    facts = MediumFacts(
      kind: disk.kind, directory: "simulated", hasMapSync: disk.kind == .persistentMemory,
      granularityBytes: disk.unitBytes, fileSystem: "simulated")
    var contents: [Int: SimulatedContent] = [:]
    for (number, file) in disk.files {
      contents[number] = SimulatedContent(file, unitBytes: disk.unitBytes)
    }
    state = Mutex(State(trace: Trace(start: disk), disk: disk, contents: contents))
  }

  /// Everything so far.
  public var trace: Trace { state.withLock { $0.trace } }

  /// Adds a note to the trace.
  public func note(_ value: Int) { state.withLock { $0.record(.note(value)) } }

  /// Decides for every operation to come whether it fails; nil makes the medium well again.
  public func setFault(_ fault: (@Sendable (Attempt) -> Fault?)?) {
    state.withLock { $0.fault = fault }
  }

  /// Limits the pages that can be allocated in all; nil lifts the limit.
  public func setCapacity(pages: Int?) { state.withLock { $0.capacityPages = pages } }

  /// What the medium holds at this moment, nothing lost.
  public func snapshot() -> Disk {
    var random = SeededRandom(seed: 0)
    return state.withLock { $0.disk.powerCut(.kept, using: &random) }
  }

  // MARK: Medium

  public func open(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile {
    try attempt(.open, name)
    guard let number = state.withLock({ $0.disk.names[name] }) else {
      throw IOError("open", path(name), errno: ENOENT)
    }
    return SimulatedFile(self, number, name, mode)
  }

  public func create(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile {
    try attempt(.create, name)
    let number = state.withLock { state -> Int? in
      guard state.disk.names[name] == nil else { return nil }
      let number = state.disk.nextFile
      state.contents[number] = SimulatedContent(Disk.File(), unitBytes: 512)
      state.record(.create(number, name))
      return number
    }
    guard let number else { throw IOError("open", path(name), errno: EEXIST) }
    return SimulatedFile(self, number, name, mode)
  }

  public func remove(_ name: String) throws(IOError) {
    try attempt(.remove, name)
    try named(name, "unlink") { state in state.record(.remove(name)) }
  }

  public func rename(_ name: String, to newName: String) throws(IOError) {
    try attempt(.rename, name)
    try named(name, "rename") { state in state.record(.rename(name, newName)) }
  }

  public func list() throws(IOError) -> [String] { state.withLock { $0.disk.names.keys.sorted() } }

  public func synchronizeDirectory() throws(IOError) {
    try attempt(.synchronizeDirectory, "")
    state.withLock { $0.record(.synchronizeDirectory) }
  }

  public func lock(_ name: String) throws(IOError) -> DirectoryLock {
    let wasLocked = state.withLock { state in
      defer { state.isLocked = true }
      return state.isLocked
    }
    guard !wasLocked else { throw IOError("lock", path(name), errno: EWOULDBLOCK) }
    return DirectoryLock { [self] in state.withLock { $0.isLocked = false } }
  }

  public func freeBytes() -> Int? {
    state.withLock { state in
      state.capacityPages.map { max(0, $0 - state.allocatedPages) * 4096 }
    }
  }

  private func named(
    _ name: String, _ operation: String, _ body: (inout State) -> Void
  ) throws(IOError) {
    let isThere = state.withLock { state in
      guard state.disk.names[name] != nil else { return false }
      body(&state)
      return true
    }
    guard isThere else { throw IOError(operation, path(name), errno: ENOENT) }
  }

  /// Throws what the test wants to fail; true for a write that is to be short.
  @discardableResult
  func attempt(_ kind: Attempt.Kind, _ name: String) throws(IOError) -> Bool {
    let fault = state.withLock { $0.fault }
    switch fault?(Attempt(kind: kind, name: name)) {
    case nil: return false
    case .short: return true
    case .fail(let code): throw IOError("\(kind)", path(name), errno: code)
    }
  }
}

extension SimulatedMedium.State {
  var allocatedPages: Int {
    Set(disk.names.values).reduce(0) { $0 + (disk.files[$1]?.allocated.count ?? 0) }
  }

  mutating func record(_ operation: Operation) {
    trace.operations.append(operation)
    disk.begin(operation)
    disk.finish(operation)
  }
}

/// The bytes that readers and mappings see.
final class SimulatedContent: Sendable {
  let descriptor: Int32

  init(_ file: Disk.File, unitBytes: Int) {
    // SAFETY: the name is a literal.
    descriptor = unsafe csystem_memfd_create("simulated")
    precondition(descriptor >= 0 && ftruncate(descriptor, off_t(file.count)) == 0)
    for (page, bytes) in file.pages where page * 4096 < file.count { write(bytes, page * 4096) }
    for (unit, bytes) in file.cached where unit * unitBytes < file.count {
      write(bytes, unit * unitBytes)
    }
    for (unit, pending) in file.pending where unit * unitBytes < file.count {
      if let last = pending.contents.last { write(last, unit * unitBytes) }
    }
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8], _ offset: Int) {
    // SAFETY: the array outlives the call and has that many bytes.
    let written = unsafe pwrite(descriptor, bytes, bytes.count, off_t(offset))
    precondition(written == bytes.count)
  }
}

/// A file that is open.
final class SimulatedFile: MediumFile {
  let path: String
  let descriptor: Int32
  private let medium: SimulatedMedium
  private let content: SimulatedContent
  private let number: Int
  private let name: String
  private let isDirect: Bool

  init(_ medium: SimulatedMedium, _ number: Int, _ name: String, _ mode: WriteMode) {
    self.medium = medium
    self.number = number
    self.name = name
    path = medium.path(name)
    isDirect = mode == .direct && medium.facts.kind == .file
    content = medium.state.withLock { $0.contents[number]! }
    descriptor = content.descriptor
  }

  var count: Int { medium.state.withLock { $0.disk.files[number]!.count } }

  @unsafe func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(IOError) {
    precondition(offset >= 0 && offset + bytes.count <= count, "a write beyond the file's length")
    precondition(!isDirect || (offset % 4096 == 0 && bytes.count % 4096 == 0), "not whole blocks")
    guard bytes.count > 0 else { return }
    let isShort = try medium.attempt(.write, name)
    let count = isShort ? bytes.count / 2 & ~511 : bytes.count
    let copy = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes[0..<count]))
    let isFull = medium.state.withLock { state in
      guard hasRoom(&state, offset..<offset + bytes.count) else { return true }
      if copy.isEmpty { return false }
      content.write(copy, offset)
      let isDurable = isDirect && !isShort
      state.record(isDurable ? .writeDirect(number, offset, copy) : .write(number, offset, copy))
      return false
    }
    if isFull { throw IOError("write", path, errno: ENOSPC) }
    if isShort { throw IOError("write", path, errno: ENOSPC) }
  }

  @unsafe func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(IOError) {
    try medium.attempt(.read, name)
    guard bytes.count > 0 else { return }
    let result = unsafe pread(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
    guard result == bytes.count else { throw IOError("read", path, errno: ENODATA) }
  }

  func flush(_ range: Range<Int>) { medium.state.withLock { $0.record(.flush(number, range)) } }

  func synchronize() throws(IOError) {
    do throws(IOError) { try medium.attempt(.synchronize, name) } catch {
      medium.state.withLock { state in
        state.failures += 1
        state.record(.failSynchronize(number, seed: state.failures))
      }
      throw error
    }
    medium.state.withLock { $0.record(.synchronize(number)) }
  }

  func resize(to count: Int) throws(IOError) {
    precondition(count % 4096 == 0, "a file's length is whole pages")
    try medium.attempt(.resize, name)
    guard ftruncate(descriptor, off_t(count)) == 0 else {
      throw IOError("ftruncate", path, errno: errno)
    }
    medium.state.withLock { $0.record(.resize(number, count)) }
  }

  func allocate(_ range: Range<Int>) throws(IOError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    try medium.attempt(.allocate, name)
    let isDone = medium.state.withLock { state in
      guard fits(&state, range) else { return false }
      state.record(.allocate(number, range))
      return true
    }
    guard isDone else { throw IOError("fallocate", path, errno: ENOSPC) }
  }

  func punchHole(_ range: Range<Int>) throws(IOError) {
    precondition(range.lowerBound % 4096 == 0 && range.upperBound % 4096 == 0)
    try medium.attempt(.punch, name)
    guard csystem_punch_hole(descriptor, Int64(range.lowerBound), Int64(range.count)) == 0 else {
      throw IOError("punch hole", path, errno: errno)
    }
    medium.state.withLock { $0.record(.punch(number, range)) }
  }

  /// Whether a write finds blocks, or on a file system may get them.
  private func hasRoom(_ state: inout SimulatedMedium.State, _ range: Range<Int>) -> Bool {
    if medium.facts.kind == .persistentMemory {
      let allocated = state.disk.files[number]!.allocated
      let pages = range.lowerBound / 4096..<(range.upperBound + 4095) / 4096
      precondition(pages.allSatisfy(allocated.contains), "a store where no blocks are allocated")
      return true
    }
    return fits(&state, range)
  }

  private func fits(_ state: inout SimulatedMedium.State, _ range: Range<Int>) -> Bool {
    guard let capacity = state.capacityPages, !range.isEmpty else { return true }
    let allocated = state.disk.files[number]!.allocated
    let pages = range.lowerBound / 4096..<(range.upperBound + 4095) / 4096
    let missing = pages.count { !allocated.contains($0) }
    return missing == 0 || state.allocatedPages + missing <= capacity
  }
}
