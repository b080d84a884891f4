// Launch: from the command line to a running server, and to the exit status.

import Bytes
import Glibc
import Logging
import Platform

/// Runs the program.
/// - Returns: the process' exit status.
public func runServer(_ arguments: [String]) -> Int32 {
  let files = SystemConfigurationFiles()
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
    return serve(configuration, notes)
  }
}

private func serve(_ configuration: Configuration, _ notes: [ConfigurationNote]) -> Int32 {
  let settings = LogSettings(threshold: configuration.logLevel, file: configuration.logFile)
  let log = settings.logger()
  do throws(IOError) {
    try CrashReport.install(version: "ferrite")
    var server = try Server.make(configuration, logSettings: settings)
    log.write(notes)
    try server.start()
    let status = try server.run()
    log.warning("Ferrite is now ready to exit, bye bye...")
    return status
  } catch {
    log.critical("\(error)")
    return 1
  }
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

extension Server {
  /// Announces the server: signals, log, service manager.
  mutating func start() throws(IOError) {
    try network.watchSignals()
    try listen()
    log.notice("Ferrite \(Configuration.version) starts, pid \(Process.identifier)")
    log.notice(
      "Event loop \(network.backendName), port \(configuration.port), memory volatile")
    if configuration.port > 0 { log.notice("Ready to accept connections tcp") }
    if !configuration.unixSocket.isEmpty { log.notice("Ready to accept connections unix") }
    _ = try? Process.notifyServiceManager("READY=1")
  }
}
