// Network+Held: output that may not leave yet: replies that promise what is not durable so far.
//
//   output   | may leave ........ | waits for firstMark | waits for lastMark |
//                                 `------------- heldBytes ----------------´
//
// A mark is a number that only grows; whoever sends decides what it stands for. Two of them are
// enough for each connection: what is sent while the first one is awaited waits for the latest
// mark. One write to the log is under way at a time and the next takes all that has gathered, so
// that the marks that are merged here would be released together anyway.
//
// 1. Order holds: bytes behind held ones are held, whatever their own mark.
// 2. Marks of a connection do not decrease from one segment to the next.
// 3. A connection with held output stands in `held` exactly once; one without may still stand there
//    until the next release.

extension Network {
  /// The next `count` bytes of the connection's output wait for `mark`.
  @inline(never) mutating func hold(_ connection: Int, _ count: Int, until mark: UInt64) {
    if connections[connection].heldBytes == 0 {
      connections[connection].firstMark = mark
      connections[connection].lastMark = mark
      connections[connection].firstHeldBytes = count
    } else if mark > connections[connection].firstMark {
      connections[connection].lastMark = max(mark, connections[connection].lastMark)
    } else if connections[connection].firstHeldBytes == connections[connection].heldBytes {
      connections[connection].firstHeldBytes += count
    }
    connections[connection].heldBytes += count
    guard !connections[connection].isListedAsHeld else { return }
    connections[connection].isListedAsHeld = true
    held.append(Int32(truncatingIfNeeded: connection))
  }

  /// What has been handed over since the last flush waits for `mark`.
  public mutating func holdTouched(until mark: UInt64) {
    for position in touched.indices {
      let index = Int(touched[position])
      guard connections[index].isTouched else { continue }
      if connections[index].heldBytes == 0 {
        let count = connections[index].output.count
        if count > 0 { hold(index, count, until: mark) }
      } else {
        // What is free in front of held output is older than this turn.
        connections[index].firstMark = mark
        connections[index].lastMark = mark
        connections[index].firstHeldBytes = connections[index].heldBytes
      }
    }
  }

  /// Lets go of everything that waits for `mark` or an earlier one; it leaves with the next flush.
  public mutating func release(through mark: UInt64) {
    guard mark > releasedMark else { return }
    releasedMark = mark
    var kept = 0
    for position in held.indices {
      let index = Int(held[position])
      if letGo(index, through: mark) {
        held[kept] = held[position]
        kept += 1
      } else {
        connections[index].isListedAsHeld = false
      }
    }
    held.removeLast(held.count - kept)
  }

  /// - Returns: whether there is still output that waits.
  private mutating func letGo(_ index: Int, through mark: UInt64) -> Bool {
    guard connections[index].heldBytes > 0 else { return false }
    guard connections[index].firstMark <= mark else { return true }
    if connections[index].lastMark <= mark {
      connections[index].heldBytes = 0
    } else {
      connections[index].heldBytes -= connections[index].firstHeldBytes
    }
    // What was merged waits for its latest mark.
    connections[index].firstMark = connections[index].lastMark
    connections[index].firstHeldBytes = connections[index].heldBytes
    if !connections[index].isBlocked { touch(index) }
    return connections[index].heldBytes > 0
  }
}
