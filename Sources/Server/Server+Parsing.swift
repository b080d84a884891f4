// From bytes to requests: parses what clients sent into the batch and prefetches their keys.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

extension Server {
  /// Parses a client's input into the batch, executing the batch whenever it is full.
  mutating func parse(_ slot: Int) {
    guard isLive(slot) else { return }
    clients[slot].lastInteractionMilliseconds = now
    let inputCount = network.connections[slot].input.count + queuedBytes(slot)
    if inputCount > configuration.queryBufferLimit {
      return refuseInput(slot)
    }
    if clients[slot].place != nil || !mayExecute(slot) { return }
    queue(slot)
    while true {
      // An unauthenticated client's commands decide what is accepted next.
      let mustExecute = !clients[slot].flags.contains(.authenticated) && !batch.requests.isEmpty
      if mustExecute || batch.requests.count >= Batch.capacity {
        finishBatch()
        guard mayExecute(slot) else { return }
        queue(slot)
      }
      if !parseOne(slot) { return }
    }
  }

  /// Parses one request.
  /// - Returns: whether there may be another.
  private mutating func parseOne(_ slot: Int) -> Bool {
    let limits = RequestLimits(
      isAuthenticated: clients[slot].flags.contains(.authenticated), placesLargeArguments: true,
      maxBulkLength: configuration.maximumBulkLength)
    let start = clients[slot].parsedBytes
    let firstRange = batch.ranges.count
    let result: ParseResult
    do throws(ProtocolError) {
      result = try Self.parse(slot, &clients, network, limits, &batch)
    } catch {
      clients[slot].error = error
      return false
    }
    switch result {
    case .complete(let isInline):
      let request = Request(
        slot: Int32(truncatingIfNeeded: slot), command: Request.unknown, isInline: isInline,
        hasKey: false, placed: Int32(clients[slot].parser.placedIndex ?? -1),
        firstRange: Int32(truncatingIfNeeded: firstRange),
        rangeCount: Int32(truncatingIfNeeded: batch.ranges.count &- firstRange), start: start,
        end: clients[slot].parsedBytes, hash: 0)
      add(request)
      return true
    case .empty: return true
    case .incomplete: return false
    case .largeArgument(_, let count):
      if !batch.requests.isEmpty { finishBatch() }
      guard mayExecute(slot) else { return false }
      queue(slot)
      return beginPlacement(slot, count)
    }
  }

  @inline(__always) private static func parse(
    _ slot: Int, _ clients: inout Pool<Client>, _ network: borrowing Network,
    _ limits: RequestLimits, _ batch: inout Batch
  ) throws(ProtocolError) -> ParseResult {
    try clients[slot].parse(network.connections[slot].input, limits, &batch)
  }

  /// Looks the request's command up, and asks for its first key's bucket.
  private mutating func add(_ request: Request) {
    var request = request
    Self.identify(
      &request, batch, network.connections[Int(request.slot)].input, table, keys,
      database: clients[Int(request.slot)].database)
    batch.requests.append(request)
  }

  private static func identify(
    _ request: inout Request, _ batch: borrowing Batch, _ input: borrowing ByteBuffer,
    _ table: borrowing CommandTable<Server>, _ keys: borrowing Keyspace, database: Int
  ) {
    let arguments = arguments(request, batch, input)
    guard let id = table.index.find(arguments) else { return }
    request.command = id.rawValue
    guard request.placed < 0, let key = table[id].firstKey(of: arguments) else { return }
    request.hash = keys.hash(of: key)
    request.hasKey = true
    keys.prefetchBucket(request.hash, database: database)
  }

  /// The request's arguments, when none of them was placed.
  @_lifetime(borrow batch, borrow input)
  @inline(__always) static func arguments(
    _ request: Request, _ batch: borrowing Batch, _ input: borrowing ByteBuffer
  ) -> Arguments {
    let first = Int(request.firstRange)
    let ranges = batch.ranges.span.extracting(first..<(first &+ Int(request.rangeCount)))
    if request.isInline {
      return Arguments(bytes: batch.inlineText.span, ranges: ranges, request: Span())
    }
    let bytes = input.span
    return Arguments(
      bytes: bytes, ranges: ranges, request: bytes.extracting(request.start..<request.end))
  }

  private mutating func queue(_ slot: Int) {
    guard !clients[slot].flags.contains(.queued) else { return }
    clients[slot].flags.insert(.queued)
    ready.append(Int32(truncatingIfNeeded: slot))
  }

  // MARK: Waiting

  func isLive(_ slot: Int) -> Bool {
    clients[slot].id != 0 && !clients[slot].flags.contains(.closing)
  }

  /// Whether the client's next request may run: it is there, stays, and is not held back.
  @inline(__always) func mayExecute(_ slot: Int) -> Bool {
    clients[slot].id != 0
      && clients[slot].flags.isDisjoint(with: [.closing, .postponed, .blocked, .replying])
  }

  /// CLIENT PAUSE. A pause of everything is not loosened by a later one of writes, nor shortened.
  mutating func pause(until end: Int, onlyWrites: Bool) {
    pausesOnlyWrites = onlyWrites && (pausedUntil <= now || pausesOnlyWrites)
    pausedUntil = max(pausedUntil, end)
    if pausedUntil <= now { pausedUntil = 0 }
  }

  /// Puts a request that may not run yet back to where it came from, with all that followed it.
  mutating func postpone(_ request: Request, _ batch: borrowing Batch) {
    let slot = Int(request.slot)
    clients[slot].rewind(to: request.start)
    if request.placed >= 0, let place = placed.removeValue(forKey: slot) {
      precondition(request.start == 0, "a placed argument's request is the first of its batch")
      let range = batch.ranges[Int(request.firstRange) + Int(request.placed)]
      Self.move(
        Int(range.offset), from: &network.connections[slot].input, to: &clients[slot].header)
      clients[slot].rewindToPlacement(place)
    }
    guard !clients[slot].flags.contains(.listed) else { return }
    clients[slot].flags.insert(.listed)
    waiting.append(Int32(truncatingIfNeeded: slot))
  }

  /// Goes on with the clients that were postponed, now that the pause is over.
  mutating func resumeWaiting() {
    var slots = GrowableArray<Int32>()
    swap(&slots, &waiting)
    for index in 0..<slots.count {
      let slot = Int(slots[index])
      clients[slot].flags.remove(.listed)
      guard clients[slot].flags.contains(.postponed) else { continue }
      clients[slot].flags.remove(.postponed)
      if clients[slot].place == nil { parse(slot) } else { finishPlacement(slot) }
    }
    if !batch.requests.isEmpty || !ready.isEmpty { finishBatch() }
  }

  // cold: the connection is about to be closed
  private mutating func refuseInput(_ slot: Int) {
    log.warning(
      "Closing client that reached max query buffer length: \(describe(slot))")
    statistics.queryLimitDisconnections += 1
    close(slot)
  }

  // MARK: Large arguments

  /// Lets the network read the argument that comes next straight into the keyspace. The input
  /// begins with the request, since the batch before it has been executed.
  /// - Returns: whether parsing goes on at once: there is no room for a place, or the client is not
  ///   allowed that much input and is to be closed when it has sent it.
  private mutating func beginPlacement(_ slot: Int, _ count: Int) -> Bool {
    let consumed = clients[slot].parsedBytes
    network.connections[slot].input.removeFirst(consumed)
    clients[slot].parsedBytes = 0
    let headerCount = clients[slot].parser.parsedCount
    guard headerCount + count <= configuration.queryBufferLimit,
      let place = try? keys.makePlace(count)
    else {
      clients[slot].parser.declinePlace()
      return true
    }
    Self.move(headerCount, from: &network.connections[slot].input, to: &clients[slot].header)
    clients[slot].place = Placing(token: place.token, destination: place.destination)
    network.place(slot, into: place.destination)
    return false
  }

  private static func move(
    _ count: Int, from input: inout ByteBuffer, to header: inout ByteBuffer
  ) {
    header.append(input.span.extracting(0..<count))
    input.removeFirst(count)
  }

  mutating func finishPlacement(_ slot: Int) {
    guard isLive(slot), let place = clients[slot].place else { return }
    var header = ByteBuffer()
    swap(&header, &clients[slot].header)
    network.connections[slot].input.insert(header.span, at: 0)
    clients[slot].parser.resumeAfterPlaced()
    // The place stays known until its request has been executed.
    clients[slot].place = nil
    placed[slot] = place
    parse(slot)
  }
}
