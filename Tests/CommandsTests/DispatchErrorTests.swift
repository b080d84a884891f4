import Bytes
import RESP
import Testing

@testable import Commands

/// The texts are redis-server 7.0.15's for the same requests; 7.2 has the same.
@Suite struct DispatchErrorTests {
  @Test(arguments: [
    (["foo"], "-ERR unknown command 'foo', with args beginning with: \r\n"),
    (["FOO", "a", "B"], "-ERR unknown command 'FOO', with args beginning with: 'a' 'B' \r\n"),
    (["a\r\nb", "c\nd"], "-ERR unknown command 'a  b', with args beginning with: 'c d' \r\n"),
    (["a\0b", "c\0d"], "-ERR unknown command 'a', with args beginning with: 'c' \r\n"),
    (["oBject", "Foo"], "-ERR unknown subcommand 'Foo'. Try OBJECT HELP.\r\n"),
    (["object"], "-ERR wrong number of arguments for 'object' command\r\n"),
    (["GET"], "-ERR wrong number of arguments for 'get' command\r\n"),
    (["object", "FREQ"], "-ERR wrong number of arguments for 'object|freq' command\r\n"),
    (
      ["object|freq", "a"], "-ERR unknown command 'object|freq', with args beginning with: 'a' \r\n"
    ),
  ])
  func text(words: [String], expected: String) {
    #expect(reply(to: words) == expected)
  }

  @Test func quotesAreLimited() {
    let long = String(repeating: "x", count: 200)
    let quoted = String(repeating: "x", count: 128)
    #expect(
      reply(to: [long, long, "b"])
        == "-ERR unknown command '\(quoted)', with args beginning with: '\(quoted)' \r\n")
    #expect(
      reply(to: ["f", String(repeating: "y", count: 100), long, "q"])
        == "-ERR unknown command 'f', with args beginning with: "
        + "'\(String(repeating: "y", count: 100))' '\(String(repeating: "x", count: 25))' \r\n")
    #expect(
      reply(to: ["object", long]) == "-ERR unknown subcommand '\(quoted)'. Try OBJECT HELP.\r\n")
  }

  @Test func subcommandSyntax() {
    var reply = ReplyBuffer()
    withRequest(["debug", "FOO", "x"]) { arguments in reply.subcommandSyntax(arguments) }
    let span = reply.bytes.span
    #expect(
      String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
        == "-ERR unknown subcommand or wrong number of arguments for 'FOO'. Try DEBUG HELP.\r\n")
  }

  @Test func wordsCompareWithoutCase() {
    withRequest(["SET", "ex", "a{", "`", ""]) { arguments in
      let equal = [
        arguments.equals(1, "EX"), arguments.equals(1, "Ex"), arguments.equals(4, ""),
      ]
      let different = [
        arguments.equals(1, "E"), arguments.equals(1, "EXX"), arguments.equals(2, "A["),
        arguments.equals(3, "@"), arguments.equals(4, "X"),
      ]
      #expect(!equal.contains(false) && !different.contains(true))
    }
  }
}
