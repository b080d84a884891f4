// Deadlines of fields, as commands and expiry see them. How they are kept: FieldDeadlines.
//
//   HEXPIRE ──► setFieldDeadline ──► the hash ──► refileFields ──► the database's wheel
//   a command that names a field ──► expireField   ┐
//   the wheel, in slices         ──► expireFields  ┴──► HDEL in the effects
//
// 1. A field past its deadline is not seen. It stays, and counts for HLEN, until a command names it
//    or its hash's turn in the wheel comes: so no command has to remove many at once.
// 2. A hash that has lost its last field to a deadline goes, too; its effect is the HDEL.

import Bytes
import Memory
import Structures

/// A hash that has more fields to expire: where to look for it.
struct OverdueHash: BitwiseCopyable {
  let record: ExpiryWheel.Record
  let database: Int
}

extension Keyspace {
  // MARK: Commands

  /// The deadline of a field: nil without such a field, `.some(nil)` for a field without.
  public func fieldDeadline(_ field: borrowing Span<UInt8>, of key: Key) -> Int?? {
    let deadline = arena.reader.deadline(key.entry, of: field, hash)
    if case .some(.some(let time)) = deadline, isDue(time) { return nil }
    return deadline
  }

  /// The deadline of the field at which a walk stands.
  public func fieldDeadline(_ walk: ElementWalk) -> Int? { arena.reader.deadline(walk) }

  /// Gives a field that exists a deadline, milliseconds since 1970, or takes it away.
  public mutating func setFieldDeadline(
    _ field: borrowing Span<UInt8>, of key: inout Key, _ deadline: Int?
  ) throws(CommandError) {
    let before = arena.reader.fieldsDeadline(key.entry)
    var entry = key.entry
    defer {
      adopt(&key, entry)
      refileFields(key, before)
    }
    do throws(ArenaFull) {
      try HashValue.setDeadline(&arena, &entry, field, deadline.map { max($0, 1) }, hash)
    } catch {
      throw .outOfMemory
    }
  }

  /// Whether the field that a scan found is past its deadline.
  public func isDue(_ field: Ref<Entry>) -> Bool {
    guard let deadline = arena.reader.entry(field).expiry else { return false }
    return isDue(deadline)
  }

  /// Whether any field of a hash is past its deadline.
  public func hasDueFields(_ key: Key) -> Bool {
    guard let earliest = arena.reader.fieldsDeadline(key.entry) else { return false }
    return isDue(earliest)
  }

  /// Removes a field if it is past its deadline, and says so in the effects. The caller follows
  /// with `removeIfEmpty`.
  public mutating func expireField(_ field: borrowing Span<UInt8>, of key: inout Key) {
    guard case .some(.some(let deadline)) = arena.reader.deadline(key.entry, of: field, hash),
      isDue(deadline)
    else { return }
    effects.begin(3, database: key.database)
    effects.word("HDEL")
    appendName(of: key)
    effects.word(field)
    let isRemoved = removeField(field, of: &key)
    precondition(isRemoved, "a field that was found is gone")
    statistics.expiredFields &+= 1
    didChange(key, count: 0)
  }

  /// Removes all fields that are past their deadlines, and the hash if none is left; during a pause
  /// they stay, unseen.
  /// - Returns: whether there is no field to be seen.
  public mutating func expireAllFields(_ key: inout Key) -> Bool {
    guard hasDueFields(key) else { return false }
    if keepsDueKeys { return liveElementCount(key) == 0 }
    _ = expireFields(&key, limit: .max, files: true)
    return removeIfEmpty(key)
  }

  // MARK: The wheel

  /// Tells count and wheel what the earliest deadline of a hash's fields has become.
  mutating func refileFields(_ key: Key, _ before: Int?) {
    let facts = arena.facts(key.entry)
    let now = arena.reader.fieldsDeadline(key.entry)
    if now == before { return }
    countTimed(key.database, (now == nil ? 0 : 1) - (before == nil ? 0 : 1))
    let next = earlier(facts.expiry, now)
    // Without memory for the record the fields remain until a command names them.
    let filed = try? file(
      key.hash, next, was: earlier(facts.expiry, before), facts.header, database: key.database)
    setFiled(key.entry, filed ?? [])
  }

  /// Removes up to `limit` fields that are past their deadlines. The hash may be empty then.
  /// - Parameter files: whether to file the hash again; the wheel does that by itself.
  /// - Returns: how many.
  mutating func expireFields(_ key: inout Key, limit: Int, files: Bool) -> Int {
    guard hasDueFields(key) else { return 0 }
    let before = arena.reader.fieldsDeadline(key.entry)
    var names = ElementList()
    var total = 0
    while total < limit {
      names.removeAll()
      var entry = key.entry
      let count = HashValue.removeDue(
        &arena, &entry, now: now, limit: min(limit - total, Self.namesPerEffect), hash, into: &names
      )
      adopt(&key, entry)
      if count == 0 { break }
      total += count
      effects.begin(2 + count, database: key.database)
      effects.word("HDEL")
      appendName(of: key)
      for index in 0..<count { effects.word(names.element(index)) }
    }
    guard total > 0 else { return 0 }
    statistics.expiredFields &+= total
    if files {
      refileFields(key, before)
    } else if arena.reader.fieldsDeadline(key.entry) == nil {
      countTimed(key.database, -1)
    }
    didChange(key, count: 0)
    return total
  }

  private static var namesPerEffect: Int { 64 }

  private mutating func appendName(of key: Key) {
    Self.appendName(of: key, arena, &effects)
  }

  private static func appendName(
    of key: Key, _ arena: borrowing Arena, _ effects: inout EffectStream
  ) {
    effects.word(arena.reader.entry(key.entry).key)
  }
}
