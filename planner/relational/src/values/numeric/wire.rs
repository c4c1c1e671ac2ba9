//! Between a number's bytes and the two formats of the protocol.

use base::{SqlError, SqlResult, SqlState};

use super::bytes::{self, Parts};
use super::{Limit, Numeric, text};

/// Appends the bytes of a text. Errors: 22P02, 22003.
pub fn read_text(text: &str, limit: Option<Limit>, out: &mut Vec<u8>) -> SqlResult<()> {
    match limit {
        None => text::text_to_bytes(text, out),
        Some(limit) => {
            bytes::write(&limit.apply(Numeric::parse(text)?)?, out);
            Ok(())
        }
    }
}

/// Appends the text. Errors: XX001 for bytes that are no number's.
pub fn write_text(value: &[u8], out: &mut Vec<u8>) -> SqlResult<()> {
    text::bytes_to_text(value, out)
}

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

fn invalid(what: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, what.to_owned())
}

/// Appends the bytes of PostgreSQL's binary form: number of groups, weight, sign, display scale, then groups of base 10,000, all big-endian
/// 16 bits. Errors: 22P03, 22003.
pub fn read_binary(given: &[u8], limit: Option<Limit>, out: &mut Vec<u8>) -> SqlResult<()> {
    let short = || invalid("insufficient data left in message");
    let (header, groups) = given.split_first_chunk::<8>().ok_or_else(short)?;
    let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (count, weight, sign, scale) = (number(0), number(2) as i16, number(4), u32::from(number(6)));
    if groups.len() != usize::from(count) * 2 {
        return Err(if groups.len() < usize::from(count) * 2 {
            short()
        } else {
            invalid("incorrect binary data format in bind parameter")
        });
    }
    let special = match sign {
        POSITIVE | NEGATIVE => None,
        NAN => Some(Numeric::NaN),
        INFINITY => Some(Numeric::Infinity),
        NEGATIVE_INFINITY => Some(Numeric::NegativeInfinity),
        _ => return Err(invalid("invalid sign in external \"numeric\" value")),
    };
    if let Some(special) = special {
        bytes::write(&limit.map_or(Ok(special.clone()), |limit| limit.apply(special))?, out);
        return Ok(());
    }
    if scale > super::SCALE_MAX {
        return Err(invalid("invalid scale in external \"numeric\" value"));
    }
    let mut digits = Vec::with_capacity(groups.len() * 2 + 4);
    for pair in groups.chunks_exact(2) {
        let group = u16::from_be_bytes([pair[0], pair[1]]);
        if group > 9_999 {
            return Err(invalid("invalid digit in external \"numeric\" value"));
        }
        digits.extend([1000, 100, 10, 1].map(|unit| (group / unit % 10) as u8));
    }
    // Digits after the point that the groups hold: cut or filled up to the display scale.
    let held = i64::from(count) * 4 - (i64::from(weight) + 1) * 4;
    match usize::try_from(i64::from(scale) - held) {
        Ok(missing) => digits.resize(digits.len() + missing, 0),
        Err(_) => digits.truncate(digits.len().saturating_sub((held - i64::from(scale)) as usize)),
    }
    let negative = sign == NEGATIVE && digits.iter().any(|digit| *digit != 0);
    match limit {
        None => bytes::write_digits(negative, &digits, scale, out),
        Some(limit) => {
            let mut plain = Vec::new();
            bytes::write_digits(negative, &digits, scale, &mut plain);
            bytes::write(&limit.apply(bytes::read(&plain)?)?, out);
        }
    }
    Ok(())
}

/// Appends the binary form. Errors: XX001 for bytes that are no number's.
pub fn write_binary(value: &[u8], out: &mut Vec<u8>) -> SqlResult<()> {
    let mut put = |numbers: [u16; 4]| numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
    let groups = match bytes::parts(value)? {
        Parts::Special(special) => {
            let sign = match special {
                Numeric::Infinity => INFINITY,
                Numeric::NegativeInfinity => NEGATIVE_INFINITY,
                _ => NAN,
            };
            // As PostgreSQL sends them.
            put([0, 0, sign, if sign == NAN { 0 } else { 0x20 }]);
            return Ok(());
        }
        Parts::Finite(groups) => groups,
    };
    let sign = if groups.negative { NEGATIVE } else { POSITIVE };
    put([groups.len() as u16, groups.weight as i16 as u16, sign, groups.scale as u16]);
    groups.iter().for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
    Ok(())
}
