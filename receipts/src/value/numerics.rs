//! Numerics: one byte for what is no finite number, 17 for what fits 128 bits and a scale up to 38, more for the rest.

use crate::FormatError;

use super::error;

const SHORT_SCALE_MAX: usize = 38;
const SCALE_MAX: usize = 16_383;
/// The unscaled value of the longest number: 131,072 digits before the point, 16,383 after it.
const LONG_BYTES_MAX: usize = 61_232;

/// The number as text. Fails if the bytes are another encoding of it.
pub(super) fn format(bytes: &[u8]) -> Result<String, FormatError> {
    match bytes {
        [0] => Ok("-Infinity".to_owned()),
        [1] => Ok("Infinity".to_owned()),
        [2] => Ok("NaN".to_owned()),
        [unscaled @ .., scale] if unscaled.len() == 16 => {
            let scale = usize::from(*scale);
            if scale > SHORT_SCALE_MAX { Err(not_canonical()) } else { placed(unscaled, scale) }
        }
        [unscaled @ .., low, high] if (17..=LONG_BYTES_MAX).contains(&unscaled.len()) => {
            let scale = usize::from(u16::from_le_bytes([*low, *high]));
            let is_redundant = match unscaled {
                [.., next, top] => matches!((top, next), (0, ..=0x7f) | (0xff, 0x80..)),
                _ => true,
            };
            let is_short = unscaled.len() == 17 && is_redundant && scale <= SHORT_SCALE_MAX;
            if scale > SCALE_MAX || is_short || (unscaled.len() > 17 && is_redundant) {
                return Err(not_canonical());
            }
            placed(unscaled, scale)
        }
        _ => Err(error("is a numeric of no known length")),
    }
}

fn not_canonical() -> FormatError {
    error("is a numeric that is not canonical")
}

/// Two's complement, least byte first, with so many digits after the point. Fails for a zero at the end of a fraction.
fn placed(unscaled: &[u8], scale: usize) -> Result<String, FormatError> {
    let is_negative = unscaled.last().is_some_and(|top| *top >= 0x80);
    let digits = digits(unscaled, is_negative);
    if scale > 0 && digits.ends_with('0') {
        return Err(not_canonical());
    }
    let sign = if is_negative { "-" } else { "" };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    Ok(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Decimal digits of the magnitude.
fn digits(unscaled: &[u8], is_negative: bool) -> String {
    const BILLION: u64 = 1_000_000_000;
    let turned = if is_negative { u32::MAX } else { 0 };
    let fill = if is_negative { 0xff } else { 0 };
    let mut carry = u32::from(is_negative);
    let mut limbs: Vec<u32> = unscaled
        .chunks(4)
        .map(|chunk| {
            let mut bytes = [fill; 4];
            bytes[..chunk.len()].copy_from_slice(chunk);
            let (limb, overflows) = (u32::from_le_bytes(bytes) ^ turned).overflowing_add(carry);
            carry = u32::from(overflows);
            limb
        })
        .collect();
    if carry > 0 {
        limbs.push(carry);
    }
    let mut groups = Vec::new();
    while limbs.last().is_some_and(|top| *top == 0) {
        limbs.pop();
    }
    while !limbs.is_empty() {
        let mut rest = 0;
        for limb in limbs.iter_mut().rev() {
            let wide = rest << 32 | u64::from(*limb);
            *limb = (wide / BILLION) as u32;
            rest = wide % BILLION;
        }
        groups.push(rest);
        while limbs.last().is_some_and(|top| *top == 0) {
            limbs.pop();
        }
    }
    let Some(first) = groups.pop() else { return "0".to_owned() };
    groups.iter().rev().fold(first.to_string(), |digits, group| digits + &format!("{group:09}"))
}
