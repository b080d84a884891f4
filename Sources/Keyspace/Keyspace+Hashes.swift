// Hashes as commands see them. What they are made of: HashValue.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// As `find`, for a command on hashes.
  public mutating func findHash(
    _ key: borrowing Span<UInt8>, _ lookup: Lookup = .write
  ) throws(CommandError) -> Key? {
    try findCollection(key, .hash, lookup)
  }

  /// The hash that was found, or a new, empty one.
  public mutating func openHash(
    _ key: borrowing Span<UInt8>, found: Key?
  ) throws(CommandError) -> Key {
    if let found { return found }
    return try makeCollection(key, HashValue.listpackForm, value: Listpack.empty.span)
  }

  /// Prepares a hash for what is to be stored, as Redis does before HSET.
  public mutating func prepareHash(
    _ key: inout Key, for batch: FieldBatch
  ) throws(CommandError) {
    var entry = key.entry
    defer { adopt(&key, entry) }
    do throws(ArenaFull) {
      try HashValue.prepare(&arena, &entry, for: batch, limits, hash)
    } catch {
      throw .outOfMemory
    }
  }

  /// Gives a field a value.
  /// - Parameter keepsDeadline: whether a deadline of the field stays.
  /// - Returns: whether the field is new.
  public mutating func setField(
    _ field: borrowing Span<UInt8>, of key: inout Key, to value: borrowing Span<UInt8>,
    keepsDeadline: Bool = false
  ) throws(CommandError) -> Bool {
    let before = arena.reader.fieldsDeadline(key.entry)
    var entry = key.entry
    defer {
      adopt(&key, entry)
      if before != nil { refileFields(key, before) }
    }
    do throws(ArenaFull) {
      return try HashValue.set(
        &arena, &entry, field, value, keepsDeadline: keepsDeadline, limits, hash)
    } catch {
      throw .outOfMemory
    }
  }

  /// Removes a field.
  /// - Returns: whether it was there.
  public mutating func removeField(
    _ field: borrowing Span<UInt8>, of key: inout Key
  ) -> Bool {
    let before = arena.reader.fieldsDeadline(key.entry)
    var entry = key.entry
    let isRemoved = HashValue.remove(&arena, &entry, field, hash)
    adopt(&key, entry)
    if before != nil { refileFields(key, before) }
    return isRemoved
  }

  /// The value of a field, unless it is past its deadline.
  @_lifetime(borrow self)
  public borrowing func field(_ field: borrowing Span<UInt8>, of key: Key) -> Element? {
    arena.reader.fieldValue(key.entry, field, hash, now: now)
  }
}
