// Random workloads of hashes and sets, on both sides of every limit, against dictionaries. Fields
// have deadlines; those that are past are not seen, and gone after expiry has run.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

@Suite struct CollectionModelTests {
  enum Model: Equatable {
    case string([UInt8])
    case hash([[UInt8]: Field])
    case set(Set<[UInt8]>)
  }

  struct Field: Equatable {
    var value: [UInt8]
    var deadline: Int?
  }

  struct World: ~Copyable {
    var keys: Keyspace
    var model: [[[UInt8]: Model]]
    var random: Seeded
    let startBytes: Int
    let isGuarded: Bool

    init(seed: Int, guarded: Bool) throws {
      let keys = try makeKeyspace(seed: seed, guarded: guarded)
      self.init(keys, seed, guarded)
    }

    private init(_ keys: consuming Keyspace, _ seed: Int, _ guarded: Bool) {
      startBytes = keys.usedBytes
      model = .init(repeating: [:], count: keys.databaseCount)
      self.keys = keys
      random = Seeded(seed &+ 77)
      isGuarded = guarded
      self.keys.limits.hashListpackEntries = 12
      self.keys.limits.setIntsetEntries = 20
      self.keys.limits.setListpackEntries = 10
    }

    mutating func someKey() -> [UInt8] { Array("key:\(random.below(6))".utf8) }

    /// Integers of every width, short and long texts.
    mutating func someText(_ range: Int) -> [UInt8] {
      switch random.below(12) {
      case 0..<5: return Array("\(random.below(range))".utf8)
      case 5:
        let integers = [-1, 127, 128, 4096, -4097, 40_000, 1 << 30, 1 << 40]
        return Array("\(integers[random.below(integers.count)])".utf8)
      case 6:
        return [UInt8](
          repeating: UInt8(random.below(3)),
          count: [64, 65, 300].randomElement(using: &random) ?? 0)
      case 7:
        return [UInt8](
          repeating: 9, count: random.below(3) == 0 ? 3000 + random.below(3) : random.below(4))
      default: return Array("member-\(random.below(range))".utf8)
      }
    }

    mutating func step() throws {
      if isGuarded && random.below(4) == 0 { try keys.arena.flip() }
      let database = random.below(keys.databaseCount)
      keys.select(database)
      let key = someKey()
      switch random.below(100) {
      case 0..<30: try setFields(key, database)
      case 30..<35: try removeFields(key, database)
      case 35..<40: try timeFields(key, database)
      case 40..<42: passTime()
      case 42..<66: try addMembers(key, database)
      case 66..<78: try removeMembers(key, database)
      case 78..<82: try move(key, database)
      case 82..<88: try copy(key, database)
      case 88..<91:
        let isRemoved = keys.remove(key.span)
        let isKnown = model[database].removeValue(forKey: key) != nil
        #expect(isRemoved == isKnown)
      case 91..<93:
        let value = someText(5)
        try keys.set(key.span, value: value.span)
        model[database][key] = .string(value)
      case 93..<96: try pop(key, database)
      case 96: try store(key, database)
      case 97:
        keys.flush(database: database)
        model[database] = [:]
      case 98: _ = keys.freeGarbage(limit: 20)
      default:
        let other = random.below(keys.databaseCount)
        keys.swap(database, other)
        model.swapAt(database, other)
      }
      keys.effects.endGroup()
      keys.effects.consume()
    }

    mutating func setFields(_ key: [UInt8], _ database: Int) throws {
      var fields: [[UInt8]: Field] = [:]
      if let value = model[database][key] {
        guard case .hash(let known) = value else {
          #expect(throws: CommandError.wrongType) { _ = try keys.findHash(key.span) }
          return
        }
        fields = known
      }
      let found = try keys.findHash(key.span)
      #expect((found != nil) == (model[database][key] != nil))
      var hash = try keys.openHash(key.span, found: found)
      for _ in 0..<(1 + random.below(random.below(10) == 0 ? 40 : 3)) {
        let field = someText(20)
        let value = someText(1000)
        let keeps = random.below(2) == 0
        let isNew = try keys.setField(
          field.span, of: &hash, to: value.span, keepsDeadline: keeps)
        let deadline = keeps ? fields[field]?.deadline : nil
        let isUnknown =
          fields.updateValue(Field(value: value, deadline: deadline), forKey: field) == nil
        #expect(isNew == isUnknown)
        #expect(keys.elementCount(hash) == fields.count)
      }
      model[database][key] = .hash(fields)
    }

    mutating func removeFields(_ key: [UInt8], _ database: Int) throws {
      guard case .hash(var fields) = model[database][key], var hash = try keys.findHash(key.span)
      else { return }
      for _ in 0..<(1 + random.below(12)) {
        let field = random.below(2) == 0 ? someText(20) : fields.keys.randomElement(using: &random)
        guard let field else { break }
        let isRemoved = keys.removeField(field.span, of: &hash)
        let isKnown = fields.removeValue(forKey: field) != nil
        #expect(isRemoved == isKnown)
      }
      let isGone = keys.removeIfEmpty(hash)
      #expect(isGone == fields.isEmpty)
      model[database][key] = fields.isEmpty ? nil : .hash(fields)
    }

    /// Gives fields deadlines, and takes them away.
    mutating func timeFields(_ key: [UInt8], _ database: Int) throws {
      guard case .hash(var fields) = model[database][key], var hash = try keys.findHash(key.span)
      else { return }
      if random.below(3) == 0 {
        let own = random.below(2) == 0 ? nil : keys.now + 1_000_000 + random.below(100)
        try keys.setExpiry(hash, own)
        hash = try #require(try keys.findHash(key.span))
      }
      for _ in 0..<(1 + random.below(6)) {
        guard let field = fields.keys.randomElement(using: &random) else { break }
        let deadline = random.below(4) == 0 ? nil : keys.now + random.below(2000)
        let before = keys.fieldDeadline(field.span, of: hash)
        #expect(before == .some(fields[field]?.deadline))
        try keys.setFieldDeadline(field.span, of: &hash, deadline)
        fields[field]?.deadline = deadline
      }
      let missing = keys.fieldDeadline([1, 2, 3, 4].span, of: hash)
      #expect(missing == .none)
      model[database][key] = .hash(fields)
    }

    /// Lets time pass. First fields that are due are passed over, then they are removed.
    mutating func passTime() {
      keys.now = (keys.now + random.below(700)) & ~127
      for database in model.indices {
        keys.select(database)
        for (key, value) in model[database] {
          guard case .hash(let fields) = value else { continue }
          let left = fields.filter { $0.value.deadline.map { $0 >= keys.now } ?? true }
          let stored = keys.model(key)
          #expect(stored == .hash(left))
          if left.count < fields.count, random.below(3) == 0 { expireSome(key, fields, left) }
          model[database][key] = left.isEmpty ? nil : .hash(left)
        }
      }
      keys.expireAll(limit: 1 + random.below(20))
    }

    /// Removes due fields as commands do: those that they name, or all.
    mutating func expireSome(
      _ key: [UInt8], _ fields: [[UInt8]: Field], _ left: [[UInt8]: Field]
    ) {
      guard var hash = keys.find(key.span, .peek) else { return }
      let live = keys.liveElementCount(hash)
      let all = keys.elementCount(hash)
      let hasDue = keys.hasDueFields(hash)
      #expect(live == left.count && all == fields.count && hasDue)
      if random.below(2) == 0 {
        let isGone = keys.expireAllFields(&hash)
        #expect(isGone == left.isEmpty)
        return
      }
      for field in fields.keys {
        let value = keys.field(field.span, of: hash) == nil
        #expect(value == (left[field] == nil))
        if random.below(2) == 0 { keys.expireField(field.span, of: &hash) }
      }
      keys.removeIfEmpty(hash)
    }

    mutating func addMembers(_ key: [UInt8], _ database: Int) throws {
      var members: Set<[UInt8]> = []
      if let value = model[database][key] {
        guard case .set(let known) = value else { return }
        members = known
      }
      let onlyIntegers = random.below(2) == 0
      var set: Key
      if let found = try keys.findSet(key.span) {
        set = found
      } else {
        let first = onlyIntegers ? [0x37] : someText(20)
        set = try keys.makeSet(key.span, first: first.span, count: 1)
      }
      for _ in 0..<(1 + random.below(random.below(10) == 0 ? 30 : 4)) {
        let member = onlyIntegers ? Array("\(random.below(40) - 5)".utf8) : someText(20)
        let isNew = try keys.addMember(member.span, to: &set)
        #expect(isNew == members.insert(member).inserted)
        let isThere = keys.hasMember(member.span, set)
        #expect(isThere)
      }
      model[database][key] = .set(members)
      let isSmall = members.count <= 10 && members.allSatisfy { $0.count <= 64 }
      if keys.isPacked(set) {
        let isInteger = members.allSatisfy { $0.span.parseInteger() != nil }
        #expect(isSmall || isInteger && members.count <= 20)
      }
    }

    mutating func removeMembers(_ key: [UInt8], _ database: Int) throws {
      guard case .set(var members) = model[database][key], var set = try keys.findSet(key.span)
      else { return }
      for _ in 0..<(1 + random.below(8)) {
        let member = random.below(2) == 0 ? someText(20) : members.randomElement(using: &random)
        guard let member else { break }
        let isRemoved = keys.removeMember(member.span, of: &set)
        #expect(isRemoved == (members.remove(member) != nil))
      }
      keys.removeIfEmpty(set)
      model[database][key] = members.isEmpty ? nil : .set(members)
    }

    /// Removes members at random: one by one, or several at once from a packed set.
    mutating func pop(_ key: [UInt8], _ database: Int) throws {
      guard case .set(var members) = model[database][key], var set = try keys.findSet(key.span)
      else { return }
      let size = keys.elementCount(set)
      var chosen: [Int] = []
      var walk = keys.walk(set)
      for index in 0..<size {
        let isThere = keys.advance(&walk)
        #expect(isThere)
        guard keys.chooses(size / 2 - chosen.count, of: size - index) else { continue }
        chosen.append(index)
        var text = ByteBuffer()
        text.append(keys.element(walk))
        if keys.isPacked(set) { #expect(members.remove(bytes(text.span)) != nil) }
      }
      #expect(chosen.count == size / 2)
      if keys.isPacked(set) {
        keys.removeElements(chosen.span, of: &set)
      } else {
        for _ in chosen {
          let walk = keys.randomElement(set)
          var text = ByteBuffer()
          text.append(keys.element(walk))
          #expect(members.remove(bytes(text.span)) != nil)
          keys.removeElement(walk, of: &set)
        }
      }
      let count = keys.elementCount(set)
      #expect(count == members.count)
      model[database][key] = .set(members)
    }

    /// The union of two sets into a third key.
    mutating func store(_ key: [UInt8], _ database: Int) throws {
      let target = someKey()
      guard case .set(let members) = model[database][key] else { return }
      var draft = try keys.makeDraft(target.span)
      for member in members { try keys.addMember(member.span, to: &draft) }
      let isIntegers = members.allSatisfy { $0.span.parseInteger() != nil }
      try keys.store(draft, target.span, hasOnlyIntegers: isIntegers)
      model[database][target] = .set(members)
    }

    mutating func move(_ key: [UInt8], _ database: Int) throws {
      guard let found = keys.find(key.span, .write) else { return }
      let value = model[database].removeValue(forKey: key)
      if random.below(2) == 0 {
        let name = someKey()
        try keys.rename(found, to: name.span)
        model[database][name] = value
      } else {
        let target = (database + 1) % keys.databaseCount
        try keys.move(found, to: target)
        model[target][key] = value
      }
    }

    mutating func copy(_ key: [UInt8], _ database: Int) throws {
      guard let found = keys.find(key.span, .read) else { return }
      let name = someKey()
      let target = random.below(keys.databaseCount)
      if target == database && name == key { return }
      try keys.copy(found, to: name.span, database: target)
      model[target][name] = model[database][key]
    }

    mutating func check() {
      keys.checkInvariants()
      keys.arena.checkInvariants()
      for database in model.indices {
        keys.select(database)
        #expect(keys.count(database: database) == model[database].count)
        for (key, value) in model[database] {
          let stored = keys.model(key)
          #expect(stored == value)
        }
      }
    }
  }

  @Test(arguments: 1...8, [false, true])
  func randomWorkload(seed: Int, guarded: Bool) throws {
    var world = try World(seed: seed, guarded: guarded)
    for step in 0..<(guarded ? 1500 : 5000) {
      try world.step()
      if step < 100 || step % 50 == 0 { world.check() }
    }
    world.check()
    world.keys.flushAll()
    world.keys.freeAllGarbage()
    let left = world.keys.usedBytes - world.startBytes
    #expect(left == 0)
  }
}

extension Keyspace {
  /// What a key holds, as the model has it.
  mutating func model(_ key: [UInt8]) -> CollectionModelTests.Model? {
    guard let found = find(key.span, .peek) else { return nil }
    let type = facts(found).header.type
    if type == .string { return .string(bytes(value(found))) }
    var fields: [[UInt8]: CollectionModelTests.Field] = [:]
    var members: Set<[UInt8]> = []
    var walk = walk(found)
    while advance(&walk) {
      var text = ByteBuffer()
      text.append(element(walk))
      if type == .set {
        members.insert(bytes(text.span))
      } else {
        var value = ByteBuffer()
        value.append(fieldValue(walk))
        fields[bytes(text.span)] = CollectionModelTests.Field(
          value: bytes(value.span), deadline: fieldDeadline(walk))
      }
    }
    return type == .set ? .set(members) : .hash(fields)
  }
}
