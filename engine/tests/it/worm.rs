//! What is sealed is written once: mode 0444 from the moment it has its name, and never opened for writing, replaced or removed after that.
#![allow(clippy::disallowed_methods, reason = "it looks at the modes of files")]

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base::io::{File, Io, LockGuard};
use base::{OsRng, RealClock, RealIo};
use engine::restore::{Request, restore};
use engine::{Options, Server};

use crate::ledger::{change_all_ways, create_table, insert, many, options, table};

/// Folders whose files are written once, below a ledger's or a backup's.
const SEALED: [&str; 5] = ["/segments/", "/tile/", "/checkpoints/", "/signed/", "/log/"];

/// The real disk, and what was done to names that a sealed file has.
#[derive(Debug, Default)]
struct Watched {
    sealed: Mutex<BTreeSet<PathBuf>>,
    broken: Mutex<Vec<String>>,
}

impl Watched {
    fn is_sealed(path: &Path) -> bool {
        let text = path.to_string_lossy();
        !text.ends_with(".writing") && SEALED.iter().any(|folder| text.contains(folder))
    }

    fn touch(&self, what: &str, path: &Path) {
        if self.sealed.lock().unwrap().contains(path) {
            self.broken.lock().unwrap().push(format!("{what} {}", path.display()));
        }
    }
}

impl Io for Watched {
    fn create_new(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>> {
        self.touch("create", path);
        RealIo.create_new(path, mode)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        RealIo.open(path)
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        if Self::is_sealed(path) {
            self.broken.lock().unwrap().push(format!("open for writing {}", path.display()));
        }
        RealIo.open_write(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.touch("rename", from);
        // A backup writes the copy of its log and signatures anew, byte for byte.
        let is_same = || std::fs::read(from).ok() == std::fs::read(to).ok();
        if !is_same() {
            self.touch("replace", to);
        }
        RealIo.rename(from, to)?;
        if Self::is_sealed(to) {
            let mode = std::fs::metadata(to)?.permissions().mode() & 0o7777;
            if mode & 0o222 != 0 {
                self.broken.lock().unwrap().push(format!("{} has its name with mode {mode:o}", to.display()));
            }
            self.sealed.lock().unwrap().insert(to.to_owned());
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        // Of a backup, what one later state has no use for goes.
        if !path.starts_with("/") || !path.to_string_lossy().contains("/backup/") {
            self.touch("remove", path);
        }
        RealIo.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealIo.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        RealIo.create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealIo.sync_dir(dir)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.touch("set the mode of", path);
        RealIo.set_mode(path, mode)
    }

    fn exists(&self, path: &Path) -> bool {
        RealIo.exists(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        RealIo.lock(path)
    }
}

/// Every file below a folder with its mode.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() { folders.push(entry.path()) } else { found.push((entry.path(), metadata.permissions().mode() & 0o7777)) }
        }
    }
    found
}

#[test]
fn sealed_files_are_read_only_and_never_touched_again() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup, restored) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("restored"));
    let watched = Arc::new(Watched::default());
    let io: Arc<dyn Io> = Arc::<Watched>::clone(&watched);
    let options = || Options { io: Arc::clone(&io), clock: Arc::new(RealClock), rng: Arc::new(OsRng), ..options() };
    for round in 0..3 {
        // Starts, seals, scrubs, backups, stops with and without sealing.
        let server = Server::open(&data, options()).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        if round == 0 {
            insert(&ledger, &many(&create_table(&ledger), 0, 9_000));
            change_all_ways(&ledger);
        }
        insert(&ledger, &many(&table(&ledger), 50_000 + round * 1_000, 700));
        ledger.seal().unwrap();
        assert_eq!(ledger.scrub().unwrap().damages, 0);
        server.backup(&backup, true).unwrap();
        insert(&ledger, &many(&table(&ledger), 90_000 + round, 1));
        if round == 1 { server.close_unsealed().unwrap() } else { server.shutdown().unwrap() }
    }
    restore(&options(), &Request { from: &backup, to: &restored, database: None, to_commit: None, keys: None }).unwrap();
    Server::open(&restored, options()).unwrap().shutdown().unwrap();
    assert_eq!(*watched.broken.lock().unwrap(), Vec::<String>::new());
    assert!(watched.sealed.lock().unwrap().len() > 40, "{:?}", watched.sealed.lock().unwrap());
    let mut seen = BTreeSet::new();
    for (path, mode) in modes(dir.path()) {
        let text = path.to_string_lossy().into_owned();
        if let Some(folder) = SEALED.iter().find(|folder| text.contains(**folder)) {
            let wanted = if *folder == "/log/" { 0o400 } else { 0o444 };
            assert_eq!(mode, wanted, "{text} has mode {mode:o}");
            seen.insert(*folder);
        }
        if text.contains("/folds/") && text.ends_with("/manifest") {
            assert_eq!(mode, 0o444, "{text} has mode {mode:o}");
            seen.insert("manifest");
        }
        if text.contains("/keys/") && !text.ends_with(".writing") {
            assert_eq!(mode & 0o077, 0, "{text} has mode {mode:o}");
        }
    }
    assert_eq!(seen.len(), SEALED.len() + 1, "{seen:?}");
}
