// Configuration from the command line, as redis-server takes it.
//
//   ferrite-server [/path/redis.conf] [-] [--name value ...]
//
// The options are written down as lines of redis.conf and read after the file and standard input,
// so the last word on a setting is the command line's. They are free-form: any directive is an
// option, takes as many values as it likes, and a value may begin with a dash. Argument parsing
// libraries (swift-argument-parser among them) want to know each option beforehand; so we do as
// Redis does, by hand.

extension Configuration {
  /// Ferrite's own version.
  public static let version = "0.1.0"

  /// What a command line asks for.
  public enum Launch: Sendable {
    /// Serve with this configuration; write the notes to the log.
    case serve(Configuration, notes: [ConfigurationNote])
    /// Print and exit.
    case exit(text: String, toStandardError: Bool, status: Int32)
  }

  /// - Parameters:
  ///   - arguments: the command line without the program's name.
  ///   - standardInput: reads standard input to its end; called when `-` asks for it.
  public static func load(
    arguments: [String], files: some ConfigurationFiles, standardInput: () -> [UInt8]
  ) throws(ConfigurationFailure) -> Launch {
    if let launch = launchWithoutServing(arguments) { return launch }
    var loader = ConfigurationLoader(files: files)
    let commandLine = CommandLineOptions(arguments)
    let path = commandLine.file.map { absolute($0, in: files.currentDirectory()) }
    var text: [UInt8] = []
    if let path { text = try loader.read(path) }
    if commandLine.readsStandardInput {
      loader.note("Reading config from stdin")
      text += standardInput()
    }
    try loader.load(text + [0x0A] + commandLine.lines)
    try loader.finish(filePath: path)
    return .serve(loader.configuration, notes: loader.notes)
  }

  private static func launchWithoutServing(_ arguments: [String]) -> Launch? {
    switch arguments.first {
    case "-v", "--version":
      return .exit(
        text: "Ferrite server v=\(version) bits=64\n", toStandardError: false, status: 0)
    case "-h", "--help":
      return .exit(text: help, toStandardError: false, status: 0)
    case "--test-memory":
      return .exit(
        text: "ferrite-server does not test memory: use memtester or memtest86+.\n",
        toStandardError: true, status: 1)
    case "--check-system":
      return .exit(
        text: "ferrite-server does not check the system: it needs no system settings.\n",
        toStandardError: true, status: 1)
    default:
      return nil
    }
  }

  private static func absolute(_ path: String, in directory: String) -> String {
    if path.hasPrefix("/") { return path }
    let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return directory.hasSuffix("/") ? directory + relative : directory + "/" + relative
  }

  private static let help = """
    Usage: ferrite-server [/path/to/redis.conf] [options] [-]
           ferrite-server - (read the configuration from standard input)
           ferrite-server -v or --version
           ferrite-server -h or --help

    Any directive of redis.conf is an option. Options come after the file and standard input.

    Examples:
           ferrite-server (default configuration)
           echo 'maxmemory 128mb' | ferrite-server -
           ferrite-server /etc/redis/redis.conf
           ferrite-server --port 7777 --bind 127.0.0.1 ::1
           ferrite-server /etc/redis/redis.conf --loglevel verbose -

    Ferrite's own directives:
           persistence yes|no                 (no: the data lives in memory only)
           storage-medium auto|dax|ssd|emulated
           log-segment-size, log-max-size, log-truncate-corrupt
           checkpoint-log-size, checkpoint-interval, checkpoint-io-budget
           maxmemory-dram
           event-loop auto|io_uring|epoll

    """
}

/// The command line, taken apart into a file, standard input, and lines of redis.conf.
struct CommandLineOptions {
  private(set) var file: String?
  private(set) var readsStandardInput = false
  private(set) var lines: [UInt8] = []
  /// False between an option's name and its first value: a value may begin with dashes.
  private var mayBeginOption = true

  init(_ arguments: [String]) {
    var index = 0
    if let first = arguments.first, !first.hasPrefix("-") {
      file = first
      index = 1
    }
    while index < arguments.count {
      let argument = arguments[index]
      let isLast = index == arguments.count - 1
      if argument == "-" && (index == 0 || isLast) {
        readsStandardInput = true
      } else if mayBeginOption && argument.hasPrefix("--") {
        let next = isLast ? nil : arguments[index + 1]
        beginOption(argument, next: next)
      } else {
        lines += ConfigurationText.quoted(argument.utf8) + [0x20]
        mayBeginOption = true
      }
      index += 1
    }
  }

  private mutating func beginOption(_ argument: String, next: String?) {
    if !lines.isEmpty { lines.append(0x0A) }
    lines += Array(argument.utf8.dropFirst(2)) + [0x20]
    // "--port 6380" in one argument carries its value; the next one may be an option again.
    mayBeginOption = ConfigurationText.split(argument.utf8)?.count != 1
    if mayBeginOption { return }
    let nextBeginsOption = next?.hasPrefix("--") ?? true
    switch argument.lowercased() {
    case "--save" where nextBeginsOption:
      // An empty list of save points, as scripts that build command lines produce it.
      lines += Array("\"\"".utf8)
      mayBeginOption = true
    case "--sentinel" where nextBeginsOption:
      mayBeginOption = true
    default:
      break
    }
  }
}
