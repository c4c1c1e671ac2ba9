//! The start of a sync: tells the kernel to hand written pages to the disk now, and returns while the disk works.
//!
//! Unsafe because the system call has no safe wrapper; it takes no pointer.
//!
//! Never: makes anything durable; a failure it meets is told, for the sync that follows might not meet it again.
#![allow(unsafe_code, reason = "sync_file_range takes a descriptor and numbers only")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Begins to write out what was written to these bytes of the file. A file system that cannot is no failure.
pub(super) fn begin(file: &File, offset: u64, len: u64) -> io::Result<()> {
    let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return Ok(()) };
    // SAFETY: the descriptor is open while `file` is borrowed, and the call touches no memory of ours.
    let answer = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
    if answer == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EINVAL | libc::ESPIPE | libc::EOPNOTSUPP | libc::EINTR) => Ok(()),
        _ => Err(error),
    }
}
