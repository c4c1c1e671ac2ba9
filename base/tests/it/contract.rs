//! What both file systems promise alike: the same calls give the same answers.

use base::{Io, RealIo, SimIo};
use std::io::ErrorKind;
use std::path::Path;

fn both(check: impl Fn(&dyn Io, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    check(&RealIo, dir.path());
    let sim = SimIo::new(1);
    sim.create_dir_all(Path::new("/data")).unwrap();
    check(&sim, Path::new("/data"));
}

#[test]
fn write_read_map_and_length() {
    both(|io, dir| {
        let file = io.create_new(&dir.join("a"), 0o600).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(5, b"hello").unwrap();
        assert_eq!(file.read_all().unwrap(), b"\0\0\0\0\0hello");
        assert_eq!(&file.map().unwrap()[5..], b"hello");
        file.set_len(7).unwrap();
        file.set_len(9).unwrap();
        assert_eq!(file.read_all().unwrap(), b"\0\0\0\0\0he\0\0");
        file.allocate(4).unwrap();
        assert_eq!(file.len().unwrap(), 9, "allocate never shortens");
        file.allocate(100).unwrap();
        assert_eq!(file.len().unwrap(), 100);
        file.sync().unwrap();
        let mut some = [0xff; 8];
        assert_eq!(file.read_at(95, &mut some).unwrap(), 5);
        assert_eq!(file.read_at(200, &mut some).unwrap(), 0);
        assert_eq!(file.read_exact_at(95, &mut some).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn names_come_and_go() {
    both(|io, dir| {
        let (a, b) = (dir.join("a"), dir.join("b"));
        assert_eq!(io.open(&a).unwrap_err().kind(), ErrorKind::NotFound);
        io.create_new(&a, 0o600).unwrap().write_at(0, b"a").unwrap();
        assert_eq!(io.create_new(&a, 0o600).unwrap_err().kind(), ErrorKind::AlreadyExists);
        io.create_new(&b, 0o600).unwrap();
        io.create_dir_all(&dir.join("sub/deep")).unwrap();
        assert_eq!(io.list(dir).unwrap(), ["a", "b", "sub"]);
        let kept = io.open(&b).unwrap();
        io.rename(&a, &b).unwrap();
        io.sync_dir(dir).unwrap();
        assert_eq!(io.list(dir).unwrap(), ["b", "sub"]);
        assert_eq!(io.open(&b).unwrap().read_all().unwrap(), b"a");
        assert!(kept.is_empty().unwrap(), "the replaced file lives on in its handle");
        io.remove(&b).unwrap();
        assert!(!io.exists(&b) && io.exists(&dir.join("sub")));
        assert_eq!(io.remove(&b).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(io.sync_dir(&dir.join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_file_opened_for_reading_takes_no_writes() {
    both(|io, dir| {
        io.create_new(&dir.join("a"), 0o600).unwrap();
        assert!(io.open(&dir.join("a")).unwrap().write_at(0, b"x").is_err());
        io.open_write(&dir.join("a")).unwrap().write_at(0, b"x").unwrap();
    });
}

#[test]
fn one_holder_of_a_lock() {
    both(|io, dir| {
        let guard = io.lock(&dir.join("lock")).unwrap();
        assert_eq!(io.lock(&dir.join("lock")).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(guard);
        io.lock(&dir.join("lock")).unwrap();
    });
}

#[test]
fn a_real_map_shows_later_writes_and_owned_bytes_are_aligned() {
    let dir = tempfile::tempdir().unwrap();
    let file = RealIo.create_new(&dir.path().join("a"), 0o600).unwrap();
    file.set_len(8192).unwrap();
    let map = file.map().unwrap();
    file.write_at(4096, b"later").unwrap();
    assert_eq!(&map[4096..4101], b"later");
    for len in [0, 1, 63, 64, 100_000] {
        let copy = base::Mapped::copy_of(&vec![7; len]);
        assert_eq!((copy.as_ptr().align_offset(64), copy.len()), (0, len), "M2");
    }
}
