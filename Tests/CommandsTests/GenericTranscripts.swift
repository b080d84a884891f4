// GenericTranscripts: requests to the generic commands and what they are answered with.
//
//   request => reply
//   | effect                    in transcripts that have effects, every one is listed
//
// Replies are written OK, -ERR text, :1, "bulk", nil, [array]. `now+10` in an effect is ten
// milliseconds after the request. All were compared with redis-server 7.0.15.

import Testing

struct GenericTranscript: Sendable, CustomTestStringConvertible {
  let name: String
  let lines: [String]

  init(_ name: String, _ text: String) {
    self.name = name
    lines = text.split(separator: "\n").map { String($0) }
  }

  var testDescription: String { name }
}

enum GenericTranscripts {
  static let all: [GenericTranscript] = [
    GenericTranscript("DEL, UNLINK, EXISTS, TYPE, TOUCH", removing),
    GenericTranscript("RENAME, RENAMENX", renaming),
    GenericTranscript("MOVE", moving),
    GenericTranscript("COPY", copying),
    GenericTranscript("EXPIRE, TTL, PERSIST", expiring),
    GenericTranscript("EXPIRE's conditions", conditions),
    GenericTranscript("KEYS, SCAN, RANDOMKEY", walking),
    GenericTranscript("OBJECT", objects),
    GenericTranscript("DEBUG DIGEST", digests),
    GenericTranscript("effects", effects),
  ]

  static let removing = #"""
    DEL missing => :0
    DEL => -ERR wrong number of arguments for 'del' command
    SET a 1 => OK
    SET b 2 => OK
    SET c 3 => OK
    DEL a a missing b => :2
    EXISTS a b c => :1
    UNLINK c missing => :1
    UNLINK c => :0
    UNLINK => -ERR wrong number of arguments for 'unlink' command
    SET "" e => OK
    SET "\x00\xff" f => OK
    EXISTS "" "\x00\xff" "" => :3
    EXISTS => -ERR wrong number of arguments for 'exists' command
    DEL "" "\x00\xff" => :2
    EXISTS "" => :0
    TYPE missing => none
    SET a 1 => OK
    TYPE a => string
    TYPE => -ERR wrong number of arguments for 'type' command
    TOUCH a missing a => :2
    TOUCH => -ERR wrong number of arguments for 'touch' command
    OBJECT => -ERR wrong number of arguments for 'object' command
    OBJECT ENCODING => -ERR wrong number of arguments for 'object|encoding' command
    OBJECT ENCODING a b => -ERR wrong number of arguments for 'object|encoding' command
    RANDOMKEY => "a"
    DEL a => :1
    RANDOMKEY => nil
    RANDOMKEY a => -ERR wrong number of arguments for 'randomkey' command
    """#

  static let renaming = #"""
    RENAME missing a => -ERR no such key
    RENAMENX missing a => -ERR no such key
    RENAME missing missing => -ERR no such key
    RENAMENX missing missing => -ERR no such key
    SET a 1 PXAT 32503680000123 => OK
    RENAME a b => OK
    EXISTS a => :0
    PEXPIRETIME b => :32503680000123
    RENAME b b => OK
    RENAMENX b b => :0
    PEXPIRETIME b => :32503680000123
    SET c old PXAT 42503680000123 => OK
    RENAMENX b c => :0
    RENAME b c => OK
    PEXPIRETIME c => :32503680000123
    SET d plain => OK
    RENAME d c => OK
    TTL c => :-1
    GET c => "plain"
    RENAMENX c e => :1
    GET e => "plain"
    EXISTS c => :0
    RENAME e "" => OK
    GET "" => "plain"
    RENAME e => -ERR wrong number of arguments for 'rename' command
    RENAMENX a b c => -ERR wrong number of arguments for 'renamenx' command
    APPEND "" x => :6
    OBJECT ENCODING "" => "raw"
    RENAME "" f => OK
    OBJECT ENCODING f => "raw"
    """#

  static let moving = #"""
    MOVE a 1 => :0
    SET a 1 PXAT 32503680000123 => OK
    MOVE a 0 => -ERR source and destination objects are the same
    MOVE missing 0 => -ERR source and destination objects are the same
    MOVE a 16 => -ERR DB index is out of range
    MOVE a -1 => -ERR DB index is out of range
    MOVE a x => -ERR value is not an integer or out of range
    MOVE a 1.0 => -ERR value is not an integer or out of range
    MOVE a 9223372036854775808 => -ERR value is not an integer or out of range
    MOVE a 1 => :1
    EXISTS a => :0
    SET a 2 => OK
    MOVE a 1 => :0
    GET a => "2"
    SELECT 1 => OK
    GET a => "1"
    PEXPIRETIME a => :32503680000123
    MOVE a 0 => :0
    SELECT 0 => OK
    DEL a => :1
    SELECT 1 => OK
    MOVE a 0 => :1
    EXISTS a => :0
    SELECT 0 => OK
    PEXPIRETIME a => :32503680000123
    MOVE a => -ERR wrong number of arguments for 'move' command
    MOVE a 1 2 => -ERR wrong number of arguments for 'move' command
    """#

  static let copying = #"""
    COPY a b => :0
    COPY a a => -ERR source and destination objects are the same
    SET a 1 PXAT 32503680000123 => OK
    COPY a b => :1
    GET b => "1"
    PEXPIRETIME b => :32503680000123
    PEXPIRETIME a => :32503680000123
    SET b 2 => OK
    COPY a b => :0
    GET b => "2"
    COPY a b REPLACE => :1
    PEXPIRETIME b => :32503680000123
    SET c plain => OK
    COPY c b replace => :1
    TTL b => :-1
    COPY a a DB 0 => -ERR source and destination objects are the same
    COPY a a DB 1 => :1
    COPY a a DB 1 => :0
    COPY a a DB 1 REPLACE => :1
    COPY a a REPLACE DB 1 DB 2 => :1
    SELECT 2 => OK
    GET a => "1"
    PEXPIRETIME a => :32503680000123
    SELECT 0 => OK
    COPY a b DB => -ERR syntax error
    COPY a b DB x => -ERR value is not an integer or out of range
    COPY a b DB 16 => -ERR DB index is out of range
    COPY a b DB -1 => -ERR DB index is out of range
    COPY a b NOSUCH => -ERR syntax error
    COPY a b REPLACE NOSUCH => -ERR syntax error
    COPY a => -ERR wrong number of arguments for 'copy' command
    APPEND c x => :6
    COPY c d => :1
    OBJECT ENCODING d => "raw"
    SELECT 0 => OK
    """#

  static let expiring = #"""
    EXPIRE missing 10 => :0
    EXPIRE missing 0 => :0
    SET a 1 => OK
    TTL a => :-1
    PTTL a => :-1
    EXPIRETIME a => :-1
    PEXPIRETIME a => :-1
    TTL missing => :-2
    PTTL missing => :-2
    EXPIRETIME missing => :-2
    PEXPIRETIME missing => :-2
    EXPIRE a 100 => :1
    TTL a => :100
    PERSIST a => :1
    PERSIST a => :0
    PERSIST missing => :0
    TTL a => :-1
    PEXPIRE a 100400 => :1
    TTL a => :100
    EXPIREAT a 32503680000 => :1
    PEXPIRETIME a => :32503680000000
    EXPIRETIME a => :32503680000
    PEXPIREAT a 32503680000499 => :1
    EXPIRETIME a => :32503680000
    PEXPIREAT a 32503680000500 => :1
    EXPIRETIME a => :32503680001
    PEXPIREAT a 9223372036854775807 => :1
    PEXPIRETIME a => :9223372036854775807
    EXPIRETIME a => :9223372036854776
    EXPIRE a 9223372036854775807 => -ERR invalid expire time in 'expire' command
    EXPIRE a 9223372036854775 => -ERR invalid expire time in 'expire' command
    EXPIRE a -9223372036854776 => -ERR invalid expire time in 'expire' command
    EXPIREAT a 9223372036854776 => -ERR invalid expire time in 'expireat' command
    PEXPIRE a 9223372036854775807 => -ERR invalid expire time in 'pexpire' command
    PEXPIREAT a 9223372036854775808 => -ERR value is not an integer or out of range
    EXPIRE a 1.5 => -ERR value is not an integer or out of range
    EXPIRE a " 1" => -ERR value is not an integer or out of range
    EXPIRE a x NOSUCH => -ERR Unsupported option NOSUCH
    EXPIRE a x => -ERR value is not an integer or out of range
    EXPIRE a => -ERR wrong number of arguments for 'expire' command
    EXPIRE a 0 => :1
    EXISTS a => :0
    SET a 1 => OK
    EXPIRE a -1 => :1
    EXISTS a => :0
    SET a 1 => OK
    EXPIREAT a 1 => :1
    EXISTS a => :0
    SET a 1 => OK
    PEXPIREAT a -9223372036854775808 => :1
    EXISTS a => :0
    SET a 1 => OK
    PEXPIRE a 0 => :1
    EXISTS a => :0
    """#

  static let conditions = #"""
    SET a 1 => OK
    EXPIREAT a 32503680000 XX => :0
    EXPIREAT a 32503680000 GT => :0
    TTL a => :-1
    EXPIREAT a 32503680000 LT => :1
    PEXPIRETIME a => :32503680000000
    EXPIREAT a 32503680000 LT => :0
    EXPIREAT a 32503680000 GT => :0
    EXPIREAT a 32503680001 GT => :1
    EXPIREAT a 32503680001 LT => :0
    EXPIREAT a 32503680000 lt => :1
    EXPIREAT a 32503680002 NX => :0
    EXPIREAT a 32503680002 nx nx => :0
    EXPIREAT a 32503680002 XX => :1
    EXPIREAT a 32503680003 XX GT => :1
    EXPIREAT a 32503680002 XX GT => :0
    EXPIREAT a 32503680001 XX LT => :1
    EXPIRETIME a => :32503680001
    EXPIREAT a 1 GT => :0
    EXPIREAT a 9 NX XX => -ERR NX and XX, GT or LT options at the same time are not compatible
    EXPIREAT a 9 NX GT => -ERR NX and XX, GT or LT options at the same time are not compatible
    EXPIREAT a 9 LT NX => -ERR NX and XX, GT or LT options at the same time are not compatible
    EXPIREAT a 9 GT LT => -ERR GT and LT options at the same time are not compatible
    EXPIREAT a 9 XX GT LT NX => -ERR NX and XX, GT or LT options at the same time are not compatible
    EXPIREAT a 32503680002 NOSUCH => -ERR Unsupported option NOSUCH
    EXPIREAT a x NOSUCH => -ERR Unsupported option NOSUCH
    EXPIREAT a x GT LT => -ERR GT and LT options at the same time are not compatible
    EXPIREAT a 32503680002 "a\r\nb" => -ERR Unsupported option a  b
    EXPIREAT a 32503680002 "a\x00b" => -ERR Unsupported option a
    EXPIREAT missing 32503680002 NX => :0
    PERSIST a => :1
    EXPIREAT a 32503680002 NX => :1
    PEXPIREAT a 1 LT => :1
    EXISTS a => :0
    SET a 1 => OK
    EXPIRE a 100 NX => :1
    TTL a => :100
    PEXPIRE a 200000 GT => :1
    TTL a => :200
    PEXPIREAT a 32503680000000 GT => :1
    EXPIRE a 100 LT => :1
    TTL a => :100
    """#

  static let walking = #"""
    KEYS * => []
    SCAN 0 => ["0", []]
    SET hello 1 => OK
    KEYS * => ["hello"]
    KEYS h?llo => ["hello"]
    KEYS h[a-f]llo => ["hello"]
    KEYS H* => []
    KEYS "" => []
    KEYS hello* => ["hello"]
    KEYS => -ERR wrong number of arguments for 'keys' command
    SCAN 0 => ["0", ["hello"]]
    SCAN 0 MATCH h* => ["0", ["hello"]]
    SCAN 0 MATCH x* MATCH h* => ["0", ["hello"]]
    SCAN 0 MATCH x* => ["0", []]
    SCAN 0 COUNT 1000 TYPE string MATCH * => ["0", ["hello"]]
    SCAN 0 COUNT 1000 type STRING => ["0", ["hello"]]
    SCAN 0 COUNT 1000 TYPE list => ["0", []]
    SCAN 0 COUNT 1000 TYPE nosuch => ["0", []]
    SCAN 0 COUNT 9223372036854775807 => ["0", ["hello"]]
    SCAN "" => ["0", ["hello"]]
    SCAN +0 => ["0", ["hello"]]
    SCAN 0000 => ["0", ["hello"]]
    SCAN "0\x00abc" => ["0", ["hello"]]
    SCAN "" COUNT 1 COUNT 100 => ["0", ["hello"]]
    SCAN - => -ERR invalid cursor
    SCAN + => -ERR invalid cursor
    SCAN "0 " => -ERR invalid cursor
    SCAN " 0" => -ERR invalid cursor
    SCAN 0x => -ERR invalid cursor
    SCAN x NOSUCH => -ERR invalid cursor
    SCAN 18446744073709551616 => -ERR invalid cursor
    SCAN 0 COUNT 0 => -ERR syntax error
    SCAN 0 COUNT -1 => -ERR syntax error
    SCAN 0 COUNT x => -ERR value is not an integer or out of range
    SCAN 0 COUNT => -ERR syntax error
    SCAN 0 MATCH => -ERR syntax error
    SCAN 0 TYPE => -ERR syntax error
    SCAN 0 NOSUCH x => -ERR syntax error
    SCAN 0 MATCH x COUNT x => -ERR value is not an integer or out of range
    SCAN => -ERR wrong number of arguments for 'scan' command
    DEL hello => :1
    SET "" e => OK
    KEYS * => [""]
    KEYS ** => []
    KEYS "" => [""]
    SCAN 0 => ["0", [""]]
    SCAN 0 MATCH * => ["0", [""]]
    SCAN 0 MATCH ** => ["0", []]
    HELLO 3 => ...
    SCAN 0 => ["0", [""]]
    KEYS x => []
    RANDOMKEY => ""
    DEL "" => :1
    RANDOMKEY => nil
    HELLO 2 => ...
    """#

  static let objects = #"""
    OBJECT ENCODING missing => nil
    OBJECT REFCOUNT missing => nil
    OBJECT IDLETIME missing => nil
    OBJECT FREQ missing => nil
    SET a 0 => OK
    OBJECT ENCODING a => "int"
    OBJECT REFCOUNT a => :2147483647
    SET a 9999 => OK
    OBJECT REFCOUNT a => :2147483647
    SET a 10000 => OK
    OBJECT ENCODING a => "int"
    OBJECT REFCOUNT a => :1
    SET a -1 => OK
    OBJECT ENCODING a => "int"
    OBJECT REFCOUNT a => :1
    SET a -9223372036854775808 => OK
    OBJECT ENCODING a => "int"
    SET a 9223372036854775808 => OK
    OBJECT ENCODING a => "embstr"
    SET a 01 => OK
    OBJECT ENCODING a => "embstr"
    SET a -0 => OK
    OBJECT ENCODING a => "embstr"
    SET a "" => OK
    OBJECT ENCODING a => "embstr"
    OBJECT REFCOUNT a => :1
    SET a 01234567890123456789012345678901234567890123 => OK
    OBJECT ENCODING a => "embstr"
    SET a 012345678901234567890123456789012345678901234 => OK
    OBJECT ENCODING a => "raw"
    SET a 1 => OK
    APPEND a 2 => :2
    OBJECT ENCODING a => "raw"
    OBJECT REFCOUNT a => :1
    INCR a => :13
    OBJECT ENCODING a => "int"
    OBJECT REFCOUNT a => :2147483647
    SETRANGE a 0 9 => :2
    OBJECT ENCODING a => "raw"
    SET f 1 => OK
    INCRBYFLOAT f 1 => "2"
    OBJECT ENCODING f => "embstr"
    OBJECT REFCOUNT f => :1
    COPY f g => :1
    OBJECT ENCODING g => "embstr"
    PEXPIREAT g 32503680000000 => :1
    OBJECT ENCODING g => "embstr"
    RENAME g f => OK
    OBJECT ENCODING f => "embstr"
    INCR f => :3
    OBJECT ENCODING f => "int"
    INCRBYFLOAT f 0.5 => "3.5"
    INCRBYFLOAT f 0.5 => "4"
    OBJECT ENCODING f => "embstr"
    SET f 4 => OK
    OBJECT ENCODING f => "int"
    SETBIT b 0 0 => :0
    OBJECT ENCODING b => "raw"
    EXPIRE b 100 => :1
    OBJECT ENCODING b => "raw"
    PERSIST b => :1
    OBJECT ENCODING b => "raw"
    APPEND c 5 => :1
    OBJECT ENCODING c => "int"
    OBJECT IDLETIME a => :0
    CONFIG SET maxmemory-policy allkeys-lfu => OK
    OBJECT FREQ missing => nil
    OBJECT IDLETIME missing => nil
    SET d x => OK
    OBJECT FREQ d => :5
    CONFIG SET maxmemory-policy volatile-lru => OK
    OBJECT IDLETIME a => :0
    CONFIG SET maxmemory-policy noeviction => OK
    """#

  static let digests = #"""
    DEBUG DIGEST => 0000000000000000000000000000000000000000
    DEBUG DIGEST-VALUE missing => [0000000000000000000000000000000000000000]
    SET a 1 => OK
    DEBUG DIGEST => 943d800368fb9c0e951138f1bc0e313ac769d91f
    DEBUG DIGEST-VALUE a => [b4fc66738120fba0b5aa500ab5c2bf89cea1c5da]
    SET b "\x00\xff\r\n" => OK
    SET "" empty => OK
    SET n -12345 => OK
    DEBUG DIGEST => de50cecb911c8e8ba9a560091b0c098b8eef425e
    DEBUG DIGEST-VALUE b => [0be8cedfeef041d42343f84d3f6672142a3b9692]
    DEBUG DIGEST-VALUE "" => [9bd1be3a2bc126a01b0085452a4712494fb9bcd3]
    SET a 1 PXAT 32503680000000 => OK
    DEBUG DIGEST => 4605f507b332db01c47edb6f8e8aa5e3a584c930
    DEBUG DIGEST-VALUE a => [5279988c5d1911f474bcbbf2f0a87012d40f8459]
    PEXPIREAT a 42503680000000 => :1
    DEBUG DIGEST => 4605f507b332db01c47edb6f8e8aa5e3a584c930
    SELECT 1 => OK
    SET a 1 => OK
    DEBUG DIGEST => 21810dcdb8aaaba2eb5e66ee816926ec58415c86
    SELECT 15 => OK
    SET t timed EX 10000 => OK
    SET long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa => OK
    SETRANGE big 5000 x => :5001
    SETBIT bits 7 1 => :0
    DEBUG DIGEST => 140c026f00fe2a3323d2d27f042250ce7244ced6
    DEBUG DIGEST-VALUE t => [10f3c48308ec251a8f1b545a69b09e54f64570d4]
    DEBUG DIGEST-VALUE long => [d42de30520b45fce07313bab156504a75531392a]
    DEBUG DIGEST-VALUE big => [a78e83126f8eb1435863a2fad48b1684e39e50b4]
    DEBUG DIGEST-VALUE bits => [979efc88cba7b776b9495fca95d4beb535e96f0e]
    DEBUG DIGEST-VALUE a => [0000000000000000000000000000000000000000]
    DEBUG DIGEST-VALUE => []
    SELECT 0 => OK
    MOVE a 3 => :1
    DEBUG DIGEST => b872ba6db836655e8c906b59fe42e3817fafc013
    COPY b b DB 9 => :1
    RENAME b bb => OK
    DEBUG DIGEST => 7bc038fb3772504f604d54c19cfb4651c5a6ccb5
    DEL "" bb n => :3
    DEBUG DIGEST => 6781b5911db007db0d6e8b9eb4d91ad72c5174a1
    SELECT 15 => OK
    PERSIST t => :1
    DEBUG DIGEST => 34b87217325731d13a82c64360be751e1b1547fb
    SELECT 0 => OK
    """#

  static let effects = #"""
    DEL a => :0
    SET a 1 => OK
    | SET a 1
    DEL a missing => :1
    | DEL a missing
    SET a 1 => OK
    | SET a 1
    SET b 1 => OK
    | SET b 1
    UNLINK missing a b missing => :2
    | UNLINK missing a b missing
    UNLINK a => :0
    EXPIRE a 100 => :0
    SET a 1 => OK
    | SET a 1
    EXPIRE a 100 => :1
    | PEXPIREAT a now+100000
    PEXPIRE a 200000 => :1
    | PEXPIREAT a now+200000
    EXPIREAT a 32503680000 => :1
    | PEXPIREAT a 32503680000000
    PEXPIREAT a 32503680000001 => :1
    | PEXPIREAT a 32503680000001
    PEXPIREAT a 32503680000001 NOSUCH => -ERR Unsupported option NOSUCH
    EXPIRE a 100 NX => :0
    PERSIST a => :1
    | PERSIST a
    PERSIST a => :0
    EXPIRE a 0 => :1
    | DEL a
    SET a 1 => OK
    | SET a 1
    PEXPIREAT a 1 => :1
    | DEL a
    EXPIRE a 0 => :0
    SET a 1 => OK
    | SET a 1
    EXPIRE a 9223372036854775807 => -ERR invalid expire time in 'expire' command
    TOUCH a => :1
    EXISTS a => :1
    TTL a => :-1
    RENAME missing a => -ERR no such key
    RENAME a a => OK
    RENAMENX a a => :0
    RENAME a b => OK
    | RENAME a b
    RENAMENX b c => :1
    | RENAMENX b c
    SET d 1 => OK
    | SET d 1
    RENAMENX c d => :0
    RENAME c d => OK
    | RENAME c d
    COPY d d => -ERR source and destination objects are the same
    COPY d e => :1
    | COPY d e
    COPY d e => :0
    COPY d e REPLACE => :1
    | COPY d e REPLACE
    COPY d f DB 3 => :1
    | COPY d f DB 3
    COPY missing e REPLACE => :0
    MOVE d 4 => :1
    | MOVE d 4
    MOVE e 0 => -ERR source and destination objects are the same
    MOVE missing 1 => :0
    SET d 1 => OK
    | SET d 1
    MOVE d 4 => :0
    SELECT 4 => OK
    MOVE d 0 => :0
    DEL d => :1
    | DEL d
    KEYS * => []
    SCAN 0 => ["0", []]
    RANDOMKEY => nil
    SELECT 0 => OK
    """#
}
