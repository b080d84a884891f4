// Information: INFO's text.
//
//   # Clients
//   connected_clients:1
//   ...
//   (empty line)
//   # Memory
//
// 1. Names, order and forms are Redis 7.2's: programs read them. What Ferrite does not have yet
//    says what an idle Redis says.
// 2. Every value that exists is measured when INFO is asked, or counted; none is guessed.

import Bytes

/// The sections, in the order in which they are printed.
enum InformationSection: String, CaseIterable, Sendable {
  case server, clients, memory, persistence, stats, replication, cpu, modules, commandstats
  case errorstats, latencystats, cluster, keyspace

  var title: String {
    self == .cpu ? "CPU" : rawValue.prefix(1).uppercased() + rawValue.dropFirst()
  }
}

extension Set<InformationSection> {
  /// What INFO without a section prints.
  static let standard: Set<InformationSection> = Set(InformationSection.allCases)
    .subtracting([.commandstats, .latencystats])

  /// The sections that INFO's words ask for. A word that names none asks for nothing.
  init(words: [String]) {
    self = words.isEmpty ? Set.standard : []
    for word in words.map({ $0.lowercased() }) {
      switch word {
      case "default": formUnion(Set.standard)
      case "all", "everything": formUnion(InformationSection.allCases)
      case "module_list": insert(.modules)
      default: if let section = InformationSection(rawValue: word) { insert(section) }
      }
    }
  }
}

struct InformationText {
  private(set) var text = ""

  /// Begins a section.
  mutating func section(_ section: InformationSection) {
    if !text.isEmpty { text += "\r\n" }
    text += "# \(section.title)\r\n"
  }

  mutating func field(_ name: String, _ value: String) { text += "\(name):\(value)\r\n" }
  mutating func field(_ name: String, _ value: Int) { field(name, String(value)) }
  mutating func field(_ name: String, _ value: Bool) { field(name, value ? 1 : 0) }

  mutating func field(_ name: String, _ value: Double, decimals: Int) {
    field(name, Self.decimal(value, decimals))
  }

  /// A size, in bytes and again in a form for people.
  mutating func size(_ name: String, _ bytes: Int) {
    field(name, bytes)
    field(name + "_human", Self.human(bytes))
  }

  /// Fields that are 0 because what they count does not exist here.
  mutating func zeros(_ names: String...) {
    for name in names { field(name, 0) }
  }

  // MARK: Forms of numbers

  /// A number with exactly so many decimals.
  static func decimal(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (value.magnitude * Double(scale)).rounded()
    guard scaled < 1e18 else { return String(value) }
    let (whole, part) = Int(scaled).quotientAndRemainder(dividingBy: scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if decimals == 0 { return "\(sign)\(whole)" }
    let digits = String(part)
    let zeros = String(repeating: "0", count: decimals - digits.count)
    return "\(sign)\(whole).\(zeros)\(digits)"
  }

  /// A number as a percentile's name has it: up to six decimals, none that are zero.
  static func trimmed(_ value: Double) -> String {
    var text = decimal(value, 6)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  /// 919.10K
  static func human(_ bytes: Int) -> String {
    if bytes < 1024 { return "\(bytes)B" }
    var value = Double(bytes) / 1024
    for unit in ["K", "M", "G", "T"] {
      if value < 1024 { return decimal(value, 2) + unit }
      value /= 1024
    }
    return decimal(value, 2) + "P"
  }

  /// Microseconds as seconds.
  static func seconds(_ microseconds: Int64) -> String {
    decimal(Double(microseconds) / 1_000_000, 6)
  }

  /// A name with what would break a line or a field replaced, as Redis does.
  static func safe(_ name: String) -> String {
    String(name.map { $0.isNewline || "#:\r\n".contains($0) ? "_" : $0 })
  }
}

extension Configuration {
  /// The version of Redis whose behaviour is kept; clients choose what they send by it.
  public static let redisVersion = "7.2.0"
}
