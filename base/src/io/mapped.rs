//! A read-only, cheaply cloned view of a file's bytes: a memory map, or owned bytes where there is no real file.
//!
//! Unsafe because mapping a file is: the map is sound as long as nobody cuts the file short or rewrites bytes that were handed out.
//! Files under a data folder are written by one process (the folder's lock), appended or sealed, and removed rather than cut (M1).
//!
//! M1: the bytes under a view that a reader has been given are never changed by this process.
//! M2: owned bytes start at a multiple of 64, as mapped ones do, so that Arrow buffers inside keep their alignment.
//! M3: giving pages back takes nothing away: they are the file's, and come back when they are next read.
#![allow(unsafe_code, reason = "memmap2's constructor and advice are unsafe: see M1 and M3")]

use std::fmt;
use std::fs;
use std::io;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes of a file; clones share them. Derefs to `[u8]`.
#[derive(Clone)]
pub struct Mapped(Arc<Backing>);

enum Backing {
    Map(memmap2::Mmap),
    Owned { bytes: Vec<u8>, start: usize, len: usize },
}

const ALIGNMENT: usize = 64;

impl Mapped {
    /// Maps the whole of a real file at its present length (which may be 0).
    pub(super) fn of_file(file: &fs::File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::copy_of(&[]));
        }
        // SAFETY: M1; the caller's folder lock keeps other Shockwave processes out, and the files are never cut while open.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(Arc::new(Backing::Map(map))))
    }

    /// Lets the kernel take back the pages of a range that is not to be read soon (M3); without them they count as this process's memory until it
    /// needs some. Nothing happens to owned bytes, or where the kernel refuses.
    pub fn give_back(&self, range: Range<usize>) {
        if let Backing::Map(map) = &*self.0
            && range.start < range.end
            && range.end <= map.len()
        {
            // SAFETY: the map is of a file, shared and read-only: what is read again comes from the same file, whose bytes do not change (M1).
            let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.end - range.start) };
        }
    }

    /// A view of a copy of `bytes`, aligned to 64.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut owned: Vec<u8> = Vec::with_capacity(bytes.len() + ALIGNMENT);
        let start = owned.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        owned.resize(start, 0);
        owned.extend_from_slice(bytes);
        Self(Arc::new(Backing::Owned { bytes: owned, start, len: bytes.len() }))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Backing::Map(map) => map,
            Backing::Owned { bytes, start, len } => &bytes[*start..*start + *len],
        }
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if matches!(*self.0, Backing::Map(_)) { "map" } else { "copy" };
        write!(f, "Mapped({kind}, {} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::{Io, RealIo};

    #[test]
    fn what_was_given_back_is_read_again() {
        let path = std::env::temp_dir().join(format!("shockwave-mapped-{}", std::process::id()));
        let file = RealIo.create_new(&path, 0o600).unwrap();
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        file.write_at(0, &bytes).unwrap();
        let map = file.map().unwrap();
        RealIo.remove(&path).unwrap();
        for range in [0..bytes.len(), 5_000..9_000, 7..8, 9..9, 0..bytes.len() + 1] {
            map.give_back(range);
            assert_eq!(&*map, bytes, "M3");
        }
        let copy = Mapped::copy_of(&bytes);
        copy.give_back(0..bytes.len());
        assert_eq!(&*copy, bytes, "M3");
    }
}
