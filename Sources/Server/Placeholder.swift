public struct Server: ~Copyable {}
