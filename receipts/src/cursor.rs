//! Reads little-endian fields off the front of a byte slice and refuses to run past its end.
//!
//! Never: allocates by a length it has not seen the bytes of.

use crate::FormatError;

pub(crate) struct Cursor<'a> {
    what: &'a str,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(what: &'a str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    pub(crate) fn error(&self, why: impl Into<String>) -> FormatError {
        FormatError::new(self.what, why)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        match self.rest.split_at_checked(len) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(self.error(format!("ends {} bytes early", len - self.rest.len()))),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FormatError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FormatError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FormatError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, FormatError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// `len` bytes that must all be zero.
    pub(crate) fn zeros(&mut self, len: usize) -> Result<(), FormatError> {
        if self.bytes(len)?.iter().any(|byte| *byte != 0) {
            return Err(self.error("a reserved byte is not zero"));
        }
        Ok(())
    }

    /// A u8 length, then that many bytes of UTF-8.
    pub(crate) fn short_text(&mut self, name: &str) -> Result<String, FormatError> {
        let len = usize::from(self.u8()?);
        let bytes = self.bytes(len)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.error(format!("{name} is not UTF-8")))
    }

    /// A u8 count, then that many hashes.
    pub(crate) fn path(&mut self) -> Result<Vec<crate::Hash>, FormatError> {
        let count = usize::from(self.u8()?);
        if count > crate::proof::PATH_HASHES_MAX {
            return Err(self.error(format!("a path of {count} hashes, at most {}", crate::proof::PATH_HASHES_MAX)));
        }
        (0..count).map(|_| self.array()).collect()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn end(self) -> Result<(), FormatError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(format!("{} bytes too long", self.rest.len()))) }
    }
}
