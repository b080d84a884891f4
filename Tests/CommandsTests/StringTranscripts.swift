// StringTranscripts: requests to the string commands and what they are answered with.
//
//   request => reply
//   | effect                    in transcripts that have effects, every one is listed
//
// Replies are written OK, -ERR text, :1, "bulk", nil, [array], {map}. `now+10` in an effect is ten
// milliseconds after the request. Written by judge-transcripts from redis-server 7.0.15's answers.

enum StringTranscripts {
  static let all: [Transcript] = [
    Transcript("SET, GET", set), Transcript("SET's options", setOptions),
    Transcript("SETNX, GETSET, GETDEL", setAndGet), Transcript("GETEX", getex),
    Transcript("INCR, DECR", increments), Transcript("INCRBYFLOAT", floats),
    Transcript("APPEND, STRLEN", append), Transcript("SETRANGE", setrange),
    Transcript("GETRANGE, SUBSTR", getrange), Transcript("MGET, MSET, MSETNX", several),
    Transcript("LCS", lcs), Transcript("wrong types", wrongTypes),
    Transcript("effects", effects),
  ]

  static let set = #"""
    GET k => nil
    SET k v => OK
    GET k => "v"
    SET k "" => OK
    GET k => ""
    STRLEN k => :0
    SET "" "" => OK
    GET "" => ""
    SET k "\x00\x01\xff\r\n" => OK
    GET k => "\x00\x01\xff\r\n"
    GET => -ERR wrong number of arguments for 'get' command
    GET k k => -ERR wrong number of arguments for 'get' command
    SET k => -ERR wrong number of arguments for 'set' command
    SET => -ERR wrong number of arguments for 'set' command
    OBJECT ENCODING k => "embstr"
    SET k 12 => OK
    OBJECT ENCODING k => "int"
    SET k 012 => OK
    OBJECT ENCODING k => "embstr"
    SET k 12345678901234567890 => OK
    OBJECT ENCODING k => "embstr"
    SET k 01234567890123456789012345678901234567890123 => OK
    OBJECT ENCODING k => "embstr"
    SET k 012345678901234567890123456789012345678901234 => OK
    OBJECT ENCODING k => "raw"
    SET k v EX 100 => OK
    TTL k => :100
    SET k w => OK
    TTL k => :-1
    SET x 10 => OK
    SET x aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa => OK
    GET x => "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    LPUSH l a => :1
    SET l v => OK
    GET l => "v"
    """#

  static let setOptions = #"""
    SET k v NX => OK
    SET k w nx => nil
    GET k => "v"
    SET k w XX => OK
    GET k => "w"
    SET m w xX => nil
    GET m => nil
    SET k v NX XX => -ERR syntax error
    SET k v XX NX => -ERR syntax error
    SET k v NX NX => nil
    SET k v EX => -ERR syntax error
    SET k v PX => -ERR syntax error
    SET k v EX 10 PX 10 => -ERR syntax error
    SET k v PX 10 EX 10 => -ERR syntax error
    SET k v EX 10 EXAT 10 => -ERR syntax error
    SET k v EXAT 10 PXAT 10 => -ERR syntax error
    SET k v KEEPTTL EX 10 => -ERR syntax error
    SET k v EX 10 KEEPTTL => -ERR syntax error
    SET k v EX 10 EX 20 => OK
    TTL k => :20
    SET k v EX abc EX 30 => OK
    TTL k => :30
    SET k w KEEPTTL => OK
    TTL k => :30
    SET k w KEEPTTL KEEPTTL => OK
    TTL k => :30
    SET k v EX 0 => -ERR invalid expire time in 'set' command
    SET k v EX -1 => -ERR invalid expire time in 'set' command
    SET k v PX 0 => -ERR invalid expire time in 'set' command
    SET k v PX -9223372036854775808 => -ERR invalid expire time in 'set' command
    SET k v EX 9223372036854775807 => -ERR invalid expire time in 'set' command
    SET k v EX 9223372036854776 => -ERR invalid expire time in 'set' command
    SET k v EX 9223372036854775 => -ERR invalid expire time in 'set' command
    SET k v PX 9223372036854775807 => -ERR invalid expire time in 'set' command
    SET k v PX 9223372036854770000 => -ERR invalid expire time in 'set' command
    SET k v EXAT 0 => -ERR invalid expire time in 'set' command
    SET k v PXAT -1 => -ERR invalid expire time in 'set' command
    SET k v EXAT 9223372036854776 => -ERR invalid expire time in 'set' command
    SET k v EXAT 9223372036854775 => OK
    PEXPIRETIME k => :9223372036854775000
    SET k v PXAT 9223372036854775807 => OK
    PEXPIRETIME k => :9223372036854775807
    SET k v EX 1.5 => -ERR value is not an integer or out of range
    SET k v EX "" => -ERR value is not an integer or out of range
    SET k v EX "10 " => -ERR value is not an integer or out of range
    SET k v EX abc => -ERR value is not an integer or out of range
    SET k v NX EX abc => -ERR value is not an integer or out of range
    SET k v PERSIST => -ERR syntax error
    SET k v foo => -ERR syntax error
    SET k v "" => -ERR syntax error
    SET k v GET => "v"
    SET m v GET => nil
    SET m w GET XX => "v"
    SET m x GET NX => "w"
    SET n x GET NX => nil
    GET n => "x"
    SET o x GET XX => nil
    GET o => nil
    SET m y GET GET EX 100 => "w"
    TTL m => :100
    SET m z GET KEEPTTL => "y"
    TTL m => :100
    SET m z GET EX 0 => -ERR invalid expire time in 'set' command
    GET m => "z"
    LPUSH l a => :1
    SET l v GET => -WRONGTYPE Operation against a key holding the wrong kind of value
    SET l v NX GET => -WRONGTYPE Operation against a key holding the wrong kind of value
    SET l v NX => nil
    SET l v GET EX 0 => -ERR invalid expire time in 'set' command
    SET l v GET FOO => -ERR syntax error
    SET l v XX => OK
    GET l => "v"
    SET past v PXAT 1 => OK
    GET past => nil
    SET past v EXAT 1 GET => nil
    EXISTS past => :0
    SET past v PXAT 1 => OK
    SET past w NX GET => nil
    GET past => "w"
    SET past v PXAT 1 => OK
    SET past w XX => nil
    SET past w KEEPTTL => OK
    TTL past => :-1
    SET k v px 5000000 => OK
    TTL k => :5000
    SET k v exat 33177117420 => OK
    PEXPIRETIME k => :33177117420000
    SET k v pxat 33177117420123 => OK
    PEXPIRETIME k => :33177117420123
    """#

  static let setAndGet = #"""
    SETNX k v => :1
    SETNX k w => :0
    GET k => "v"
    SETNX k => -ERR wrong number of arguments for 'setnx' command
    LPUSH l a => :1
    SETNX l v => :0
    GETSET k w => "v"
    GETSET m w => nil
    GET m => "w"
    GETSET l v => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETSET k => -ERR wrong number of arguments for 'getset' command
    SET k v EX 100 => OK
    GETSET k w => "v"
    TTL k => :-1
    GETDEL k => "w"
    GETDEL k => nil
    EXISTS k => :0
    GETDEL l => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETDEL => -ERR wrong number of arguments for 'getdel' command
    SETEX k 10 v => OK
    TTL k => :10
    GET k => "v"
    SETEX k 0 v => -ERR invalid expire time in 'setex' command
    SETEX k -5 v => -ERR invalid expire time in 'setex' command
    SETEX k x v => -ERR value is not an integer or out of range
    SETEX k 9223372036854775807 v => -ERR invalid expire time in 'setex' command
    SETEX k 10 => -ERR wrong number of arguments for 'setex' command
    SETEX l 100 v => OK
    GET l => "v"
    PSETEX k 100000 w => OK
    TTL k => :100
    PSETEX k 0 v => -ERR invalid expire time in 'psetex' command
    PSETEX k -5 v => -ERR invalid expire time in 'psetex' command
    PSETEX k x v => -ERR value is not an integer or out of range
    PSETEX k 9223372036854775807 v => -ERR invalid expire time in 'psetex' command
    GET k => "w"
    """#

  static let getex = #"""
    GETEX k => nil
    GETEX k EX 0 => nil
    GETEX k EX x => nil
    GETEX k foo => -ERR syntax error
    GETEX => -ERR wrong number of arguments for 'getex' command
    SET k v => OK
    GETEX k => "v"
    TTL k => :-1
    GETEX k PERSIST => "v"
    GETEX k EX 100 => "v"
    TTL k => :100
    GETEX k => "v"
    TTL k => :100
    GETEX k PERSIST => "v"
    TTL k => :-1
    GETEX k PX 100000 => "v"
    TTL k => :100
    GETEX k PXAT 33177117420123 => "v"
    PEXPIRETIME k => :33177117420123
    GETEX k EXAT 33177117420 => "v"
    PEXPIRETIME k => :33177117420000
    GETEX k PERSIST PERSIST => "v"
    GETEX k PERSIST EX 10 => -ERR syntax error
    GETEX k EX 10 PERSIST => -ERR syntax error
    GETEX k EX 10 PX 10 => -ERR syntax error
    GETEX k EX 10 EX 20 => "v"
    TTL k => :20
    GETEX k EX => -ERR syntax error
    GETEX k KEEPTTL => -ERR syntax error
    GETEX k NX => -ERR syntax error
    GETEX k GET => -ERR syntax error
    GETEX k EX 0 => -ERR invalid expire time in 'getex' command
    GETEX k EX -1 => -ERR invalid expire time in 'getex' command
    GETEX k EX 9223372036854775807 => -ERR invalid expire time in 'getex' command
    GETEX k PX 9223372036854775807 => -ERR invalid expire time in 'getex' command
    GETEX k PXAT 0 => -ERR invalid expire time in 'getex' command
    GETEX k EX 1.5 => -ERR value is not an integer or out of range
    GET k => "v"
    GETEX k PXAT 1 => "v"
    EXISTS k => :0
    SET k v EX 100 => OK
    GETEX k EXAT 1 => "v"
    GET k => nil
    LPUSH l a => :1
    GETEX l => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETEX l EX 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETEX l EX 10 PX 10 => -ERR syntax error
    """#

  static let increments = #"""
    INCR n => :1
    INCR n => :2
    GET n => "2"
    DECR n => :1
    INCRBY n 40 => :41
    DECRBY n 50 => :-9
    GET n => "-9"
    OBJECT ENCODING n => "int"
    INCRBY n abc => -ERR value is not an integer or out of range
    INCRBY n 1.5 => -ERR value is not an integer or out of range
    INCRBY n "" => -ERR value is not an integer or out of range
    INCRBY n " 1" => -ERR value is not an integer or out of range
    INCRBY n 01 => -ERR value is not an integer or out of range
    INCRBY n +1 => -ERR value is not an integer or out of range
    INCRBY n -0 => -ERR value is not an integer or out of range
    INCRBY n 9223372036854775808 => -ERR value is not an integer or out of range
    DECRBY n -9223372036854775808 => -ERR decrement would overflow
    DECRBY m -9223372036854775808 => -ERR decrement would overflow
    DECRBY n abc => -ERR value is not an integer or out of range
    SET n 9223372036854775807 => OK
    INCR n => -ERR increment or decrement would overflow
    INCRBY n 1 => -ERR increment or decrement would overflow
    INCRBY n -1 => :9223372036854775806
    DECRBY n -1 => :9223372036854775807
    DECRBY n -1 => -ERR increment or decrement would overflow
    SET n -9223372036854775808 => OK
    DECR n => -ERR increment or decrement would overflow
    DECRBY n 1 => -ERR increment or decrement would overflow
    INCRBY n -1 => -ERR increment or decrement would overflow
    INCR n => :-9223372036854775807
    INCRBY n -9223372036854775807 => -ERR increment or decrement would overflow
    SET n "11 " => OK
    INCR n => -ERR value is not an integer or out of range
    SET n " 11" => OK
    INCR n => -ERR value is not an integer or out of range
    SET n 011 => OK
    INCR n => -ERR value is not an integer or out of range
    SET n "" => OK
    INCR n => -ERR value is not an integer or out of range
    SET n 1.0 => OK
    INCR n => -ERR value is not an integer or out of range
    SET n abc => OK
    INCRBY n xyz => -ERR value is not an integer or out of range
    SET n 10 EX 100 => OK
    INCR n => :11
    TTL n => :100
    INCRBY n 999999990 => :1000000001
    GET n => "1000000001"
    TTL n => :100
    DECRBY n 1000000001 => :0
    GET n => "0"
    TTL n => :100
    INCR => -ERR wrong number of arguments for 'incr' command
    INCRBY n => -ERR wrong number of arguments for 'incrby' command
    LPUSH l a => :1
    INCR l => -WRONGTYPE Operation against a key holding the wrong kind of value
    INCRBY l x => -ERR value is not an integer or out of range
    """#

  static let floats = #"""
    INCRBYFLOAT f 10.5 => "10.5"
    INCRBYFLOAT f 0.1 => "10.6"
    GET f => "10.6"
    INCRBYFLOAT f -5 => "5.6"
    INCRBYFLOAT f 5.0e3 => "5005.60000000000000009"
    SET f 3.0e3 => OK
    INCRBYFLOAT f 200 => "3200"
    SET f 1 => OK
    INCRBYFLOAT f 1.23 => "2.23"
    INCRBYFLOAT f -1.23 => "1"
    INCRBYFLOAT f abc => -ERR value is not a valid float
    INCRBYFLOAT f "" => -ERR value is not a valid float
    INCRBYFLOAT f " 1" => -ERR value is not a valid float
    INCRBYFLOAT f "1 " => -ERR value is not a valid float
    INCRBYFLOAT f nan => -ERR value is not a valid float
    INCRBYFLOAT f inf => -ERR increment would produce NaN or Infinity
    INCRBYFLOAT f -inf => -ERR increment would produce NaN or Infinity
    INCRBYFLOAT f 1e5000 => -ERR value is not a valid float
    INCRBYFLOAT f 0x10 => "17"
    INCRBYFLOAT f 1e-20 => "17"
    GET f => "17"
    SET f " 11" => OK
    INCRBYFLOAT f 1 => -ERR value is not a valid float
    SET f "11 " => OK
    INCRBYFLOAT f 1 => -ERR value is not a valid float
    SET f "1\x00" => OK
    INCRBYFLOAT f 1 => -ERR value is not a valid float
    SET f abc => OK
    INCRBYFLOAT f xyz => -ERR value is not a valid float
    SET f 0 => OK
    INCRBYFLOAT f 3.141592653589793238462643383279502884 => "3.14159265358979324"
    SET f 0 => OK
    INCRBYFLOAT f 1e17 => "100000000000000000"
    INCRBYFLOAT f 0.5 => "100000000000000000.5"
    SET f 0 => OK
    INCRBYFLOAT f 99999999999999999999999999 => "100000000000000000000000000"
    SET f 1e30 => OK
    INCRBYFLOAT f 1 => "1000000000000000000024696061952"
    SET f 0.1 => OK
    INCRBYFLOAT f -0.1 => "0"
    INCRBYFLOAT f -0 => "0"
    SET f 5 EX 100 => OK
    INCRBYFLOAT f 2.25 => "7.25"
    TTL f => :100
    INCRBYFLOAT g 0 => "0"
    INCRBYFLOAT f => -ERR wrong number of arguments for 'incrbyfloat' command
    LPUSH l a => :1
    INCRBYFLOAT l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    INCRBYFLOAT l x => -WRONGTYPE Operation against a key holding the wrong kind of value
    """#

  static let append = #"""
    STRLEN k => :0
    APPEND k "" => :0
    EXISTS k => :1
    APPEND k abc => :3
    APPEND k "" => :3
    APPEND k def => :6
    GET k => "abcdef"
    STRLEN k => :6
    OBJECT ENCODING k => "raw"
    APPEND n 12 => :2
    OBJECT ENCODING n => "int"
    APPEND n 3 => :3
    GET n => "123"
    OBJECT ENCODING n => "raw"
    INCR n => :124
    OBJECT ENCODING n => "int"
    SET t v EX 100 => OK
    APPEND t w => :2
    TTL t => :100
    GET t => "vw"
    APPEND t => -ERR wrong number of arguments for 'append' command
    STRLEN => -ERR wrong number of arguments for 'strlen' command
    LPUSH l a => :1
    APPEND l x => -WRONGTYPE Operation against a key holding the wrong kind of value
    STRLEN l => -WRONGTYPE Operation against a key holding the wrong kind of value
    SET n 12345 => OK
    STRLEN n => :5
    CONFIG SET proto-max-bulk-len 1048576 => OK
    SETRANGE big 1048575 x => :1048576
    APPEND big y => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
    APPEND big "" => :1048576
    STRLEN big => :1048576
    CONFIG SET proto-max-bulk-len 536870912 => OK
    APPEND big y => :1048577
    STRLEN big => :1048577
    """#

  static let setrange = #"""
    SETRANGE k 0 "" => :0
    EXISTS k => :0
    SETRANGE k 5 "" => :0
    SETRANGE k 3 abc => :6
    GET k => "\x00\x00\x00abc"
    SETRANGE k 0 xyz => :6
    GET k => "xyzabc"
    SETRANGE k 1 "" => :6
    SETRANGE k 9 q => :10
    GET k => "xyzabc\x00\x00\x00q"
    OBJECT ENCODING k => "raw"
    SETRANGE k -1 x => -ERR offset is out of range
    SETRANGE k -1 "" => -ERR offset is out of range
    SETRANGE k abc x => -ERR value is not an integer or out of range
    SETRANGE k 1.5 x => -ERR value is not an integer or out of range
    SETRANGE k 536870911 xy => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
    SETRANGE k 536870912 x => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
    SETRANGE k 9223372036854775807 x => -ERR string exceeds maximum allowed size (proto-max-bulk-l\#
    en)
    SETRANGE m 9223372036854775807 "" => :0
    SETRANGE m 536870912 x => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
    EXISTS m => :0
    SET n 1234 => OK
    SETRANGE n 1 9 => :4
    GET n => "1934"
    OBJECT ENCODING n => "raw"
    SET t abc EX 100 => OK
    SETRANGE t 10 x => :11
    TTL t => :100
    SETRANGE k 1 => -ERR wrong number of arguments for 'setrange' command
    LPUSH l a => :1
    SETRANGE l 0 x => -WRONGTYPE Operation against a key holding the wrong kind of value
    SETRANGE l 0 "" => -WRONGTYPE Operation against a key holding the wrong kind of value
    SETRANGE l -1 x => -ERR offset is out of range
    SETRANGE l 536870912 x => -WRONGTYPE Operation against a key holding the wrong kind of value
    """#

  static let getrange = #"""
    GETRANGE k 0 -1 => ""
    GETRANGE k a b => -ERR value is not an integer or out of range
    SET k "Hello World" => OK
    GETRANGE k 0 3 => "Hell"
    GETRANGE k 0 -1 => "Hello World"
    GETRANGE k -4 -1 => "orld"
    GETRANGE k 5 3 => ""
    GETRANGE k 5 5000 => " World"
    GETRANGE k -5000 10000 => "Hello World"
    GETRANGE k 11 20 => ""
    GETRANGE k 10 20 => "d"
    GETRANGE k -1 -5 => ""
    GETRANGE k -100 -99 => "H"
    GETRANGE k -99 -100 => ""
    GETRANGE k -100 0 => "H"
    GETRANGE k 0 -100 => "H"
    GETRANGE k 0 9223372036854775807 => "Hello World"
    GETRANGE k -9223372036854775808 9223372036854775807 => "Hello World"
    GETRANGE k -9223372036854775808 -9223372036854775808 => "H"
    GETRANGE k a 1 => -ERR value is not an integer or out of range
    GETRANGE k 1 b => -ERR value is not an integer or out of range
    GETRANGE k 1 => -ERR wrong number of arguments for 'getrange' command
    SUBSTR k 6 -1 => "World"
    SUBSTR k a 1 => -ERR value is not an integer or out of range
    SUBSTR k 1 => -ERR wrong number of arguments for 'substr' command
    SET e "" => OK
    GETRANGE e 0 -1 => ""
    GETRANGE e 0 0 => ""
    SET n 12345 => OK
    GETRANGE n 1 2 => "23"
    LPUSH l a => :1
    GETRANGE l 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETRANGE l x 1 => -ERR value is not an integer or out of range
    """#

  static let several = #"""
    MSET a 1 b 2 c "" => OK
    MGET a b c d => ["1", "2", "", nil]
    MGET => -ERR wrong number of arguments for 'mget' command
    MGET a a => ["1", "1"]
    MSET a 3 a 4 => OK
    GET a => "4"
    MSET a => -ERR wrong number of arguments for 'mset' command
    MSET => -ERR wrong number of arguments for 'mset' command
    MSET a 1 b => -ERR wrong number of arguments for 'mset' command
    MSET a 1 b 2 c => -ERR wrong number of arguments for 'mset' command
    SET t v EX 100 => OK
    MSET t w => OK
    TTL t => :-1
    LPUSH l a => :1
    MGET a l b => ["4", nil, "2"]
    MSET l 5 => OK
    GET l => "5"
    MSETNX a 9 z 9 => :0
    EXISTS z => :0
    MSETNX y 1 z 2 => :1
    MGET y z => ["1", "2"]
    MSETNX x 1 x 2 => :1
    GET x => "2"
    MSETNX a => -ERR wrong number of arguments for 'msetnx' command
    MSETNX a 1 b => -ERR wrong number of arguments for 'msetnx' command
    LPUSH m a => :1
    MSETNX m 1 q 2 => :0
    EXISTS q => :0
    HELLO 3 => ...
    MGET a nosuch => ["4", nil]
    GET nosuch => nil
    """#

  static let lcs = #"""
    MSET v1 ohmytext v2 mynewtext => OK
    LCS v1 v2 => "mytext"
    LCS v1 v2 LEN => :6
    LCS v1 v2 IDX => ["matches", [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len", :6]
    LCS v1 v2 IDX MINMATCHLEN 4 => ["matches", [[[:4, :7], [:5, :8]]], "len", :6]
    LCS v1 v2 IDX MINMATCHLEN 4 WITHMATCHLEN => ["matches", [[[:4, :7], [:5, :8], :4]], "len", :6]
    LCS v1 v2 IDX WITHMATCHLEN => ["matches", [[[:4, :7], [:5, :8], :4], [[:2, :3], [:0, :1], :2]]\#
    , "len", :6]
    LCS v1 v2 IDX MINMATCHLEN 100 => ["matches", [], "len", :6]
    LCS v1 v2 IDX MINMATCHLEN -1 => ["matches", [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len\#
    ", :6]
    LCS v1 v2 LEN MINMATCHLEN 100 => :6
    LCS v1 v2 MINMATCHLEN 100 => "mytext"
    LCS v1 v2 LEN IDX => -ERR If you want both the length and indexes, please just use IDX.
    LCS v1 v2 LEN LEN => :6
    LCS v1 v2 foo => -ERR syntax error
    LCS v1 v2 MINMATCHLEN => -ERR syntax error
    LCS v1 v2 MINMATCHLEN x => -ERR value is not an integer or out of range
    LCS v1 v2 MINMATCHLEN x foo => -ERR value is not an integer or out of range
    LCS v1 => -ERR wrong number of arguments for 'lcs' command
    LCS v1 nosuch => ""
    LCS v1 nosuch LEN => :0
    LCS nosuch v1 IDX => ["matches", [], "len", :0]
    LCS nosuch nosuch => ""
    LCS v1 v1 => "ohmytext"
    LCS v1 v1 IDX => ["matches", [[[:0, :7], [:0, :7]]], "len", :8]
    MSET a abcbdab b bdcaba c aaaa d aa e xyz f axbycz => OK
    LCS a b => "bdab"
    LCS b a => "bcba"
    LCS a b IDX => ["matches", [[[:5, :6], [:3, :4]], [[:3, :4], [:0, :1]]], "len", :4]
    LCS b a IDX WITHMATCHLEN => ["matches", [[[:5, :5], [:5, :5], :1], [[:4, :4], [:3, :3], :1], [\#
    [:2, :2], [:2, :2], :1], [[:0, :0], [:1, :1], :1]], "len", :4]
    LCS c d IDX => ["matches", [[[:2, :3], [:0, :1]]], "len", :2]
    LCS d c IDX => ["matches", [[[:0, :1], [:2, :3]]], "len", :2]
    LCS a e => ""
    LCS a e IDX => ["matches", [], "len", :0]
    LCS e f IDX WITHMATCHLEN => ["matches", [[[:2, :2], [:5, :5], :1], [[:1, :1], [:3, :3], :1], [\#
    [:0, :0], [:1, :1], :1]], "len", :3]
    LCS f e IDX WITHMATCHLEN => ["matches", [[[:5, :5], [:2, :2], :1], [[:3, :3], [:1, :1], :1], [\#
    [:1, :1], [:0, :0], :1]], "len", :3]
    LCS a f IDX WITHMATCHLEN => ["matches", [[[:2, :2], [:4, :4], :1], [[:1, :1], [:2, :2], :1], [\#
    [:0, :0], [:0, :0], :1]], "len", :3]
    HELLO 3 => ...
    LCS a b IDX WITHMATCHLEN => {"matches": [[[:5, :6], [:3, :4], :2], [[:3, :4], [:0, :1], :2]], \#
    "len": :4}
    LCS v1 v2 IDX => {"matches": [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len": :6}
    HELLO 2 => ...
    LPUSH l a => :1
    LCS v1 l => -ERR The specified keys must contain string values
    LCS l v1 foo => -ERR The specified keys must contain string values
    LCS l nosuch LEN IDX => -ERR The specified keys must contain string values
    CONFIG SET proto-max-bulk-len 1048576 => OK
    SETRANGE big1 600 x => :601
    SETRANGE big2 434 x => :435
    LCS big1 big2 LEN => -ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk\#
    -len
    SETRANGE big2 435 x => :436
    LCS big1 big2 LEN => -ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk\#
    -len
    LCS big1 big2 => -ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len
    CONFIG SET proto-max-bulk-len 536870912 => OK
    """#

  static let wrongTypes = #"""
    LPUSH l a => :1
    GET l => -WRONGTYPE Operation against a key holding the wrong kind of value
    SET l v GET => -WRONGTYPE Operation against a key holding the wrong kind of value
    STRLEN l => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETDEL l => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETEX l PERSIST => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETRANGE l 0 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
    INCR l => -WRONGTYPE Operation against a key holding the wrong kind of value
    DECR l => -WRONGTYPE Operation against a key holding the wrong kind of value
    DECRBY l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    INCRBYFLOAT l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    APPEND l a => -WRONGTYPE Operation against a key holding the wrong kind of value
    SETRANGE l 0 a => -WRONGTYPE Operation against a key holding the wrong kind of value
    GETSET l v => -WRONGTYPE Operation against a key holding the wrong kind of value
    EXISTS l => :1
    """#

  static let effects = #"""
    SET k v => OK
    | SET k v
    SET k v EX 100 => OK
    | SET k v PXAT now+100000
    SET k v PX 1500 => OK
    | SET k v PXAT now+1500
    SET k v EXAT 33177117420 => OK
    | SET k v PXAT 33177117420000
    SET k v PXAT 33177117420123 => OK
    | SET k v PXAT 33177117420123
    SET k v PXAT 33177117420123 GET => "v"
    | SET k v PXAT 33177117420123
    SET k w KEEPTTL => OK
    | SET k w KEEPTTL
    SET k w keepttl XX => OK
    | SET k w keepttl XX
    SET k w NX => nil
    SET k w NX GET => "w"
    SET k x get XX => "w"
    | SET k x XX
    SET k y GET KEEPTTL GET => "x"
    | SET k y KEEPTTL
    SET k y EX 100 XX GET => "y"
    | SET k y PXAT now+100000
    SET k z XX => OK
    | SET k z XX
    SET q z XX => nil
    SET k z EX 0 => -ERR invalid expire time in 'set' command
    SET q z NX EX 10 => OK
    | SET q z PXAT now+10000
    SETNX k v => :0
    SETNX r v => :1
    | SETNX r v
    GETSET k u => "z"
    | SET k u
    GETSET nosuch u => nil
    | SET nosuch u
    GETDEL nosuch => "u"
    | DEL nosuch
    GETDEL nothing => nil
    SETEX k 10 v => OK
    | SET k v PXAT now+10000
    PSETEX k 2000 v => OK
    | SET k v PXAT now+2000
    SET k v => OK
    | SET k v
    GETEX k => "v"
    GETEX k EX 100 => "v"
    | PEXPIREAT k now+100000
    GETEX k EXAT 33177117420 => "v"
    | PEXPIREAT k 33177117420000
    GETEX k PERSIST => "v"
    | PERSIST k
    GETEX k PERSIST => "v"
    GETEX k PXAT 1 => "v"
    | DEL k
    GETEX k EX 10 => nil
    INCR n => :1
    | INCR n
    incrby n 5 => :6
    | incrby n 5
    DECR n => :5
    | DECR n
    DECRBY n 2 => :3
    | DECRBY n 2
    INCRBY n x => -ERR value is not an integer or out of range
    INCRBYFLOAT n 2.5 => "5.5"
    | SET n 5.5 KEEPTTL
    INCRBYFLOAT m 1e3 => "1000"
    | SET m 1000 KEEPTTL
    APPEND a x => :1
    | APPEND a x
    APPEND a "" => :1
    | APPEND a ""
    SETRANGE a 3 z => :4
    | SETRANGE a 3 z
    SETRANGE a 3 "" => :4
    MSET a 1 b 2 => OK
    | MSET a 1 b 2
    MSETNX a 1 c 2 => :0
    MSETNX d 1 e 2 => :1
    | MSETNX d 1 e 2
    SET past v PXAT 1 => OK
    | SET past v PXAT 1
    GET past => nil
    | DEL past
    SET past v PXAT 1 => OK
    | SET past v PXAT 1
    SETNX past w => :1
    | DEL past
    | SETNX past w
    GET a => "1"
    STRLEN a => :1
    """#
}
