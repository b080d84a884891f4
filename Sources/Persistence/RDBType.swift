// RDBType: the encodings of values in RDB, by the numbers that Redis gave them.
//
//   since Redis   types
//   1.0           string, list, set, sortedSetText, hash
//   2.4           hashZipmap, listZiplist, setIntset, sortedSetZiplist;  2.6: hashZiplist
//   3.2           listQuicklist;  4.0: sortedSet;  5.0: stream
//   7.0           hashListpack, sortedSetListpack, listQuicklist2, stream2
//   7.2           setListpack, stream3
//   7.4           hashMetadata, hashListpackExpiry: hashes whose fields have deadlines; before its
//                 first release, without the earliest: hashMetadataEarly, hashListpackExpiryEarly

enum RDBType: UInt8 {
  case string = 0
  case list = 1
  case set = 2
  case sortedSetText = 3
  case hash = 4
  case sortedSet = 5
  case hashZipmap = 9
  case listZiplist = 10
  case setIntset = 11
  case sortedSetZiplist = 12
  case hashZiplist = 13
  case listQuicklist = 14
  case stream = 15
  case hashListpack = 16
  case sortedSetListpack = 17
  case listQuicklist2 = 18
  case stream2 = 19
  case setListpack = 20
  case stream3 = 21
  case hashMetadataEarly = 22
  case hashListpackExpiryEarly = 23
  case hashMetadata = 24
  case hashListpackExpiry = 25
}
