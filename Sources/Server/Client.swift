// Client: what the server knows of a connection beyond its bytes. It stands in the slot of the
// connection's number and is made anew for each user of the slot.
//
// 1. `id` is never used twice; 0 means that the slot is free.
// 2. While `place` is set, the network reads a large argument into it; `header` holds the bytes of
//    the unfinished request that precede the argument. A postponed client whose request has a
//    large argument is put back into that state, with the argument all there.

import Bytes
import Platform
import RESP

struct ClientFlags: OptionSet, BitwiseCopyable {
  let rawValue: UInt32
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
  /// The connection closes at once when the command being executed is over: nothing it has to say
  /// is delivered any more.
  static var dropping: ClientFlags { ClientFlags(rawValue: 128) }
  /// Stands in the turn's list of clients that have something to execute.
  static var queued: ClientFlags { ClientFlags(rawValue: 256) }
  /// CLIENT PAUSE holds the next command back, with which the input now begins; nothing more is
  /// parsed until the pause ends.
  static var postponed: ClientFlags { ClientFlags(rawValue: 512) }
  /// Stands in `waiting`, the list of those that were postponed.
  static var listed: ClientFlags { ClientFlags(rawValue: 1024) }
  /// Has called MULTI: commands are queued.
  static var inTransaction: ClientFlags { ClientFlags(rawValue: 2048) }
  /// A command could not be queued: EXEC will refuse.
  static var broken: ClientFlags { ClientFlags(rawValue: 4096) }
  /// A watched key has changed: EXEC will do nothing.
  static var touched: ClientFlags { ClientFlags(rawValue: 8192) }
  /// Waits in a blocking command; nothing more is parsed until that is over.
  static var blocked: ClientFlags { ClientFlags(rawValue: 16384) }
  /// Part of its last reply is still to be written (Server+LongReplies); nothing more is executed
  /// until it is.
  static var replying: ClientFlags { ClientFlags(rawValue: 32768) }
  /// Where the slot stands, whoever uses it.
  static var ofSlot: ClientFlags { [.queued, .listed] }
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
  /// What it has written is durable as soon as the log is up to here.
  var writtenLSN: UInt64 = 0
  var createdMilliseconds = 0
  var lastInteractionMilliseconds = 0
  /// What had been received and sent when the cron last saw a transfer under way.
  var transferredBytes = 0
  /// Since when the output has been over the soft limit; 0 when it is not.
  var softLimitSince = 0
  var place: Placing?
  var header = ByteBuffer()
  var error: ProtocolError?
  /// The number of its transaction, and of its wait in a blocking command; -1 without.
  var transaction: Int32 = -1
  var wait: Int32 = -1
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
    clear()
    self.id = id
    createdMilliseconds = now
    lastInteractionMilliseconds = now
    if isAuthenticated { flags.insert(.authenticated) }
  }

  /// Forgets the slot's user.
  mutating func clear() {
    let flags = flags.intersection(.ofSlot)
    self = Client()
    self.flags = flags
  }

  /// Goes back to the request at `offset` of the input, as if nothing had been parsed from there
  /// on.
  mutating func rewind(to offset: Int) {
    parser = RequestParser()
    parsedBytes = offset
    error = nil
  }

  /// Goes back to the moment when the large argument of the request in `header` was offered.
  mutating func rewindToPlacement(_ place: Placing) {
    rewind(to: 0)
    self.place = place
    var ranges = ArgumentList()
    var text = ByteBuffer()
    var offset = 0
    let limits = RequestLimits(
      placesLargeArguments: true, maxBulkLength: .max, largeThreshold: place.destination.count)
    let result = try? parser.next(
      header, from: &offset, limits: limits, into: &ranges, inlineText: &text)
    guard case .largeArgument = result else {
      preconditionFailure("a request that was placed cannot be placed again")
    }
  }
}
