//! Canonical bytes of arrays.
//!
//! A1: every byte belongs to one element; none is left over.
//! Never: prints an array in an array.
//! Format: docs/formats/leaf.md.

use super::{error, format_value};
use crate::FormatError;
use crate::cursor::Cursor;

/// Oids of array types and of their elements.
const ELEMENTS: [(u32, u32); 19] = [
    (199, 114),
    (1000, 16),
    (1001, 17),
    (1005, 21),
    (1007, 23),
    (1009, 25),
    (1014, 1042),
    (1015, 1043),
    (1016, 20),
    (1021, 700),
    (1022, 701),
    (1115, 1114),
    (1182, 1082),
    (1183, 1083),
    (1185, 1184),
    (1187, 1186),
    (1231, 1700),
    (2951, 2950),
    (3807, 3802),
];

/// The type of an array type's elements.
pub(super) fn element(array: u32) -> Option<u32> {
    ELEMENTS.iter().find(|(known, _)| *known == array).map(|(_, element)| *element)
}

/// `{1, NULL, 3}`
pub(super) fn format(element: u32, bytes: &[u8]) -> Result<String, FormatError> {
    let mut cursor = Cursor::new("value", bytes);
    let count = cursor.u32()?;
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(match cursor.u8()? {
            0 => {
                let length = cursor.u32()?;
                format_value(element, cursor.bytes(length as usize)?)?
            }
            1 => "NULL".to_owned(),
            _ => return Err(error("has an array element that is neither NULL nor a value")),
        });
    }
    cursor.end()?;
    Ok(format!("{{{}}}", elements.join(", ")))
}
