//! One durable write through io_uring: bytes and flush in a single request.
//!
//! Unsafe because the kernel reads the buffer while the request runs (U1).
//!
//! U1: a [`Write`] ends, by `finish` or by being dropped, only when its request is not in flight any more, so the borrowed buffer outlives every
//!     use of it.
//! Never: has two requests in flight; is used for simulated files.
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

    /// Starts to write all of `bytes` at `offset` of an open file and to make them durable; the kernel works while the caller does.
    pub(crate) fn start_durable<'a>(&'a mut self, fd: RawFd, offset: u64, bytes: &'a [u8]) -> io::Result<Write<'a>> {
        let mut write = Write { ring: self, fd, offset, bytes, in_flight: false };
        write.submit()?;
        Ok(write)
    }
}

/// A durable write under way. It lives on the stack of this crate only and is never leaked, so that its end is seen (U1).
pub(crate) struct Write<'a> {
    ring: &'a mut Ring,
    fd: RawFd,
    offset: u64,
    bytes: &'a [u8],
    in_flight: bool,
}

impl Write<'_> {
    fn submit(&mut self) -> io::Result<()> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(1 << 30).min(1 << 30);
        let entry = opcode::Write::new(types::Fd(self.fd), self.bytes.as_ptr(), length).offset(self.offset).rw_flags(RWF_DSYNC).build();
        // SAFETY: U1; the buffer is borrowed for our lifetime, and `finish` and `drop` leave only when the request is completed.
        let pushed = unsafe { self.ring.0.submission().push(&entry) };
        if pushed.is_err() {
            return Err(io::Error::other("the submission queue is full"));
        }
        self.in_flight = true;
        // If the kernel does not take it now it stays queued, and `wait` submits it again.
        let _ = self.ring.0.submit();
        Ok(())
    }

    /// Waits until it is done. On an error any part may be written, none of it surely.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        loop {
            match self.wait() {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.bytes = &self.bytes[written..];
                    self.offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.bytes.is_empty() {
                return Ok(());
            }
            self.submit()?;
        }
    }

    fn wait(&mut self) -> io::Result<usize> {
        loop {
            if let Some(completed) = self.ring.0.completion().next() {
                self.in_flight = false;
                return usize::try_from(completed.result()).map_err(|_| io::Error::from_raw_os_error(-completed.result()));
            }
            // Interrupted or out of resources for a moment: the request is still queued or under way, and must be seen to its end (U1).
            if let Err(error) = self.ring.0.submit_and_wait(1)
                && !matches!(error.raw_os_error(), Some(4 | 11 | 16))
            {
                // Unwinding would free a buffer the kernel may still read.
                eprintln!("U1: io_uring failed with a write in it: {error}");
                std::process::abort();
            }
        }
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        if self.in_flight {
            // The caller gave up on it, or is unwinding; what became of the bytes is not known and not told.
            let _ = self.wait();
        }
    }
}
