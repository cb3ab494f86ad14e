//! Published vectors, and what the Power ISA says of enabled exceptions.

use super::*;
use crate::fp::fpscr::{FI, FR, OE, OX, UE, UX, VXCVI, VXISI, VXSNAN, XX, ZX};

/// Lines of General Decimal Arithmetic test cases (M. Cowlishaw, IBM, version 2.62, speleotrove.com/decimal), of the
/// files for decimal64 (`dd`) and decimal128 (`dq`), with their `rounding` directives.
const DECTEST: &str = include_str!("dectest.txt");

/// A number in the notation of the General Decimal Arithmetic specification, or `#` and bits; `None` if `format` cannot
/// hold it exactly.
fn parse(text: &str, format: Format) -> Option<Number> {
    let text = text.trim_matches('\'');
    if let Some(hex) = text.strip_prefix('#') {
        return Some(Number::unpack(u128::from_str_radix(hex, 16).ok()?, format));
    }
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = text.to_lowercase();
    let payload = |rest: &str| if rest.is_empty() { Some(0) } else { rest.parse().ok() };
    if let Some(rest) = lower.strip_prefix("snan") {
        return Some(Number { kind: Kind::SignallingNan, negative, exponent: 0, coefficient: payload(rest)? });
    }
    if let Some(rest) = lower.strip_prefix("nan") {
        return Some(Number { kind: Kind::QuietNan, negative, exponent: 0, coefficient: payload(rest)? });
    }
    if lower.starts_with("inf") {
        return Some(Number::infinity(negative));
    }
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let coefficient: u128 = format!("{whole}{fraction}").parse().ok()?;
    let exponent = exponent.parse::<i32>().ok()? - fraction.len() as i32;
    let fits =
        coefficient < ten(format.precision) && (format.min_exponent()..=format.max_exponent()).contains(&exponent);
    fits.then(|| Number::finite(negative, coefficient, exponent))
}

fn rounding(name: &str) -> Rounding {
    match name {
        "half_even" => Rounding::NearestEven,
        "down" => Rounding::TowardZero,
        "ceiling" => Rounding::Up,
        "floor" => Rounding::Down,
        "half_up" => Rounding::NearestAway,
        "half_down" => Rounding::NearestToZero,
        "up" => Rounding::Away,
        "05up" => Rounding::PrepareForShorter,
        _ => panic!("{name}"),
    }
}

/// Runs the cases in `text`; how many there were that concern these formats and operations.
fn run(text: &str) -> usize {
    let mut mode = Rounding::NearestEven;
    let mut count = 0;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("rounding:") {
            mode = rounding(name.trim());
        }
        let Some((left, right)) = line.split_once(" -> ") else { continue };
        let left: Vec<&str> = left.split_whitespace().collect();
        let mut right = right.split("--").next().unwrap_or("").split_whitespace();
        let (&[name, operation, ref operands @ ..], Some(expected)) = (left.as_slice(), right.next()) else { continue };
        let format = match name.get(..4) {
            Some(name) if name.starts_with("dd") || name == "decd" => LONG,
            Some(name) if name.starts_with("dq") || name == "decq" => EXTENDED,
            _ => continue,
        };
        let numbers: Option<Vec<Number>> = operands.iter().map(|text| parse(text, format)).collect();
        let Some(numbers) = numbers else { continue };
        let both_nan = numbers.iter().all(|n| n.is_nan());
        let x = Context::new(format, 0).with_rounding(mode);
        let outcome = match (operation, numbers.as_slice()) {
            ("add", &[a, b]) => x.add(a, b),
            ("subtract", &[a, b]) => x.sub(a, b),
            ("multiply", &[a, b]) => x.mul(a, b),
            ("divide", &[a, b]) => x.div(a, b),
            // The operands stand the other way round, and so do those NaNs that are propagated.
            ("quantize", &[a, b]) if !both_nan => x.quantize(b, a),
            ("tointegralx", &[a]) => x.round_to_integral(a, true),
            ("canonical" | "apply", &[a]) => x.load(a),
            ("compare", &[a, b]) if !a.is_nan() && !b.is_nan() => {
                let order = compare(a, b, false, 0).0.unwrap() as i128;
                x.from_integer(order)
            }
            _ => continue,
        };
        let Some(expected) = parse(expected, format) else { continue };
        let conditions: Vec<&str> = right.collect();
        let has = |name: &str| conditions.contains(&name);
        let raised = [
            has("Inexact") == (outcome.raised & XX != 0),
            has("Overflow") == (outcome.raised & OX != 0),
            has("Underflow") == (outcome.raised & UX != 0),
            has("Division_by_zero") == (outcome.raised & ZX != 0),
            (has("Invalid_operation") || has("Division_undefined")) == (outcome.raised & fpscr::VX_ALL != 0),
        ];
        assert_eq!(outcome.value.pack(format), expected.pack(format), "{line}: {:?}", outcome.value);
        assert_eq!(raised, [true; 5], "{line}: {:x}", outcome.raised);
        count += 1;
    }
    count
}

#[test]
fn published_cases_come_out() {
    assert_eq!(run(DECTEST), DECTEST.lines().filter(|line| line.contains(" -> ")).count());
}
/// Results of libmpdec (Python 3.11's `decimal`), each rounded once with exponents unbounded and then, if the exception
/// is enabled, adjusted as section 5.5.10 says: format, rounding, whether exceptions are enabled, operation, operands,
/// result, FPSCR bits. `short` rounds the first operand to the narrower format; with an adjusted exponent its result is
/// in the wider one.
const EXPONENTS: &str = include_str!("exponents.txt");

#[test]
fn exponents_are_adjusted_if_exceptions_are_enabled() {
    for line in EXPONENTS.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[format, mode, enabled, operation, a, b, result, flags] = words.as_slice() else { panic!("{line}") };
        let (format, narrower) = if format == "dd" { (LONG, SHORT) } else { (EXTENDED, LONG) };
        let enables = if enabled == "1" { OE | UE } else { 0 };
        let x = Context::new(format, enables).with_rounding(rounding(mode));
        let (a, b) = (parse(a, format).unwrap(), parse(b, format).unwrap());
        let outcome = match operation {
            "add" => x.add(a, b),
            "sub" => x.sub(a, b),
            "mul" => x.mul(a, b),
            "div" => x.div(a, b),
            "short" => Context { format: narrower, ..x }.shorten(a, format),
            _ => panic!("{line}"),
        };
        let expected = parse(result, outcome.format).unwrap();
        let flags = u64::from_str_radix(flags, 16).unwrap();
        assert_eq!(outcome.value.pack(outcome.format), expected.pack(outcome.format), "{line}: {outcome:?}");
        assert_eq!(outcome.raised, flags, "{line}: {outcome:?}");
    }
}

#[test]
fn declets_are_those_of_the_definition() {
    // M. Cowlishaw, "Densely Packed Decimal Encoding", IEE Proceedings 149 (2002), section 4.
    let published =
        [(5, 0x005), (9, 0x009), (55, 0x055), (79, 0x079), (80, 0x00a), (99, 0x05f), (555, 0x2d5), (999, 0x0ff)];
    for (digits, declet) in published {
        assert_eq!((dpd::encode(digits, 10), dpd::decode(declet, 10)), (declet, digits));
    }
    assert!((0..1000).all(|digits| dpd::decode(dpd::encode(digits, 10), 10) == digits));
    let others: Vec<u128> = (0..1024).filter(|&declet| dpd::encode(dpd::decode(declet, 10), 10) != declet).collect();
    assert_eq!(others.len(), 24);
    // Three large digits leave two bits without meaning.
    assert!(
        others.iter().all(|declet| declet & 0x6e == 0x6e && dpd::decode(declet & 0xff, 10) == dpd::decode(*declet, 10))
    );
}

#[test]
fn invalid_operations_are_told_apart() {
    let x = Context::new(LONG, 0);
    let number = |text| parse(text, LONG).unwrap();
    let raised = [
        x.sub(number("Inf"), number("Inf")),
        x.add(number("NaN1"), number("sNaN2")),
        x.mul(number("Inf"), number("-0")),
        x.div(number("-Inf"), number("Inf")),
        x.div(number("0"), number("-0E5")),
        x.quantize(number("1E-20"), number("1")),
        x.reround(1, number("99E369")),
    ]
    .map(|outcome| (outcome.raised, outcome.value.pack(LONG), outcome.fprf >> 12));
    let nan = 0x7c00_0000_0000_0000;
    assert_eq!(
        raised,
        [
            (VXISI, nan, 0b10001),
            (VXSNAN, nan | 2, 0b10001),
            (fpscr::VXIMZ, nan, 0b10001),
            (fpscr::VXIDI, nan, 0b10001),
            (fpscr::VXZDZ, nan, 0b10001),
            (VXCVI, nan, 0b10001),
            (VXCVI, nan, 0b10001),
        ]
    );
}

#[test]
fn only_the_format_for_storage_keeps_signalling_nans() {
    let nan = Number { kind: Kind::SignallingNan, negative: true, exponent: 0, coefficient: 1_234_567_890 };
    // The payload loses its first digits.
    let short = Context::new(SHORT, 0).store(nan, LONG);
    assert_eq!((short.value, short.raised), (Number { coefficient: 567_890, ..nan }, 0));
    assert_eq!(Context::new(LONG, 0).load(short.value).fprf >> 12, 0b00001);
    let quiet = Number { kind: Kind::QuietNan, ..nan };
    for outcome in [Context::new(LONG, 0).shorten(nan, EXTENDED), Context::new(EXTENDED, 0).lengthen(nan)] {
        assert_eq!((outcome.value, outcome.raised), (quiet, VXSNAN));
    }
}

#[test]
fn exponents_are_inserted_and_extracted() {
    let number = parse("-9.75", LONG).unwrap();
    assert_eq!(extracted_exponent(number, LONG), 396);
    for biased in [0, 396, 767, -1, -2, -3] {
        assert_eq!(extracted_exponent(inserted_exponent(number, biased, LONG), LONG), biased);
    }
    for biased in [768, i64::MAX, -4, i64::MIN] {
        assert_eq!(inserted_exponent(number, biased, LONG).kind, Kind::QuietNan);
    }
    // What is not finite has no first digit.
    let full = parse("9876543210123456", LONG).unwrap();
    assert_eq!(inserted_exponent(full, -1, LONG).coefficient, 876_543_210_123_456);
    assert_eq!(shifted(inserted_exponent(full, -2, LONG), 1, true, LONG).coefficient, 765_432_101_234_560);
    assert_eq!(shifted(full, 1, true, LONG).coefficient, 8_765_432_101_234_560);
    assert_eq!(shifted(full, 15, false, LONG).coefficient, 9);
    assert_eq!(shifted(full, 63, false, LONG).coefficient, 0);
}

#[test]
fn packed_decimal_has_digits_and_a_sign() {
    let number = from_packed(0x1234_567b, true).unwrap();
    assert_eq!(number, Number::finite(true, 1_234_567, 0));
    assert_eq!(to_packed(number, LONG, Some(0xf)), 0x1234_567d);
    assert_eq!(to_packed(number.negated(), LONG, Some(0xf)), 0x1234_567f);
    assert_eq!(to_packed(number, LONG, None), 0x123_4567);
    assert_eq!((from_packed(0x1a, false), from_packed(0xa1c, true), from_packed(0x19, true)), (None, None, None));
}

#[test]
fn integers_round_and_saturate() {
    let convert = |text, bits| to_integer(parse(text, EXTENDED).unwrap(), bits, Rounding::NearestEven);
    assert_eq!(convert("-9223372036854775808.5", 64), (i64::MIN.into(), XX | FI));
    assert_eq!(convert("-9223372036854775808.6", 64), (i64::MIN.into(), VXCVI));
    assert_eq!(convert("9223372036854775807.4", 64), (i64::MAX.into(), XX | FI));
    assert_eq!(convert("9223372036854775807.5", 64), (i64::MAX.into(), VXCVI));
    assert_eq!(
        convert("1701411834604692317316873037158841E5", 128),
        (170_141_183_460_469_231_731_687_303_715_884_100_000, 0)
    );
    assert_eq!(convert("1701411834604692317316873037158842E5", 128), (i128::MAX, VXCVI));
    assert_eq!(convert("-sNaN", 128), (i128::MIN, VXSNAN | VXCVI));
    assert_eq!(convert("1.5", 64), (2, XX | FI | FR));
}

#[test]
fn hardware_says_the_same_of_what_is_not_a_number() {
    // What POWER processors answer according to the expected output of Valgrind's tests of decimal floating point.
    let short = |bits| {
        let outcome = Context::new(SHORT, 0).store(Number::unpack(bits, LONG), LONG);
        outcome.value.pack(SHORT)
    };
    assert_eq!(short(0xfe00_0000_d0e0_a0d0), 0xfe00_a0d0);
    assert_eq!(short(0x7e34_0000_0000_0111), 0x7e00_0111);
    let long = |bits| {
        let outcome = Context::new(LONG, 0).shorten(Number::unpack(bits, EXTENDED), EXTENDED);
        outcome.value.pack(LONG)
    };
    assert_eq!(long(0xfc00_0000_0000_0000_c001_0003_5b00_7700), 0xfc01_0003_5b00_7700);
    assert_eq!(long(0x7e00_0000_0000_0000_fe00_0000_d0e0_a0d0), 0x7c00_0000_d0e0_a0d0);
    let shift = |bits, places| shifted(Number::unpack(bits, LONG), places, false, LONG).pack(LONG);
    assert_eq!(shift(0x7e34_0000_0000_0111, 1), 0x7e00_0000_0000_0021);
    assert_eq!(shift(0x7e34_0000_0000_0111, 63), 0x7e00_0000_0000_0000);
    let packed = |bits| Context::new(LONG, 0).from_packed(bits, true).value.pack(LONG);
    assert_eq!((packed(0x3450), packed(0x3450c)), (0x7c00_0000_0000_0000, 0x2238_0000_0000_0e50));
}
