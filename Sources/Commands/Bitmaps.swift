// Bitmaps: the rows of the commands on the bits of strings. Handlers: BitmapHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on the bits of strings.
  @_optimize(none) @CommandList<Host>
  public static var bitmaps: [Command] {
    CommandGroup.bitmap
    Command(
      "BITCOUNT", arity: -2, .readOnly, .bitmap, .keyspace(BitmapHandlers.bitcount),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Counts the set bits of a string or of a range of it.", since: "2.6.0",
      complexity: "O(N)",
      history: ["7.0.0": "`BYTE` and `BIT` say what the range counts."],
      arguments: [
        .key(),
        .block(
          "range", .optional,
          of: [
            .integer("start"), .integer("end"),
            .oneOf("unit", .optional, since: "7.0.0", of: [.token("BYTE"), .token("BIT")]),
          ]),
      ])
    Command(
      "BITFIELD", arity: -2, [.write, .denyOOM], .bitmap, .keyspace(BitmapHandlers.bitfield),
      keys: [
        .key(
          1, [.readWrite, .update, .access, .variableFlags],
          notes: "Reads, and with some operations writes")
      ],
      keyFunction: bitfieldKeys,
      summary: "Reads, sets and increments integers of any width inside a string.", since: "3.2.0",
      complexity: "O(1) for each operation",
      arguments: [
        .key(),
        .oneOf(
          "operation", [.optional, .multiple],
          of: [
            .block("get-block", token: "GET", of: [.string("encoding"), .integer("offset")]),
            .block(
              "write",
              of: [
                .oneOf(
                  "overflow-block", token: "OVERFLOW", .optional,
                  of: [
                    .token("WRAP"), .token("SAT"), .token("FAIL"),
                  ]),
                .oneOf(
                  "write-operation",
                  of: [
                    .block(
                      "set-block", token: "SET",
                      of: [
                        .string("encoding"), .integer("offset"), .integer("value"),
                      ]),
                    .block(
                      "incrby-block", token: "INCRBY",
                      of: [
                        .string("encoding"), .integer("offset"), .integer("increment"),
                      ]),
                  ]),
              ]),
          ]),
      ])
    Command(
      "BITFIELD_RO", arity: -2, [.readOnly, .fast], .bitmap,
      .keyspace(BitmapHandlers.bitfieldReadOnly),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Reads integers of any width inside a string.", since: "6.0.0",
      complexity: "O(1) for each operation",
      arguments: [
        .key(),
        .block(
          "get-block", token: "GET", [.optional, .multiple, .multipleToken],
          of: [
            .string("encoding"), .integer("offset"),
          ]),
      ])
    Command(
      "BITOP", arity: -4, [.write, .denyOOM], .bitmap, .keyspace(BitmapHandlers.bitop),
      keys: [.key(2, [.overwrite, .update]), .keys(from: 3, [.readOnly, .access])],
      summary: "Combines strings bit by bit and stores the result.", since: "2.6.0",
      complexity: "O(N)",
      arguments: [
        .oneOf("operation", of: [.token("AND"), .token("OR"), .token("XOR"), .token("NOT")]),
        .key("destkey"), .key("key", spec: 1, .multiple),
      ])
    Command(
      "BITPOS", arity: -3, .readOnly, .bitmap, .keyspace(BitmapHandlers.bitpos),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Finds the first bit of a value in a string or in a range of it.", since: "2.8.7",
      complexity: "O(N)",
      history: ["7.0.0": "`BYTE` and `BIT` say what the range counts."],
      arguments: [
        .key(), .integer("bit"),
        .block(
          "range", .optional,
          of: [
            .integer("start"),
            .block(
              "end-unit-block", .optional,
              of: [
                .integer("end"),
                .oneOf("unit", .optional, since: "7.0.0", of: [.token("BYTE"), .token("BIT")]),
              ]),
          ]),
      ])
    Command(
      "GETBIT", arity: 3, [.readOnly, .fast], .bitmap, .keyspace(BitmapHandlers.getbit),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns one bit of a string.", since: "2.2.0", complexity: "O(1)",
      arguments: [.key(), .integer("offset")])
    Command(
      "SETBIT", arity: 4, [.write, .denyOOM], .bitmap, .keyspace(BitmapHandlers.setbit),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Sets one bit of a string, creating or growing it if need be.", since: "2.2.0",
      complexity: "O(1)",
      arguments: [.key(), .integer("offset"), .integer("value")])
  }
}

/// BITFIELD only reads when all of its operations are GET; with anything unknown among them, it is
/// taken to write.
private func bitfieldKeys(
  _ arguments: borrowing Arguments, _ offset: Int, _ keys: inout [KeyReference]
) -> Bool {
  var readsOnly = true
  var index = offset + 2
  while readsOnly && index < arguments.count {
    let remaining = arguments.count - index - 1
    if arguments.equals(index, "GET") && remaining >= 2 {
      index += 3
    } else if arguments.equals(index, "OVERFLOW") && remaining >= 1 {
      index += 2
    } else {
      readsOnly = false
    }
  }
  let flags: KeyFlags = readsOnly ? [.readOnly, .access] : [.readWrite, .access, .update]
  keys.append(KeyReference(position: 1, flags: flags))
  return true
}
