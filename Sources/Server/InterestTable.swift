// InterestTable: which clients care about which keys, in the order in which they came. One table
// serves WATCH, another the blocked clients.
//
//   buckets  | 4 | - | 9 | ... |           hash and database ──► the first key of the bucket
//   keys       4: | hash | database | next in bucket | first ─┐        last ──┐ |
//   interests     | client 7 | next of key ───────────────► | client 2 | ... -1 |
//   clients    7: its first interest, from which all others of the client are found
//
// 1. A key stands for all keys with its hash in its database (ChangeNote's invariant 2).
// 2. A client cares about a key at most once. `add` looks only at the key's last interest: who adds
//    a client's keys at several times asks `contains` before.
// 3. A key that nobody cares about costs a look into its bucket, however many clients care about
//    others; there are four buckets for a key at least, so that most are empty.
// 4. Interests and keys keep their numbers while they live; -1 is none.

import Bytes

struct InterestTable: ~Copyable {
  /// What the table's user remembers with an interest.
  struct Mark: BitwiseCopyable {
    /// Where the key's bytes are, in a buffer of the user's.
    var offset: Int
    var count: Int
    var flags: UInt8 = 0

    var range: Range<Int> { offset..<(offset + count) }
  }

  struct Interest: BitwiseCopyable {
    var client: Int32
    var key: Int32
    var nextOfKey: Int32 = -1
    var previousOfKey: Int32 = -1
    var nextOfClient: Int32 = -1
    var mark: Mark
  }

  struct KeyRecord: BitwiseCopyable {
    var hash: UInt64
    var database: Int32
    var nextInBucket: Int32 = -1
    var first: Int32 = -1
    var last: Int32 = -1
    /// Interests whose marks have flags.
    var flagged: Int32 = 0
    /// Whether somebody has it on his list of keys to look at.
    var isListed = false
  }

  private var buckets = GrowableArray<Int32>()
  /// A key without interests is free, and `first` is the next free one.
  private(set) var keys = GrowableArray<KeyRecord>()
  private var interests = GrowableArray<Interest>()
  /// By client.
  private var heads = GrowableArray<Int32>()
  private var freeKey: Int32 = -1
  private var freeInterest: Int32 = -1
  /// Keys that somebody cares about.
  private(set) var keyCount = 0
  /// Interests in them.
  private(set) var count = 0

  init() {}

  var isEmpty: Bool { count == 0 }

  /// Whether key `index` of `keys` is one that somebody cares about.
  func isUsed(_ index: Int) -> Bool { keys[index].last >= 0 }

  subscript(_ interest: Int32) -> Interest { interests[Int(interest)] }

  mutating func mark(_ interest: Int32, flags: UInt8) {
    let key = Int(interests[Int(interest)].key)
    keys[key].flagged -= interests[Int(interest)].mark.flags != 0 ? 1 : 0
    keys[key].flagged += flags != 0 ? 1 : 0
    interests[Int(interest)].mark.flags = flags
  }

  mutating func list(_ key: Int32, _ isListed: Bool) { keys[Int(key)].isListed = isListed }

  /// Keys one of whose interests has flags.
  var flaggedKeyCount: Int {
    var count = 0
    for index in 0..<keys.count where isUsed(index) && keys[index].flagged > 0 { count += 1 }
    return count
  }

  // MARK: Finding

  func find(_ hash: UInt64, _ database: Int32) -> Int32 {
    if count == 0 { return -1 }
    var key = buckets[bucket(hash, database)]
    while key >= 0 {
      let record = keys[Int(key)]
      if record.hash == hash && record.database == database { return key }
      key = record.nextInBucket
    }
    return -1
  }

  /// The client's latest interest; `nextOfClient` goes on from there.
  func first(of client: Int) -> Int32 { client < heads.count ? heads[client] : -1 }

  func contains(_ client: Int, _ hash: UInt64, _ database: Int32) -> Bool {
    var interest = first(of: client)
    while interest >= 0 {
      let record = keys[Int(interests[Int(interest)].key)]
      if record.hash == hash && record.database == database { return true }
      interest = interests[Int(interest)].nextOfClient
    }
    return false
  }

  private func bucket(_ hash: UInt64, _ database: Int32) -> Int {
    let mixed = (hash ^ UInt64(UInt32(bitPattern: database))) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 32) & (buckets.count - 1)
  }

  // MARK: Adding

  /// Adds the client behind all others that care about the key.
  mutating func add(_ client: Int, _ hash: UInt64, _ database: Int32, _ mark: Mark) {
    let key = makeKey(hash, database)
    let last = keys[Int(key)].last
    if last >= 0 && interests[Int(last)].client == client { return }
    while heads.count <= client { heads.append(-1) }
    var interest = Interest(client: Int32(truncatingIfNeeded: client), key: key, mark: mark)
    interest.previousOfKey = last
    interest.nextOfClient = heads[client]
    let index = store(interest)
    heads[client] = index
    if last >= 0 { interests[Int(last)].nextOfKey = index } else { keys[Int(key)].first = index }
    keys[Int(key)].last = index
    keys[Int(key)].flagged += mark.flags != 0 ? 1 : 0
    count += 1
  }

  private mutating func store(_ interest: Interest) -> Int32 {
    let index = freeInterest
    guard index >= 0 else {
      interests.append(interest)
      return Int32(interests.count - 1)
    }
    freeInterest = interests[Int(index)].nextOfKey
    interests[Int(index)] = interest
    return index
  }

  private mutating func makeKey(_ hash: UInt64, _ database: Int32) -> Int32 {
    let found = find(hash, database)
    if found >= 0 { return found }
    if keyCount * 4 >= buckets.count { grow() }
    let bucket = bucket(hash, database)
    let record = KeyRecord(hash: hash, database: database, nextInBucket: buckets[bucket])
    var index = freeKey
    if index >= 0 {
      freeKey = keys[Int(index)].first
      keys[Int(index)] = record
    } else {
      index = Int32(keys.count)
      keys.append(record)
    }
    buckets[bucket] = index
    keyCount += 1
    return index
  }

  private mutating func grow() {
    let size = max(buckets.count * 2, 64)
    buckets.removeAll(keepingCapacity: true)
    buckets.reserve(size)
    for _ in 0..<size { buckets.append(-1) }
    for index in 0..<keys.count where isUsed(index) {
      let bucket = bucket(keys[index].hash, keys[index].database)
      keys[index].nextInBucket = buckets[bucket]
      buckets[bucket] = Int32(index)
    }
  }

  // MARK: Removing

  /// Removes all that the client cares about.
  mutating func removeAll(of client: Int) {
    guard client < heads.count else { return }
    var interest = heads[client]
    heads[client] = -1
    while interest >= 0 {
      let next = interests[Int(interest)].nextOfClient
      remove(interest)
      interest = next
    }
    if count == 0 && interests.capacity > 1 << 10 { self = InterestTable() }
  }

  private mutating func remove(_ index: Int32) {
    let interest = interests[Int(index)]
    let key = Int(interest.key)
    if interest.previousOfKey >= 0 {
      interests[Int(interest.previousOfKey)].nextOfKey = interest.nextOfKey
    } else {
      keys[key].first = interest.nextOfKey
    }
    if interest.nextOfKey >= 0 {
      interests[Int(interest.nextOfKey)].previousOfKey = interest.previousOfKey
    } else {
      keys[key].last = interest.previousOfKey
    }
    keys[key].flagged -= interest.mark.flags != 0 ? 1 : 0
    interests[Int(index)].nextOfKey = freeInterest
    interests[Int(index)].client = -1
    freeInterest = index
    count -= 1
    if keys[key].last < 0 { removeKey(Int32(key)) }
  }

  private mutating func removeKey(_ key: Int32) {
    let record = keys[Int(key)]
    let bucket = bucket(record.hash, record.database)
    if buckets[bucket] == key {
      buckets[bucket] = record.nextInBucket
    } else {
      var other = buckets[bucket]
      while keys[Int(other)].nextInBucket != key { other = keys[Int(other)].nextInBucket }
      keys[Int(other)].nextInBucket = record.nextInBucket
    }
    keys[Int(key)].first = freeKey
    keys[Int(key)].isListed = false
    freeKey = key
    keyCount -= 1
  }

  // MARK: Checking

  func checkInvariants() {
    var usedKeys = 0
    var sum = 0
    for index in 0..<keys.count where isUsed(index) {
      usedKeys += 1
      precondition(
        find(keys[index].hash, keys[index].database) == Int32(index), "a key is not found")
      var previous: Int32 = -1
      var flagged: Int32 = 0
      var interest = keys[index].first
      while interest >= 0 {
        let value = interests[Int(interest)]
        precondition(value.key == Int32(index) && value.previousOfKey == previous, "a broken chain")
        precondition(value.client >= 0, "a free interest is linked")
        sum += 1
        flagged += value.mark.flags != 0 ? 1 : 0
        previous = interest
        interest = value.nextOfKey
      }
      precondition(keys[index].last == previous, "a chain's end")
      precondition(keys[index].flagged == flagged, "a count of flags")
    }
    precondition(usedKeys == keyCount && sum == count, "counts")
    precondition(keyCount * 4 <= buckets.count + 4, "3: too few buckets")
    var ofClients = 0
    for client in 0..<heads.count {
      var interest = heads[client]
      while interest >= 0 {
        precondition(interests[Int(interest)].client == Int32(client), "another client's interest")
        ofClients += 1
        interest = interests[Int(interest)].nextOfClient
      }
    }
    precondition(ofClients == count, "an interest without its client")
  }
}
