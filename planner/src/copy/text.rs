//! Fields of a row in text format: backslash escapes undone.
//!
//! Never: looks for the row's end.

/// Undoes the escapes of a raw field, `\N` and the like being dealt with before.
pub(super) fn unescape(raw: &[u8], value: &mut Vec<u8>) {
    value.clear();
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        value.extend_from_slice(&rest[..at]);
        rest = escape(&rest[at + 1..], value);
    }
    value.extend_from_slice(rest);
}

/// Appends what an escape stands for; gives what follows it. A backslash at the field's end stands for nothing.
fn escape<'a>(after: &'a [u8], value: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, rest)) = after.split_first() else { return after };
    let plain = match first {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'0'..=b'7' => return number(after, 8, 3, value),
        b'x' if rest.first().is_some_and(u8::is_ascii_hexdigit) => return number(rest, 16, 2, value),
        other => *other,
    };
    value.push(plain);
    rest
}

/// Appends the byte of up to `digits_max` digits.
fn number<'a>(digits: &'a [u8], radix: u32, digits_max: usize, value: &mut Vec<u8>) -> &'a [u8] {
    let mut byte = 0u32;
    let mut used = 0;
    while let Some(digit) = digits.get(used).filter(|_| used < digits_max).and_then(|digit| char::from(*digit).to_digit(radix)) {
        byte = byte * radix + digit;
        used += 1;
    }
    // Three octal digits can exceed a byte; Postgres keeps the low 8 bits.
    value.push((byte & 0xff) as u8);
    &digits[used..]
}

/// Length of the raw field that the row begins with: up to the first delimiter that no backslash covers.
pub(super) fn raw_field(row: &[u8], delimiter: u8) -> usize {
    let mut at = 0;
    while let Some(offset) = memchr::memchr2(delimiter, b'\\', &row[at..]) {
        at += offset;
        if row[at] == delimiter {
            return at;
        }
        at = row.len().min(at + 2);
    }
    row.len()
}
