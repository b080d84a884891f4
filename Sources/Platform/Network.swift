// Network: Ferrite's event loop. One turn is one batch: it delivers what the last batch produced,
// waits, and takes in what all ready sockets have to say.
//
//   turn ─► event(0), event(1), … ─► parse, execute ─► send ─► flush ─┐
//     ▲                                                               │
//     └───────────────────────────────────────────────────────────────┘
//
// Two backends stand behind it, chosen once: epoll (Network+Epoll.swift) and io_uring
// (Network+Ring.swift). One thread at a time uses a Network, always the same one once it has
// turned.
//
// 1. A slot is reused only after `close` and after the kernel has let go of its descriptor; slots
//    become free, and are taken, only inside `turn`, so an event never speaks of a later user.
// 2. `.closed` comes after everything received before it, in a turn of its own if need be: replies
//    to the last requests are flushed before the user learns that the peer has gone.
// 3. No call but `turn` with a timeout blocks.
// 4. What is reported outside a turn waits in `deferred` for the next one, which then cannot wait.

import Bytes
import CSystem
import Glibc

public struct Network: ~Copyable {
  /// The connections by slot; `event(_:)` names slots.
  public var connections = Pool<Connection>()
  /// Connections in use.
  public internal(set) var connectionCount = 0
  /// Connections that may be in use; beyond it, new ones get `refusal` and are closed.
  public var maximumConnections: Int
  /// Sent to a connection that is one too many.
  public var refusal: StaticString = ""
  public internal(set) var acceptedConnections = 0
  public internal(set) var refusedConnections = 0
  /// Failures to accept that lie with the machine, such as too many open files.
  public internal(set) var acceptErrors = 0
  public internal(set) var lastAcceptError: IOError?
  /// Lets other threads end the wait.
  public let wakeHandle: WakeHandle
  /// Seconds of silence after which a TCP peer is probed; 0 is never. For connections to come.
  public var keepAliveSeconds = 0 {
    didSet {
      for index in 0..<listeners.count {
        listeners[index].setKeepAlive(seconds: keepAliveSeconds)
      }
    }
  }

  static var acceptsPerTurn: Int { 1000 }
  static var receiveLimit: Int { 64 << 10 }
  static var placementLimit: Int { 1 << 20 }
  /// How long accepting rests after the machine has refused.
  static var acceptRestMilliseconds: Int { 100 }
  /// Bytes from which `send` takes the caller's buffer over instead of copying it.
  static var swapThreshold: Int { 16 << 10 }

  /// Exactly one of the two exists.
  var epoll: Epoll?
  var ring: Ring?
  var listeners = Pool<Listener>()
  var freeSlots: [Int32] = []
  var events: [NetworkEvent] = []
  var deferred: [NetworkEvent] = []
  /// Connections with output to be sent, and those whose sends are under way (io_uring).
  var touched: [Int32] = []
  var sending: [Int32] = []
  /// Connections whose output waits for a mark, and those whose slot has a new user since.
  var held: [Int32] = []
  /// The last mark that `release(through:)` was told of.
  public internal(set) var releasedMark: UInt64 = 0
  /// Why the ring takes no requests.
  var ringTrouble: IOError?
  var buffers = BufferStack()
  var turnNumber: UInt32 = 0
  var isTurning = false
  var signals: SignalDescriptor?
  /// When accepting stopped for want of descriptors.
  var acceptRestStart: Int64?

  /// A loop without listeners. `auto` falls back to epoll where io_uring is not permitted.
  public init(kind: EventLoopKind, maximumConnections: Int) throws(IOError) {
    try self.init(kind: kind, maximumConnections: maximumConnections, sharesBuffers: true)
  }

  /// `sharesBuffers` false does without what the newest kernels have, for tests.
  init(kind: EventLoopKind, maximumConnections: Int, sharesBuffers: Bool) throws(IOError) {
    // Everything that can fail comes first: Swift cannot destroy half a noncopyable value.
    let ring = try Network.openRing(kind, sharesBuffers)
    let epoll = ring == nil ? try Epoll() : nil
    let wakeHandle = try WakeHandle()
    try epoll?.add(wakeHandle.descriptor, Epoll.input, EventToken(.wake))
    self.init(ring: ring, epoll: epoll, wakeHandle, maximumConnections)
  }

  private init(
    ring: consuming Ring?, epoll: consuming Epoll?, _ wakeHandle: WakeHandle, _ maximum: Int
  ) {
    precondition(maximum > 0)
    self.ring = ring
    self.epoll = epoll
    self.wakeHandle = wakeHandle
    maximumConnections = maximum
    events.reserveCapacity(256)
    deferred.reserveCapacity(64)
    touched.reserveCapacity(256)
    if usesRing { ringWatch(wakeHandle.descriptor, .wake) }
  }

  private static func openRing(
    _ kind: EventLoopKind, _ sharesBuffers: Bool
  ) throws(IOError) -> Ring? {
    switch kind {
    case .epoll: nil
    case .ioUring: try Ring(sharesBuffers: sharesBuffers)
    case .auto: try? Ring(sharesBuffers: sharesBuffers)
    }
  }

  /// "epoll" or "io_uring".
  public var backendName: StaticString { usesRing ? "io_uring" : "epoll" }

  var usesRing: Bool { ring != nil }

  // MARK: Listening

  /// Listens on one address: IPv4, IPv6, "*" (all IPv4), "::*" (all IPv6) or a host name; "-"
  /// before it makes it optional. Gives the listener's number, or nil where an optional address is
  /// not available or the machine lacks its protocol. Port 0 lets the kernel choose.
  @discardableResult
  public mutating func listen(
    tcp address: String, port: UInt16, backlog: Int32
  ) throws(IOError) -> Int? {
    guard let listener = try Listener.tcp(address, port: port, backlog: backlog) else { return nil }
    if keepAliveSeconds > 0 { listener.setKeepAlive(seconds: keepAliveSeconds) }
    return try start(listener)
  }

  /// Listens on a Unix socket, replacing a stale one; the file is removed with the listener.
  @discardableResult
  public mutating func listen(
    unix path: String, permissions: UInt16?, backlog: Int32
  ) throws(IOError) -> Int {
    try start(try Listener.unix(path, permissions: permissions, backlog: backlog))
  }

  private mutating func start(_ listener: consuming Listener) throws(IOError) -> Int {
    let index = listeners.append(listener)
    try arm(listener: index)
    return index
  }

  /// The port that a TCP listener is bound to.
  public func boundPort(of listener: Int) -> UInt16 {
    SocketAddress(of: listeners[listener].descriptor, peer: false)?.port ?? 0
  }

  /// Accepts no more connections from one listener; its number is not used again.
  public mutating func stopListening(_ listener: Int) {
    guard listeners[listener].isOpen else { return }
    if usesRing && listeners[listener].isArmed { ringCancelAccept(listener) }
    listeners[listener].isArmed = false
    listeners[listener].close()
  }

  mutating func arm(listener: Int) throws(IOError) {
    guard listeners[listener].isOpen && !listeners[listener].isArmed else { return }
    if usesRing {
      ringArmAccept(listener)
    } else {
      try epoll!.add(
        listeners[listener].descriptor, Epoll.input, EventToken(.listener, listener))
    }
    listeners[listener].isArmed = true
  }

  // MARK: Signals and files that wake the loop

  /// Makes SIGTERM and SIGINT `.signal` events, and ignores SIGHUP and SIGPIPE. Blocks the signals
  /// in the calling thread, so call it before other threads start: they inherit that.
  public mutating func watchSignals() throws(IOError) {
    var set = sigset_t()
    // SAFETY: set is a local for all these calls.
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTERM)
    unsafe sigaddset(&set, SIGINT)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGHUP, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    let descriptor = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
    guard descriptor >= 0 else { throw IOError("signalfd", errno: errno) }
    signals = SignalDescriptor(descriptor: descriptor)
    try watch(descriptor, .signal)
  }

  private mutating func watch(
    _ descriptor: Int32, _ source: EventToken.Source
  ) throws(IOError) {
    if usesRing {
      ringWatch(descriptor, source)
    } else {
      try epoll!.add(descriptor, Epoll.input, EventToken(source))
    }
  }

  mutating func takeWake() {
    if wakeHandle.drain() { events.append(NetworkEvent(.wake)) }
  }

  mutating func takeSignals() {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard let descriptor = signals?.descriptor else { return }
    // SAFETY: the kernel writes whole records of that size.
    while unsafe read(descriptor, &information, size) == size {
      events.append(NetworkEvent(.signal, value: Int32(information.ssi_signo)))
    }
  }

  // MARK: Turning

  /// Delivers pending output, waits for at most `timeoutMilliseconds` (0 only looks, -1 waits for
  /// ever) and takes in what there is. Gives the number of events.
  @discardableResult
  public mutating func turn(timeoutMilliseconds: Int) throws(IOError) -> Int {
    reclaimInputs()
    events.removeAll(keepingCapacity: true)
    if !usesRing { flush() }
    swap(&events, &deferred)
    turnNumber &+= 1
    try resumeAccepting()
    var timeout = events.isEmpty ? timeoutMilliseconds : 0
    if acceptRestStart != nil && (timeout < 0 || timeout > Network.acceptRestMilliseconds) {
      timeout = Network.acceptRestMilliseconds
    }
    isTurning = true
    defer { isTurning = false }
    if usesRing {
      try ringTurn(timeout)
    } else {
      try epollTurn(timeout)
    }
    return events.count
  }

  /// Event `index` of the last turn; `.none` if its connection has been closed since.
  public func event(_ index: Int) -> NetworkEvent {
    let event = events[index]
    if event.connection >= 0 {
      let isCurrent =
        connections[event.connection].isOpen
        && connections[event.connection].generation == event.generation
      if !isCurrent { return NetworkEvent(.none, event.connection) }
    }
    return event
  }

  mutating func report(_ kind: NetworkEvent.Kind, _ index: Int, value: Int32 = 0) {
    let event = NetworkEvent(
      kind, index, value: value, generation: connections[index].generation)
    let mustWait = kind == .closed && connections[index].receivedTurn == turnNumber
    if isTurning && !mustWait { events.append(event) } else { deferred.append(event) }
  }

  /// Reports `.received`, once a turn.
  mutating func reportReceived(_ index: Int) {
    guard connections[index].receivedTurn != turnNumber else { return }
    connections[index].receivedTurn = turnNumber
    report(.received, index)
  }

  /// Takes back the buffers of inputs that the user has consumed.
  private mutating func reclaimInputs() {
    for event in events where event.kind == .received || event.kind == .placed {
      let index = event.connection
      if connections[index].input.isEmpty && connections[index].input.capacity > 0 {
        buffers.giveBack(&connections[index].input)
      }
    }
  }

  /// Gives back memory that an idle connection does not need: its input shrinks to its content.
  public mutating func trim(_ connection: Int) {
    let count = connections[connection].input.count
    let capacity = connections[connection].input.capacity
    guard capacity > 1024 && count < capacity / 4 else { return }
    if count == 0 { return buffers.giveBack(&connections[connection].input) }
    var smaller = ByteBuffer(capacity: count)
    smaller.append(connections[connection].input.span)
    swap(&smaller, &connections[connection].input)
    smaller.removeAll()
    buffers.giveBack(&smaller)
  }

  // MARK: Sending

  /// Hands `bytes` over for delivery; they are empty afterwards, with room for the next reply.
  /// Many bytes change hands without being copied.
  /// - Parameter mark: what has to be released before the bytes may leave; 0 for nothing. Behind
  ///   bytes that wait they wait in any case.
  public mutating func send(_ connection: Int, _ bytes: inout ByteBuffer, until mark: UInt64 = 0) {
    guard canSend(connection) else { return bytes.removeAll() }
    if bytes.isEmpty { return }
    if mark > releasedMark || connections[connection].heldBytes > 0 {
      hold(connection, bytes.count, until: mark)
    }
    if bytes.count >= Network.swapThreshold && connections[connection].output.isEmpty {
      swap(&connections[connection].output, &bytes)
      if bytes.capacity == 0 { buffers.lend(&bytes) }
      touch(connection)
    } else {
      append(connection, bytes.span)
      bytes.removeAll()
    }
  }

  /// Hands a copy of `bytes` over for delivery.
  public mutating func send(_ connection: Int, copying bytes: borrowing Span<UInt8>) {
    guard canSend(connection) && bytes.count > 0 else { return }
    if connections[connection].heldBytes > 0 { hold(connection, bytes.count, until: 0) }
    append(connection, bytes)
  }

  private func canSend(_ connection: Int) -> Bool {
    connections[connection].isOpen && !connections[connection].isBroken
      && !connections[connection].isClosing
  }

  private mutating func append(_ connection: Int, _ bytes: borrowing Span<UInt8>) {
    if connections[connection].output.capacity == 0 {
      buffers.lend(&connections[connection].output)
    }
    connections[connection].output.append(bytes)
    touch(connection)
  }

  mutating func touch(_ connection: Int) {
    guard !connections[connection].isTouched else { return }
    connections[connection].isTouched = true
    touched.append(Int32(truncatingIfNeeded: connection))
  }

  /// Delivers what has been handed over since the last flush: with epoll at once, with io_uring in
  /// the next turn's system call. What a socket does not take follows when it has room.
  public mutating func flush() {
    if usesRing { return }
    for position in touched.indices {
      let index = Int(touched[position])
      guard connections[index].isTouched else { continue }
      connections[index].isTouched = false
      if !connections[index].isBlocked { transmit(index) }
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// The output is empty: gives its memory back and says so where somebody waits for it.
  mutating func finishOutput(_ index: Int) {
    if connections[index].output.capacity > 0 {
      buffers.giveBack(&connections[index].output)
    }
    let wasBlocked = connections[index].isBlocked
    connections[index].isBlocked = false
    if connections[index].isClosing {
      report(.closed, index)
    } else if wasBlocked {
      report(.drained, index)
    }
    if wasBlocked { updateInterest(index) }
  }

  // MARK: Reading

  /// Takes nothing more from the socket until `resumeReading`; bytes that have already been
  /// received may still be reported.
  public mutating func pauseReading(_ connection: Int) {
    guard connections[connection].isOpen && !connections[connection].isPaused else { return }
    connections[connection].isPaused = true
    updateInterest(connection)
  }

  public mutating func resumeReading(_ connection: Int) {
    guard connections[connection].isOpen && connections[connection].isPaused else { return }
    connections[connection].isPaused = false
    updateInterest(connection)
  }

  /// The same for a destination that its owner has vouched for.
  public mutating func place(_ connection: Int, into destination: Destination) {
    // SAFETY: Destination's invariant 1.
    unsafe place(connection, into: destination.pointer, count: destination.count)
  }

  /// Reads the next `count` bytes of the connection, of which the first may already be in `input`,
  /// straight to `destination`; then reports `.placed` and goes on normally. The memory must stay
  /// valid until then, or until `cancelPlacement` or `close`. Reading must not be paused for long.
  @unsafe public mutating func place(
    _ connection: Int, into destination: UnsafeMutableRawPointer, count: Int
  ) {
    precondition(count > 0 && connections[connection].isOpen)
    precondition(connections[connection].placementRemaining == 0, "one placement at a time")
    unsafe connections[connection].placement = destination
    connections[connection].placementRemaining = count
    // SAFETY: the bytes are the input's content; the caller vouches for the destination.
    let moved = unsafe connections[connection].input.span.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return 0 }
      let taken = min(count, bytes.count)
      unsafe destination.copyMemory(from: start, byteCount: taken)
      return taken
    }
    connections[connection].input.removeFirst(moved)
    if moved > 0 { unsafe connections[connection].advancePlacement(moved) }
    if connections[connection].placementRemaining == 0 {
      report(.placed, connection)
    } else {
      updateInterest(connection)
    }
  }

  /// Forgets the placement: its memory is the caller's again, and later bytes go to `input`.
  public mutating func cancelPlacement(_ connection: Int) {
    // SAFETY: forgets the address; nothing is dereferenced.
    unsafe connections[connection].placement = nil
    connections[connection].placementRemaining = 0
    if connections[connection].isOpen { updateInterest(connection) }
  }

  /// Receives straight into the placement, within the turn's limit. Gives false when the connection
  /// has nothing more to read in this turn.
  mutating func receivePlacement(_ index: Int) -> Bool {
    var total = 0
    while total < Network.placementLimit {
      guard let target = unsafe connections[index].placement else { return true }
      let room = min(connections[index].placementRemaining, Network.placementLimit)
      // SAFETY: `place` demands room for all the bytes that remain.
      let count = unsafe csystem_receive(connections[index].descriptor, target, room)
      if count <= 0 {
        if count < 0 && errno == EINTR { continue }
        endInput(index, count == 0 ? 0 : errno)
        return false
      }
      total += count
      connections[index].bytesReceived += count
      unsafe connections[index].advancePlacement(count)
      if connections[index].placementRemaining == 0 {
        report(.placed, index)
        return true
      }
      if count < room { return false }
    }
    return false
  }

  /// The socket gave no bytes: for now (EAGAIN), for ever (0), or by failure.
  mutating func endInput(_ index: Int, _ code: Int32) {
    if code == EAGAIN { return }
    if code != 0 { return fail(index, code) }
    connections[index].isEnded = true
    report(.closed, index)
    updateInterest(index)
  }

  /// The connection is of no more use; its user is told.
  mutating func fail(_ index: Int, _ code: Int32) {
    guard connections[index].isOpen && !connections[index].isBroken else { return }
    connections[index].isBroken = true
    connections[index].isEnded = true
    connections[index].isBlocked = false
    connections[index].output.removeAll()
    connections[index].forgetHeld()
    if connections[index].output.capacity > 0 { buffers.giveBack(&connections[index].output) }
    report(.closed, index, value: code)
    if usesRing { updateInterest(index) } else { epollForget(index) }
  }

  /// Tells the backend what the connection waits for now.
  mutating func updateInterest(_ index: Int) {
    if usesRing { ringUpdateInterest(index) } else { epollUpdateInterest(index) }
  }

  // MARK: Opening and closing

  /// Makes a connected socket a connection of this loop, as if it had been accepted; nil when the
  /// limit is reached. The descriptor belongs to the network from then on.
  public mutating func adopt(_ descriptor: Int32) throws(IOError) -> Int? {
    guard connectionCount < maximumConnections else { return nil }
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
      throw IOError("fcntl", errno: errno)
    }
    let isUnix = SocketAddress(of: descriptor, peer: false)?.isUnix ?? false
    let index = takeSlot()
    connections[index].open(descriptor, listener: -1, isUnix: isUnix)
    connectionCount += 1
    updateInterest(index)
    return index
  }

  /// Closes a connection. At once: pending output and unread input are dropped. After output: reads
  /// nothing more and delivers what is pending; then, or when that fails, reports `.closed`, which
  /// the user answers with `close(_, afterOutput: false)`.
  public mutating func close(_ connection: Int, afterOutput: Bool) {
    guard connections[connection].isOpen else { return }
    guard afterOutput else { return release(connection) }
    guard !connections[connection].isClosing else { return }
    cancelPlacement(connection)
    connections[connection].isClosing = true
    if connections[connection].pendingOutput == 0 {
      report(.closed, connection)
    }
    updateInterest(connection)
  }

  private mutating func release(_ index: Int) {
    if connections[index].isClosing && !connections[index].isBroken {
      // Closing a socket that holds unread bytes sends a reset, which overtakes the last reply.
      csystem_discard_input(connections[index].descriptor)
    }
    connections[index].isOpen = false
    connections[index].isTouched = false
    connectionCount -= 1
    // SAFETY: forgets the address; nothing is dereferenced.
    unsafe connections[index].placement = nil
    connections[index].placementRemaining = 0
    connections[index].input.removeAll()
    connections[index].output.removeAll()
    connections[index].forgetHeld()
    if connections[index].input.capacity > 0 { buffers.giveBack(&connections[index].input) }
    if connections[index].output.capacity > 0 { buffers.giveBack(&connections[index].output) }
    if usesRing { ringRelease(index) } else { freeSlot(index) }
  }

  /// The kernel has let go of the connection: closes its descriptor and frees its slot.
  mutating func freeSlot(_ index: Int) {
    Glibc.close(connections[index].descriptor)
    connections[index].descriptor = -1
    connections[index].generation &+= 1
    freeSlots.append(Int32(truncatingIfNeeded: index))
  }

  private mutating func takeSlot() -> Int {
    if let slot = freeSlots.popLast() { return Int(slot) }
    return connections.append(Connection())
  }

  /// Takes in an accepted socket, or refuses it.
  mutating func admit(_ descriptor: Int32, listener: Int) {
    guard connectionCount < maximumConnections else {
      // SAFETY: a static string is as long as it says.
      unsafe csystem_send(descriptor, refusal.utf8Start, refusal.utf8CodeUnitCount)
      Glibc.close(descriptor)
      refusedConnections += 1
      return
    }
    let index = takeSlot()
    let isUnix = listeners[listener].unixPath != nil
    connections[index].open(descriptor, listener: listener, isUnix: isUnix)
    connectionCount += 1
    acceptedConnections += 1
    report(.accepted, index)
    updateInterest(index)
  }

  /// accept failed. Gives false when it is no use to try again now.
  mutating func acceptFailed(_ code: Int32) -> Bool {
    switch code {
    case EAGAIN: return false
    case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, EPERM:
      return true
    default:
      acceptErrors += 1
      lastAcceptError = IOError("accept", errno: code)
      acceptRestStart = Clock.system.monotonicMilliseconds()
      return false
    }
  }

  /// Accepts again after a rest, so that a lack of descriptors does not make the loop spin.
  private mutating func resumeAccepting() throws(IOError) {
    guard let start = acceptRestStart else { return }
    let rested = Clock.system.monotonicMilliseconds() - start
    guard rested >= Int64(Network.acceptRestMilliseconds) else { return }
    acceptRestStart = nil
    for index in 0..<listeners.count { try arm(listener: index) }
  }
}

/// signalfd(2), closed with its owner.
struct SignalDescriptor: ~Copyable {
  let descriptor: Int32
  deinit { Glibc.close(descriptor) }
}
