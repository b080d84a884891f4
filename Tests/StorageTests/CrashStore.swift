// CrashStore: a little key-value store over an arena, for the crash search: what it holds after n
// batches follows from the seed, so that any recovered state can be compared with what it should be
//
//   roots   1: batches done   2: the table, 64 refs
//   value   | key 8 | counter 8 | fill bytes ... |
//   batch   | number 8 | count 8 | operation 8, key 8, argument 8 | ... | 100 words or more |
//
// 1. `add` is not idempotent: a batch that is replayed twice, or not, is seen.
// 2. Records are padded, so that the log's small segments fill up and are recycled.

import Bytes
import Glibc
import Memory
import Simulation

@testable import Storage

struct CrashOperation: Equatable, Sendable {
  enum Kind: UInt64 {
    case set, add, remove
  }
  var kind: Kind
  var key: Int
  /// The size of what is set, or what is added.
  var argument: Int
}

/// What a run consists of.
enum CrashShape: Sendable, CaseIterable {
  /// A bit of everything.
  case mixed
  /// Large values that come and go: pages are freed, given back and punched beside checkpoints.
  case large
  /// Small values that stay where they are and are added to: an image that needs no new blocks.
  case steady

  /// A batch, from the run's seed and its number alone.
  func batch(seed: UInt64, number: Int) -> [CrashOperation] {
    var random = SeededRandom(seed: seed &* 0x9E37_79B9 &+ UInt64(number))
    return (0..<1 + random.below(5)).map { _ in
      let key = random.below(CrashStore.keys)
      switch (self, random.below(10)) {
      case (.steady, _) where number > 4, (.mixed, 4..<8):
        return CrashOperation(kind: .add, key: key, argument: 1 + random.below(100))
      case (.steady, _):
        return CrashOperation(kind: .set, key: key, argument: random.below(600))
      case (.large, 0..<6):
        return CrashOperation(kind: .set, key: key, argument: 3000 + random.below(40_000))
      case (.mixed, 0..<4):
        let size = random.oneIn(4) ? 3000 + random.below(60_000) : random.below(600)
        return CrashOperation(kind: .set, key: key, argument: size)
      default: return CrashOperation(kind: .remove, key: key, argument: 0)
      }
    }
  }
}

/// What the store should hold.
struct CrashModel: Equatable, Sendable {
  struct Value: Equatable, Sendable {
    var size: Int
    var counter: Int
  }
  var batches = 0
  var values: [Int: Value] = [:]

  mutating func apply(_ operations: [CrashOperation]) {
    batches += 1
    for operation in operations {
      switch operation.kind {
      case .set: values[operation.key] = Value(size: operation.argument, counter: batches)
      case .add: values[operation.key]?.counter += operation.argument
      case .remove: values[operation.key] = nil
      }
    }
  }
}

struct CrashStore: ~Copyable {
  static let keys = 48
  var arena: Arena
  private var table: Ref<Untyped>

  /// - Parameter isNew: whether the arena is empty.
  init(_ arena: consuming Arena, isNew: Bool) throws {
    var arena = arena
    if isNew {
      table = try arena.allocate(CrashStore.keys * 8)
      // SAFETY: the table is that long.
      unsafe memset(arena.write(table, count: CrashStore.keys * 8), 0, CrashStore.keys * 8)
      arena.setRoot(2, table.unit)
    } else {
      table = Ref(unit: arena.root(2))
    }
    self.arena = arena
  }

  var batches: Int { Int(arena.root(1)) }

  private func place(_ key: Int) -> Ref<Untyped> {
    // SAFETY: the table has room for every key.
    unsafe Ref(unit: arena.reader.load(table, at: key * 8, as: UInt64.self))
  }

  private mutating func setPlace(_ key: Int, _ ref: Ref<Untyped>) {
    // SAFETY: as in `place`.
    unsafe arena.write(table, at: key * 8, count: 8).storeBytes(of: ref.unit, as: UInt64.self)
  }

  mutating func apply(_ operations: [CrashOperation]) throws {
    let number = batches + 1
    arena.setRoot(1, UInt64(number))
    for operation in operations {
      let old = place(operation.key)
      switch operation.kind {
      case .set:
        if !old.isNull { arena.free(old) }
        let count = 24 + operation.argument
        let ref: Ref<Untyped> = try arena.allocate(count)
        // SAFETY: the allocation is that long.
        let target = unsafe arena.write(ref, count: count)
        unsafe target.storeBytes(of: operation.key, as: Int.self)
        unsafe target.storeBytes(of: number, toByteOffset: 8, as: Int.self)
        unsafe target.storeBytes(of: operation.argument, toByteOffset: 16, as: Int.self)
        unsafe memset(target + 24, Int32(CrashStore.fill(operation.key)), operation.argument)
        setPlace(operation.key, ref)
      case .add where !old.isNull:
        // SAFETY: every value has its counter there.
        let target = unsafe arena.write(old, at: 8, count: 8)
        unsafe target.storeBytes(of: target.load(as: Int.self) + operation.argument, as: Int.self)
      case .remove where !old.isNull:
        arena.free(old)
        setPlace(operation.key, .null)
      case .add, .remove: break
      }
    }
  }

  private static func fill(_ key: Int) -> UInt8 { UInt8(key * 5 + 1) }

  /// What is wrong, held against the model; nil if nothing is.
  func problem(_ model: CrashModel) -> String? {
    if batches != model.batches { return "\(batches) batches, not \(model.batches)" }
    for key in 0..<CrashStore.keys {
      if let found = problem(key, model.values[key]) { return "key \(key): \(found)" }
    }
    let expected = model.values.count + 1
    if arena.usage.allocations != expected {
      return "\(arena.usage.allocations) allocations, not \(expected)"
    }
    return nil
  }

  private func problem(_ key: Int, _ value: CrashModel.Value?) -> String? {
    CrashStore.problem(place(key), key, value, arena.reader)
  }

  private static func problem(
    _ ref: Ref<Untyped>, _ key: Int, _ value: CrashModel.Value?, _ reader: ArenaReader
  ) -> String? {
    guard let value else { return ref.isNull ? nil : "is there" }
    guard !ref.isNull else { return "is missing" }
    // SAFETY: a value has these fields; a wrong size is found before the fill is read.
    let fields = unsafe (
      reader.load(ref, at: 0, as: Int.self), reader.load(ref, at: 8, as: Int.self),
      reader.load(ref, at: 16, as: Int.self)
    )
    if fields != (key, value.counter, value.size) {
      return "is \(fields), not \((key, value.counter, value.size))"
    }
    let start = unsafe reader.pointer(ref) + 24
    guard value.size > 0 else { return nil }
    let isFilled =
      unsafe start.load(as: UInt8.self) == fill(key)
      && memcmp(start, start + 1, value.size - 1) == 0
    return isFilled ? nil : "its content is wrong"
  }

  /// The same for a frozen view.
  static func problem(_ view: FrozenView, _ model: CrashModel) -> String? {
    let table = Ref<Untyped>(unit: view.root(2))
    if Int(view.root(1)) != model.batches { return "view: \(view.root(1)) batches" }
    for key in 0..<keys {
      // SAFETY: the table has room for every key.
      let ref = unsafe Ref<Untyped>(
        unit: view.reader.load(table, at: key * 8, as: UInt64.self))
      if let found = problem(ref, key, model.values[key], view.reader) {
        return "view: key \(key) \(found)"
      }
    }
    return nil
  }

  // MARK: Batches as bytes

  static func encode(_ number: Int, _ operations: [CrashOperation]) -> [UInt8] {
    var words = [UInt64(number), UInt64(operations.count)]
    for operation in operations {
      words += [operation.kind.rawValue, UInt64(operation.key), UInt64(operation.argument)]
    }
    words += (0..<100 + number * 37 % 100).map { UInt64(number + $0) }
    return unsafe words.withUnsafeBytes { unsafe Array($0) }
  }

  static func decode(_ bytes: borrowing Span<UInt8>) -> (number: Int, [CrashOperation])? {
    guard bytes.count >= 16, bytes.count % 8 == 0 else { return nil }
    let words = (0..<bytes.count / 8).map { bytes.word(at: $0 * 8) }
    guard words.count >= 2 + 3 * Int(words[1]) else { return nil }
    var operations: [CrashOperation] = []
    for index in stride(from: 2, to: 2 + 3 * Int(words[1]), by: 3) {
      guard let kind = CrashOperation.Kind(rawValue: words[index]), words[index + 1] < keys else {
        return nil
      }
      operations.append(
        CrashOperation(kind: kind, key: Int(words[index + 1]), argument: Int(words[index + 2])))
    }
    return (Int(words[0]), operations)
  }
}
