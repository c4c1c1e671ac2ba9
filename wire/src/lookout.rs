//! A short look for the client's next message before the session goes to sleep.
//!
//! Going to sleep and being woken costs more than a quick client needs to answer; a machine with cores to spare saves both.
//!
//! L1: a session looks only while the sessions at work leave cores free, and for [`LOOK`] at most. A session whose message lies unread in its socket is
//!     not at work yet, and would be kept waiting by who looks; so those count too whose messages came lately.
//! L2: bytes are taken off the socket in order, by the session's own task only.
//! Never: waits, or looks on a busy machine.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use base::{Clock, RealClock};
use rustix::net::{RecvFlags, recv};
use tokio::io::ReadBuf;

/// How long a session looks.
const LOOK: Duration = Duration::from_micros(40);
/// Read at most by a look.
const READ_BYTES: usize = 4 << 10;
/// Looks at the socket are so many idle steps of the processor apart.
const STEPS: u32 = 64;

/// Sessions at work, in this process.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);
/// Sessions that may be at work while one looks: half of the cores.
static AT_WORK_MAX: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(0, |cores| cores.get() / 2));

/// Whose the newest messages were, in no order; 0: nobody's.
static LATELY: [AtomicU32; 16] = [const { AtomicU32::new(0) }; 16];
/// Messages so far.
static MESSAGES: AtomicUsize = AtomicUsize::new(0);
static NAMES: AtomicU32 = AtomicU32::new(1);

/// A name for a session, which no other has lately.
pub(crate) fn new_name() -> u32 {
    NAMES.fetch_add(1, Ordering::Relaxed).max(1)
}

/// A message of a session has come.
pub(crate) fn note_message(name: u32) {
    let at = MESSAGES.fetch_add(1, Ordering::Relaxed) % LATELY.len();
    LATELY[at].store(name, Ordering::Relaxed);
}

/// Sessions whose messages were among the newest, counted up to one more than may be at work.
fn heard_lately() -> usize {
    let mut heard = [0; LATELY.len()];
    let mut count = 0;
    for name in LATELY.iter().map(|name| name.load(Ordering::Relaxed)) {
        if name != 0 && !heard[..count].contains(&name) {
            heard[count] = name;
            count += 1;
            if count > *AT_WORK_MAX {
                break;
            }
        }
    }
    count
}

/// Counts a session as at work while it lives.
#[derive(Debug)]
pub(crate) struct AtWork(());

impl AtWork {
    pub fn begin() -> Self {
        AT_WORK.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that came during the look, put into `buffer`; none: the client closed. `None`: nothing came, or no look was taken.
pub(crate) fn look(socket: BorrowedFd<'_>, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
    if AT_WORK.load(Ordering::Relaxed) > *AT_WORK_MAX || heard_lately() > *AT_WORK_MAX {
        return None;
    }
    let mut bytes = [0; READ_BYTES];
    let room = READ_BYTES.min(buffer.remaining());
    let begun_ns = RealClock.monotonic_ns();
    while Duration::from_nanos(RealClock.monotonic_ns().saturating_sub(begun_ns)) < LOOK {
        match recv(socket, &mut bytes[..room], RecvFlags::DONTWAIT) {
            Ok((count, _)) => {
                buffer.put_slice(&bytes[..count]);
                return Some(Ok(()));
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => (0..STEPS).for_each(|_| std::hint::spin_loop()),
            Err(errno) => return Some(Err(errno.into())),
        }
    }
    None
}
