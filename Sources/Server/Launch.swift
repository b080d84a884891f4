// Launch: from the command line to a running server, and to the exit status.
//
//   command line ─► configuration ─► background ─► server ─► listen ─► pid file ─► run ─► 0
//        │ print and exit: 0                          └─ cannot start: 1 ─┘         └ 2nd signal: 1
//        └ wrong: 1

import Bytes
import Glibc
import Logging
import Platform

/// Runs the program.
/// - Returns: the process' exit status.
public func runServer(_ arguments: [String]) -> Int32 {
  let files = SystemConfigurationFiles()
  let executable = absolutePath(arguments.first ?? "", files.currentDirectory())
  let launch: Configuration.Launch
  do throws(ConfigurationFailure) {
    launch = try Configuration.load(
      arguments: Array(arguments.dropFirst()), files: files,
      standardInput: SystemConfigurationFiles.standardInput)
  } catch {
    write(error.message, toStandardError: true)
    return 1
  }
  switch launch {
  case .exit(let text, let toStandardError, let status):
    write(text, toStandardError: toStandardError)
    return status
  case .serve(let configuration, let notes):
    return serve(configuration, notes, executable)
  }
}

private func serve(
  _ configuration: Configuration, _ notes: [ConfigurationNote], _ executable: String
) -> Int32 {
  let settings = LogSettings(threshold: configuration.logLevel, file: configuration.logFile)
  let log = settings.logger()
  let supervisor = Supervisor(configuration.supervised)
  let isBackground = configuration.daemonize && supervisor == .none
  do {
    if isBackground { try Daemon.detach() }
    try CrashReport.install(version: "ferrite \(Configuration.version)")
    if !configuration.logFile.isEmpty { try CrashReport.setFile(configuration.logFile) }
    announce(configuration, notes, log)
    var server = try Server.make(configuration, logSettings: settings)
    server.executablePath = executable
    server.supervisor = supervisor
    let pidFile = PIDFile(configuration, isBackground: isBackground)
    // Only who has got the port may write the file: it may be another server's.
    try server.start()
    pidFile.write(log)
    defer { pidFile.remove(log) }
    let status = try server.run()
    server.end()
    return status
  } catch let error as IOError {
    log.critical("\(error)")
    return 1
  } catch {
    log.critical("The data directory cannot be opened: \(error)")
    return 1
  }
}

/// The first lines of the log: who starts, and with which configuration.
private func announce(
  _ configuration: Configuration, _ notes: [ConfigurationNote], _ log: Logger
) {
  log.notice(
    """
    Ferrite \(Configuration.version) is starting: Redis \(Configuration.redisVersion) protocol, \
    64 bit, pid \(Process.identifier)
    """)
  if let path = configuration.filePath {
    log.notice("Configuration loaded from \(path)")
  } else {
    log.notice("No configuration file: default settings and the command line's")
  }
  log.write(notes)
}

/// A path as the shell meant it.
private func absolutePath(_ path: String, _ directory: String) -> String {
  path.hasPrefix("/") ? path : "\(directory)/\(path)"
}

private func write(_ text: String, toStandardError: Bool) {
  var buffer = ByteBuffer()
  buffer.append(text)
  if toStandardError {
    LogOutput.complain(buffer.span)
  } else {
    _ = LogOutput.append(buffer.span, to: "")
  }
}

/// The file that tells the process' number. Serving goes on without it when it cannot be written.
private struct PIDFile {
  let path: String

  init(_ configuration: Configuration, isBackground: Bool) {
    let isDefault = configuration.pidFile.isEmpty && isBackground
    path = isDefault ? "/var/run/ferrite.pid" : configuration.pidFile
  }

  func write(_ log: Logger) {
    guard !path.isEmpty else { return }
    do throws(IOError) {
      try Daemon.writeIdentifier(to: path)
    } catch {
      log.warning("Could not write the pid file: \(error)")
    }
  }

  func remove(_ log: Logger) {
    guard !path.isEmpty else { return }
    log.notice("Removing the pid file")
    Daemon.remove(path)
  }
}

extension Server {
  /// Opens for business: signals, listeners, log, service manager.
  mutating func start() throws {
    CrashReport.nameActivities(table.fullNames)
    statistics.startupMemoryBytes = usedMemoryBytes
    // The storage's threads inherit which signals are blocked.
    try network.watchSignals()
    try openStorage()
    try listen()
    let volatile =
      configuration.persistence ? "" : ", memory volatile: the data ends with the process"
    log.notice(
      "Event loop \(network.backendName), maxclients \(configuration.maximumClients)\(volatile)")
    if configuration.port > 0 {
      log.notice("Ready to accept connections tcp, port \(configuration.port)")
    }
    if !configuration.unixSocket.isEmpty {
      log.notice("Ready to accept connections unix, \(configuration.unixSocket)")
    }
    supervisor.notify("STATUS=Ready to accept connections\nREADY=1", log)
  }

  /// Says goodbye: from here on a signal ends the process.
  mutating func end() {
    Daemon.restoreSignals()
    supervisor.notify("STOPPING=1", log)
    for listener in listeners { network.stopListening(listener.number) }
    log.warning("Ferrite is now ready to exit, bye bye...")
  }
}
