// Block: a fixed piece of memory, aligned to pages: what is read from files, and prepared for them.
//
// 1. Every access is inside 0..<count, checked here.

import Bytes
import Platform

@safe struct Block: ~Copyable, @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  let count: Int

  /// Zeros.
  init(_ count: Int) {
    precondition(count > 0)
    self.count = count
    // SAFETY: fresh memory of that size, initialised here.
    unsafe base = .allocate(byteCount: count, alignment: 4096)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
  }

  deinit {
    // SAFETY: allocated by init; nothing else holds it.
    unsafe base.deallocate()
  }

  func load<Value: BitwiseCopyable>(_ offset: Int, as type: Value.Type = Value.self) -> Value {
    precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count)
    // SAFETY: inside the block by the line above.
    return unsafe base.loadUnaligned(fromByteOffset: offset, as: type)
  }

  mutating func store<Value: BitwiseCopyable>(_ offset: Int, _ value: Value) {
    precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count)
    // SAFETY: inside the block by the line above.
    unsafe base.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  mutating func clear(_ range: Range<Int>) {
    // SAFETY: `pointer` checks the range.
    unsafe pointer(range).initializeMemory(as: UInt8.self, repeating: 0, count: range.count)
  }

  /// Copies bytes that lie elsewhere to `offset`.
  @unsafe mutating func copy(_ count: Int, from source: UnsafeRawPointer, to offset: Int) {
    unsafe pointer(offset..<offset + count).copyMemory(from: source, byteCount: count)
  }

  /// Moves bytes inside the block; the ranges may overlap.
  mutating func move(_ range: Range<Int>, to offset: Int) {
    // SAFETY: `pointer` checks both ranges; copyMemory allows an overlap.
    unsafe pointer(offset..<offset + range.count)
      .copyMemory(from: pointer(range), byteCount: range.count)
  }

  func checksum(_ range: Range<Int>, after crc: UInt32 = 0) -> UInt32 {
    // SAFETY: `pointer` checks the range; the span dies before the block.
    let bytes = unsafe Span<UInt8>(
      _unsafeStart: pointer(range).assumingMemoryBound(to: UInt8.self), count: range.count)
    return CRC32C.checksum(bytes, after: crc)
  }

  /// Where `range` lies, as long as the block lives.
  @unsafe func pointer(_ range: Range<Int>) -> UnsafeMutableRawPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return unsafe base + range.lowerBound
  }
}

extension MediumFile {
  /// Writes a part of a block, and sends it on its way.
  func write(_ block: borrowing Block, _ range: Range<Int>, at offset: Int) throws(IOError) {
    guard !range.isEmpty else { return }
    // SAFETY: `pointer` checks the range; the block outlives the call.
    let bytes = unsafe UnsafeRawBufferPointer(start: block.pointer(range), count: range.count)
    unsafe try write(bytes, at: offset)
  }

  /// Fills a part of a block.
  func read(_ range: Range<Int>, of block: inout Block, at offset: Int) throws(IOError) {
    guard !range.isEmpty else { return }
    // SAFETY: `pointer` checks the range; the block outlives the call.
    let bytes = unsafe UnsafeMutableRawBufferPointer(
      start: block.pointer(range), count: range.count)
    unsafe try read(into: bytes, at: offset)
  }
}
