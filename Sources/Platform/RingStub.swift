struct Ring: ~Copyable { init() throws(IOError) { throw IOError("io_uring", errno: 38) } }
extension Network {
  mutating func ringTurn(_ timeout: Int) throws(IOError) {}
  mutating func ringCancelAccept(_ listener: Int) {}
  mutating func ringArmAccept(_ listener: Int) {}
  mutating func ringWatch(_ descriptor: Int32, _ source: EventToken.Source) {}
  mutating func ringUpdateInterest(_ index: Int) {}
  mutating func ringRelease(_ index: Int) {}
}
extension Network { public static var ioUringIsPermitted: Bool { false } }
