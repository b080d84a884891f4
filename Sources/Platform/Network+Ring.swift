// Network+Ring: the event loop on io_uring.
//
// One io_uring_enter a turn: it submits the sends of the last batch, then waits and receives for
// all connections. A connection has one receive under way for its whole life, into buffers shared
// by all; its bytes are copied to the input.
//
//   sends       complete while they are submitted; only a failed or short one has a completion, and
//               the rest of its output waits for a poll
//   placement   the receive is cancelled; then poll, and recv(2) straight into the destination, so
//               that the kernel never holds an address of the user's
//   greed       a client that fills the shared buffers is read as with epoll: poll, then recv(2)
//               within the turn's limit, until it has nothing more
//   close       requests under way are cancelled; the slot is free when the last one has completed
//
// A connection is in `operations` what the kernel is asked to do; `ringUpdateInterest` compares it
// with what the connection wants, and is called whenever either changes.

import Bytes
import CSystem
import Glibc

extension Network {
  /// Whether the kernel lets this process use io_uring as Ferrite needs it.
  public static var ioUringIsPermitted: Bool { (try? Ring()) != nil }

  mutating func ringTurn(_ timeout: Int) throws(IOError) {
    let endsConnections = try queueSends()
    try ring!.enter(milliseconds: ringTrouble == nil && !endsConnections ? timeout : 0)
    while let completion = ring!.next() { take(completion) }
    finishSends()
    if let trouble = ringTrouble { throw trouble }
  }

  private mutating func take(_ completion: Ring.Completion) {
    let token = completion.token
    switch token.source {
    case .receive: takeReceived(completion)
    case .send:
      if token.matches(connections[token.index].generation) {
        connections[token.index].sendResult = completion.result
      }
    case .pollInput: takePolledInput(completion)
    case .pollOutput: takePolledOutput(completion)
    case .listener: takeAccepted(completion)
    case .wake:
      takeWake()
      if !completion.hasMore { ringWatch(wakeHandle.descriptor, .wake) }
    case .signal:
      takeSignals()
      if !completion.hasMore, let descriptor = signals?.descriptor {
        ringWatch(descriptor, .signal)
      }
    case .connection, .ignored: break
    }
  }

  // MARK: Sending

  /// Asks for the sends of the last batch. The outputs stay as they are until `finishSends`.
  /// - Returns: whether a connection ends with its send, which completes without a word: then there
  ///   is something to do as soon as it is submitted.
  private mutating func queueSends() throws(IOError) -> Bool {
    var endsConnections = false
    swap(&touched, &sending)
    for position in sending.indices {
      let index = Int(sending[position])
      guard connections[index].isTouched else { continue }
      connections[index].isTouched = false
      if connections[index].operations.contains(.pollOutput) { continue }
      let count = min(connections[index].sendableOutput, Network.sendLimit)
      if count == 0 && !connections[index].output.isEmpty { continue }
      connections[index].isSending = true
      connections[index].sendResult = nil
      if connections[index].isClosing { endsConnections = true }
      let token = EventToken(.send, index, generation: connections[index].generation)
      // SAFETY: nothing changes the output before `enter` has returned (Ring's invariant 2).
      let bytes = unsafe connections[index].output.span.withUnsafeBytes { unsafe $0 }
      guard count > 0, let start = bytes.baseAddress else { continue }
      unsafe try ring!.send(connections[index].descriptor, start, count: count, token)
    }
    return endsConnections
  }

  private mutating func finishSends() {
    for position in sending.indices {
      let index = Int(sending[position])
      guard connections[index].isSending else { continue }
      connections[index].isSending = false
      if connections[index].isBroken || connections[index].output.isEmpty { continue }
      let asked = min(connections[index].sendableOutput, Network.sendLimit)
      let result = connections[index].sendResult ?? Int32(asked)
      if result < 0 && result != -EAGAIN && result != -EINTR {
        fail(index, -result)
        continue
      }
      let sent = max(0, Int(result))
      connections[index].bytesSent += sent
      connections[index].output.removeFirst(sent)
      if connections[index].output.isEmpty {
        finishOutput(index)
      } else if sent == asked {
        if connections[index].sendableOutput > 0 {
          touch(index)
        } else {
          connections[index].isBlocked = false
        }
      } else {
        connections[index].isBlocked = true
        connections[index].operations.insert(.pollOutput)
        request(.pollOutput, index)
      }
    }
    sending.removeAll(keepingCapacity: true)
  }

  private mutating func takePolledOutput(_ completion: Ring.Completion) {
    let index = completion.token.index
    connections[index].operations.remove(.pollOutput)
    if ringFinishRelease(index) { return }
    if connections[index].sendableOutput > 0 {
      touch(index)
    } else {
      connections[index].isBlocked = false
    }
  }

  // MARK: Receiving

  private mutating func takeReceived(_ completion: Ring.Completion) {
    let index = completion.token.index
    if completion.hasBuffer {
      if completion.result > 0 { deliver(completion, to: index) }
      ring!.recycle(completion)
    }
    if !completion.hasMore {
      connections[index].operations.subtract([.receive, .cancellingReceive])
      if ringFinishRelease(index) { return }
    }
    guard connections[index].isOpen else { return }
    switch -completion.result {
    case 0 where connections[index].isClosing: connections[index].isEnded = true
    case 0: endInput(index, 0)
    // No buffer was left, or we have cancelled it: asked again below if it is still wanted.
    case ENOBUFS, ECANCELED, EINTR, EAGAIN: break
    case let code where code > 0: fail(index, code)
    default: break
    }
    if !completion.hasMore { ringUpdateInterest(index) }
  }

  private mutating func deliver(_ completion: Ring.Completion, to index: Int) {
    guard connections[index].isOpen && !connections[index].isClosing else { return }
    let bytes = unsafe ring!.bytes(of: completion)
    connections[index].bytesReceived += bytes.count
    var taken = 0
    if unsafe connections[index].placement != nil, let start = bytes.baseAddress {
      // SAFETY: the bytes are the kernel's until `recycle`.
      taken = unsafe connections[index].fillPlacement(from: start, count: bytes.count)
      if connections[index].placementRemaining == 0 { report(.placed, index) }
    }
    if taken == bytes.count { return }
    if connections[index].input.capacity == 0 { buffers.lend(&connections[index].input) }
    // SAFETY: as above; the range is the rest of the bytes.
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[taken...])
    unsafe connections[index].input.append(Span<UInt8>(_bytes: rest.bytes))
    if connections[index].receivedTurn != turnNumber { connections[index].turnBytes = 0 }
    reportReceived(index)
    connections[index].turnBytes += rest.count
    if connections[index].turnBytes > Network.greed && !connections[index].isGreedy {
      connections[index].isGreedy = true
      ringUpdateInterest(index)
    }
  }

  private mutating func takePolledInput(_ completion: Ring.Completion) {
    let index = completion.token.index
    connections[index].operations.remove(.pollInput)
    if ringFinishRelease(index) { return }
    if connections[index].wantsInput {
      if connections[index].isGreedy {
        // SAFETY: the placement is only compared with nil.
        if receive(index) { connections[index].isGreedy = false }
      } else if unsafe connections[index].placement != nil {
        _ = receivePlacement(index)
      }
    }
    ringUpdateInterest(index)
  }

  // MARK: Accepting

  private mutating func takeAccepted(_ completion: Ring.Completion) {
    let listener = completion.token.index
    if !completion.hasMore { listeners[listener].isArmed = false }
    if completion.result >= 0 {
      if listeners[listener].isOpen {
        admit(completion.result, listener: listener)
      } else {
        Glibc.close(completion.result)
      }
    } else if completion.result != -ECANCELED && listeners[listener].isOpen {
      _ = acceptFailed(-completion.result)
    }
    if acceptRestStart == nil && listeners[listener].isOpen && !listeners[listener].isArmed {
      ringArmAccept(listener)
      listeners[listener].isArmed = true
    }
  }

  mutating func ringArmAccept(_ listener: Int) {
    attempt { network throws(IOError) in
      try network.ring!.accept(
        network.listeners[listener].descriptor, EventToken(.listener, listener))
    }
  }

  mutating func ringCancelAccept(_ listener: Int) {
    attempt { network throws(IOError) in
      try network.ring!.cancel(EventToken(.listener, listener))
    }
  }

  mutating func ringWatch(_ descriptor: Int32, _ source: EventToken.Source) {
    attempt { network throws(IOError) in
      try network.ring!.poll(descriptor, POLLIN, multishot: true, EventToken(source))
    }
  }

  // MARK: Interest

  mutating func ringUpdateInterest(_ index: Int) {
    guard connections[index].isOpen else { return }
    // SAFETY: only compared with nil.
    let wantsPoll = unsafe connections[index].placement != nil || connections[index].isGreedy
    let wantsReceive = connections[index].wantsInput && !wantsPoll
    if connections[index].operations.contains(.receive) {
      if !wantsReceive && !connections[index].operations.contains(.cancellingReceive) {
        connections[index].operations.insert(.cancellingReceive)
        cancel(.receive, index)
      }
    } else if connections[index].operations.contains(.pollInput) {
      // Its completion brings us back.
    } else if wantsReceive {
      connections[index].operations.insert(.receive)
      request(.receive, index)
    } else if wantsPoll && connections[index].wantsInput {
      connections[index].operations.insert(.pollInput)
      request(.pollInput, index)
    }
  }

  /// Cancels what is under way; the slot becomes free with the last completion.
  mutating func ringRelease(_ index: Int) {
    connections[index].isSending = false
    let operations = connections[index].operations
    if operations.contains(.receive) && !operations.contains(.cancellingReceive) {
      connections[index].operations.insert(.cancellingReceive)
      cancel(.receive, index)
    }
    if operations.contains(.pollInput) { cancel(.pollInput, index) }
    if operations.contains(.pollOutput) { cancel(.pollOutput, index) }
    _ = ringFinishRelease(index)
  }

  /// Frees the slot of a closed connection once nothing refers to it; true if it is closed.
  private mutating func ringFinishRelease(_ index: Int) -> Bool {
    if connections[index].isOpen { return false }
    if connections[index].operations.isDisjoint(with: .awaited) { freeSlot(index) }
    return true
  }

  private mutating func request(_ source: EventToken.Source, _ index: Int) {
    let token = EventToken(source, index, generation: connections[index].generation)
    let descriptor = connections[index].descriptor
    attempt { network throws(IOError) in
      switch source {
      case .receive: try network.ring!.receive(descriptor, token)
      case .pollInput: try network.ring!.poll(descriptor, POLLIN, token)
      default: try network.ring!.poll(descriptor, POLLOUT, token)
      }
    }
  }

  private mutating func cancel(_ source: EventToken.Source, _ index: Int) {
    let token = EventToken(source, index, generation: connections[index].generation)
    attempt { network throws(IOError) in try network.ring!.cancel(token) }
  }

  /// A ring that takes no requests any more is a failure of the machine, which the turn reports.
  private mutating func attempt(
    _ body: (inout Network) throws(IOError) -> Void
  ) {
    do throws(IOError) {
      try body(&self)
    } catch {
      ringTrouble = error
    }
  }

  /// Bytes in one turn that show a client to be greedy.
  private static var greed: Int { 256 << 10 }

  /// What one request sends at most: the kernel counts in 32 bits.
  private static var sendLimit: Int { 1 << 30 }
}
