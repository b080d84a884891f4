public struct Server: ~Copyable { public init() {} }
