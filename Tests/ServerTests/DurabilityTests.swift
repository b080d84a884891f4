// Which replies wait for what: the state machine alone, against hand-made logs and clocks.

import Bytes
import Testing

@testable import Server

@Suite struct DurabilityTests {
  private func opened(waits: Bool = true) -> Durability {
    var durability = Durability()
    durability.begin(waitsForLog: waits, endLSN: 0)
    return durability
  }

  @Test func withoutALogNothingIsHeld() {
    let durability = Durability()
    #expect(durability.isOn == false)
    #expect(durability.holdsReplies == false)
    #expect(durability.gate == .open)
  }

  @Test func aReplyWaitsForItsOwnRecord() {
    var durability = opened()
    #expect(durability.holdsReplies == true)
    durability.didWrite()
    durability.didChange(42)
    #expect(durability.mark == 1)
    durability.didAppend(endingAt: 100, now: 5)
    durability.mark = 0
    durability.didWrite()
    durability.didChange(43)
    #expect(durability.mark == 2)
    durability.didAppend(endingAt: 200, now: 5)
    #expect(durability.advance(durable: 99, now: 5) == 0)
    #expect(durability.advance(durable: 100, now: 5) == 1)
    #expect(durability.advance(durable: 199, now: 5) == 1)
    #expect(durability.advance(durable: 200, now: 5) == 2)
    #expect(durability.pendingCount == 0)
  }

  @Test func readsOfWhatIsInFlightWaitAndNoOthers() {
    var durability = opened()
    durability.didWrite()
    durability.didChange(7 << 14)
    durability.didAppend(endingAt: 100, now: 0)
    durability.mark = 0
    durability.didRead(8 << 14)
    #expect(durability.mark == 0, "a key that nobody writes")
    durability.didRead(7 << 14)
    #expect(durability.mark == 1)
    durability.mark = 0
    durability.didReadAnything()
    #expect(durability.mark == 1)
    // Who reads in the turn of the write waits for the record that is still to come.
    durability.mark = 0
    durability.didWrite()
    durability.didChange(9 << 14)
    durability.mark = 0
    durability.didRead(9 << 14)
    #expect(durability.mark == 2)
  }

  @Test func aFlushConcernsEveryKey() {
    var durability = opened()
    durability.didWrite()
    durability.didChangeAnything()
    durability.mark = 0
    durability.didRead(123_456_789)
    #expect(durability.mark == 1)
  }

  @Test func withoutFsyncNothingWaitsButForTheBrake() {
    var durability = opened(waits: false)
    #expect(durability.holdsReplies == false)
    durability.didWrite()
    durability.didChange(1)
    durability.didAppend(endingAt: 100, now: 10)
    #expect(durability.advance(durable: 0, now: 10) == 1)
    durability.setPressure(1)
    #expect(durability.holdsReplies == true)
    durability.didAppend(endingAt: 200, now: 10)
    #expect(durability.advance(durable: 0, now: 10) == 1)
    #expect(durability.nextDue == 10 + Durability.longestDelay)
    #expect(durability.advance(durable: 0, now: 10 + Durability.longestDelay) == 2)
    durability.setPressure(0)
    #expect(durability.holdsReplies == false)
  }

  @Test func theBrakeIsSmooth() {
    var last = 0
    for step in 0...100 {
      let delay = Durability.delay(Double(step) / 100)
      #expect(delay >= last && delay - last <= 8)
      last = delay
    }
    #expect(Durability.delay(0) == 0)
    #expect(Durability.delay(0.1) == 0)
    #expect(Durability.delay(7) == Durability.longestDelay)
  }

  @Test(arguments: 0..<16)
  func commitsEndInOrderHoweverManyWait(seed: UInt64) {
    var durability = opened()
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func below(_ bound: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state % bound
    }
    /// Where each commit's record ends, by commit - 1.
    var ends: [UInt64] = []
    var durable: UInt64 = 0
    for _ in 0..<30_000 {
      if below(5) < 4 {
        ends.append((ends.last ?? 0) + 8 * (1 + below(100)))
        durability.didAppend(endingAt: ends.last!, now: 0)
      } else if below(20) == 0 {
        durable += below((ends.last ?? 0) - durable + 1)
        let ended = Int(durability.advance(durable: durable, now: 0))
        #expect(ended == 0 || ends[ended - 1] <= durable, "a commit is over before its record")
        if durability.pendingCount < CommitQueue.capacity && ends.count < CommitQueue.capacity {
          #expect(ended == ends.count || ends[ended] > durable, "a commit waits for nothing")
        }
      }
    }
    #expect(durability.advance(durable: ends.last!, now: 0) == UInt64(ends.count))
  }
}
