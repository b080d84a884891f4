import Testing

@testable import Server

@Suite struct ConfigurationFileTests {
  private let header = "\n*** FATAL CONFIG FILE ERROR (Ferrite \(Configuration.version)) ***\n"

  @Test func linesSettle() {
    let loaded = Loaded(
      file: """
        # a comment
           port   7000\r
        BIND 127.0.0.1 -::1
        requirepass "a b"

        client-output-buffer-limit normal 1mb 0 0
        client-output-buffer-limit replica 2mb 1mb 7
        notify-keyspace-events KEA
        maxmemory 1gb
        save 900 1
        save 300 10
        unixsocketperm 700
        rename-command FLUSHALL ""
        lua-replicate-commands yes
        """)
    #expect(loaded.outcome == .serves)
    let configuration = loaded.configuration
    #expect(configuration.port == 7000)
    #expect(configuration.bindAddresses == ["127.0.0.1", "-::1"])
    #expect(configuration.requirePass == Array("a b".utf8))
    #expect(configuration.normalOutputLimit == OutputBufferLimit(hardBytes: 1 << 20))
    #expect(configuration.replicaOutputLimit.softSeconds == 7)
    #expect(configuration.keyspaceEvents.isSuperset(of: [.keyspace, .keyevent, .all]))
    #expect(configuration.maximumMemoryBytes == 1 << 30)
    #expect(configuration.savePoints == [SavePoint(900, 1), SavePoint(300, 10)])
    #expect(configuration.unixSocketPermissions == 0o700)
    #expect(configuration.renamedCommands == [RenamedCommand(from: "FLUSHALL", to: "")])
    #expect(configuration.filePath == "/work/redis.conf")
    #expect(configuration.directory == "/work")
  }

  // Rows 1 to 3 of the message as redis-server 7.0.15 printed them, apart from its name.
  @Test(arguments: [
    (["--foo", "bar"], #"foo "bar""#, "Bad directive or wrong number of arguments"),
    (["--port"], "port", "wrong number of arguments"),
    (["--port", "abc"], #"port "abc""#, "argument couldn't be parsed into an integer"),
    (["--save", "900"], #"save "900""#, "Invalid save parameters"),
    (["--save", "900 a"], #"save "900 a""#, "Invalid save parameters"),
    (["--bogus"], "bogus", "Bad directive or wrong number of arguments"),
    (["--include"], "include", "Bad directive or wrong number of arguments"),
    (["--port", "1", "2"], #"port "1" "2""#, "wrong number of arguments"),
    (
      ["--unixsocketperm", "999"], #"unixsocketperm "999""#,
      "argument couldn't be parsed as an octal number"
    ),
    (["--dir", "/nonexist"], #"dir "/nonexist""#, "No such file or directory"),
    (["-x"], #""-x""#, "Bad directive or wrong number of arguments"),
    (["--port", "--bind", "::1"], #"port "--bind" "::1""#, "wrong number of arguments"),
  ])
  func optionErrors(arguments: [String], line: String, reason: String) {
    let message =
      header + "Reading the configuration file, at line 2\n>>> '\(line)'\n\(reason)\n"
    #expect(Loaded(arguments).outcome == .fails(message))
  }

  @Test(arguments: [
    ("foo bar", 1, "foo bar", "Bad directive or wrong number of arguments"),
    ("\n\n  port x \n", 3, "port x", "argument couldn't be parsed into an integer"),
    ("foo \"bar", 1, "foo \"bar", "Unbalanced quotes in configuration line"),
    (
      "requirepass \"secret", 1, "requirepass (redacted)",
      "Unbalanced quotes in configuration line"
    ),
    ("masterauth a b", 1, "masterauth (redacted)", "wrong number of arguments"),
    ("user alice on", 1, "user alice on", Reason.noACL.text),
    ("loadmodule x.so", 1, "loadmodule x.so", Reason.noModules.text),
    ("cluster-enabled yes", 1, "cluster-enabled yes", Reason.noCluster.text),
    ("replicaof 10.0.0.1 6379", 1, "replicaof 10.0.0.1 6379", Reason.noReplication.text),
    ("replicaof a b", 1, "replicaof a b", "Invalid master port"),
    (
      "sentinel monitor x", 1, "sentinel monitor x", "sentinel directive while not in sentinel mode"
    ),
    ("a.b", 1, "a.b", "Module config specified without value"),
  ])
  func fileErrors(text: String, number: Int, line: String, reason: String) {
    let message =
      header + "Reading the configuration file, at line \(number)\n>>> '\(line)'\n\(reason)\n"
    #expect(Loaded(file: text).outcome == .fails(message))
  }

  @Test func missingFileAndLogFile() {
    #expect(
      Loaded(["none.conf"]).outcome
        == .fails(
          "Fatal error, can't open config file '/work/none.conf': No such file or directory\n"))
    #expect(
      Loaded(["--logfile", "/missing/log"]).outcome
        == .fails(header + "Can't open the log file: No such file or directory\n"))
  }

  @Test func optionsOverrideFileAndStandardInput() {
    let files = MemoryFiles(["/work/a.conf": "port 1\ntimeout 1\nhz 11"])
    let loaded = Loaded(
      ["./a.conf", "--port", "3", "--bind", "a", "b", "--save", "900 1", "-"],
      files: files, input: "\nport 2\ntimeout 2\n")
    #expect(loaded.outcome == .serves)
    #expect(loaded.configuration.port == 3)
    #expect(loaded.configuration.timeoutSeconds == 2)
    #expect(loaded.configuration.hz == 11)
    #expect(loaded.configuration.bindAddresses == ["a", "b"])
    #expect(loaded.configuration.filePath == "/work/a.conf")
    #expect(loaded.notes.first?.text == "Reading config from stdin")
  }

  @Test func savePointsOnTheCommandLine() {
    #expect(Loaded(["--save", ""]).configuration.savePoints == [])
    #expect(Loaded(["--save"]).configuration.savePoints == [])
    let before = Loaded(["--save", "--port", "7"])
    #expect(before.configuration.savePoints == [])
    #expect(before.configuration.port == 7)
    #expect(Loaded(["--save", "900 1"]).configuration.savePoints == [SavePoint(900, 1)])
    #expect(Loaded(["--save", "900", "1"]).configuration.savePoints == [SavePoint(900, 1)])
    #expect(
      Loaded(["--save", "9", "1", "--save", "8", "2"]).configuration.savePoints
        == [SavePoint(9, 1), SavePoint(8, 2)])
    #expect(Loaded([]).configuration.savePoints.count == 3)
    #expect(Loaded(["--port 8", "--timeout 3"]).configuration.timeoutSeconds == 3)
    #expect(Loaded(["--bind", ""]).configuration.bindAddresses == [])
    #expect(Loaded(["--requirepass", "--x"]).configuration.requirePass == Array("--x".utf8))
  }

  @Test func launchesWithoutServing() {
    for option in ["-v", "--version", "-h", "--help"] {
      #expect(Loaded([option]).outcome == .exits(status: 0), "\(option)")
    }
    #expect(Loaded(["--test-memory", "10"]).outcome == .exits(status: 1))
    #expect(Loaded(["--check-system"]).outcome == .exits(status: 1))
  }

  @Test func includes() {
    let files = MemoryFiles([
      "/work/main.conf": "include conf.d/*.conf\ninclude none.d/*\ninclude other\nhz 20\n",
      "/work/conf.d/a.conf": "port 1\ntimeout 9", "/work/conf.d/b.conf": "port 2",
      "/work/other": "maxclients 77\n",
    ])
    let loaded = Loaded(["main.conf"], files: files)
    #expect(loaded.outcome == .serves)
    #expect(loaded.configuration.port == 2)
    #expect(loaded.configuration.timeoutSeconds == 9)
    #expect(loaded.configuration.maximumClients == 77)
    #expect(loaded.configuration.hz == 20)

    files.contents["/work/other"] = Array("\nbad".utf8)
    #expect(
      Loaded(["main.conf"], files: files).outcome
        == .fails(
          header + "Reading the configuration file 'other', at line 2\n>>> 'bad'\n"
            + "Bad directive or wrong number of arguments\n"))
  }

  @Test func endlessIncludesEnd() {
    let own = MemoryFiles(["/work/a": "include a"])
    guard case .fails(let message) = Loaded(["a"], files: own).outcome else {
      Issue.record("a file that includes itself was loaded")
      return
    }
    #expect(message.contains("nested more than 16 deep"))
    // Twice itself: the number of files is limited, not only the depth.
    let twice = MemoryFiles(["/work/a": "include b", "/work/b": "include c*\ninclude c*"])
    twice.contents["/work/c"] = Array("port 1".utf8)
    #expect(Loaded(["a"], files: twice).outcome == .serves)
    for name in 0..<1001 { twice.contents["/work/c\(name)"] = [] }
    #expect(Loaded(["a"], files: twice).outcome != .serves)
  }

  @Test func directoryIsEnteredAtOnce() {
    let files = MemoryFiles(["/work/a": "dir /tmp\ninclude here", "/tmp/here": "port 5"])
    let loaded = Loaded(["a"], files: files)
    #expect(loaded.configuration.port == 5)
    #expect(loaded.configuration.directory == "/tmp")
    #expect(loaded.configuration["dir"] == "/tmp")
  }

  @Test func notesSayOnceWhatHasNoEffect() {
    let loaded = Loaded(
      file: "rdbcompression no\nrdbcompression yes\nport 7\nsave \"\"\nappendonly no\n")
    #expect(
      loaded.notes.map(\.text) == ["Directive 'rdbcompression' has no effect: \(Reason.noRDB.text)"]
    )
    let durable = Loaded(file: "save 1 1\nappendonly yes")
    #expect(durable.notes.isEmpty)
    let volatile = Loaded(
      file: "persistence no\nsave 1 1\nsave 2 2\nappendonly yes\nmasterauth geheim")
    #expect(volatile.notes.count == 3)
    #expect(volatile.notes.map(\.isWarning) == [true, true, false])
    #expect(!volatile.notes.contains { $0.text.contains("geheim") })
    #expect(volatile.configuration.masterAuth == Array("geheim".utf8))
  }

  @Test func frequencyIsBroughtInsideItsBounds() {
    #expect(Loaded(["--hz", "0"]).configuration.hz == 1)
    #expect(Loaded(["--hz", "100000"]).configuration.hz == 500)
  }
}
