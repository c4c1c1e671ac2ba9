//! The manifest: which runs make up the tree, and how far it reaches. One small file, replaced whole.
//!
//! M1: the manifest that is there is whole and durable: each is written beside it, synced, renamed over it, and the folder synced.
//! M2: what it names is durable before it is. M3: decoding never panics, whatever the bytes.
//! M4: released ≤ durable, so that the tree can be read as it is found.
//! Never: appended to; written twice after a failed sync.
//! Format: docs/formats/manifest.md.

use crate::error::LsmError;
use crate::levels::LEVELS_MAX;
use crate::run::RunFile;
use crate::varint::{u32_at, u64_at};
use base::Io;
use std::path::Path;

/// Name of the file, and of the next one while it is written.
pub(crate) const NAME: &str = "manifest";
pub(crate) const NEXT_NAME: &str = "manifest.tmp";

const MAGIC: [u8; 8] = *b"SHOCKLSM";
const VERSION: u32 = 1;
const FIXED_BYTES: usize = 40;
const RUN_BYTES: usize = 20;

/// What a manifest says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Manifest {
    /// Numbers of runs below this are or were in use.
    pub(crate) next_run: u64,
    /// Every commit below this is in the runs.
    pub(crate) durable: u64,
    /// Reads at commits below this may miss versions that were let go: the lowest «below» a snapshot may have.
    pub(crate) released: u64,
    /// Runs of each level: level 0 newest first, the others in key order.
    pub(crate) levels: Vec<Vec<RunFile>>,
}

/// Why bytes are no manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Version(u32),
    Malformed(&'static str),
}

impl Manifest {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(self.levels.len() as u32).to_le_bytes());
        [self.next_run, self.durable, self.released].iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        for runs in &self.levels {
            out.extend_from_slice(&(runs.len() as u32).to_le_bytes());
            for run in runs {
                out.extend_from_slice(&run.number.to_le_bytes());
                out.extend_from_slice(&run.bytes.to_le_bytes());
                out.extend_from_slice(&run.sum.to_le_bytes());
            }
        }
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let end = bytes.len().checked_sub(4).filter(|end| *end >= FIXED_BYTES).ok_or(Fault::Malformed("the manifest is cut short"))?;
        if bytes[..8] != MAGIC {
            return Err(Fault::Malformed("this is not a manifest"));
        }
        if u32_at(bytes, end) != Some(crc32fast::hash(&bytes[..end])) {
            return Err(Fault::Malformed("the checksum does not match"));
        }
        match u32_at(bytes, 8) {
            Some(VERSION) => Self::take(&bytes[..end]).ok_or(Fault::Malformed("the manifest is malformed")),
            version => Err(Fault::Version(version.unwrap_or(0))),
        }
    }

    fn take(bytes: &[u8]) -> Option<Self> {
        let level_count = u32_at(bytes, 12).filter(|count| *count as usize <= LEVELS_MAX)?;
        let (next_run, durable, released) = (u64_at(bytes, 16)?, u64_at(bytes, 24)?, u64_at(bytes, 32)?);
        let (mut levels, mut at) = (Vec::new(), FIXED_BYTES);
        for _ in 0..level_count {
            let mut runs = Vec::new();
            let count = u32_at(bytes, at)?;
            at += 4;
            for _ in 0..count {
                let run = RunFile { number: u64_at(bytes, at)?, bytes: u64_at(bytes, at + 8)?, sum: u32_at(bytes, at + 16)? };
                if run.number >= next_run {
                    return None;
                }
                runs.push(run);
                at += RUN_BYTES;
            }
            levels.push(runs);
        }
        (at == bytes.len() && released <= durable).then_some(Self { next_run, durable, released, levels })
    }

    /// The folder's manifest; `None` if there is none.
    pub(crate) fn read(io: &dyn Io, dir: &Path) -> Result<Option<Self>, LsmError> {
        let path = dir.join(NAME);
        if !io.exists(&path) {
            return Ok(None);
        }
        let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| LsmError::io("read", &path, error))?;
        match Self::decode(&bytes) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(Fault::Version(version)) => Err(LsmError::UnknownVersion { file: path, version }),
            Err(Fault::Malformed(reason)) => Err(LsmError::damaged(&path, 0, reason)),
        }
    }

    /// Makes this the folder's manifest (M1). After an error either the old or the new one is there.
    pub(crate) fn write(&self, io: &dyn Io, dir: &Path) -> Result<(), LsmError> {
        let (next, path) = (dir.join(NEXT_NAME), dir.join(NAME));
        let failed = |action| move |error| LsmError::io(action, &dir.join(NEXT_NAME), error);
        if io.exists(&next) {
            io.remove(&next).map_err(failed("remove"))?;
        }
        let file = io.create_new(&next, 0o444).map_err(failed("create"))?;
        file.write_at(0, &self.encode()).map_err(failed("write"))?;
        file.sync().map_err(failed("sync"))?;
        io.rename(&next, &path).map_err(failed("rename"))?;
        io.sync_dir(dir).map_err(|error| LsmError::io("sync", dir, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Rng, SeededRng};

    fn manifest() -> Manifest {
        let run = |number| RunFile { number, bytes: number * 1000, sum: number as u32 };
        Manifest { next_run: 9, durable: 77, released: 5, levels: vec![vec![run(8), run(7)], vec![], vec![run(1), run(3)]] }
    }

    #[test]
    fn a_manifest_comes_back() {
        assert_eq!(Manifest::decode(&manifest().encode()), Ok(manifest()));
        assert_eq!(Manifest::decode(&Manifest::default().encode()), Ok(Manifest::default()));
    }

    #[test]
    fn any_bytes_are_refused_without_panic() {
        let good = manifest().encode();
        for seed in 0..3000 {
            let rng = SeededRng::new(seed);
            let mut bytes = good.clone();
            let at = (rng.next_u64() % bytes.len() as u64) as usize;
            match seed % 3 {
                0 => bytes.truncate(at),
                _ => bytes[at] ^= (rng.next_u64() as u8).max(1),
            }
            assert!(Manifest::decode(&bytes).is_err(), "seed {seed}");
            // The same with a checksum that fits, as somebody's hand would leave it.
            if bytes.len() > 4 {
                let end = bytes.len() - 4;
                let crc = crc32fast::hash(&bytes[..end]);
                bytes[end..].copy_from_slice(&crc.to_le_bytes());
                let _ = Manifest::decode(&bytes);
            }
        }
    }
}
