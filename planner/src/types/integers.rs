//! `smallint`, `integer`, `bigint`: decimal text.
//!
//! N1: digits are summed up below zero, where every type has one value more than above.
//! Never: takes hexadecimal, underscores or a fraction (PostgreSQL 15 does not).

use super::errors::{invalid_syntax, value_out_of_range};
use super::strings::trim;
use base::SqlResult;

macro_rules! parser {
    ($function:ident, $int:ty, $name:literal, $safe_digits:literal) => {
        #[doc = concat!("Decimal digits with an optional sign and blanks around them, as `", $name, "`; 22P02, 22003.")]
        pub(super) fn $function(text: &str) -> SqlResult<$int> {
            let (negative, digits) = split_sign(text);
            if digits.is_empty() {
                return Err(invalid_syntax($name, text));
            }
            let mut value: $int = 0;
            if digits.len() <= $safe_digits {
                for byte in digits {
                    let digit = byte.wrapping_sub(b'0');
                    if digit > 9 {
                        return Err(invalid_syntax($name, text));
                    }
                    value = value * 10 - <$int>::from(digit as i8);
                }
            } else {
                for byte in digits {
                    let digit = byte.wrapping_sub(b'0');
                    if digit > 9 {
                        return Err(invalid_syntax($name, text));
                    }
                    let next = value.checked_mul(10).and_then(|tens| tens.checked_sub(<$int>::from(digit as i8)));
                    value = next.ok_or_else(|| value_out_of_range($name, text))?;
                }
            }
            if negative { Ok(value) } else { value.checked_neg().ok_or_else(|| value_out_of_range($name, text)) }
        }
    };
}

parser!(parse_int2, i16, "smallint", 4);
parser!(parse_int4, i32, "integer", 9);
parser!(parse_int8, i64, "bigint", 18);

fn split_sign(text: &str) -> (bool, &[u8]) {
    let mut bytes = text.as_bytes();
    // Nearly all values carry no blanks; the first and last byte tell.
    if bytes.first().is_some_and(|first| *first <= b' ') || bytes.last().is_some_and(|last| *last <= b' ') {
        bytes = trim(text).as_bytes();
    }
    match bytes {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    }
}

const PAIRS: &[u8; 200] = b"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/// The two digits of a number below 100.
pub(super) fn pair(value: u32) -> [u8; 2] {
    let at = value as usize * 2;
    [PAIRS[at], PAIRS[at + 1]]
}

/// Appends the decimal text of a value.
pub(super) fn write(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    write_unsigned(value.unsigned_abs(), out);
}

/// Appends the decimal text of an unsigned value.
pub(super) fn write_unsigned(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    while value >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&pair((value % 100) as u32));
        value /= 100;
    }
    if value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&pair(value as u32));
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}
