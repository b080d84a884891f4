// SystemConfigurationFiles: the configuration's files on the machine.

import Bytes
import Platform

public struct SystemConfigurationFiles: ConfigurationFiles {
  public init() {}

  public func read(_ path: String) throws(FileProblem) -> [UInt8] {
    do {
      let content = try Files.read(path)
      let span = content.span
      return span.indices.map { span[$0] }
    } catch {
      throw FileProblem(error)
    }
  }

  public func replace(_ path: String, with bytes: [UInt8]) throws(FileProblem) {
    do { try Files.replace(path, with: bytes.span) } catch { throw FileProblem(error) }
  }

  public func glob(_ pattern: String) -> [String] { WorkingDirectory.matching(pattern) }

  public func checkAppendable(_ path: String) throws(FileProblem) {
    let code = LogOutput.append(Span(), to: path)
    guard code == 0 else { throw FileProblem(errno: code, reason: IOError.reason(code)) }
  }

  public func changeDirectory(_ path: String) throws(FileProblem) {
    do { try WorkingDirectory.change(to: path) } catch { throw FileProblem(error) }
  }

  public func currentDirectory() -> String { WorkingDirectory.path() }

  /// All of standard input, for `ferrite-server -`. What cannot be read counts as empty.
  public static func standardInput() -> [UInt8] {
    (try? SystemConfigurationFiles().read("-")) ?? []
  }
}

extension FileProblem {
  fileprivate init(_ error: IOError) { self.init(errno: error.errno, reason: error.reason) }
}
