import Bytes
import CSystem
import Glibc
import Testing

@testable import Platform

@Suite struct SystemTests {
  @Test func aFileIsReplacedWholeAndKeepsItsPermissions() throws {
    let path = "/tmp/ferrite-test-\(getpid())-\(randomHexadecimal(8)).conf"
    defer { unsafe unlink(path) }
    try Files.replace(path, with: [1, 2, 3].span, permissions: 0o640)
    #expect(try Files.read(path).content == [1, 2, 3])
    var status = stat()
    #expect(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o640)
    // A replacement leaves the operator's permissions alone.
    unsafe chmod(path, 0o600)
    let large = pattern(300_000, seed: 1)
    try Files.replace(path, with: large.span)
    #expect(try Files.read(path).content == large)
    #expect(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(unsafe access("\(path).\(getpid()).tmp", F_OK) != 0)
    let empty: [UInt8] = []
    try Files.replace(path, with: empty.span)
    #expect(try Files.read(path).content == [])
  }

  @Test func failuresNameTheirOperationAndPlace() throws {
    let error = #expect(throws: IOError.self) { _ = try Files.read("/no/such/file").count }
    #expect(error?.description == "open /no/such/file: No such file or directory")
    #expect(throws: IOError.self) { try Files.replace("/no/such/file", with: [1].span) }
    #expect(IOError("listen", errno: EACCES).description == "listen: Permission denied")
  }

  @Test func aManualClockMovesOnlyByHand() {
    var clock = Clock.manual(wallMilliseconds: 1_700_000_000_000)
    #expect(clock.wallMilliseconds() == 1_700_000_000_000)
    #expect(clock.monotonicMilliseconds() == 0)
    clock.advance(milliseconds: 1500)
    #expect(clock.wallMicroseconds() == 1_700_000_001_500_000)
    #expect(clock.monotonicMicroseconds() == 1_500_000)
    let early = Clock.system.monotonicMicroseconds()
    #expect(Clock.system.monotonicMicroseconds() >= early)
    #expect(Clock.system.wallMilliseconds() > 1_700_000_000_000)
  }

  @Test func theProcessKnowsItself() {
    #expect(Process.identifier == getpid())
    #expect(Process.residentBytes() > 1 << 20)
    let times = Process.cpuTimes()
    #expect(times.userMicroseconds + times.systemMicroseconds > 0)
    #expect(Process.threadCPUTimes().userMicroseconds <= Process.cpuTimes().userMicroseconds)
    #expect(Process.childrenCPUTimes().userMicroseconds >= 0)
  }

  @Test func theDescriptorLimitIsRaisedAsFarAsItGoes() async {
    await #expect(processExitsWith: .success) {
      csystem_set_descriptor_limit(100, 500)
      try #require(Process.raiseDescriptorLimit(forClients: 60).clients == 60)
      try #require(Process.raiseDescriptorLimit(forClients: 300).clients == 300)
      var soft: UInt64 = 0
      var hard: UInt64 = 0
      // SAFETY: both are locals.
      unsafe csystem_get_descriptor_limit(&soft, &hard)
      try #require(soft == 332)
      // Beyond the hard limit, it depends on privileges.
      let raised = Process.raiseDescriptorLimit(forClients: 1000)
      try #require(raised.clients == 1000 || (raised.clients == 468 && raised.errno == EPERM))
    }
  }

  @Test func randomnessIsAsLongAsAskedAndDiffers() {
    #expect(randomBytes(64).count == 64)
    #expect(randomBytes(32) != randomBytes(32))
    let identifier = randomHexadecimal(40)
    #expect(identifier.utf8.count == 40)
    #expect(identifier.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) })
    #expect(identifier != randomHexadecimal(40))
  }

  @Test func systemdIsTold() async {
    await #expect(processExitsWith: .success) {
      try #require(try !Process.notifyServiceManager("READY=1"))
      for name in ["/tmp/ferrite-notify-\(getpid())", "@ferrite-notify-\(getpid())"] {
        let listener = csystem_socket(AF_UNIX, csystem_datagram)
        let address = try SocketAddress(unixPath: name)
        // SAFETY: the address outlives the call.
        let result = unsafe address.withPointer { unsafe bind(listener, $0, $1) }
        try #require(result == 0)
        unsafe setenv("NOTIFY_SOCKET", name, 1)
        try #require(try Process.notifyServiceManager("READY=1"))
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe csystem_receive(listener, &bytes, bytes.count)
        unsafe unlink(name)
        try #require(count == 7 && Array(bytes[..<7]) == Array("READY=1".utf8))
      }
    }
  }

  @Test func aCrashIsReportedAndStaysACrash() async throws {
    let result = await #expect(
      processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]
    ) {
      try CrashReport.install(version: "ferrite test")
      CrashReport.setContext("command GET")
      // SAFETY: none: this is the crash.
      unsafe UnsafeMutablePointer<UInt8>(bitPattern: 0xDEAD0)!.pointee = 1
    }
    let report = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    for line in [
      "version: ferrite test", "signal: 11 SIGSEGV", "address: 0xdead0", "context: command GET",
      "backtrace:", "FERRITE CRASH REPORT END",
    ] {
      #expect(report.contains(line), "\(report)")
    }
  }

  @Test func aFailedCheckIsReported() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try CrashReport.install(version: "ferrite test")
      preconditionFailure("stop")
    }
    let report = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(report.contains("a failed check in Ferrite"), "\(report)")
  }
}
