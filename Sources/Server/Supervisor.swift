// Supervisor: who watches the process, and what it is told.
//
//   start ─► STATUS ... READY=1 ─► serve ─► STOPPING=1

import Logging
import Platform

enum Supervisor: Sendable {
  case none
  case systemd

  /// Who watches, by the setting and the environment that the watcher gave the process.
  init(_ setting: Supervision) {
    let hasSocket = Daemon.environment("NOTIFY_SOCKET") != nil
    self = setting == .systemd || (setting == .automatic && hasSocket) ? .systemd : .none
  }

  /// As INFO prints it.
  var name: String { self == .systemd ? "systemd" : "no" }

  /// Tells the watcher about a change of state. Serving goes on when that fails.
  func notify(_ state: String, _ log: Logger) {
    guard self == .systemd else { return }
    do throws(IOError) {
      if try !Process.notifyServiceManager(state) {
        log.warning("systemd supervision requested, but NOTIFY_SOCKET is not set")
      }
    } catch {
      log.warning("Could not tell systemd \(state): \(error)")
    }
  }
}
