// ByteBuffer and GrowableArray, against arrays.

import Testing

@testable import Bytes

@Test(arguments: 0..<20)
func byteBufferBehavesLikeAnArray(seed: Int) {
  var generator = SeededGenerator(seed: seed)
  var buffer = ByteBuffer()
  var model: [UInt8] = []
  for step in 0..<500 {
    let piece = (0..<Int.random(in: 0...90, using: &generator)).map { _ in
      UInt8.random(in: 0...255, using: &generator)
    }
    switch Int.random(in: 0..<9, using: &generator) {
    case 0...2:
      buffer.append(piece.span)
      model += piece
    case 3...4:
      let count = Int.random(in: 0...model.count, using: &generator)
      buffer.removeFirst(count)
      model.removeFirst(count)
    case 5:
      let offset = Int.random(in: 0...model.count, using: &generator)
      buffer.insert(piece.span, at: offset)
      model.insert(contentsOf: piece, at: offset)
    case 6:
      let count = Int.random(in: 0...model.count, using: &generator)
      buffer.truncate(to: count)
      model.removeLast(model.count - count)
    case 7:
      buffer.append(UInt8(step & 255))
      model.append(UInt8(step & 255))
    default:
      if Bool.random(using: &generator) { buffer.release() } else { buffer.removeAll() }
      model = []
    }
    let content = buffer.span
    #expect(content.indices.map { content[$0] } == model, "seed \(seed) step \(step)")
  }
}

@Test func emptyBuffersOwnNothing() {
  var buffer = ByteBuffer()
  #expect(buffer.capacity == 0 && buffer.isEmpty && buffer.span.isEmpty)
  buffer.append(1)
  #expect(buffer.capacity == 64)
  buffer.release()
  #expect(buffer.capacity == 0 && buffer.isEmpty)
}

@Test func growableArrayBehavesLikeAnArray() {
  var array = GrowableArray<Int>()
  #expect(array.capacity == 0 && array.span.isEmpty)
  for value in 0..<1000 { array.append(value * 3) }
  array[7] = -1
  array.truncate(to: 500)
  do {
    let span = array.span
    #expect(span.count == 500 && span[7] == -1 && span[499] == 1497)
  }
  #expect(array[8] == 24)
  array.removeAll(keepingCapacity: true)
  #expect(array.isEmpty && array.capacity == 1024)
  array.removeAll()
  #expect(array.capacity == 0)
}
