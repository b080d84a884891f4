// Keyspace+Propagate: what handlers append to the effects.
//
// 1. Where the client's own bytes already are the effect, they are copied. An inline request, or
//    one with an argument in its final place, has no such bytes and is encoded word by word.
// 2. A handler appends after it has changed the keyspace, so that a change which failed for want of
//    memory has no effect; and only when it has changed something.

import Keyspace
import RESP

extension Keyspace {
  /// The request is its own effect.
  @inlinable mutating func propagate(_ args: borrowing Arguments) {
    let database = selected
    guard args.request.isEmpty else {
      effects.append(request: args.request, database: database)
      return
    }
    propagate(args, words: args.count)
  }

  /// The request's first words are the effect.
  @usableFromInline mutating func propagate(_ args: borrowing Arguments, words: Int) {
    effects.begin(words, database: selected)
    for index in 0..<words { effects.word(args[index]) }
  }

  mutating func propagateDeletion(_ key: borrowing Span<UInt8>) {
    effects.begin(2, database: selected)
    effects.word("DEL")
    effects.word(key)
  }

  /// A string that was set, with the deadline it got.
  mutating func propagateSet(
    _ key: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>, _ deadline: Deadline = .none
  ) {
    switch deadline {
    case .none: effects.begin(3, database: selected)
    case .keep: effects.begin(4, database: selected)
    case .at: effects.begin(5, database: selected)
    }
    effects.word("SET")
    effects.word(key)
    effects.word(value)
    switch deadline {
    case .none: break
    case .keep: effects.word("KEEPTTL")
    case .at(let milliseconds):
      effects.word("PXAT")
      effects.word(decimal: milliseconds)
    }
  }
}
