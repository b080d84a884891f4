// ProtocolError: why a client's bytes cannot be a request. The client gets the text after "ERR "
// and is then disconnected: after such an error nobody knows where the next request would begin.

import Bytes

@frozen public struct ProtocolError: Error, Equatable {
  @frozen public enum Reason: UInt8, Sendable {
    case invalidMultibulkLength
    case invalidBulkLength
    case expectedDollar
    case multibulkHeaderTooLong
    case bulkHeaderTooLong
    case inlineTooLong
    case unbalancedQuotes
    case unauthenticatedMultibulk
    case unauthenticatedBulk
  }

  public let reason: Reason
  /// What stood in place of the dollar sign.
  @usableFromInline let found: UInt8

  @usableFromInline init(_ reason: Reason, found: UInt8 = 0) {
    self.reason = reason
    self.found = found
  }

  /// Redis' own sentence, without "ERR ". A byte above 127 reads as its Latin-1 character here;
  /// `append` writes it as it came.
  public var text: String {
    guard reason == .expectedDollar else { return "\(sentence)" }
    return "\(sentence)\(Character(Unicode.Scalar(printable)))'"
  }

  /// Appends Redis' own sentence, without "ERR ", byte for byte.
  public func append(to buffer: inout ByteBuffer) {
    buffer.append(sentence)
    guard reason == .expectedDollar else { return }
    buffer.append(printable)
    buffer.append(39)
  }

  /// An error reply is one line, so CR and LF turn into spaces.
  private var printable: UInt8 { found == 13 || found == 10 ? 32 : found }

  private var sentence: StaticString {
    switch reason {
    case .invalidMultibulkLength: "Protocol error: invalid multibulk length"
    case .invalidBulkLength: "Protocol error: invalid bulk length"
    case .expectedDollar: "Protocol error: expected '$', got '"
    case .multibulkHeaderTooLong: "Protocol error: too big mbulk count string"
    case .bulkHeaderTooLong: "Protocol error: too big bulk count string"
    case .inlineTooLong: "Protocol error: too big inline request"
    case .unbalancedQuotes: "Protocol error: unbalanced quotes in request"
    case .unauthenticatedMultibulk: "Protocol error: unauthenticated multibulk length"
    case .unauthenticatedBulk: "Protocol error: unauthenticated bulk length"
    }
  }
}
