//! The start of a sync: tells the kernel to hand written pages to the disk now, and returns while the disk works.
//!
//! Unsafe because the system call has no safe wrapper; it takes no pointer.
//!
//! Never: makes anything durable, or reports a failure: the sync that follows does both.
#![allow(unsafe_code, reason = "sync_file_range takes a descriptor and numbers only")]

use std::fs::File;
use std::os::fd::AsRawFd;

/// Begins to write out what was written to these bytes of the file.
pub(super) fn begin(file: &File, offset: u64, len: u64) {
    let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
    // SAFETY: the descriptor is open while `file` is borrowed, and the call touches no memory of ours.
    let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
}
