// Exit tests: the body runs in a process of its own.

import CSystem
import Glibc
import Testing

@testable import Memory

struct GuardTests {
  @Test func aWriteThatDodgesTheBarrierDiesWithItsPlaceNamed() async throws {
    let result = await #expect(
      processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]
    ) {
      csystem_install_guard_handler()
      // The place must be found with several arenas guarded, and one gone.
      var others = [try VolatilePages(isGuarded: true), try VolatilePages(isGuarded: true)]
      var arena = try Arena(provider: VolatilePages(isGuarded: true))
      others.removeFirst()
      let ref: Ref<Untyped> = try arena.allocate(100)
      arena.fill(ref, count: 100, with: 1)
      try arena.flip()
      precondition(ref.offset == 0x401000)
      unsafe UnsafeMutableRawPointer(mutating: arena.reader.pointer(ref) + 8)
        .storeBytes(of: 1, as: UInt8.self)
      // Neither arena may be gone before the write.
      exit(arena.usage.allocations == 1 && others.count == 1 ? 7 : 1)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("dodged the arena's barrier at arena offset 0x401008, page 0x401\n"))
  }

  @Test func aWriteThroughTheBarrierLives() async {
    await #expect(processExitsWith: .exitCode(7)) {
      csystem_install_guard_handler()
      var arena = try Arena(provider: VolatilePages(isGuarded: true))
      let ref: Ref<Untyped> = try arena.allocate(100)
      try arena.flip()
      arena.fill(ref, count: 100, with: 1)
      try arena.flip()
      arena.fill(ref, count: 100, with: 2)
      exit(7)
    }
  }

  /// Without guard mode the same write goes unseen: what the guard is for.
  @Test func withoutGuardModeADodgedWriteLives() async {
    await #expect(processExitsWith: .exitCode(7)) {
      var arena = try Arena(provider: VolatilePages())
      let ref: Ref<Untyped> = try arena.allocate(100)
      try arena.flip()
      unsafe UnsafeMutableRawPointer(mutating: arena.reader.pointer(ref))
        .storeBytes(of: 1, as: UInt8.self)
      // The arena must not be gone before the write.
      exit(arena.usage.allocations == 1 ? 7 : 1)
    }
  }

  /// In a process of its own: elsewhere another test's arena may take over the address at once.
  @Test func theRangeIsForgottenWithItsArena() async {
    await #expect(processExitsWith: .exitCode(7)) {
      var text = [CChar](repeating: 0, count: 160)
      var pages: VolatilePages? = try VolatilePages(isGuarded: true)
      let place = unsafe UInt(bitPattern: pages?.base) + 4096
      let before = unsafe csystem_describe_guard_fault(place, &text, text.count)
      precondition(pages != nil)
      pages = nil
      let after = unsafe csystem_describe_guard_fault(place, &text, text.count)
      exit(before == 1 && after == 0 ? 7 : 1)
    }
  }

  /// More scattered dirty pages than the kernel grants mappings: the guard rests, the write lives.
  @Test func theGuardRestsWhenMappingsRunOut() async {
    await #expect(processExitsWith: .exitCode(7)) {
      csystem_install_guard_handler()
      var arena = try Arena(provider: VolatilePages(isGuarded: true))
      let ref: Ref<Untyped> = try arena.allocate(600 << 20)
      try arena.flip()
      for page in 0..<75_000 { arena.fill(ref, at: page * 8192, count: 1, with: 1) }
      try arena.flip()
      arena.fill(ref, count: 1, with: 2)
      exit(7)
    }
  }

  /// A machine that grants little address space gives a smaller reach.
  @Test func theReachIsHalvedUntilItFits() async {
    await #expect(processExitsWith: .exitCode(7)) {
      var limit = rlimit(rlim_cur: 1 << 40, rlim_max: 1 << 40)
      _ = unsafe setrlimit(__rlimit_resource_t(9), &limit)
      let pages = try VolatilePages(reachBytes: 1 << 43)
      precondition(pages.reachBytes == 1 << 39)
      var arena = try Arena(provider: pages)
      let ref: Ref<Untyped> = try arena.allocate(100)
      arena.fill(ref, count: 100, with: 1)
      exit(7)
    }
  }

  @Test func noAddressSpaceIsAnError() async {
    await #expect(processExitsWith: .exitCode(12)) {
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      _ = unsafe setrlimit(__rlimit_resource_t(9), &limit)
      do throws(MemoryError) {
        _ = try VolatilePages(reachBytes: 1 << 43)
      } catch {
        exit(error.code)
      }
      exit(1)
    }
  }
}
