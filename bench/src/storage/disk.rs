//! What a server has put on the disk.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::system::{LIMIT, System};

/// Nothing may be written for so long.
const QUIET: Duration = Duration::from_secs(5);
/// Longer than this nobody waits for quiet.
const PATIENCE: Duration = Duration::from_secs(300);

/// Bytes written since the start, once the server has nothing left to write.
///
/// # Errors
/// It goes on writing, or the system does not tell.
pub fn settled(system: &dyn System) -> Outcome<u64> {
    if system.name() == "PostgreSQL" {
        system.client().psql(&["CHECKPOINT"], LIMIT)?;
    }
    let deadline = Instant::now() + PATIENCE;
    let (mut written, mut since) = (system.written()?, Instant::now());
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
        let now = system.written()?;
        if now != written {
            (written, since) = (now, Instant::now());
        } else if since.elapsed() > QUIET {
            return Ok(written);
        }
    }
    Err(format!("{} goes on writing {} s after the load", system.name(), PATIENCE.as_secs()))
}

/// Bytes that a folder takes, as its files' blocks count them.
///
/// # Errors
/// A folder that cannot be read.
pub fn size(folder: &Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt;
    let error = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        match entry.metadata() {
            Ok(about) if about.is_dir() => bytes += size(&entry.path())?,
            Ok(about) => bytes += about.blocks() * 512,
            // A file that was let go meanwhile.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(error(e)),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::size;
    use crate::scratch::Scratch;

    #[test]
    fn files_below_count_too() {
        let scratch = Scratch::create(&std::env::temp_dir(), false).unwrap();
        let below = scratch.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(below.join("file"), vec![7; 100_000]).unwrap();
        std::fs::File::open(below.join("file")).unwrap().sync_all().unwrap();
        assert!((100_000..200_000).contains(&size(scratch.path()).unwrap()));
    }
}
