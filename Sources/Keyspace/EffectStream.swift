// EffectStream: what every write command did, as deterministic RESP commands, in order.
//
//   | SELECT 0 | SET k v | MULTI | DEL a | SET b v | EXEC | ...
//              ^ group    ^ group
//
// 1. Replaying the stream into an empty keyspace gives an identical one: no effect depends on
//    time, chance or the state of a clock.
// 2. A group is what one command did. A group of several effects is wrapped in MULTI and EXEC:
//    it is atomic for whoever consumes it.
// 3. `offset` counts every byte ever appended; `bytes` holds those that were not yet consumed.
// 4. While nobody would consume it (`isRecorded` is false) nothing is appended: copying the effects
//    of large values took a fifth of a 16 KiB SET's time.
// 5. A record stands alone: after `endRecord` the next effect names its database again.

import Bytes

public struct EffectStream: ~Copyable {
  public private(set) var bytes = ByteBuffer()
  /// Bytes appended since the stream began.
  public private(set) var offset = 0
  /// Whether effects are collected (invariant 4). To be changed between groups only.
  public var isRecorded = true {
    didSet {
      precondition(groupEffects == 0)
      // The next effect names its database.
      database = -1
    }
  }
  private var database = -1
  private var groupStart = 0
  private var groupEffects = 0
  private var firstEffect = 0
  private var isWrapped = false
  /// Words still owed to the effect that `begin` opened; checked when a group closes.
  @usableFromInline var owedWords = 0

  public init() {}

  /// Opens an effect of `words` words on `database`; exactly that many `word` calls follow.
  public mutating func begin(_ words: Int, database: Int) {
    prepare(database)
    owedWords = words
    guard isRecorded else { return }
    bytes.append(0x2A)
    bytes.append(decimal: words)
    bytes.append("\r\n")
  }

  public mutating func word(_ word: borrowing Span<UInt8>) {
    owedWords -= 1
    guard isRecorded else { return }
    // For header and line end, too: growing once more for these would copy a large value again.
    bytes.reserve(word.count + 32)
    bytes.append(0x24)
    bytes.append(decimal: word.count)
    bytes.append("\r\n")
    bytes.append(word)
    bytes.append("\r\n")
  }

  public mutating func word(_ word: StaticString) {
    owedWords -= 1
    guard isRecorded else { return }
    bytes.append(0x24)
    bytes.append(decimal: word.utf8CodeUnitCount)
    bytes.append("\r\n")
    bytes.append(word)
    bytes.append("\r\n")
  }

  public mutating func word(decimal value: Int) {
    owedWords -= 1
    guard isRecorded else { return }
    bytes.append(0x24)
    bytes.append(decimal: decimalCount(value))
    bytes.append("\r\n")
    bytes.append(decimal: value)
    bytes.append("\r\n")
  }

  /// An effect that the client's own request is already: its bytes are copied, not re-encoded.
  public mutating func append(request: borrowing Span<UInt8>, database: Int) {
    prepare(database)
    if isRecorded { bytes.append(request) }
  }

  /// Ends a command's group. The next effect starts another.
  @inlinable public mutating func endGroup() {
    if hasGroup { closeGroup() }
  }

  /// Whether the command that is being executed has had an effect so far.
  public var hasGroup: Bool { groupEffects > 0 }

  /// As `consume`, where what was taken is a record that may be the first one that is replayed
  /// (invariant 5).
  public mutating func endRecord() {
    consume()
    database = -1
  }

  /// Forgets what a consumer has taken. Between groups only.
  public mutating func consume() {
    precondition(groupEffects == 0)
    bytes.removeAll()
    groupStart = 0
    if bytes.capacity > 1 << 20 { bytes.release() }
  }

  @usableFromInline mutating func closeGroup() {
    assert(owedWords == 0, "an effect has fewer words than it announced")
    if isWrapped { bytes.append("*1\r\n$4\r\nEXEC\r\n") }
    offset += bytes.count - groupStart
    groupStart = bytes.count
    groupEffects = 0
    isWrapped = false
  }

  private mutating func prepare(_ database: Int) {
    assert(owedWords == 0, "an effect has fewer words than it announced")
    guard isRecorded else {
      groupEffects += 1
      return
    }
    if groupEffects == 1 && !isWrapped {
      // The group turns out to have several effects: MULTI goes before the first.
      var opening = ByteBuffer()
      opening.append("*1\r\n$5\r\nMULTI\r\n")
      bytes.insert(opening.span, at: firstEffect)
      isWrapped = true
    }
    if database != self.database {
      self.database = database
      bytes.append("*2\r\n$6\r\nSELECT\r\n$")
      bytes.append(decimal: decimalCount(database))
      bytes.append("\r\n")
      bytes.append(decimal: database)
      bytes.append("\r\n")
    }
    if groupEffects == 0 { firstEffect = bytes.count }
    groupEffects += 1
  }
}
