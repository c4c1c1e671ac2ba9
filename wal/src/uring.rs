//! One durable write through io_uring: bytes and flush in a single request.
//!
//! Unsafe because the kernel reads the buffer while the request runs (U1).
//!
//! U1: `write_durable` returns only when no request of the ring is in flight, so the borrowed buffer outlives every use of it.
//! Never: leaves a request queued; is used for simulated files.
#![allow(unsafe_code, reason = "submitting to a ring is unsafe: see U1")]

use io_uring::{IoUring, opcode, types};
use std::io;
use std::os::fd::RawFd;

/// Per-write flag of Linux: return once data and the metadata needed to read it back are durable.
const RWF_DSYNC: i32 = 0x0000_0002;

pub(crate) struct Ring(IoUring);

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ring")
    }
}

impl Ring {
    /// A ring, if the kernel gives one (containers often forbid it).
    pub(crate) fn new() -> Option<Self> {
        let ring = IoUring::new(4).ok()?;
        let mut probe = io_uring::Probe::new();
        ring.submitter().register_probe(&mut probe).ok()?;
        probe.is_supported(opcode::Write::CODE).then_some(Self(ring))
    }

    /// Writes all of `bytes` at `offset` of an open file and makes them durable. On an error any part may be written, none of it surely.
    pub(crate) fn write_durable(&mut self, fd: RawFd, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = u32::try_from(bytes.len()).unwrap_or(1 << 30).min(1 << 30);
            let entry = opcode::Write::new(types::Fd(fd), bytes.as_ptr(), length).offset(offset).rw_flags(RWF_DSYNC).build();
            match self.run(&entry) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn run(&mut self, entry: &io_uring::squeue::Entry) -> io::Result<usize> {
        // SAFETY: U1; the buffer is borrowed by our caller, and the loop below leaves only when the request is completed or was never taken.
        let pushed = unsafe { self.0.submission().push(entry) };
        if pushed.is_err() {
            return Err(io::Error::other("the submission queue is full"));
        }
        loop {
            let submitted = self.0.submit_and_wait(1);
            let completed = self.0.completion().next();
            if let Some(completed) = completed {
                return usize::try_from(completed.result()).map_err(|_| io::Error::from_raw_os_error(-completed.result()));
            }
            // Interrupted or out of resources for a moment: the request is still queued or under way, and must be seen to its end (U1).
            if let Err(error) = submitted
                && !matches!(error.raw_os_error(), Some(4 | 11 | 16))
            {
                // Unwinding would free a buffer the kernel may still read.
                eprintln!("U1: io_uring failed with a write in it: {error}");
                std::process::abort();
            }
        }
    }
}
