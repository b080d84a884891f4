import Testing

@testable import Server

@Suite struct ConfigurationCommandTests {
  @Test func valuesAndErrorsAreRedis() {
    var owner = TestOwner()
    owner.configuration.protectedConfigs = .yes
    owner.configuration.normalOutputLimit = OutputBufferLimit()
    for (name, value, expectation) in redisAnswers {
      let reply = owner.set(name, value)
      switch expectation {
      case .reads(let text):
        #expect(reply == "OK", "\(name) \(value)")
        #expect(owner.configuration[name] == text, "\(name) \(value)")
      case .refused(let reason):
        #expect(
          reply == "ERR CONFIG SET failed (possibly related to argument '\(name)') - \(reason)",
          "\(name) \(value)")
      }
    }
  }

  @Test func severalParametersAreAllOrNothing() {
    var owner = TestOwner()
    let prefix = "ERR CONFIG SET failed (possibly related to argument"
    #expect(owner.set("timeout", "5", "maxclients", "7") == "OK")
    #expect(owner.configuration.timeoutSeconds == 5)
    #expect(owner.configuration.maximumClients == 7)
    #expect(
      owner.set("timeout", "6", "maxclients", "x")
        == prefix + " 'maxclients') - argument couldn't be parsed into an integer")
    #expect(owner.configuration.timeoutSeconds == 5)
    #expect(
      owner.set("timeout", "1", "TIMEOUT", "2") == prefix + " 'TIMEOUT') - duplicate parameter")
    #expect(
      owner.set("timeout", "1", "foo", "2", "databases", "3")
        == "ERR Unknown option or number of arguments for CONFIG SET - 'foo'")
    #expect(
      owner.set("databases", "1", "foo", "2")
        == prefix + " 'databases') - can't set immutable config")
    #expect(owner.set("dir", "/") == prefix + " 'dir') - can't set protected config")
    // As in Redis, a name and its alias are two parameters.
    #expect(owner.set("slave-priority", "1", "replica-priority", "2") == "OK")
    #expect(owner.configuration["slave-priority"] == "2")
    #expect(
      owner.set("Slave-Priority", "-1")
        == prefix + " 'slave-priority') - argument must be between 0 and 2147483647 inclusive")
    #expect(owner.set("no\r\nsuch", "1").contains("'no such'"))
  }

  @Test func contextDecidesOverGuardedDirectives() {
    var owner = TestOwner()
    let loading = Configuration.SetContext(isLoading: true)
    #expect(
      owner.set("appendonly", "yes", context: loading)
        == "LOADING Redis is loading the dataset in memory")
    #expect(owner.set("timeout", "3", context: loading) == "OK")
    owner.configuration.protectedConfigs = .local
    #expect(owner.set("dbfilename", "x").hasSuffix("can't set protected config"))
    let local = Configuration.SetContext(isLocalConnection: true)
    #expect(owner.set("dbfilename", "x", context: local) == "OK")
  }

  @Test func effectsRunOnceAndOnlyForChanges() {
    var owner = TestOwner()
    #expect(owner.set("port", "7000", "bind", "::1", "maxclients", "9", "timeout", "1") == "OK")
    #expect(owner.applied == [.listeners, .clients])
    owner.applied = []
    #expect(owner.set("port", "7000", "rdbcompression", "no") == "OK")
    #expect(owner.applied == [])
  }

  @Test func failedEffectPutsEverythingBack() {
    var owner = TestOwner()
    owner.refused[.listeners] = "Unable to listen on this port. Check server logs."
    let reply = owner.set("maxclients", "9", "timeout", "4", "port", "7000", "hz", "20")
    #expect(
      reply == "ERR CONFIG SET failed (possibly related to argument 'port') - "
        + "Unable to listen on this port. Check server logs.")
    #expect(owner.configuration.maximumClients == 10_000)
    #expect(owner.configuration.timeoutSeconds == 0)
    #expect(owner.configuration.port == 6379)
    #expect(owner.configuration.hz == 10)
    // Applied, failed, then both again with the old values; hz was never reached.
    #expect(owner.applied == [.clients, .listeners, .clients, .listeners])
  }

  @Test func unavailableIsRefused() {
    var owner = TestOwner()
    #expect(owner.set("tls-port", "6380").hasSuffix(Reason.noTLS.text))
    #expect(owner.set("tls-port", "0") == "OK")
    #expect(owner.set("activedefrag", "yes").contains("Active defragmentation cannot be enabled"))
    #expect(owner.configuration["activedefrag"] == "no")
  }

  @Test func getKnowsPatternsAliasesAndHiddenNames() {
    let configuration = Configuration()
    #expect(configuration.names("timeout", "TIMEOUT", "time*") == ["timeout"])
    #expect(configuration.names("TimeOut") == ["TimeOut"])
    #expect(configuration.names("slave-pri*") == ["slave-priority"])
    #expect(
      Set(configuration.names("*-ziplist-*")) == [
        "hash-max-ziplist-entries", "hash-max-ziplist-value", "list-max-ziplist-size",
        "zset-max-ziplist-entries", "zset-max-ziplist-value",
      ])
    #expect(configuration.names("use-exit-on*") == [])
    #expect(configuration.names("use-exit-on-panic") == ["use-exit-on-panic"])
    #expect(configuration.names("nothing-like-it", "[") == [])
    #expect(Set(configuration.names("*")).isSuperset(of: ["port", "slaveof", "event-loop"]))
    #expect(configuration.names("*").count == Set(configuration.names("*")).count)
  }

  @Test func sensitiveDirectivesAreKnown() {
    for name in ["requirepass", "MasterAuth", "masteruser", "tls-key-file-pass"] {
      #expect(Configuration.isSensitive(Array(name.utf8)), "\(name)")
    }
    #expect(!Configuration.isSensitive(Array("port".utf8)))
    #expect(!Configuration.isSensitive(Array("nonsense".utf8)))
  }

  @Test func passwordsAreBytes() throws {
    var owner = TestOwner()
    let password: [UInt8] = [0xFF, 0x00, 0x0A, 0x22]
    _ = try owner.setConfiguration([(Array("requirepass".utf8), password)])
    #expect(owner.configuration.requirePass == password)
    #expect(owner.configuration.get([Array("requirepass".utf8)]).first?.value == password)
    #expect(throws: ConfigurationError.self) {
      try owner.configuration.proposal([(Array("masteruser".utf8), password)])
    }
  }

  @Test func everyDefaultCanBeSet() {
    var owner = TestOwner()
    owner.configuration.protectedConfigs = .yes
    owner.configuration.directory = "/"
    for directive in DirectiveTable.shared.rows
    where !directive.options.contains(.immutable) {
      let value = ConfigurationText.string(directive.get(owner.configuration))
      #expect(owner.set(directive.name, value) == "OK", "\(directive.name) \(value)")
      #expect(owner.configuration[directive.name] == value)
    }
    #expect(owner.applied == [])
  }
}
