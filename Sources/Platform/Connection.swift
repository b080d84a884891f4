// Connection: one client's socket with the bytes that have arrived and those that have to leave.
//
//   socket ──► input ──► the server parses and consumes
//         ◄── output ◄── Network.send
//
// 1. A connection in use belongs to its user from `.accepted` (or `adopt`) until `close`.
// 2. An idle connection holds no buffers: they are lent from a common stack while bytes are in
//    them.
// 3. The kernel never holds the address of a connection's memory while the user's code runs: every
//    read and write completes, or is refused, within Network.turn or Network.flush.
// 4. The last `heldBytes` of the output may not leave yet (Network+Held.swift); everything before
//    them may.

import Bytes
import CSystem
import Glibc

@safe public struct Connection: ~Copyable {
  /// Bytes received and not consumed yet; the user drops what it has parsed with `removeFirst`.
  public var input = ByteBuffer()
  /// Bytes handed over by `send` that the kernel has not taken yet.
  var output = ByteBuffer()

  /// The descriptor, or -1 while the slot is free.
  public internal(set) var descriptor: Int32 = -1
  /// The listener that accepted the connection; -1 for an adopted one.
  public internal(set) var listener = -1
  /// Counts the slot's users, so that late news about an earlier one is recognised.
  public internal(set) var generation: UInt32 = 0
  /// The peer is on this machine, through a Unix socket.
  public internal(set) var isUnix = false
  public internal(set) var bytesReceived = 0
  public internal(set) var bytesSent = 0

  /// The slot is in use (invariant 1).
  public internal(set) var isOpen = false
  /// The user wants no more bytes for now.
  public internal(set) var isPaused = false
  /// Everything that the peer will ever send has been delivered.
  var isEnded = false
  /// Sending has failed; what `send` hands over is dropped.
  var isBroken = false
  /// The user has taken leave: deliver the output, then report `.closed`.
  var isClosing = false
  /// `send` has been called since the last flush.
  var isTouched = false
  /// The socket is full: the rest of the output waits for the kernel's word.
  public internal(set) var isBlocked = false
  /// The events that epoll watches, or io_uring's operations under way.
  var interest: UInt32 = 0
  var operations = Operations()
  /// A send of the turn under way covers the output.
  var isSending = false
  /// The last turn that reported `.received` for this connection.
  var receivedTurn: UInt32 = 0
  /// Bytes received in that turn (io_uring).
  var turnBytes = 0
  /// The connection sends more than its share: its bytes are fetched turn by turn (io_uring).
  var isGreedy = false
  /// What the kernel said about the turn's send; only failures and partial sends are told.
  var sendResult: Int32?

  /// Bytes at the output's end that wait for a mark; the first `firstHeldBytes` of them wait for
  /// `firstMark`, the rest for `lastMark`.
  var heldBytes = 0
  var firstHeldBytes = 0
  var firstMark: UInt64 = 0
  var lastMark: UInt64 = 0
  /// The slot stands in the network's list of connections with held output, whoever uses it.
  var isListedAsHeld = false

  /// Where the next `placementRemaining` bytes go instead of `input`.
  var placement: UnsafeMutableRawPointer?
  var placementRemaining = 0

  init() {}

  deinit {
    if descriptor >= 0 { Glibc.close(descriptor) }
  }

  /// Bytes that wait to be sent.
  public var pendingOutput: Int { output.count }

  /// Whether there is output that the socket has not been offered: it waits for its mark, or was
  /// let go since the last flush.
  public var hasUnofferedOutput: Bool { heldBytes > 0 || !output.isEmpty && !isBlocked }

  /// Bytes that may be sent now (invariant 4).
  @inline(__always) var sendableOutput: Int { output.count &- heldBytes }

  /// Memory that the output occupies.
  public var outputCapacity: Int { output.capacity }

  /// The peer, as Redis writes it: "127.0.0.1:1234", "[::1]:1234", or "/path:0".
  public var peerAddress: String {
    if isUnix { return localAddress }
    return SocketAddress(of: descriptor, peer: true)?.description ?? "?:0"
  }

  /// Our end of the connection, in the same form.
  public var localAddress: String {
    SocketAddress(of: descriptor, peer: false)?.description ?? "?:0"
  }

  /// The user wants bytes and more may come.
  var wantsInput: Bool { isOpen && !isPaused && !isEnded && !isClosing }

  /// Puts a new user's socket into the slot.
  mutating func open(_ descriptor: Int32, listener: Int, isUnix: Bool) {
    self.descriptor = descriptor
    self.listener = listener
    self.isUnix = isUnix
    // Whatever the last user put back after its close is not the next one's.
    input.removeAll()
    output.removeAll()
    bytesReceived = 0
    bytesSent = 0
    isOpen = true
    isPaused = false
    isEnded = false
    isBroken = false
    isClosing = false
    isBlocked = false
    isTouched = false
    isSending = false
    isGreedy = false
    interest = 0
    operations = []
    sendResult = nil
    forgetHeld()
  }

  /// Nothing is held any more: the output is gone, or may leave as it is.
  mutating func forgetHeld() {
    heldBytes = 0
    firstHeldBytes = 0
  }

  /// Takes up to `count` bytes at `bytes` for the placement under way; gives how many it took.
  @unsafe mutating func fillPlacement(from bytes: UnsafeRawPointer, count: Int) -> Int {
    guard let target = unsafe placement else { return 0 }
    let taken = min(count, placementRemaining)
    // SAFETY: `place` demands room for all the bytes that remain; the caller vouches for `bytes`.
    unsafe target.copyMemory(from: bytes, byteCount: taken)
    unsafe advancePlacement(taken)
    return taken
  }

  /// `count` bytes have been written at `placement`.
  @unsafe mutating func advancePlacement(_ count: Int) {
    precondition(count <= placementRemaining)
    placementRemaining -= count
    if placementRemaining == 0 {
      unsafe placement = nil
    } else {
      unsafe placement = placement.map { unsafe $0 + count }
    }
  }

  /// Operations of io_uring that refer to the connection's descriptor.
  struct Operations: OptionSet, BitwiseCopyable {
    var rawValue: UInt8
    /// The multishot receive into provided buffers.
    static var receive: Operations { Operations(rawValue: 1) }
    /// A cancellation of it that has been asked for.
    static var cancellingReceive: Operations { Operations(rawValue: 2) }
    /// A poll for bytes to place.
    static var pollInput: Operations { Operations(rawValue: 4) }
    /// A poll for room to send.
    static var pollOutput: Operations { Operations(rawValue: 8) }
    /// Those that end with a completion and so keep the slot occupied.
    static var awaited: Operations { [.receive, .pollInput, .pollOutput] }
  }
}
