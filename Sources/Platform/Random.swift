// Random: bytes from the kernel's generator, for secrets and identities.

import Glibc

/// `count` unpredictable bytes.
public func randomBytes(_ count: Int) -> [UInt8] {
  var source = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &source) }
}

/// `count` lower-case hexadecimal digits of randomness: a run id is 40 of them.
public func randomHexadecimal(_ count: Int) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: randomBytes(count).map { digits[Int($0 & 15)] }, as: UTF8.self)
}
