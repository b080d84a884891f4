// RequestParser: finds the requests in a client's input, wherever the network has cut it.
//
//   bytes   | done ... | *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhel | (not arrived yet)
//                      offset                          ▲
//                      the unfinished request          offset + parsedCount
//
// `next` is called until it answers .incomplete. A finished request moves `offset` past itself; an
// unfinished one leaves `offset` at its first byte, and what was learnt about it stays here. The
// caller then drops the bytes before `offset` and calls again with `offset` = 0 when more came.
//
// 1. Each byte of a request is looked at a bounded number of times, however it is cut.
// 2. Between requests a parser owns no memory; during one, what it owns is proportional to the
//    bytes that arrived, not to what a header announces.
// 3. Ranges of the unfinished request (`pending`) count from the request's first byte; ranges given
//    to the caller count from the start of `bytes`, or of `inlineText` for an inline request.
// 4. Line ends are Redis': a header ends at CR and one more byte, an inline request at LF, and a
//    NUL before that means that the end never comes.
//
// Large arguments. When the next thing to read is a bulk of `largeThreshold` bytes or more that
// has not all arrived, `next` answers .largeArgument once per request. Bytes from
// `offset + parsedCount` on are its first ones; the caller moves them to their place, drops them
// from the input, reads the rest there, and calls `resumeAfterPlaced`; or calls `declinePlace`.

import Bytes

public typealias ArgumentList = GrowableArray<ArgumentRange>

/// What a request may be, as configuration and authentication have it at the moment.
@frozen public struct RequestLimits: BitwiseCopyable, Sendable {
  /// False while a password is required and has not been given.
  public var isAuthenticated: Bool
  /// Whether large arguments are reported rather than awaited.
  public var placesLargeArguments: Bool
  /// proto-max-bulk-len.
  public var maxBulkLength: Int
  /// From how many bytes on an argument is large.
  public var largeThreshold: Int

  @inlinable public init(
    isAuthenticated: Bool = true, placesLargeArguments: Bool = false,
    maxBulkLength: Int = 512 << 20, largeThreshold: Int = 65536
  ) {
    self.isAuthenticated = isAuthenticated
    self.placesLargeArguments = placesLargeArguments
    self.maxBulkLength = maxBulkLength
    self.largeThreshold = largeThreshold
  }

  static var maxLineLength: Int { 65536 }
  static var maxUnauthenticatedArguments: Int { 10 }
  static var maxUnauthenticatedBulkLength: Int { 16384 }
}

@frozen public enum ParseResult: Equatable, Sendable {
  /// A request; its ranges were appended.
  case complete(isInline: Bool)
  /// Nothing to run was consumed: an empty array or a blank line.
  case empty
  /// More bytes have to come first.
  case incomplete
  /// Argument `index`, of `count` bytes, is to be read into its place.
  case largeArgument(index: Int, count: Int)
}

public struct RequestParser: ~Copyable {
  enum Placing: UInt8 {
    case none, offered, settled
  }

  /// Arguments of the unfinished request; see invariant 3.
  var pending = ArgumentList()
  /// The length of the bulk being read, or -1 while its header is.
  var bulkLength = -1
  /// Bytes of the unfinished request that are done with, from its first byte.
  var parsed: UInt32 = 0
  /// Up to where no line end was found, from the request's first byte.
  var scanned: UInt32 = 0
  /// Arguments still to come; 0 outside an array.
  var remaining: Int32 = 0
  var placed: Int32 = -1
  var placing = Placing.none
  #if DEBUG
    /// Bytes and arguments looked at, for the test of invariant 1.
    var steps = 0
  #endif

  public init() {}

  /// How many bytes of the unfinished request are done with, from its first byte.
  public var parsedCount: Int { Int(parsed) }

  /// How many bytes from the unfinished request's first one must be there before parsing can get
  /// any further; a hint for sizing the input.
  public var neededCount: Int {
    parsedCount + (bulkLength < 0 ? 1 : min(bulkLength, Int.max >> 1) + 2)
  }

  /// The unfinished request's arguments so far, counted from its first byte.
  public var pendingArguments: Span<ArgumentRange> {
    @_lifetime(borrow self) borrowing get { pending.span }
  }

  /// Which argument of the last complete request was placed; valid until the next call of `next`.
  public var placedIndex: Int? { placing == .none && placed >= 0 ? Int(placed) : nil }

  /// All bytes of the large argument are in their place: the input holds the request up to the
  /// argument's header, and goes on with the line end that follows the argument.
  public mutating func resumeAfterPlaced() {
    precondition(placing == .offered)
    placing = .settled
    bulkLength = 0
  }

  /// The large argument is to be read through the input after all.
  public mutating func declinePlace() {
    precondition(placing == .offered)
    placing = .settled
    placed = -1
  }

  /// Parses the request at `offset`.
  /// - Parameters:
  ///   - bytes: the client's whole input, at most 4 GiB.
  ///   - offset: where the request begins; moved past it when it is complete or empty.
  ///   - ranges: gets the complete request's arguments.
  ///   - inlineText: gets the words of an inline request, which their ranges then refer to.
  /// - Throws: after which the parser must not be used again.
  public mutating func next(
    _ bytes: Span<UInt8>, from offset: inout Int, limits: RequestLimits,
    into ranges: inout ArgumentList, inlineText: inout ByteBuffer
  ) throws(ProtocolError) -> ParseResult {
    guard bytes.count <= UInt32.max else { throw ProtocolError(.invalidBulkLength) }
    if remaining > 0 { return try resume(bytes, from: &offset, limits, into: &ranges) }
    placed = -1
    guard offset < bytes.count else { return .incomplete }
    guard bytes[offset] == 0x2A else {
      return try inline(bytes, from: &offset, into: &ranges, text: &inlineText)
    }
    var cursor = Cursor(bytes: bytes, position: offset, scanned: offset + Int(scanned))
    defer { count(steps: cursor.steps) }
    guard let count = try cursor.arrayHeader(limits) else {
      scanned = UInt32(truncatingIfNeeded: cursor.scanned - offset)
      return .incomplete
    }
    scanned = 0
    if count <= 0 {
      offset = cursor.position
      return .empty
    }
    let mark = ranges.count
    cursor.remaining = count
    let stop = try cursor.arguments(limits, base: 0, into: &ranges)
    if stop == .complete {
      offset = cursor.position
      return .complete(isInline: false)
    }
    for index in mark..<ranges.count {
      let range = ranges[index]
      pending.append(ArgumentRange(offset: Int(range.offset) - offset, count: Int(range.count)))
    }
    ranges.truncate(to: mark)
    return suspend(cursor, stop, limits, at: offset)
  }

  /// The same over a buffer's content. A client that holds the buffer and the parser side by side
  /// calls this one: a span of one property would borrow the whole client.
  @inlinable public mutating func next(
    _ input: borrowing ByteBuffer, from offset: inout Int, limits: RequestLimits,
    into ranges: inout ArgumentList, inlineText: inout ByteBuffer
  ) throws(ProtocolError) -> ParseResult {
    try next(
      input.span, from: &offset, limits: limits, into: &ranges, inlineText: &inlineText)
  }

  /// Goes on with the unfinished array at `offset`.
  private mutating func resume(
    _ bytes: Span<UInt8>, from offset: inout Int, _ limits: RequestLimits,
    into ranges: inout ArgumentList
  ) throws(ProtocolError) -> ParseResult {
    if placing == .offered { return .largeArgument(index: Int(placed), count: bulkLength) }
    var cursor = Cursor(
      bytes: bytes, position: offset + Int(parsed), scanned: offset + Int(scanned))
    defer { count(steps: cursor.steps) }
    cursor.remaining = Int(remaining)
    cursor.bulkLength = bulkLength
    let stop = try cursor.arguments(limits, base: offset, into: &pending)
    guard stop == .complete else { return suspend(cursor, stop, limits, at: offset) }
    ranges.reserve(pending.count)
    for index in 0..<pending.count {
      let range = pending[index]
      ranges.append(ArgumentRange(offset: Int(range.offset) + offset, count: Int(range.count)))
    }
    pending.release()
    bulkLength = -1
    parsed = 0
    scanned = 0
    remaining = 0
    placing = .none
    offset = cursor.position
    return .complete(isInline: false)
  }

  /// Keeps what is known of the array at `offset` until more bytes come.
  private mutating func suspend(
    _ cursor: borrowing Cursor, _ stop: Cursor.Stop, _ limits: RequestLimits, at offset: Int
  ) -> ParseResult {
    parsed = UInt32(truncatingIfNeeded: cursor.position - offset)
    scanned = UInt32(truncatingIfNeeded: max(cursor.position, cursor.scanned) - offset)
    remaining = Int32(truncatingIfNeeded: cursor.remaining)
    bulkLength = cursor.bulkLength
    let index = pending.count
    guard stop == .withinBulk, limits.placesLargeArguments, placing == .none, index > 0,
      bulkLength >= limits.largeThreshold, cursor.bytes.count - cursor.position < bulkLength
    else { return .incomplete }
    placing = .offered
    placed = Int32(truncatingIfNeeded: index)
    return .largeArgument(index: index, count: bulkLength)
  }

  /// Reads one line of words.
  private mutating func inline(
    _ bytes: Span<UInt8>, from offset: inout Int, into ranges: inout ArgumentList,
    text: inout ByteBuffer
  ) throws(ProtocolError) -> ParseResult {
    var cursor = Cursor(bytes: bytes, position: offset, scanned: offset + Int(scanned))
    defer { count(steps: cursor.steps) }
    guard let newline = try cursor.line(endingIn: 10, .inlineTooLong) else {
      scanned = UInt32(truncatingIfNeeded: cursor.scanned - offset)
      return .incomplete
    }
    scanned = 0
    let hasReturn = newline > offset && bytes[newline - 1] == 13
    let line = bytes.extracting(offset..<(hasReturn ? newline - 1 : newline))
    let mark = ranges.count
    guard InlineWords.split(line, into: &ranges, text: &text) else {
      throw ProtocolError(.unbalancedQuotes)
    }
    offset = newline + 1
    return ranges.count == mark ? .empty : .complete(isInline: true)
  }

  @inline(__always) private mutating func count(steps: Int) {
    #if DEBUG
      self.steps += steps
    #endif
  }
}
