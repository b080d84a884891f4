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
    if clients[slot].place != nil { return }
    if isPostponed(slot) { return wait(slot) }
    let size = network.connections[slot].input.count
    if size > configuration.queryBufferLimit { return refuseInput(slot, size) }
    queue(slot)
    while true {
      // An unauthenticated client's commands decide what is accepted next.
      let mustExecute = !clients[slot].flags.contains(.authenticated) && !batch.requests.isEmpty
      if mustExecute || batch.requests.count >= Batch.capacity {
        finishBatch()
        guard isLive(slot) else { return }
        if isPostponed(slot) { return wait(slot) }
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
      guard isLive(slot) else { return false }
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

  /// Whether CLIENT PAUSE holds everything back. A pause of writes alone acts on execution.
  func isPostponed(_ slot: Int) -> Bool { pausedUntil > now && !pausesOnlyWrites }

  mutating func wait(_ slot: Int) {
    guard !clients[slot].flags.contains(.postponed) else { return }
    clients[slot].flags.insert(.postponed)
    waiting.append(Int32(truncatingIfNeeded: slot))
  }

  /// Goes on with the clients whose input waits, when the pause is over.
  mutating func resumeWaiting() {
    if pausedUntil > now { return }
    pausedUntil = 0
    var slots = GrowableArray<Int32>()
    swap(&slots, &waiting)
    for index in 0..<slots.count {
      let slot = Int(slots[index])
      clients[slot].flags.remove(.postponed)
      parse(slot)
    }
    if !batch.requests.isEmpty || !ready.isEmpty { finishBatch() }
  }

  // cold: the connection is about to be closed
  private mutating func refuseInput(_ slot: Int, _ size: Int) {
    log.warning(
      "Closing client that reached max query buffer length: id=\(clients[slot].id) qbuf=\(size)")
    statistics.queryLimitDisconnections += 1
    close(slot)
  }

  // MARK: Large arguments

  /// Lets the network read the argument that comes next straight into the keyspace. The input
  /// begins with the request, since the batch before it has been executed.
  /// - Returns: whether parsing goes on at once, because there was no room for a place.
  private mutating func beginPlacement(_ slot: Int, _ count: Int) -> Bool {
    let consumed = clients[slot].parsedBytes
    network.connections[slot].input.removeFirst(consumed)
    clients[slot].parsedBytes = 0
    guard let place = try? keys.makePlace(count) else {
      clients[slot].parser.declinePlace()
      return true
    }
    let headerCount = clients[slot].parser.parsedCount
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
