//! `bytea`: encodings, hashes, single bytes and bits.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};
use crate::functions::text::{answer, bytes, hex, int, text};

use Kind::{Bytes, Int4, Int8, Printed, Text};

const BYTES: Returns = Returns::Is(Bytes);
const INT4: Returns = Returns::Is(Int4);
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Every function of the family.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    const OCTETS: &[Form] = &[form(&[Text], INT4, octets), form(&[Bytes], INT4, octets)];
    const BITS: &[Form] = &[form(&[Text], INT4, bits), form(&[Bytes], INT4, bits)];
    vec![
        function("byteacat", &[form(&[Bytes, Bytes], BYTES, joined)]),
        function("encode", &[form(&[Bytes, Text], Returns::Is(Text), encode)]),
        function("decode", &[form(&[Text, Text], BYTES, decode)]),
        function("sha224", &[form(&[Bytes], BYTES, hash::<Sha224>)]),
        function("sha256", &[form(&[Bytes], BYTES, hash::<Sha256>)]),
        function("sha384", &[form(&[Bytes], BYTES, hash::<Sha384>)]),
        function("sha512", &[form(&[Bytes], BYTES, hash::<Sha512>)]),
        function("octet_length", OCTETS),
        function("bit_length", BITS),
        function("get_byte", &[form(&[Bytes, Int4], INT4, get_byte)]),
        function("set_byte", &[form(&[Bytes, Int4, Int4], BYTES, set_byte)]),
        function("get_bit", &[form(&[Bytes, Int8], INT4, get_bit)]),
        function("convert_from", &[form(&[Bytes, Text], Returns::Is(Text), convert_from)]),
        function("convert_to", &[form(&[Text, Text], BYTES, convert_to)]),
        function("pg_column_size", &[form(&[Printed], INT4, octets)]),
    ]
}

fn bytes_answer(bytes: Vec<u8>) -> Answer {
    Ok(Some(Value::Bytes(bytes)))
}

fn joined(args: &[Option<Value>]) -> Answer {
    bytes_answer([bytes(args, 0), bytes(args, 1)].concat())
}

fn hash<D: Digest>(args: &[Option<Value>]) -> Answer {
    bytes_answer(D::digest(bytes(args, 0)).to_vec())
}

/// Bytes of the argument, whichever form it came in.
fn size(args: &[Option<Value>]) -> i64 {
    bytes(args, 0).len().max(text(args, 0).len()) as i64
}

fn octets(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Int(size(args))))
}

fn bits(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Int(size(args) * 8)))
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn unknown_encoding(name: &str) -> SqlError {
    invalid(format!("unrecognized encoding: \"{name}\""))
}

fn encode(args: &[Option<Value>]) -> Answer {
    let data = bytes(args, 0);
    match text(args, 1).to_ascii_lowercase().as_str() {
        "hex" => answer(hex(data)),
        "base64" => answer(base64(data)),
        "escape" => {
            let escaped = |byte: &u8| match byte {
                0 | 128.. => format!("\\{byte:03o}").into_bytes(),
                b'\\' => b"\\\\".to_vec(),
                other => vec![*other],
            };
            let escaped: Vec<u8> = data.iter().flat_map(escaped).collect();
            answer(String::from_utf8_lossy(&escaped).into_owned())
        }
        _ => Err(unknown_encoding(text(args, 1))),
    }
}

/// Lines of 76 characters, as MIME has them.
fn base64(data: &[u8]) -> String {
    let mut out = String::new();
    for (index, group) in data.chunks(3).enumerate() {
        if index > 0 && index % 19 == 0 {
            out.push('\n');
        }
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = (word >> (18 - 6 * place)) & 63;
            out.push(if place <= group.len() { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    out
}

fn decode(args: &[Option<Value>]) -> Answer {
    let data = text(args, 0);
    match text(args, 1).to_ascii_lowercase().as_str() {
        "hex" => bytes_answer(unhex(data)?),
        "base64" => bytes_answer(unbase64(data)?),
        "escape" => bytes_answer(unescape(data)?),
        _ => Err(unknown_encoding(text(args, 1))),
    }
}

fn unhex(data: &str) -> SqlResult<Vec<u8>> {
    let mut digits = Vec::new();
    for c in data.chars().filter(|c| !c.is_ascii_whitespace()) {
        let digit = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digits.push(digit.ok_or_else(|| invalid(format!("invalid hexadecimal digit: \"{c}\"")))?);
    }
    if digits.len() % 2 == 1 {
        return Err(invalid("invalid hexadecimal data: odd number of digits"));
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

fn unbase64(data: &str) -> SqlResult<Vec<u8>> {
    let (mut out, mut word, mut digits, mut padding) = (Vec::new(), 0_u32, 0, 0);
    for c in data.bytes().filter(|c| !c.is_ascii_whitespace()) {
        let value = match c {
            b'=' => {
                padding += 1;
                0
            }
            other => match DIGITS.iter().position(|digit| *digit == other) {
                Some(value) if padding == 0 => value as u32,
                Some(_) => return Err(invalid("unexpected \"=\" while decoding base64 sequence")),
                None => return Err(invalid(format!("invalid symbol \"{}\" found while decoding base64 sequence", char::from(other)))),
            },
        };
        word = word << 6 | value;
        digits += 1;
        if digits == 4 {
            let group = word.to_be_bytes();
            out.extend_from_slice(&group[1..4 - usize::min(padding, 2)]);
            (word, digits) = (0, 0);
        }
    }
    if digits > 0 {
        return Err(invalid("invalid base64 end sequence").hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(out)
}

fn unescape(data: &str) -> SqlResult<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = data.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                out.push(b'\\');
                tail
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                tail
            }
            (b'\\', _) => return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")),
            (other, tail) => {
                out.push(*other);
                tail
            }
        };
    }
    Ok(out)
}

/// The index, if it is within the value. Errors: 2202E.
fn index(args: &[Option<Value>], limit: usize) -> SqlResult<usize> {
    let given = int(args, 1);
    let out_of_range = || SqlError::new(SqlState("2202E"), format!("index {given} out of valid range, 0..{}", limit as i64 - 1));
    usize::try_from(given).ok().filter(|index| *index < limit).ok_or_else(out_of_range)
}

fn get_byte(args: &[Option<Value>]) -> Answer {
    let data = bytes(args, 0);
    Ok(Some(Value::Int(data[index(args, data.len())?].into())))
}

fn set_byte(args: &[Option<Value>]) -> Answer {
    let mut data = bytes(args, 0).to_vec();
    let at = index(args, data.len())?;
    data[at] = (int(args, 2) & 255) as u8;
    bytes_answer(data)
}

fn get_bit(args: &[Option<Value>]) -> Answer {
    let data = bytes(args, 0);
    let at = index(args, data.len() * 8)?;
    Ok(Some(Value::Int((data[at / 8] >> (at % 8) & 1).into())))
}

fn is_utf8(name: &str) -> bool {
    matches!(name.to_ascii_uppercase().as_str(), "UTF8" | "UTF-8" | "UNICODE")
}

fn convert_from(args: &[Option<Value>]) -> Answer {
    if !is_utf8(text(args, 1)) {
        return Err(invalid(format!("invalid source encoding name \"{}\"", text(args, 1))));
    }
    match String::from_utf8(bytes(args, 0).to_vec()) {
        Ok(text) if !text.contains('\0') => answer(text),
        _ => Err(SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")),
    }
}

fn convert_to(args: &[Option<Value>]) -> Answer {
    if !is_utf8(text(args, 1)) {
        return Err(invalid(format!("invalid destination encoding name \"{}\"", text(args, 1))));
    }
    bytes_answer(text(args, 0).as_bytes().to_vec())
}
