// Network+Epoll: the event loop on epoll(7), level-triggered.
//
// One epoll_wait a turn, one recv a ready connection, one send an answered one. epoll_ctl is called
// only when interest changes: a full socket, a pause, the end of a peer's stream.

import Bytes
import CSystem
import Glibc

extension Network {
  mutating func epollTurn(_ timeout: Int) throws(IOError) {
    let count = try epoll!.wait(milliseconds: timeout)
    for position in 0..<count {
      let (token, ready) = epoll!.news(position)
      switch token.source {
      case .connection: epollReady(token, ready)
      case .listener: try epollAccept(token.index)
      case .wake: takeWake()
      case .signal: takeSignals()
      default: break
      }
    }
  }

  private mutating func epollReady(_ token: EventToken, _ ready: UInt32) {
    let index = token.index
    guard connections[index].isOpen && token.matches(connections[index].generation) else { return }
    if ready & (Epoll.input | Epoll.trouble) != 0 {
      if connections[index].wantsInput {
        receive(index)
      } else if ready & Epoll.trouble != 0 {
        // Trouble is reported whether we ask or not: without a reader it would be for ever.
        let code = csystem_option(connections[index].descriptor, SOL_SOCKET, SO_ERROR)
        fail(index, code > 0 ? code : ECONNRESET)
      }
    }
    if ready & Epoll.output != 0 && connections[index].isBlocked { transmit(index) }
  }

  private mutating func epollAccept(_ listener: Int) throws(IOError) {
    guard listeners[listener].isOpen else { return }
    for _ in 0..<Network.acceptsPerTurn {
      let descriptor = csystem_accept(listeners[listener].descriptor)
      if descriptor >= 0 {
        admit(descriptor, listener: listener)
      } else if !acceptFailed(errno) {
        break
      }
    }
    if acceptRestStart != nil {
      try epoll!.remove(listeners[listener].descriptor)
      listeners[listener].isArmed = false
    }
  }

  /// Reads what has arrived; false if the turn's limit left some of it.
  @discardableResult mutating func receive(_ index: Int) -> Bool {
    if unsafe connections[index].placement != nil {
      guard receivePlacement(index) else { return true }
    }
    var total = 0
    while total < Network.receiveLimit {
      // SAFETY: the kernel writes at most the free space, and only what it wrote is committed.
      let space = unsafe inputSpace(index, hungry: total > 0)
      let count = unsafe csystem_receive(
        connections[index].descriptor, space.baseAddress, space.count)
      if count <= 0 {
        if count < 0 && errno == EINTR { continue }
        if total > 0 { reportReceived(index) }
        endInput(index, count == 0 ? 0 : errno)
        return true
      }
      unsafe connections[index].input.commit(count)
      connections[index].bytesReceived += count
      total += count
      if count < space.count { break }
    }
    reportReceived(index)
    return total < Network.receiveLimit
  }

  /// Room for a recv: a lent buffer at first, more when the connection has filled one.
  @unsafe private mutating func inputSpace(
    _ index: Int, hungry: Bool
  ) -> UnsafeMutableRawBufferPointer {
    if connections[index].input.capacity == 0 {
      buffers.lend(&connections[index].input)
    } else {
      let wanted = hungry ? Network.receiveLimit : 2048
      connections[index].input.reserve(wanted)
    }
    return unsafe connections[index].input.freeSpace()
  }

  /// Sends what may leave of the output; what the socket does not take waits for EPOLLOUT.
  mutating func transmit(_ index: Int) {
    while connections[index].sendableOutput > 0 {
      // SAFETY: the pointer stays inside the span, which outlives the call.
      let descriptor = connections[index].descriptor
      let sendable = connections[index].sendableOutput
      let count = unsafe connections[index].output.span.withUnsafeBytes { bytes in
        unsafe csystem_send(descriptor, bytes.baseAddress, sendable)
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno != EAGAIN { return fail(index, errno) }
      } else {
        connections[index].bytesSent += count
        connections[index].output.removeFirst(count)
        if connections[index].sendableOutput == 0 { break }
      }
      connections[index].isBlocked = true
      return epollUpdateInterest(index)
    }
    if connections[index].output.isEmpty {
      finishOutput(index)
    } else if connections[index].isBlocked {
      // The rest is held: room in the socket is no news any more.
      connections[index].isBlocked = false
      epollUpdateInterest(index)
    }
  }

  mutating func epollUpdateInterest(_ index: Int) {
    guard connections[index].isOpen && !connections[index].isBroken else { return }
    let wanted =
      Network.registered
      | (connections[index].wantsInput ? Epoll.input : 0)
      | (connections[index].isBlocked ? Epoll.output : 0)
    let current = connections[index].interest
    if wanted == current { return }
    connections[index].interest = wanted
    let token = EventToken(.connection, index, generation: connections[index].generation)
    let descriptor = connections[index].descriptor
    do throws(IOError) {
      if current == 0 {
        try epoll!.add(descriptor, wanted & ~Network.registered, token)
      } else {
        try epoll!.modify(descriptor, wanted & ~Network.registered, token)
      }
    } catch {
      fail(index, error.errno)
    }
  }

  /// Hears no more of a failed connection, whose trouble would be reported in every turn.
  mutating func epollForget(_ index: Int) {
    guard connections[index].interest != 0 else { return }
    connections[index].interest = 0
    // A descriptor that cannot be removed is gone already.
    try? epoll!.remove(connections[index].descriptor)
  }

  /// Set in `interest` while epoll knows the descriptor; no event that Ferrite asks for.
  private static var registered: UInt32 { 1 << 30 }
}
