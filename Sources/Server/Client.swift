// Client: what the server knows of a connection beyond its bytes. It stands in the slot of the
// connection's number and is made anew for each user of the slot.
//
// 1. `id` is never used twice; 0 means that the slot is free.
// 2. While `place` is set, the network reads a large argument into it; `header` holds the bytes of
//    the unfinished request that precede the argument.

import Bytes
import Platform
import RESP

struct ClientFlags: OptionSet, BitwiseCopyable {
  let rawValue: UInt16
  /// Has given the password, or none was required.
  static var authenticated: ClientFlags { ClientFlags(rawValue: 1) }
  /// Replies are switched off (CLIENT REPLY OFF).
  static var replyOff: ClientFlags { ClientFlags(rawValue: 2) }
  /// The next command's reply is dropped (CLIENT REPLY SKIP).
  static var replySkipNext: ClientFlags { ClientFlags(rawValue: 4) }
  static var replySkip: ClientFlags { ClientFlags(rawValue: 8) }
  static var noEvict: ClientFlags { ClientFlags(rawValue: 16) }
  static var noTouch: ClientFlags { ClientFlags(rawValue: 32) }
  /// Nothing more is executed; the connection closes when its output is delivered.
  static var closing: ClientFlags { ClientFlags(rawValue: 64) }
  /// The peer has sent its last byte.
  static var ended: ClientFlags { ClientFlags(rawValue: 128) }
  /// Stands in the turn's list of clients that have something to execute.
  static var queued: ClientFlags { ClientFlags(rawValue: 256) }
  /// Waits in `pausedClients` until CLIENT PAUSE ends.
  static var postponed: ClientFlags { ClientFlags(rawValue: 512) }
}

/// A large argument on its way to its final place.
struct Placing: BitwiseCopyable {
  var token: UInt64
  var destination: Destination
}

struct Client: ~Copyable {
  var id = 0
  var parser = RequestParser()
  /// How much of the input the parser has passed in this turn.
  var parsedBytes = 0
  var flags: ClientFlags = []
  var version = RESPVersion.two
  var database = 0
  var lastCommand = UInt16.max
  var commandCount = 0
  var createdMilliseconds = 0
  var lastInteractionMilliseconds = 0
  /// Since when the output has been over the soft limit; 0 when it is not.
  var softLimitSince = 0
  var place: Placing?
  var header = ByteBuffer()
  var error: ProtocolError?
  var name = ""
  var libraryName = ""
  var libraryVersion = ""

  init() {}

  /// Parses the request at `parsedBytes` of the client's input.
  @inline(__always) mutating func parse(
    _ input: borrowing ByteBuffer, _ limits: RequestLimits, _ batch: inout Batch
  ) throws(ProtocolError) -> ParseResult {
    try parser.next(
      input, from: &parsedBytes, limits: limits, into: &batch.ranges,
      inlineText: &batch.inlineText)
  }

  /// Makes the slot a new client's.
  mutating func open(id: Int, now: Int, isAuthenticated: Bool) {
    self = Client()
    self.id = id
    createdMilliseconds = now
    lastInteractionMilliseconds = now
    if isAuthenticated { flags.insert(.authenticated) }
  }
}
