// Setting, changing, moving and removing keys. None of these append effects: commands do.
//
// 1. Every change passes `didChange` (Keyspace+Notes) once, after it has been made; changing bytes
//    in place is the caller's to note, who knows how many changes it makes.

import Bytes
import Memory
import Structures

extension Keyspace {
  // MARK: Setting

  /// Sets `key` to a string, whatever it held.
  /// - Parameter found: what `find` just returned for this key.
  public mutating func set(
    _ key: borrowing Span<UInt8>, found: Key?, value: borrowing Span<UInt8>,
    deadline: Deadline = .none
  ) throws(CommandError) {
    let hash = found?.hash ?? hash(key)
    guard let found else {
      try insertNew(key, hash, value: value, expiry: deadline.milliseconds)
      return
    }
    let old = arena.facts(found.entry)
    let header = old.header
    let oldExpiry = old.expiry
    let expiry = deadline == .keep ? oldExpiry : deadline.milliseconds
    let filed = try file(hash, expiry, was: oldExpiry, header, database: found.database)
    countExpiring(found.database, from: oldExpiry, to: expiry)
    let hadTimedFields = arena.reader.fieldsDeadline(found.entry) != nil
    let isPlain = !header.flags.contains(.external) && !header.form.hasRoot
    if isPlain && value.count <= Entry.inlineLimit {
      let layout = Entry.Layout(
        keyCount: key.count, hasExpiry: expiry != nil, valueCount: value.count)
      if arena.roundedBytes(layout.totalBytes) == arena.roundedBytes(old.ownBytes) {
        arena.fill(
          found.entry, layout, key: key, value: value, expiry: expiry, access: header.access)
        setFiled(found.entry, filed)
        if hadTimedFields { countTimed(found.database, -1) }
        return didChange(found)
      }
    }
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.makeEntry(key: key, value: value, expiry: expiry, access: header.access)
    } catch {
      countExpiring(found.database, from: expiry, to: oldExpiry)
      throw .outOfMemory
    }
    setFiled(new, filed)
    if hadTimedFields { countTimed(found.database, -1) }
    databases[found.database].table.replace(&arena, found.slot, new)
    countLazyFree(found.entry, .serverDelete)
    arena.discardEntry(found.entry)
    didChange(found)
  }

  /// Sets `key` to a string, whatever it held.
  @inlinable public mutating func set(
    _ key: borrowing Span<UInt8>, value: borrowing Span<UInt8>, deadline: Deadline = .none
  ) throws(CommandError) {
    try set(key, found: find(key, .write), value: value, deadline: deadline)
  }

  /// Sets `key` to the blob that `place` made. The keyspace owns it as soon as `hasTakenPlace` says
  /// so, which can be before an error is thrown.
  public mutating func set(
    _ key: borrowing Span<UInt8>, found: Key?, place: UInt64, count: Int,
    deadline: Deadline = .none
  ) throws(CommandError) {
    let kept = found.flatMap { deadline == .keep ? arena.facts($0.entry).expiry : nil }
    let access = found.map { arena.facts($0.entry).header.access } ?? initialAccess
    let blob = Ref<Blob>(unit: place)
    let expiry = kept ?? deadline.milliseconds
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.makeEntry(
        key: key, blob: blob, valueCount: count, expiry: expiry, access: access)
    } catch {
      throw .outOfMemory
    }
    // From here on the blob goes with its entry, which `put` frees when it fails.
    hasTakenPlace = true
    try put(new, found?.hash ?? hash(key), expiry: expiry, database: selected)
  }

  /// Room for a string of `count` bytes, more than `Entry.inlineLimit`, to be filled and then
  /// given to `set`, or back to `discard`.
  public mutating func makePlace(
    _ count: Int
  ) throws(CommandError) -> (token: UInt64, destination: Destination) {
    precondition(count > Entry.inlineLimit)
    do throws(ArenaFull) {
      let blob = try arena.allocate(count, as: Blob.self)
      return (blob.unit, arena.destination(blob, count: count))
    } catch {
      throw .outOfMemory
    }
  }

  /// Marks the place's pages as written again: after a flip, while it is still being filled.
  // cold: after a checkpoint has begun
  public mutating func renew(place: UInt64, count: Int) {
    _ = arena.destination(Ref<Blob>(unit: place), count: count)
  }

  public mutating func discard(place: UInt64) {
    arena.free(Ref<Blob>(unit: place))
  }

  private mutating func insertNew(
    _ key: borrowing Span<UInt8>, _ hash: UInt64, value: borrowing Span<UInt8>, expiry: Int?,
    changes: Int = 1
  ) throws(CommandError) {
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.makeEntry(key: key, value: value, expiry: expiry, access: initialAccess)
    } catch {
      throw .outOfMemory
    }
    try link(new, hash, expiry: expiry, database: selected, changes: changes)
  }

  /// Enters a new entry into a database's table and, with a deadline of its own or of a field, its
  /// wheel. Frees it when there is no memory.
  mutating func link(
    _ entry: Ref<Entry>, _ hash: UInt64, expiry: Int?, database: Int, changes: Int = 1
  ) throws(CommandError) {
    do throws(ArenaFull) {
      try tryLink(entry, hash, expiry: expiry, database: database, changes: changes)
    } catch {
      arena.discardEntry(entry)
      throw .outOfMemory
    }
  }

  private mutating func tryLink(
    _ entry: Ref<Entry>, _ hash: UInt64, expiry: Int?, database: Int, changes: Int = 1
  ) throws(ArenaFull) {
    if databases[database].isEmpty { try makeTable(database) }
    let fields = arena.reader.fieldsDeadline(entry)
    if let next = earlier(expiry, fields) {
      setFiled(entry, try file(hash, next, database: database))
    }
    try databases[database].table.insert(&arena, hash, entry)
    countExpiring(database, from: nil, to: expiry)
    if fields != nil { countTimed(database, 1) }
    didChange(hash, database: database, count: changes)
  }

  /// As `link`, over whatever has the entry's key, which stays when there is no memory.
  mutating func put(
    _ entry: Ref<Entry>, _ hash: UInt64, expiry: Int?, database: Int
  ) throws(CommandError) {
    do throws(ArenaFull) {
      try tryPut(entry, hash, expiry: expiry, database: database)
    } catch {
      arena.discardEntry(entry)
      throw .outOfMemory
    }
  }

  private mutating func tryPut(
    _ entry: Ref<Entry>, _ hash: UInt64, expiry: Int?, database: Int
  ) throws(ArenaFull) {
    let table = databases[database].table
    guard !table.root.isNull, let slot = table.slot(arena.reader, hash, of: entry) else {
      return try tryLink(entry, hash, expiry: expiry, database: database)
    }
    let fields = arena.reader.fieldsDeadline(entry)
    if let next = earlier(expiry, fields) {
      setFiled(entry, try file(hash, next, database: database))
    }
    countExpiring(database, from: arena.facts(slot.entry).expiry, to: expiry)
    let hadTimedFields = arena.reader.fieldsDeadline(slot.entry) != nil
    countTimed(database, (fields == nil ? 0 : 1) - (hadTimedFields ? 1 : 0))
    table.replace(&arena, slot, entry)
    countLazyFree(slot.entry, .serverDelete)
    arena.discardEntry(slot.entry)
    didChange(hash, database: database)
  }

  // MARK: Changing strings in place

  /// Gives the string at `key` the length `count`, making the key if there is none. Bytes that it
  /// did not have are zero; a deadline stays. The string's encoding becomes "raw". The caller
  /// follows with `didChange`.
  /// - Returns: the key as it is now.
  public mutating func resizeString(
    _ key: borrowing Span<UInt8>, found: Key?, count: Int
  ) throws(CommandError) -> Key {
    guard let found else {
      let empty = Span<UInt8>()
      try insertNew(key, hash(key), value: empty, expiry: nil, changes: 0)
      guard let made = find(key, .peek) else { preconditionFailure("a new key is not there") }
      do throws(CommandError) {
        return try resizeString(key, found: made, count: count)
      } catch {
        remove(made, changes: 0)
        throw error
      }
    }
    if arena.resize(found.entry, valueCount: count) {
      markModified(found.entry)
      return found
    }
    let expiry = arena.facts(found.entry).expiry
    let isGrowing = arena.facts(found.entry).valueCount > 0
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.reshape(
        found.entry, expiry: expiry, valueCount: count, slack: isGrowing)
    } catch {
      throw .outOfMemory
    }
    databases[found.database].table.replace(&arena, found.slot, new)
    markModified(new)
    return Key(hash: found.hash, slot: found.slot.with(new), database: found.database)
  }

  /// Bytes `range` of the string that was found, to be changed in place. The caller follows with
  /// `didChange`.
  @_lifetime(&self)
  public mutating func mutableString(_ key: Key, _ range: Range<Int>) -> MutableSpan<UInt8> {
    arena.mutableValue(key.entry, range)
  }

  /// Whether a string was changed in place since it was set: OBJECT ENCODING says "raw" then.
  public func isModified(_ key: Key) -> Bool {
    arena.facts(key.entry).header.flags.contains(.modified)
  }

  /// Whether a number was set as text: OBJECT ENCODING never says "int" then.
  public func isText(_ key: Key) -> Bool {
    arena.facts(key.entry).header.flags.contains(.text)
  }

  public mutating func markText(_ key: borrowing Span<UInt8>) {
    guard let found = find(key, .peek) else { return }
    arena.setFlags(found.entry, arena.facts(found.entry).header.flags.union(.text))
  }

  public mutating func markModified(_ key: Key) {
    markModified(key.entry)
  }

  private mutating func markModified(_ entry: Ref<Entry>) {
    let flags = arena.facts(entry).header.flags
    if !flags.contains(.modified) { arena.setFlags(entry, flags.union(.modified)) }
  }

  // MARK: Removing

  /// Removes a key that was found.
  /// - Parameters:
  ///   - changes: what it counts for: nothing when the command has counted already, or when no
  ///     command asked for it.
  ///   - reason: why the value goes, for INFO.
  public mutating func remove(_ key: Key, changes: Int = 1, _ reason: LazyFree = .serverDelete) {
    unlink(key, changes: changes)
    countLazyFree(key.entry, reason)
    arena.discardEntry(key.entry)
  }

  private mutating func unlink(_ key: Key, changes: Int) {
    countExpiring(key.database, from: arena.facts(key.entry).expiry, to: nil)
    if arena.reader.fieldsDeadline(key.entry) != nil { countTimed(key.database, -1) }
    databases[key.database].table.remove(&arena, key.slot)
    if databases[key.database].table.count(arena.reader) == 0 { forgetWheels(key.database) }
    didChange(key, count: changes)
  }

  /// Removes a key of the selected database.
  /// - Returns: whether there was one.
  public mutating func remove(
    _ key: borrowing Span<UInt8>, _ reason: LazyFree = .serverDelete
  ) -> Bool {
    guard let found = find(key, .peek) else { return false }
    remove(found, reason)
    return true
  }

  // MARK: Renaming, copying

  /// Gives the key that was found another name, over whatever had it. Takes the same time whatever
  /// the value's length.
  public mutating func rename(
    _ found: Key, to name: borrowing Span<UInt8>
  ) throws(CommandError) {
    if arena.hasKey(found.entry, name) { return }
    let old = found.entry
    let facts = arena.facts(old)
    do throws(ArenaFull) {
      let new = try arena.copyEntry(
        old, key: name, access: facts.header.access, sharesBlob: true)
      do throws(ArenaFull) {
        try tryPut(new, hash(name), expiry: facts.expiry, database: found.database)
      } catch {
        arena.free(new)
        throw error
      }
    } catch {
      throw .outOfMemory
    }
    // The table may have changed: find the old name's place again.
    let table = databases[found.database].table
    guard let slot = table.slot(arena.reader, found.hash, of: old) else {
      preconditionFailure("a key that was found is gone")
    }
    // One change with the new name's.
    unlink(Key(hash: found.hash, slot: slot, database: found.database), changes: 0)
    // The entry alone: the blob is the new one's.
    arena.free(old)
  }

  /// Moves the key that was found to another database, over whatever is there. Takes the same time
  /// whatever the value's length; counts one change.
  public mutating func move(
    _ found: Key, to database: Int
  ) throws(CommandError) {
    let old = found.entry
    let facts = arena.facts(old)
    do throws(ArenaFull) {
      var key = ByteBuffer()
      key.append(arena.reader.entry(old).key)
      let new = try arena.copyEntry(
        old, key: key.span, access: facts.header.access, sharesBlob: true)
      do throws(ArenaFull) {
        try tryPut(new, found.hash, expiry: facts.expiry, database: database)
      } catch {
        arena.free(new)
        throw error
      }
    } catch {
      throw .outOfMemory
    }
    unlink(found, changes: 0)
    // The entry alone: what it names is the new one's.
    arena.free(old)
  }

  /// Copies value and deadline to `name` in `database`, over whatever is there.
  public mutating func copy(
    _ found: Key, to name: borrowing Span<UInt8>, database: Int
  ) throws(CommandError) {
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.copyEntry(found.entry, key: name, access: initialAccess)
      if arena.reader.entry(new).header.form.hasRoot {
        do throws(ArenaFull) {
          try arena.cloneStructures(of: found.entry, into: new, hash)
        } catch {
          // The entry alone: what it names is the old one's.
          arena.free(new)
          throw error
        }
      }
    } catch {
      throw .outOfMemory
    }
    try put(new, hash(name), expiry: arena.facts(new).expiry, database: database)
  }

  /// Whether `name` exists in `database`; an expired key there does not.
  public mutating func exists(_ name: borrowing Span<UInt8>, database: Int) -> Bool {
    let before = selected
    select(database)
    let found = find(name, .peek)
    select(before)
    return found != nil
  }
}

extension Deadline {
  /// Milliseconds since 1970, for a deadline that is given.
  var milliseconds: Int? {
    if case .at(let milliseconds) = self { return milliseconds }
    return nil
  }
}
