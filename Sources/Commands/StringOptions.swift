// StringOptions: the options that SET and GETEX share, and the deadlines that they and SETEX give.
//
// 1. At most one option says what becomes of the deadline; the same one may come twice, and its
//    last time counts.
// 2. Options are read, and times checked, before the key is looked up.

import Keyspace
import RESP

struct StringOptions: BitwiseCopyable {
  enum Expiry: UInt8 {
    case none, keep, persist
    case seconds, milliseconds, secondsAt, millisecondsAt
  }

  enum Subject { case set, getex }

  var expiry = Expiry.none
  /// Which argument gives the time.
  var timeIndex = 0
  var onlyIfMissing = false
  var onlyIfExists = false
  var returnsOld = false

  /// Reads the arguments after `first`.
  init(
    _ args: borrowing Arguments, from first: Int, _ subject: Subject
  ) throws(CommandError) {
    var index = first
    while index < args.count {
      if subject == .set, takeCondition(args, index) {
        index += 1
      } else if takeWord(args, index, subject) {
        index += 1
      } else if index + 1 < args.count, takeTime(args, index) {
        index += 2
      } else {
        throw .syntax
      }
    }
  }

  private mutating func takeCondition(_ args: borrowing Arguments, _ index: Int) -> Bool {
    if args.equals(index, "NX") && !onlyIfExists {
      onlyIfMissing = true
    } else if args.equals(index, "XX") && !onlyIfMissing {
      onlyIfExists = true
    } else if args.equals(index, "GET") {
      returnsOld = true
    } else {
      return false
    }
    return true
  }

  private mutating func takeWord(
    _ args: borrowing Arguments, _ index: Int, _ subject: Subject
  ) -> Bool {
    let isKnown: Bool
    switch subject {
    case .set: isKnown = args.equals(index, "KEEPTTL")
    case .getex: isKnown = args.equals(index, "PERSIST")
    }
    return isKnown && take(subject == .set ? .keep : .persist)
  }

  private mutating func takeTime(_ args: borrowing Arguments, _ index: Int) -> Bool {
    let kind: Expiry
    if args.equals(index, "EX") {
      kind = .seconds
    } else if args.equals(index, "PX") {
      kind = .milliseconds
    } else if args.equals(index, "EXAT") {
      kind = .secondsAt
    } else if args.equals(index, "PXAT") {
      kind = .millisecondsAt
    } else {
      return false
    }
    timeIndex = index + 1
    return take(kind)
  }

  private mutating func take(_ kind: Expiry) -> Bool {
    guard expiry == .none || expiry == kind else { return false }
    expiry = kind
    return true
  }

  /// The deadline that the options give, if they give one.
  func deadline(
    _ args: borrowing Arguments, now: Int, _ command: StaticString
  ) throws(CommandError) -> Int? {
    guard timeIndex > 0 else { return nil }
    let isAbsolute = expiry == .secondsAt || expiry == .millisecondsAt
    let isSeconds = expiry == .seconds || expiry == .secondsAt
    return try Self.deadline(
      args[timeIndex], isSeconds: isSeconds, from: isAbsolute ? 0 : now, command)
  }

  /// Milliseconds since 1970 of a time given as `text`.
  /// - Parameter start: what it counts from; 0 for a date.
  static func deadline(
    _ text: borrowing Span<UInt8>, isSeconds: Bool, from start: Int, _ command: StaticString
  ) throws(CommandError) -> Int {
    guard let amount = text.parseInteger() else { throw .notInteger }
    if amount > 0 {
      let (milliseconds, isTooLong) = amount.multipliedReportingOverflow(by: isSeconds ? 1000 : 1)
      let (sum, isTooLate) = milliseconds.addingReportingOverflow(start)
      if !isTooLong && !isTooLate { return sum }
    }
    throw .invalidExpire("\(command)")
  }
}
