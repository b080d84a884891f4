// Wait: how a command that finds nothing asks to be tried again when one of its keys changes.
//
//   handler ──► finds nothing ──► wait.forKeys(...) ──► returns without a reply
//   server:   keeps the request and goes on with other clients;
//             a key of the request changes ──► the same handler again, with the same arguments
//             the deadline passes          ──► the reply that `OnTimeout` says
//
// A blocking command is an ordinary handler with one more parameter; its row says `.blocking(...)`:
//
//   static func blpop(
//     _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
//     _ reply: inout ReplyBuffer
//   ) throws(CommandError) {
//     let deadline = try Wait.deadline(seconds: args[args.count - 1], now: keys.now)
//     for index in 1..<(args.count - 1) where try pop(args[index], ...) { return }   // as LPOP
//     wait.forKeys(1..<(args.count - 1), .list, until: deadline, &reply)
//   }
//
// 1. Asking to wait is the last thing a handler does. It has appended no reply. What it has changed
//    it must not change again when it is tried again (XREADGROUP makes its consumer only once).
// 2. It is tried again whenever a key may have become what it waits for: the key exists and has the
//    type of `Subject`, whatever has changed. Asking again keeps the client's place and deadline.
//    Clients are tried in the order in which they began to wait for the key.
// 3. Where nothing may wait (inside MULTI) `forKeys` itself answers at once, as if time were up:
//    the null array, or what `denied` says.
// 4. Nothing is said about what is propagated: a handler that finds something appends what the
//    plain command would (BLPOP as LPOP), in a group of its own.
// 5. An argument that means "as of now" (XREAD's $) is replaced by what it stands for, before
//    asking to wait: the next try sees the replacement.

import Bytes
import Keyspace
import RESP

public struct Wait: ~Copyable {
  /// What is waited for.
  public enum Subject: UInt8, BitwiseCopyable, Sendable {
    case list, sortedSet, stream
    /// A stream's consumer group: tried again, too, when the key goes or changes its type, so that
    /// the handler can say that there is no such group any more.
    case streamGroup
    /// Replicas, or the disk (WAIT, WAITAOF): no key.
    case acknowledgement
  }

  /// The reply when the time is up.
  public enum OnTimeout: UInt8, BitwiseCopyable, Sendable {
    case nullArray
    /// What `forKeys` answers with in place of the null array where waiting is not allowed.
    case null
    case zero
    /// Whether the disk has it by then, and no replica's acknowledgement (WAITAOF).
    case copies
  }

  /// What became of the caller's writes on the local disk.
  public enum LocalCopy: UInt8, BitwiseCopyable, Sendable {
    /// Nothing is kept on disk.
    case never
    case pending
    case durable
  }

  public struct Replacement: Sendable {
    public let index: Int
    public let bytes: [UInt8]
  }

  /// Whether this caller can wait: not inside MULTI.
  public let isAllowed: Bool
  public let localCopy: LocalCopy
  /// Whether the handler has asked to wait.
  public private(set) var isWanted = false
  public private(set) var subject = Subject.list
  /// Which arguments are keys.
  public private(set) var keys = 0..<0
  /// Milliseconds since 1970; 0 is never.
  public private(set) var deadline = 0
  public private(set) var onTimeout = OnTimeout.nullArray
  /// The wait is over as soon as the caller's writes are durable.
  public private(set) var isForLocalCopy = false
  public private(set) var replacements: [Replacement] = []

  public init(isAllowed: Bool, localCopy: LocalCopy = .never) {
    self.isAllowed = isAllowed
    self.localCopy = localCopy
  }

  // MARK: Asking

  /// Waits for a change of one of the keys.
  /// - Parameters:
  ///   - keys: their places among the arguments. A key may stand there more than once.
  ///   - deadline: from `deadline(seconds:now:)` or `deadline(milliseconds:now:)`.
  ///   - denied: the reply where waiting is not allowed: BLMOVE's is null.
  public mutating func forKeys(
    _ keys: Range<Int>, _ subject: Subject, until deadline: Int, denied: OnTimeout = .nullArray,
    _ reply: inout ReplyBuffer
  ) {
    guard isAllowed else { return denied.append(to: &reply, localCopy) }
    isWanted = true
    self.keys = keys
    self.subject = subject
    self.deadline = deadline
  }

  /// Waits for the local disk, or for time to pass: no replica's acknowledgement ever comes.
  mutating func forAcknowledgements(
    until deadline: Int, otherwise: OnTimeout, isForLocalCopy: Bool = false,
    _ reply: inout ReplyBuffer
  ) {
    guard isAllowed else { return otherwise.append(to: &reply, localCopy) }
    isWanted = true
    self.isForLocalCopy = isForLocalCopy
    subject = .acknowledgement
    self.deadline = deadline
    onTimeout = otherwise
  }

  /// Argument `index` is to be `bytes` at the next try.
  public mutating func replace(_ index: Int, with bytes: borrowing Span<UInt8>) {
    var copy: [UInt8] = []
    for position in bytes.indices { copy.append(bytes[position]) }
    replacements.append(Replacement(index: index, bytes: copy))
  }

  // MARK: Timeouts

  /// When a timeout in seconds and their fractions is over; 0, never, for a timeout of 0.
  public static func deadline(
    seconds text: borrowing Span<UInt8>, now: Int
  ) throws(CommandError) -> Int {
    guard let seconds = text.parseExtended() else {
      throw .fixed("ERR timeout is not a float or out of range")
    }
    let milliseconds = (seconds * 1000).rounded(.up)
    if milliseconds >= ExtendedFloat(Int.max) { throw tooLong }
    // Far below zero is below zero.
    return try deadline(milliseconds < 0 ? -1 : Int(milliseconds), now)
  }

  /// The same for whole milliseconds (XREAD's BLOCK).
  public static func deadline(
    milliseconds text: borrowing Span<UInt8>, now: Int
  ) throws(CommandError) -> Int {
    guard let milliseconds = text.parseInteger() else {
      throw .fixed("ERR timeout is not an integer or out of range")
    }
    return try deadline(milliseconds, now)
  }

  private static func deadline(_ timeout: Int, _ now: Int) throws(CommandError) -> Int {
    if timeout < 0 { throw .fixed("ERR timeout is negative") }
    if timeout == 0 { return 0 }
    let (deadline, isTooLate) = timeout.addingReportingOverflow(now)
    if isTooLate { throw tooLong }
    return deadline
  }

  private static var tooLong: CommandError { .fixed("ERR timeout is out of range") }
}

extension Wait.OnTimeout {
  public func append(to reply: inout ReplyBuffer, _ localCopy: Wait.LocalCopy) {
    switch self {
    case .nullArray: reply.nullArray()
    case .null: reply.null()
    case .zero: reply.integer(0)
    case .copies:
      reply.array(2)
      reply.integer(localCopy == .durable ? 1 : 0)
      reply.integer(0)
    }
  }
}

extension Wait.Subject {
  /// Whether a key in that state is worth another try.
  public func isPossible(_ state: KeyState) -> Bool {
    switch (self, state) {
    case (.streamGroup, _): true
    case (.list, .live(.list)), (.sortedSet, .live(.sortedSet)), (.stream, .live(.stream)): true
    default: false
    }
  }
}
