// MediumTests: all media do the same with files and names; what each promises about power cuts.

import CSystem
import Glibc
import Platform
import Simulation
import Testing

@testable import Storage

/// A directory of its own, removed with its content.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/ferrite-storage-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw IOError("mkdtemp", errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in (try? FileMedium(directory: path).list()) ?? [] {
      unsafe unlink(path + "/" + name)
    }
    unsafe rmdir(path)
  }
}

enum TestMedium: CaseIterable {
  case file, emulated, simulatedFile, simulatedPersistentMemory

  func open(_ directory: TemporaryDirectory) throws -> any Medium {
    switch self {
    case .file: try FileMedium(directory: directory.path)
    case .emulated: try openMedium(directory: directory.path, .emulated)
    case .simulatedFile: SimulatedMedium(Disk(kind: .file))
    case .simulatedPersistentMemory: SimulatedMedium(Disk(kind: .persistentMemory))
    }
  }
}

extension MediumFile {
  func bytes(_ range: Range<Int>) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0xAA, count: range.count)
    var span = bytes.mutableSpan
    try read(into: &span, at: range.lowerBound)
    return bytes
  }

  func put(_ bytes: [UInt8], at offset: Int) throws { try write(bytes.span, at: offset) }
}

struct MediumTests {
  @Test(arguments: TestMedium.allCases)
  func filesKeepWhatIsWritten(kind: TestMedium) throws {
    let directory = try TemporaryDirectory()
    let medium = try kind.open(directory)
    let file = try medium.create("a")
    try file.resize(to: 8192)
    try file.allocate(0..<8192)
    #expect(file.count == 8192)
    try file.put([1, 2, 3], at: 4095)
    file.flush(4095..<4098)
    try file.synchronize()
    // Growth maps a second piece; a write may touch both.
    try file.resize(to: 20480)
    try file.allocate(8192..<20480)
    let long = [UInt8](repeating: 7, count: 5000)
    try file.put(long, at: 5000)
    #expect(try file.bytes(4094..<4099) == [0, 1, 2, 3, 0])
    #expect(try file.bytes(5000..<10000) == long)
    try file.punchHole(4096..<8192)
    #expect(try file.bytes(4095..<4097) == [1, 0])
    #expect(try file.bytes(8191..<8193) == [0, 7])
    try file.resize(to: 8192)
    #expect(throws: IOError.self) { try file.bytes(8191..<8193) }
    let again = try medium.open("a")
    #expect(again.count == 8192)
    #expect(try again.bytes(4095..<4096) == [1])
  }

  @Test(arguments: TestMedium.allCases)
  func namesFollowTheirFiles(kind: TestMedium) throws {
    let directory = try TemporaryDirectory()
    let medium = try kind.open(directory)
    let file = try medium.create("b")
    try file.resize(to: 4096)
    try file.allocate(0..<4096)
    try file.put([9], at: 0)
    #expect(throws: IOError("open", medium.path("b"), errno: EEXIST)) { _ = try medium.create("b") }
    _ = try medium.create("a")
    #expect(try medium.list() == ["a", "b"])
    try medium.rename("b", to: "a")
    try medium.synchronizeDirectory()
    #expect(try medium.list() == ["a"])
    #expect(try medium.open("a").bytes(0..<1) == [9])
    try medium.remove("a")
    #expect(throws: IOError.self) { try medium.remove("a") }
    #expect(throws: IOError("open", medium.path("a"), errno: ENOENT)) { _ = try medium.open("a") }
  }

  @Test(arguments: TestMedium.allCases)
  func aDirectoryHasOneOwner(kind: TestMedium) throws {
    let directory = try TemporaryDirectory()
    let medium = try kind.open(directory)
    var held: DirectoryLock? = try medium.lock("ferrite.lock")
    #expect(throws: IOError("lock", medium.path("ferrite.lock"), errno: EWOULDBLOCK)) {
      _ = try medium.lock("ferrite.lock")
    }
    #expect(held != nil)
    held = nil
    held = try medium.lock("ferrite.lock")
    #expect(held != nil)
  }

  @Test func thisMachineIsNotTakenForPersistentMemory() throws {
    let directory = try TemporaryDirectory()
    #expect(throws: IOError.self) {
      _ = try openMedium(directory: directory.path, .persistentMemory)
    }
    let medium = try openMedium(directory: directory.path)
    #expect(medium.facts.kind == .file && !medium.facts.hasMapSync)
    #expect(try medium.list() == [])
  }
}

struct PowerCutTests {
  /// A file of one page full of ones, durable.
  private func prepared(_ kind: MediumFacts.Kind) throws -> (SimulatedMedium, any MediumFile) {
    let medium = SimulatedMedium(Disk(kind: kind))
    let file = try medium.create("f")
    try file.resize(to: 8192)
    try file.allocate(0..<8192)
    try file.persist([UInt8](repeating: 1, count: 8192).span, at: 0)
    try medium.synchronizeDirectory()
    return (medium, file)
  }

  private func outcomes(_ medium: SimulatedMedium, _ range: Range<Int>) throws -> Set<[UInt8]> {
    var found: Set<[UInt8]> = []
    let last = medium.trace.operations.count - 1
    try medium.trace.forEachCrash(draws: 200, seed: 3, from: last) { state in
      found.insert(try SimulatedMedium(state.disk).open("f").bytes(range))
      return true
    }
    return found
  }

  @Test(arguments: [MediumFacts.Kind.file, .persistentMemory])
  func whatIsNotSynchronizedMayBeAnything(kind: MediumFacts.Kind) throws {
    let (medium, file) = try prepared(kind)
    try file.put([2], at: 0)
    try file.put([3], at: 0)
    #expect(try outcomes(medium, 0..<1) == [[1], [2], [3]])
    file.flush(0..<1)
    #expect(try outcomes(medium, 0..<1) == [[1], [2], [3]])
    try file.synchronize()
    #expect(try outcomes(medium, 0..<1) == [[3]])
  }

  @Test func aLineThatWasNotFlushedIsNotSynchronized() throws {
    let (medium, file) = try prepared(.persistentMemory)
    try file.put([2], at: 0)
    try file.put([2], at: 64)
    file.flush(0..<64)
    try file.put([3], at: 0)
    try file.synchronize()
    #expect(try outcomes(medium, 0..<1) == [[2], [3]])
    #expect(try outcomes(medium, 64..<65) == [[1], [2]])
  }

  @Test func linesTearInWordsAndSectorsDoNot() throws {
    let (memory, line) = try prepared(.persistentMemory)
    try line.put([UInt8](repeating: 2, count: 16), at: 0)
    let torn = try outcomes(memory, 0..<16)
    #expect(torn.count == 4)
    #expect(torn.allSatisfy { Set($0[0..<8]).count == 1 && Set($0[8..<16]).count == 1 })
    let (disk, sectors) = try prepared(.file)
    try sectors.put([UInt8](repeating: 2, count: 1024), at: 0)
    let found = try outcomes(disk, 0..<1024)
    #expect(found.count == 4)
    #expect(found.allSatisfy { Set($0[0..<512]).count == 1 && Set($0[512..<1024]).count == 1 })
  }

  @Test func directWritesTearUntilTheyReturn() throws {
    let (medium, _) = try prepared(.file)
    let direct = try medium.open("f", .direct)
    try direct.put([UInt8](repeating: 5, count: 4096), at: 0)
    let found = try outcomes(medium, 0..<4096)
    #expect(found.count > 4 && found.contains([UInt8](repeating: 5, count: 4096)))
    medium.note(1)
    #expect(try outcomes(medium, 0..<4096) == [[UInt8](repeating: 5, count: 4096)])
  }

  @Test func aFailedSynchronizeIsNeverMadeGood() throws {
    let (medium, file) = try prepared(.file)
    try file.put([UInt8](repeating: 2, count: 4096), at: 0)
    medium.setFault { $0.kind == .synchronize ? .fail(EIO) : nil }
    #expect(throws: IOError.self) { try file.synchronize() }
    medium.setFault(nil)
    try file.synchronize()
    #expect(try file.bytes(0..<1) == [2])
    let found = try outcomes(medium, 0..<4096)
    #expect(found.count == 1 && Set(found.first!) == [1, 2])
  }

  @Test func namesSurviveInOrder() throws {
    let (medium, _) = try prepared(.file)
    _ = try medium.create("g")
    try medium.rename("f", to: "h")
    var found: Set<[String]> = []
    try medium.trace.forEachCrash(draws: 50, seed: 1, from: medium.trace.operations.count - 1) {
      found.insert(try SimulatedMedium($0.disk).list())
      return true
    }
    #expect(found == [["f"], ["f", "g"], ["g", "h"]])
  }

  @Test func aFullMediumRefusesBlocks() throws {
    let (medium, file) = try prepared(.persistentMemory)
    medium.setCapacity(pages: 3)
    try file.resize(to: 16384)
    #expect(throws: IOError("fallocate", file.path, errno: ENOSPC)) { try file.allocate(0..<16384) }
    try file.allocate(0..<12288)
    #expect(medium.freeBytes() == 0)
  }
}
