// Reason: why a directive has no effect here, in one sentence. The log says it at start, so each
// sentence tells the operator what happens instead.

struct Reason: Sendable {
  let text: String
  init(_ text: String) { self.text = text }

  // What this version does not have.
  static let noRDB = Reason("Ferrite writes no RDB files in this version.")
  static let noAOF = Reason("Ferrite writes no append-only file in this version.")
  static let noReplication = Reason("Replication is not available in this version of Ferrite.")
  static let noCluster = Reason("Cluster mode is not available in this version of Ferrite.")
  static let noTLS = Reason("TLS is not available in this version of Ferrite.")
  static let noACL = Reason(
    "Access control lists are not available in this version of Ferrite: use requirepass.")
  static let noModules = Reason("Ferrite does not load Redis modules.")
  static let noScripting = Reason("Scripting is not available in this version of Ferrite.")
  static let noTracking = Reason(
    "Client-side caching is not available in this version of Ferrite.")

  // What Ferrite does another way.
  static let noIOThreads = Reason(
    "One thread serves all sockets in batches; there are no I/O threads to count.")
  static let noRehash = Reason("Ferrite's tables grow one segment at a time and need no rehashing.")
  static let sanitized = Reason("RESTORE checks every payload in full.")
  static let noCompression = Reason("Ferrite does not compress the inner parts of lists.")
  static let noDefrag = Reason(
    "Ferrite's allocator keeps pages of one size class and is not defragmented.")
  static let defragRefused = Reason(
    "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified "
      + "Jemalloc like the one shipped by default with the Redis source distribution")
  static let noJemalloc = Reason("Ferrite does not use jemalloc.")
  static let noFork = Reason("Ferrite never forks, so there is no child process to prepare for.")
  static let noAffinity = Reason("Ferrite does not pin its threads: use taskset or systemd.")
  static let noOOMScore = Reason(
    "Ferrite leaves its OOM score alone: use systemd's OOMScoreAdjust.")
  static let noHugePages = Reason("Ferrite leaves transparent huge pages as the system sets them.")
  static let noTitle = Reason("Ferrite does not change its process title.")
  static let noLogo = Reason("Ferrite prints no logo.")
  static let noSyslog = Reason("Ferrite does not write to syslog: the journal takes its output.")
  static let noMemoryTest = Reason("Ferrite's crash report does not test the memory.")
  static let noSocketMark = Reason("Ferrite does not mark its sockets.")
  static let noLocale = Reason("Ferrite compares bytes: no command depends on a locale.")
  static let noWarnings = Reason("Ferrite has no start-up warning that this could silence.")
  static let noPanic = Reason("Ferrite has no commands from a primary or a log that could fail.")
  static let debugging = Reason("It exists for Redis' own tests.")
}
