// OBJECT: how values are kept, in Redis' words.
//
// 1. Asking counts as hit or miss, but not as an access to the key.

import Bytes
import Keyspace
import RESP

extension GenericHandlers {
  static func objectEncoding(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = keys.inspect(args[2]) else { return reply.null() }
    reply.bulk(keys.encodingName(found))
  }

  static func objectFreq(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = keys.inspect(args[2]) else { return reply.null() }
    guard keys.policy.usesFrequency else {
      throw .fixed(
        """
        ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
        that when switching between policies at runtime LRU and LFU data will take some time to \
        adjust.
        """)
    }
    reply.integer(keys.frequency(found))
  }

  static func objectIdletime(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = keys.inspect(args[2]) else { return reply.null() }
    guard !keys.policy.usesFrequency else {
      throw .fixed(
        """
        ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
        switching between policies at runtime LRU and LFU data will take some time to adjust.
        """)
    }
    reply.integer(keys.idleSeconds(found))
  }

  static func objectRefcount(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = keys.inspect(args[2]) else { return reply.null() }
    // Small numbers are one object in Redis, whose count stands at its greatest.
    let isShared = keys.integer(found).map { 0..<10_000 ~= $0 } ?? false
    reply.integer(isShared ? Int(Int32.max) : 1)
  }
}
