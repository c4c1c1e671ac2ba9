//! Bytes as hexadecimal digits: two small ones a byte.
//!
//! X1: what is read is what is written: capital digits, signs and an odd digit at the end are refused.
//! Never: knows what the bytes are.

/// The digits of bytes.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    digits.map(char::from).collect()
}

/// The bytes of digits (X1).
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// The bytes of digits, where there are exactly so many.
pub fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_and_nothing_else_is_read() {
        let all: Vec<u8> = (0..=255).collect();
        let text = encode(&all);
        assert!(text.starts_with("000102") && text.ends_with("fdfeff"));
        assert_eq!(decode(&text), Some(all));
        assert_eq!((encode(&[]), decode("")), (String::new(), Some(vec![])));
        assert_eq!(decode_array::<2>("0aff"), Some([10, 255]));
        for wrong in ["0aff0", "0AFF", "+1ff", "0a f", "0aé", "0af"] {
            assert_eq!((decode(wrong), decode_array::<2>(wrong)), (None, None), "{wrong}");
        }
        assert_eq!(decode_array::<3>("0aff"), None);
    }
}
