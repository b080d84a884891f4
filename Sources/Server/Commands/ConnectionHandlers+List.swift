// ConnectionHandlers+List: which clients there are, and how CLIENT LIST, INFO and KILL speak of
// them.
//
//   id=3 addr=127.0.0.1:5321 laddr=127.0.0.1:6379 fd=8 name= age=2 idle=0 flags=N db=0 ... lib-ver=
//
// 1. The fields are Redis' and in its order, for programs that parse them. Where Redis counts
//    things that Ferrite has not (reply lists), the value says that there are none.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

enum ClientType {
  case normal, replica, pubsub, master

  init(_ name: borrowing Span<UInt8>) throws(CommandError) {
    if name.equalsIgnoringCase("normal") {
      self = .normal
    } else if name.equalsIgnoringCase("slave") || name.equalsIgnoringCase("replica") {
      self = .replica
    } else if name.equalsIgnoringCase("pubsub") {
      self = .pubsub
    } else if name.equalsIgnoringCase("master") {
      self = .master
    } else {
      throw .custom("ERR Unknown client type '\(String(copying: name))'")
    }
  }
}

/// Whom CLIENT KILL means: clients that meet every condition given.
struct ClientFilter {
  var id: Int?
  var type: ClientType?
  var address: String?
  var localAddress: String?
  var skipsCaller = true

  /// CLIENT KILL address.
  init(address: borrowing Span<UInt8>) {
    self.address = String(copying: address)
    skipsCaller = false
  }

  /// CLIENT KILL condition value ...
  init(_ args: borrowing Arguments) throws(CommandError) {
    var index = 2
    while index < args.count {
      guard index + 1 < args.count else { throw .syntax }
      try add(args[index], args[index + 1])
      index += 2
    }
  }

  private mutating func add(
    _ option: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>
  ) throws(CommandError) {
    if option.equalsIgnoringCase("ID") {
      guard let number = value.parseInteger(), number > 0 else {
        throw .fixed("ERR client-id should be greater than 0")
      }
      id = number
    } else if option.equalsIgnoringCase("TYPE") {
      type = try ClientType(value)
    } else if option.equalsIgnoringCase("ADDR") {
      address = String(copying: value)
    } else if option.equalsIgnoringCase("LADDR") {
      localAddress = String(copying: value)
    } else if option.equalsIgnoringCase("USER") {
      let name = String(copying: value)
      if name != "default" { throw .custom("ERR No such user '\(name)'") }
    } else if option.equalsIgnoringCase("SKIPME") {
      skipsCaller = value.equalsIgnoringCase("yes")
      guard skipsCaller || value.equalsIgnoringCase("no") else { throw .syntax }
    } else {
      throw .syntax
    }
  }
}

extension Server {
  /// The slots of all clients, in the order in which they connected.
  func slotsByID() -> [Int] {
    var slots: [(id: Int, slot: Int)] = []
    for slot in 0..<clients.count where clients[slot].id != 0 {
      slots.append((clients[slot].id, slot))
    }
    slots.sort { $0.id < $1.id }
    return slots.map { $0.slot }
  }

  /// The slot of the client with that id, found in `slotsByID`'s result by halving.
  func slot(ofID id: Int, among slots: [Int]) -> Int? {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = (low + high) / 2
      if clients[slots[middle]].id < id { low = middle + 1 } else { high = middle }
    }
    guard low < slots.count, clients[slots[low]].id == id else { return nil }
    return slots[low]
  }

  func matches(_ slot: Int, _ filter: ClientFilter) -> Bool {
    let id = clients[slot].id
    guard id != 0, !(filter.skipsCaller && slot == current) else { return false }
    if let wanted = filter.id, wanted != id { return false }
    if let type = filter.type, type != .normal { return false }
    if let address = filter.address, network.connections[slot].peerAddress != address {
      return false
    }
    if let address = filter.localAddress, network.connections[slot].localAddress != address {
      return false
    }
    return true
  }

  /// One line for each of the clients.
  /// - Parameter argumentBytes: the lengths of the arguments of the command being executed.
  func describe(_ slots: [Int], argumentBytes: Int) -> String {
    var text = ""
    for slot in slots {
      describe(slot, argumentBytes: slot == current ? argumentBytes : 0, in: &text)
      text += "\n"
    }
    return text
  }

  /// The client's line, for the log.
  func describe(_ slot: Int) -> String {
    var text = ""
    describe(slot, argumentBytes: 0, in: &text)
    return text
  }

  private func describe(_ slot: Int, argumentBytes: Int, in text: inout String) {
    let id = clients[slot].id
    let age = now / 1000 - clients[slot].createdMilliseconds / 1000
    let idle = now / 1000 - clients[slot].lastInteractionMilliseconds / 1000
    text += "id=\(id) addr=\(network.connections[slot].peerAddress)"
    text += " laddr=\(network.connections[slot].localAddress)"
    text += " fd=\(network.connections[slot].descriptor) name=\(clients[slot].name)"
    text += " age=\(age) idle=\(idle) flags=\(flagLetters(slot)) db=\(clients[slot].database)"
    let isQueueing = clients[slot].flags.contains(.inTransaction)
    let queued = isQueueing ? transactions[clients[slot].transaction].count : -1
    text += " sub=0 psub=0 ssub=0 multi=\(queued)"
    describeMemory(slot, argumentBytes: argumentBytes, in: &text)
    let command = clients[slot].lastCommand
    let name = command == .max ? "NULL" : table.fullName(CommandID(rawValue: command))
    text += " events=\(eventLetters(slot)) cmd=\(name) user=default redir=-1"
    text += " resp=\(clients[slot].version.rawValue)"
    text += " lib-name=\(clients[slot].libraryName) lib-ver=\(clients[slot].libraryVersion)"
  }

  /// Redis keeps short output in one buffer (obl) and long output in a list (oll, omem). Ferrite
  /// has one buffer; its content is told as the one or the other by its length.
  private func describeMemory(_ slot: Int, argumentBytes: Int, in text: inout String) {
    // While a client's command runs, its input is with `execute`.
    let isCaller = slot == current
    let input = isCaller ? currentInputBytes : network.connections[slot].input.count
    let inputCapacity =
      isCaller ? currentInputCapacity : network.connections[slot].input.capacity
    let output = network.connections[slot].pendingOutput
    let outputCapacity = network.connections[slot].outputCapacity
    let isShort = output <= Self.shortOutputBytes
    let kept = keptBytes(slot)
    let total =
      Self.clientBytes + inputCapacity + outputCapacity + clients[slot].header.capacity + kept.multi
      + kept.wait
    text += " qbuf=\(input) qbuf-free=\(inputCapacity - input) argv-mem=\(argumentBytes)"
    text +=
      " multi-mem=\(kept.multi) rbs=\(outputCapacity) rbp=\(output) obl=\(isShort ? output : 0)"
    text += " oll=\(isShort ? 0 : 1) omem=\(isShort ? 0 : outputCapacity)"
    text += " tot-mem=\(total + argumentBytes)"
  }

  /// What is kept for a client's transaction and for its blocking command, in bytes.
  func keptBytes(_ slot: Int) -> (multi: Int, wait: Int) {
    let transaction = clients[slot].transaction
    let wait = clients[slot].wait
    return (
      transaction < 0
        ? 0
        : transactions[transaction].queue.memoryBytes
          + transactions[transaction].watched.capacity,
      wait < 0 ? 0 : suspensions[wait].request.memoryBytes
    )
  }

  private func flagLetters(_ slot: Int) -> String {
    let flags = clients[slot].flags
    var letters = ""
    if !flags.isDisjoint(with: [.postponed, .blocked]) { letters += "b" }
    if flags.contains(.inTransaction) { letters += "x" }
    if flags.contains(.touched) { letters += "d" }
    if flags.contains(.closing) { letters += "c" }
    if network.connections[slot].isUnix { letters += "U" }
    if flags.contains(.noEvict) { letters += "e" }
    if flags.contains(.noTouch) { letters += "T" }
    return letters.isEmpty ? "N" : letters
  }

  private func eventLetters(_ slot: Int) -> String {
    var letters = clients[slot].flags.contains(.closing) ? "" : "r"
    if network.connections[slot].isBlocked { letters += "w" }
    return letters
  }

  private static var shortOutputBytes: Int { 16 << 10 }

  private static var clientBytes: Int {
    MemoryLayout<Client>.stride + MemoryLayout<Connection>.stride
  }
}
