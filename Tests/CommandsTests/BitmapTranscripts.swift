// BitmapTranscripts: requests to the bitmap commands and what they are answered with, written as
// StringTranscripts says.

enum BitmapTranscripts {
  static let all: [Transcript] = [
    Transcript("GETBIT, SETBIT", bits), Transcript("BITCOUNT", bitcount),
    Transcript("BITPOS", bitpos), Transcript("BITOP", bitop), Transcript("BITFIELD", bitfield),
    Transcript("BITFIELD's overflows", overflows), Transcript("bitmap effects", effects),
  ]

  static let bits = #"""
    GETBIT k 0 => :0
    SETBIT k 7 1 => :0
    GET k => "\x01"
    SETBIT k 7 1 => :1
    SETBIT k 7 0 => :1
    GET k => "\x00"
    SETBIT k 20 1 => :0
    GET k => "\x00\x00\x08"
    GETBIT k 20 => :1
    GETBIT k 21 => :0
    GETBIT k 1000 => :0
    OBJECT ENCODING k => "raw"
    SETBIT e 9 0 => :0
    GET e => "\x00\x00"
    SETBIT k -1 1 => -ERR bit offset is not an integer or out of range
    SETBIT k abc 1 => -ERR bit offset is not an integer or out of range
    SETBIT k 1 2 => -ERR bit is not an integer or out of range
    SETBIT k 1 -1 => -ERR bit is not an integer or out of range
    SETBIT k 1 abc => -ERR bit is not an integer or out of range
    SETBIT k 4294967296 1 => -ERR bit offset is not an integer or out of range
    SETBIT k 9223372036854775807 1 => -ERR bit offset is not an integer or out of range
    SETBIT k 9223372036854775808 1 => -ERR bit offset is not an integer or out of range
    SETBIT k abc abc => -ERR bit offset is not an integer or out of range
    SETBIT k #1 1 => -ERR bit offset is not an integer or out of range
    SETBIT k 1 => -ERR wrong number of arguments for 'setbit' command
    GETBIT k -1 => -ERR bit offset is not an integer or out of range
    GETBIT k abc => -ERR bit offset is not an integer or out of range
    GETBIT k 4294967296 => -ERR bit offset is not an integer or out of range
    GETBIT k 4294967295 => :0
    GETBIT k #1 => -ERR bit offset is not an integer or out of range
    GETBIT k => -ERR wrong number of arguments for 'getbit' command
    SET n 12 => OK
    SETBIT n 7 1 => :1
    GET n => "12"
    OBJECT ENCODING n => "raw"
    SET n 12 => OK
    SETBIT n 7 0 => :1
    OBJECT ENCODING n => "raw"
    SET t a EX 100 => OK
    SETBIT t 100 1 => :0
    TTL t => :100
    LPUSH l a => :1
    GETBIT l 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
    SETBIT l 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    SETBIT l 0 2 => -ERR bit is not an integer or out of range
    CONFIG SET proto-max-bulk-len 1048576 => OK
    SETBIT k 8388608 1 => -ERR bit offset is not an integer or out of range
    SETBIT k 8388607 1 => :0
    STRLEN k => :1048576
    CONFIG SET proto-max-bulk-len 536870912 => OK
    """#

  static let bitcount = #"""
    BITCOUNT k => :0
    BITCOUNT k a b => :0
    BITCOUNT k 0 => :0
    SET k foobar => OK
    BITCOUNT k => :26
    BITCOUNT k 0 0 => :4
    BITCOUNT k 1 1 => :6
    BITCOUNT k 0 -1 => :26
    BITCOUNT k -2 -1 => :7
    BITCOUNT k -1 -2 => :0
    BITCOUNT k -1 -2 foo => :0
    BITCOUNT k -100 -99 => :4
    BITCOUNT k 5 30 => :4
    BITCOUNT k 5 30 BIT => :17
    BITCOUNT k 5 30 bit => :17
    BITCOUNT k 1 1 BYTE => :6
    BITCOUNT k 0 -1 BIT => :26
    BITCOUNT k 3 3 BIT => :0
    BITCOUNT k 1 2 BIT => :2
    BITCOUNT k -5 -1 BIT => :2
    BITCOUNT k -5 -9 BIT => :0
    BITCOUNT k -1 -2 BIT => :0
    BITCOUNT k 48 50 BIT => :0
    BITCOUNT k 47 50 BIT => :0
    BITCOUNT k 100 200 => :0
    BITCOUNT k 3 1 => :0
    BITCOUNT k 0 => -ERR syntax error
    BITCOUNT k a => -ERR syntax error
    BITCOUNT k 0 1 foo => -ERR syntax error
    BITCOUNT k 0 1 BIT BIT => -ERR syntax error
    BITCOUNT k a 1 => -ERR value is not an integer or out of range
    BITCOUNT k 0 b => -ERR value is not an integer or out of range
    BITCOUNT k a 1 foo => -ERR value is not an integer or out of range
    BITCOUNT k 0 9223372036854775807 => :26
    BITCOUNT k -9223372036854775808 9223372036854775807 BIT => :26
    BITCOUNT => -ERR wrong number of arguments for 'bitcount' command
    SET e "" => OK
    BITCOUNT e => :0
    BITCOUNT e 0 -1 => :0
    BITCOUNT e 0 -1 BIT => :0
    LPUSH l a => :1
    BITCOUNT l => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITCOUNT l a b => -WRONGTYPE Operation against a key holding the wrong kind of value
    """#

  static let bitpos = #"""
    BITPOS k 0 => :0
    BITPOS k 1 => :-1
    BITPOS k 0 0 -1 => :0
    BITPOS k 1 a b => :-1
    BITPOS k 2 => -ERR The bit argument must be 1 or 0.
    BITPOS k a => -ERR value is not an integer or out of range
    BITPOS k 1 0 1 foo bar => :-1
    SET k "\xff\xf0\x00" => OK
    BITPOS k 0 => :12
    BITPOS k 1 => :0
    BITPOS k 0 0 => :12
    BITPOS k 0 2 => :16
    BITPOS k 1 2 => :-1
    BITPOS k 1 0 -1 BIT => :0
    BITPOS k 0 8 11 BIT => :-1
    BITPOS k 0 8 12 BIT => :12
    BITPOS k 0 9 9 BIT => :-1
    BITPOS k 1 9 9 BIT => :9
    BITPOS k 1 12 15 BIT => :-1
    BITPOS k 1 11 15 BIT => :11
    BITPOS k 1 -1 -1 BIT => :-1
    BITPOS k 0 -1 -1 BIT => :23
    BITPOS k 0 -1 -2 => :-1
    BITPOS k 0 0 0 => :-1
    BITPOS k 0 0 1 BYTE => :12
    BITPOS k 1 5 => :-1
    BITPOS k 0 5 => :-1
    BITPOS k 0 5 6 => :-1
    BITPOS k 1 0 1 foo => -ERR syntax error
    BITPOS k 1 0 b BIT => -ERR value is not an integer or out of range
    BITPOS k 1 a 1 foo => -ERR value is not an integer or out of range
    BITPOS k 1 0 b foo => -ERR syntax error
    BITPOS k 1 a => -ERR value is not an integer or out of range
    BITPOS k 1 0 1 BIT x => -ERR syntax error
    BITPOS k 1 0 BIT => -ERR value is not an integer or out of range
    SET f "\xff\xff\xff" => OK
    BITPOS f 0 => :24
    BITPOS f 0 0 => :24
    BITPOS f 0 1 => :24
    BITPOS f 0 0 -1 => :-1
    BITPOS f 0 0 -1 BIT => :-1
    BITPOS f 0 3 => :-1
    BITPOS f 0 3 4 => :-1
    BITPOS f 1 3 => :-1
    SET z "\x00\x00" => OK
    BITPOS z 1 => :-1
    BITPOS z 1 0 => :-1
    BITPOS z 1 0 -1 => :-1
    SET e "" => OK
    BITPOS e 0 => :-1
    BITPOS e 1 => :-1
    BITPOS e 0 0 => :-1
    BITPOS e 0 0 -1 => :-1
    SET o a => OK
    BITPOS o 1 -1 -2 => :1
    BITPOS o 1 -5 -9 => :1
    LPUSH l a => :1
    BITPOS l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITPOS l 2 => -ERR The bit argument must be 1 or 0.
    BITPOS l 1 a b => -WRONGTYPE Operation against a key holding the wrong kind of value
    """#

  static let bitop = #"""
    BITOP AND d a b => :0
    EXISTS d => :0
    MSET a "\xff\x0f\xaa" b "\x0f\xff" e "" => OK
    BITOP AND d a b => :3
    GET d => "\x0f\x0f\x00"
    BITOP OR d a b => :3
    GET d => "\xff\xff\xaa"
    BITOP XOR d a b => :3
    GET d => "\xf0\xf0\xaa"
    BITOP NOT d a => :3
    GET d => "\x00\xf0U"
    BITOP and d a => :3
    GET d => "\xff\x0f\xaa"
    BITOP or d a nosuch b => :3
    GET d => "\xff\xff\xaa"
    BITOP and d a nosuch => :3
    GET d => "\x00\x00\x00"
    BITOP XOR d a a a => :3
    GET d => "\xff\x0f\xaa"
    BITOP NOT a a => :3
    GET a => "\x00\xf0U"
    BITOP XOR a a b => :3
    GET a => "\x0f\x0fU"
    BITOP OR b a b e => :3
    GET b => "\x0f\xffU"
    BITOP NOT d a b => -ERR BITOP NOT must be called with a single source key.
    BITOP NOT d => -ERR wrong number of arguments for 'bitop' command
    BITOP foo d a => -ERR syntax error
    BITOP foo l l => -ERR syntax error
    OBJECT ENCODING d => "raw"
    SET t v EX 100 => OK
    BITOP OR t a => :3
    TTL t => :-1
    BITOP AND d nosuch e => :0
    EXISTS d => :0
    SET n 10 => OK
    BITOP AND m n n => :2
    GET m => "10"
    OBJECT ENCODING m => "raw"
    LPUSH l x => :1
    BITOP AND d a l => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITOP NOT d l => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITOP NOT l a => :3
    GET l => "\xf0\xf0\xaa"
    LPUSH q x => :1
    BITOP OR q nosuch => :0
    EXISTS q => :0
    """#

  static let bitfield = #"""
    BITFIELD k => []
    EXISTS k => :0
    BITFIELD k GET u8 0 => [:0]
    EXISTS k => :0
    BITFIELD k SET u8 0 255 GET u8 0 GET u4 0 GET u4 4 GET u4 6 GET i8 0 => [:0, :255, :15, :15, :\#
    12, :-1]
    GET k => "\xff"
    BITFIELD k INCRBY i5 100 1 GET u4 0 => [:1, :15]
    STRLEN k => :14
    BITFIELD k SET u8 #0 65 SET u8 #1 66 SET u8 #2 67 => [:255, :0, :0]
    GETRANGE k 0 2 => "ABC"
    BITFIELD k GET u8 #1 GET u8 #200 => [:66, :0]
    BITFIELD k SET i64 3 -1 GET i64 3 GET u63 4 GET i1 66 GET u1 67 => [:725668878239137792, :-1, \#
    :9223372036854775807, :-1, :0]
    BITFIELD k SET i64 3 -9223372036854775808 INCRBY i64 3 -1 INCRBY i64 3 1 => [:-1, :92233720368\#
    54775807, :-9223372036854775808]
    BITFIELD k SET u63 1 9223372036854775807 INCRBY u63 1 1 INCRBY u63 1 -1 => [:57646075230342348\#
    80, :0, :9223372036854775807]
    BITFIELD k GET u64 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 i\#
    s not supported but i64 is.
    BITFIELD k GET i65 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 i\#
    s not supported but i64 is.
    BITFIELD k GET i0 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is\#
     not supported but i64 is.
    BITFIELD k GET u0 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is\#
     not supported but i64 is.
    BITFIELD k GET U8 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is\#
     not supported but i64 is.
    BITFIELD k GET x8 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is\#
     not supported but i64 is.
    BITFIELD k GET u 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is \#
    not supported but i64 is.
    BITFIELD k GET "" 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is\#
     not supported but i64 is.
    BITFIELD k GET u08 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 i\#
    s not supported but i64 is.
    BITFIELD k GET u8 -1 => -ERR bit offset is not an integer or out of range
    BITFIELD k GET u8 abc => -ERR bit offset is not an integer or out of range
    BITFIELD k GET u8 "" => -ERR bit offset is not an integer or out of range
    BITFIELD k GET u8 # => -ERR bit offset is not an integer or out of range
    BITFIELD k GET u8 #-1 => -ERR bit offset is not an integer or out of range
    BITFIELD k GET u8 #abc => -ERR bit offset is not an integer or out of range
    BITFIELD k GET u8 4294967295 => [:0]
    BITFIELD k GET u8 4294967296 => -ERR bit offset is not an integer or out of range
    BITFIELD k GET u8 #536870911 => [:0]
    BITFIELD k GET u8 #536870912 => -ERR bit offset is not an integer or out of range
    BITFIELD k SET u8 0 abc => -ERR value is not an integer or out of range
    BITFIELD k INCRBY u8 0 1.5 => -ERR value is not an integer or out of range
    BITFIELD k SET u8 0 => -ERR syntax error
    BITFIELD k INCRBY u8 0 => -ERR syntax error
    BITFIELD k GET u8 => -ERR syntax error
    BITFIELD k foo => -ERR syntax error
    BITFIELD k OVERFLOW => -ERR syntax error
    BITFIELD k OVERFLOW foo => -ERR Invalid OVERFLOW type specified
    BITFIELD k OVERFLOW foo GET u8 => -ERR Invalid OVERFLOW type specified
    BITFIELD k OVERFLOW SAT => []
    BITFIELD k SET u8 0 1 SET u8 0 2 GET u9 => -ERR syntax error
    GETRANGE k 0 0 => "\x7f"
    BITFIELD k SET u8 0 1 GET u8 0 foo => -ERR syntax error
    BITFIELD k set u8 0 7 get u8 0 incrby u8 0 -8 overflow sat incrby u8 0 100 => [:127, :7, :255,\#
     :255]
    BITFIELD => -ERR wrong number of arguments for 'bitfield' command
    BITFIELD_RO k GET u8 0 GET i8 0 => [:255, :-1]
    BITFIELD_RO k => []
    BITFIELD_RO nosuch GET u8 0 => [:0]
    BITFIELD_RO k SET u8 0 1 => -ERR BITFIELD_RO only supports the GET subcommand
    BITFIELD_RO k GET u8 0 INCRBY u8 0 1 => -ERR BITFIELD_RO only supports the GET subcommand
    BITFIELD_RO k SET u8 0 1 foo => -ERR syntax error
    BITFIELD_RO k OVERFLOW SAT GET u8 0 => [:255]
    SET n 100 => OK
    BITFIELD n GET u8 0 => [:49]
    OBJECT ENCODING n => "int"
    BITFIELD n SET u8 0 49 => [:49]
    OBJECT ENCODING n => "raw"
    SET t a EX 100 => OK
    BITFIELD t SET u8 800 1 => [:0]
    TTL t => :100
    LPUSH l a => :1
    BITFIELD l => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITFIELD l GET u8 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITFIELD l SET u8 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITFIELD l SET u8 0 x => -ERR value is not an integer or out of range
    BITFIELD_RO l GET u8 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
    BITFIELD_RO l SET u8 0 1 => -ERR BITFIELD_RO only supports the GET subcommand
    BITFIELD empty OVERFLOW FAIL SET u2 0 9 => [nil]
    EXISTS empty => :1
    STRLEN empty => :1
    HELLO 3 => ...
    BITFIELD k OVERFLOW FAIL SET u2 0 9 INCRBY i2 0 5 GET u8 0 => [nil, nil, :255]
    """#

  static let overflows = #"""
    BITFIELD a SET u8 0 257 => [:0]
    BITFIELD a GET u8 0 => [:1]
    BITFIELD a SET u8 0 -1 => [:1]
    BITFIELD a GET u8 0 => [:255]
    BITFIELD a OVERFLOW SAT SET u8 0 -1 GET u8 0 => [:255, :255]
    BITFIELD a OVERFLOW SAT SET u8 0 500 GET u8 0 => [:255, :255]
    BITFIELD a OVERFLOW FAIL SET u8 0 -1 GET u8 0 => [nil, :255]
    BITFIELD a OVERFLOW FAIL SET u8 0 256 GET u8 0 => [nil, :255]
    BITFIELD a OVERFLOW SAT INCRBY u8 0 100 => [:255]
    BITFIELD a OVERFLOW SAT INCRBY u8 0 -300 => [:0]
    BITFIELD a OVERFLOW WRAP INCRBY u8 0 -1 => [:255]
    BITFIELD a OVERFLOW WRAP INCRBY u8 0 257 => [:0]
    BITFIELD a OVERFLOW FAIL INCRBY u8 0 256 => [nil]
    BITFIELD a OVERFLOW FAIL INCRBY u8 0 -2 => [nil]
    BITFIELD a OVERFLOW FAIL INCRBY u8 0 -1 => [nil]
    BITFIELD a SET i8 0 127 INCRBY i8 0 1 => [:0, :-128]
    BITFIELD a SET i8 0 128 GET i8 0 => [:-128, :-128]
    BITFIELD a SET i8 0 -129 GET i8 0 => [:-128, :127]
    BITFIELD a OVERFLOW SAT SET i8 0 128 GET i8 0 => [:127, :127]
    BITFIELD a OVERFLOW SAT SET i8 0 -129 GET i8 0 => [:127, :-128]
    BITFIELD a OVERFLOW SAT INCRBY i8 0 -1 INCRBY i8 0 400 => [:-128, :127]
    BITFIELD a OVERFLOW FAIL INCRBY i8 0 1 INCRBY i8 0 -1 => [nil, :126]
    BITFIELD a INCRBY i8 0 9223372036854775807 => [:125]
    BITFIELD a INCRBY i8 0 -9223372036854775808 => [:125]
    BITFIELD a OVERFLOW SAT INCRBY i8 0 -9223372036854775808 => [:-128]
    BITFIELD a OVERFLOW SAT INCRBY i8 0 9223372036854775807 => [:127]
    BITFIELD a SET i64 0 9223372036854775807 INCRBY i64 0 1 => [:9151314442816847872, :-9223372036\#
    854775808]
    BITFIELD a OVERFLOW SAT SET i64 0 9223372036854775807 INCRBY i64 0 1 => [:-9223372036854775808\#
    , :9223372036854775807]
    BITFIELD a OVERFLOW FAIL INCRBY i64 0 1 => [nil]
    BITFIELD a SET i64 0 -9223372036854775808 => [:9223372036854775807]
    BITFIELD a OVERFLOW SAT INCRBY i64 0 -1 => [:-9223372036854775808]
    BITFIELD a OVERFLOW FAIL INCRBY i64 0 -9223372036854775808 => [nil]
    BITFIELD a OVERFLOW WRAP INCRBY i64 0 -9223372036854775808 => [:0]
    BITFIELD a SET u63 0 -1 GET u63 0 => [:0, :9223372036854775807]
    BITFIELD a OVERFLOW SAT INCRBY u63 0 9223372036854775807 => [:9223372036854775807]
    BITFIELD a OVERFLOW SAT INCRBY u63 0 -9223372036854775808 => [:0]
    BITFIELD a OVERFLOW WRAP INCRBY u63 0 -9223372036854775808 => [:0]
    BITFIELD a OVERFLOW WRAP INCRBY u63 0 9223372036854775807 INCRBY u63 0 9223372036854775807 => \#
    [:9223372036854775807, :9223372036854775806]
    BITFIELD a SET i1 5 1 INCRBY i1 5 1 INCRBY i1 5 -1 GET u1 5 => [:-1, :0, :-1, :1]
    BITFIELD a SET u1 5 1 INCRBY u1 5 1 OVERFLOW SAT INCRBY u1 5 -1 INCRBY u1 5 2 => [:1, :0, :0, \#
    :1]
    """#

  static let effects = #"""
    SETBIT k 7 1 => :0
    | SETBIT k 7 1
    SETBIT k 7 1 => :1
    SETBIT k 7 0 => :1
    | SETBIT k 7 0
    SETBIT k 100 0 => :0
    | SETBIT k 100 0
    SETBIT k 100 0 => :0
    BITOP OR d k => :13
    | BITOP OR d k
    BITOP AND d nosuch => :0
    | BITOP AND d nosuch
    BITOP AND d nosuch => :0
    bitfield k SET u8 0 1 => [:0]
    | bitfield k SET u8 0 1
    BITFIELD k SET u8 0 1 => [:1]
    BITFIELD k GET u8 0 => [:1]
    BITFIELD k INCRBY u8 0 0 => [:1]
    BITFIELD k OVERFLOW FAIL INCRBY u8 0 1000 => [nil]
    BITFIELD k SET u8 400 0 => [:0]
    | BITFIELD k SET u8 400 0
    BITFIELD k GET u8 0 INCRBY u8 0 1 => [:1, :2]
    | BITFIELD k GET u8 0 INCRBY u8 0 1
    BITFIELD_RO k GET u8 0 => [:2]
    """#
}
