// ShortestDigits: the decimal digits of a double, by Grisu2 (F. Loitsch, "Printing Floating-Point
// Numbers Quickly and Accurately with Integers", PLDI 2010).
//
//     lower          value           upper        the doubles' midpoints around the value, scaled
//   ----|--------------|---------------|----      by a power of ten so that the binary point stands
//             ▲ digits stop here                  32 to 60 bits from the right
//
// 1. The digits always read back as the same double; at most 17 are produced.
// 2. They are nearly always the shortest; where they are not (about one double in a thousand) they
//    are what Redis 7.2 prints, which uses the same algorithm: a client sees the same text.
// 3. Nothing is allocated.

/// A positive number: `significand` × 10^`exponent`. The first digit is not 0.
struct ShortestDigits {
  private(set) var significand: UInt64 = 0
  private(set) var exponent = 0

  /// - Parameter value: finite and positive.
  init(_ value: Double) {
    let bits = value.significandBitPattern
    let isNormal = value.exponentBitPattern != 0
    let fraction = isNormal ? bits | UInt64(1) << 52 : bits
    let binary = isNormal ? Int(value.exponentBitPattern) - 1075 : -1074
    // The midpoint above, with its highest bit at 63; the other two share its exponent.
    let midpoint = fraction << 1 | 1
    let shift = midpoint.leadingZeroBitCount
    let scale = binary - 1 - shift
    let isPowerOfTwo = fraction == UInt64(1) << 52
    let below = isPowerOfTwo ? fraction << 2 - 1 : fraction << 1 - 1
    let belowShift = binary - (isPowerOfTwo ? 2 : 1) - scale
    let power = CachedPower(binaryExponent: scale)
    exponent = -power.decimalExponent
    // Both ends move inwards by one, for the error of the multiplications.
    generate(
      value: power.times(fraction << fraction.leadingZeroBitCount),
      upper: power.times(midpoint << UInt64(shift)) &- 1,
      lower: power.times(below << UInt64(belowShift)) &+ 1,
      point: UInt64(-(scale + power.binaryExponent + 64)))
  }

  /// Produces the digits of `upper` until the rest is less than the distance to `lower`; then
  /// lowers the last one as long as that comes nearer to `value`. `point` bits are fraction.
  private mutating func generate(value: UInt64, upper: UInt64, lower: UInt64, point: UInt64) {
    let one = UInt64(1) << point
    var delta = upper &- lower
    var distance = upper &- value
    var whole = upper >> point
    var fraction = upper & (one - 1)
    var unit: UInt64 = 1_000_000_000
    var place = 10
    while place > 0 {
      significand = significand &* 10 &+ whole / unit
      whole %= unit
      place -= 1
      let rest = whole << point &+ fraction
      if rest <= delta {
        exponent += place
        approach(distance, rest: rest, delta: delta, step: unit << point)
        return
      }
      unit /= 10
    }
    while true {
      fraction = fraction &* 10
      delta = delta &* 10
      distance = distance &* 10
      significand = significand &* 10 &+ fraction >> point
      fraction &= one - 1
      place -= 1
      if fraction < delta {
        exponent += place
        approach(distance, rest: fraction, delta: delta, step: one)
        return
      }
    }
  }

  private mutating func approach(
    _ distance: UInt64, rest: UInt64, delta: UInt64, step: UInt64
  ) {
    var rest = rest
    while rest < distance && delta &- rest >= step
      && (rest &+ step < distance || distance &- rest > rest &+ step &- distance)
    {
      significand -= 1
      rest = rest &+ step
    }
  }
}

/// A power of ten as a 64-bit significand and a binary exponent.
private struct CachedPower {
  let significand: UInt64
  let binaryExponent: Int
  let decimalExponent: Int

  /// The power that brings a number with this exponent to one between -60 and -32.
  init(binaryExponent exponent: Int) {
    var index = (Int(Double(-(exponent + 87)) * 0.301_029_995_663_981_14) + 348) / 8
    while exponent + Self.binaryExponent(index) + 64 < -60 { index += 1 }
    while exponent + Self.binaryExponent(index) + 64 > -32 { index -= 1 }
    significand = Self.significands[index]
    binaryExponent = Self.binaryExponent(index)
    decimalExponent = index * 8 - 348
  }

  /// The upper half of the product, rounded.
  func times(_ other: UInt64) -> UInt64 {
    let product = significand.multipliedFullWidth(by: other)
    return product.high &+ product.low >> 63
  }

  /// floor(log2(10^(8 × index - 348))) - 63, by a fraction that is exact in this range.
  private static func binaryExponent(_ index: Int) -> Int {
    ((index * 8 - 348) * 217706) >> 16 - 63
  }

  /// 10^-348, 10^-340 ... 10^340, rounded to 64 bits.
  private static let significands: InlineArray<87, UInt64> = [
    0xFA8F_D5A0_081C_0288, 0xBAAE_E17F_A23E_BF76, 0x8B16_FB20_3055_AC76, 0xCF42_894A_5DCE_35EA,
    0x9A6B_B0AA_5565_3B2D, 0xE61A_CF03_3D1A_45DF, 0xAB70_FE17_C79A_C6CA, 0xFF77_B1FC_BEBC_DC4F,
    0xBE56_91EF_416B_D60C, 0x8DD0_1FAD_907F_FC3C, 0xD351_5C28_3155_9A83, 0x9D71_AC8F_ADA6_C9B5,
    0xEA9C_2277_23EE_8BCB, 0xAECC_4991_4078_536D, 0x823C_1279_5DB6_CE57, 0xC210_9436_4DFB_5637,
    0x9096_EA6F_3848_984F, 0xD774_85CB_2582_3AC7, 0xA086_CFCD_97BF_97F4, 0xEF34_0A98_172A_ACE5,
    0xB238_67FB_2A35_B28E, 0x84C8_D4DF_D2C6_3F3B, 0xC5DD_4427_1AD3_CDBA, 0x936B_9FCE_BB25_C996,
    0xDBAC_6C24_7D62_A584, 0xA3AB_6658_0D5F_DAF6, 0xF3E2_F893_DEC3_F126, 0xB5B5_ADA8_AAFF_80B8,
    0x8762_5F05_6C7C_4A8B, 0xC9BC_FF60_34C1_3053, 0x964E_858C_91BA_2655, 0xDFF9_7724_7029_7EBD,
    0xA6DF_BD9F_B8E5_B88F, 0xF8A9_5FCF_8874_7D94, 0xB944_7093_8FA8_9BCF, 0x8A08_F0F8_BF0F_156B,
    0xCDB0_2555_6531_31B6, 0x993F_E2C6_D07B_7FAC, 0xE45C_10C4_2A2B_3B06, 0xAA24_2499_6973_92D3,
    0xFD87_B5F2_8300_CA0E, 0xBCE5_0864_9211_1AEB, 0x8CBC_CC09_6F50_88CC, 0xD1B7_1758_E219_652C,
    0x9C40_0000_0000_0000, 0xE8D4_A510_0000_0000, 0xAD78_EBC5_AC62_0000, 0x813F_3978_F894_0984,
    0xC097_CE7B_C907_15B3, 0x8F7E_32CE_7BEA_5C70, 0xD5D2_38A4_ABE9_8068, 0x9F4F_2726_179A_2245,
    0xED63_A231_D4C4_FB27, 0xB0DE_6538_8CC8_ADA8, 0x83C7_088E_1AAB_65DB, 0xC45D_1DF9_4271_1D9A,
    0x924D_692C_A61B_E758, 0xDA01_EE64_1A70_8DEA, 0xA26D_A399_9AEF_774A, 0xF209_787B_B47D_6B85,
    0xB454_E4A1_79DD_1877, 0x865B_8692_5B9B_C5C2, 0xC835_53C5_C896_5D3D, 0x952A_B45C_FA97_A0B3,
    0xDE46_9FBD_99A0_5FE3, 0xA59B_C234_DB39_8C25, 0xF6C6_9A72_A398_9F5C, 0xB7DC_BF53_54E9_BECE,
    0x88FC_F317_F222_41E2, 0xCC20_CE9B_D35C_78A5, 0x9816_5AF3_7B21_53DF, 0xE2A0_B5DC_971F_303A,
    0xA8D9_D153_5CE3_B396, 0xFB9B_7CD9_A4A7_443C, 0xBB76_4C4C_A7A4_4410, 0x8BAB_8EEF_B640_9C1A,
    0xD01F_EF10_A657_842C, 0x9B10_A4E5_E991_3129, 0xE710_9BFB_A19C_0C9D, 0xAC28_20D9_623B_F429,
    0x8044_4B5E_7AA7_CF85, 0xBF21_E440_03AC_DD2D, 0x8E67_9C2F_5E44_FF8F, 0xD433_179D_9C8C_B841,
    0x9E19_DB92_B4E3_1BA9, 0xEB96_BF6E_BADF_77D9, 0xAF87_023B_9BF0_EE6B,
  ]
}
