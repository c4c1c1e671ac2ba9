//! A second thread of the committer: it signs the state that a lone commit leads to while the commit is on its way to the disk.
//!
//! S1: one request at a time; whoever asked signs itself if the thread has not begun by then.
//! S2: what it computes is released by the asker, after durability (K1 of [`crate::signer`]).
//! Never: writes anything.

use base::SqlResult;
use parking_lot::{Condvar, Mutex};

use crate::signer::{Prepared, Signed, Signer};

/// The desk between the committer and the thread.
#[derive(Debug, Default)]
pub struct CoSigner {
    desk: Mutex<Desk>,
    asked: Condvar,
    answered: Condvar,
}

#[derive(Debug, Default)]
enum Desk {
    #[default]
    Empty,
    Asked(Signed),
    Signing,
    Signed(SqlResult<Prepared>),
    Closed,
}

impl CoSigner {
    /// Asks for the signatures of a state; to be followed by [`CoSigner::collect`].
    pub fn ask(&self, state: Signed) {
        let mut desk = self.desk.lock();
        if matches!(*desk, Desk::Empty) {
            *desk = Desk::Asked(state);
            drop(desk);
            self.asked.notify_one();
        }
    }

    /// The signatures asked for. Errors: as [`Signer::prepare`].
    pub fn collect(&self, state: Signed, signer: &Mutex<Signer>) -> SqlResult<Prepared> {
        let mut desk = self.desk.lock();
        while matches!(*desk, Desk::Signing) {
            self.answered.wait(&mut desk);
        }
        let was = std::mem::take(&mut *desk);
        if matches!(was, Desk::Closed) {
            *desk = Desk::Closed;
        }
        drop(desk);
        match was {
            // What an asker left behind who never collected is not this state's.
            Desk::Signed(Ok(prepared)) if prepared.state() == state => Ok(prepared),
            _ => signer.lock().prepare(state),
        }
    }

    /// Ends the thread.
    pub fn close(&self) {
        *self.desk.lock() = Desk::Closed;
        self.asked.notify_all();
        self.answered.notify_all();
    }

    /// Body of the thread.
    pub fn run(&self, signer: &Mutex<Signer>) {
        while let Some(state) = self.wait() {
            let prepared = signer.lock().prepare(state);
            let mut desk = self.desk.lock();
            if matches!(*desk, Desk::Signing) {
                *desk = Desk::Signed(prepared);
                self.answered.notify_one();
            }
        }
    }

    fn wait(&self) -> Option<Signed> {
        let mut desk = self.desk.lock();
        loop {
            match *desk {
                Desk::Asked(state) => {
                    *desk = Desk::Signing;
                    return Some(state);
                }
                Desk::Closed => return None,
                _ => self.asked.wait(&mut desk),
            }
        }
    }
}
