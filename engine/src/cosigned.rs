//! The newest checkpoint that a quorum of witnesses has cosigned: durable, looked at, and waited for.
//!
//! G1: what is kept is a checkpoint of this ledger, whose root is that of its own tree at that size.
//! G2: sizes move forward only; at one size, more cosignatures may come.
//! G3: who waits is woken once it is durable, or when the ledger is closed.
//! Never: knows a policy or HTTP: whoever asks witnesses says when a quorum is met. Makes a commit wait; a session does, where it is told to.
//! Format: docs/formats/folder.md.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use base::io::Io;
use base::{CommitSeq, SqlError, SqlResult, SqlState};
use parking_lot::Mutex;
use receipts::note::Note;
use receipts::proof::{consistency_proof, tree_root};
use receipts::{Checkpoint, Hash, Sha256Tree};

use crate::checkpoints::replace;
use crate::commit::closed;
use crate::failure::io_failed;
use crate::ledger::Ledger;

/// Name of the file in the ledger's folder.
pub const FILE: &str = "cosigned";

/// A checkpoint of the SHA-256 tree with the lines of witnesses on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// Its size.
    pub size: u64,
    /// The note as text: the ledger's own line, then the witnesses'.
    pub note: Arc<str>,
}

/// What is known of a witness that is asked.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct WitnessState {
    /// What the policy calls it.
    pub name: String,
    /// Its verifier key as text.
    pub key: String,
    /// Where it is asked; `None` if it is not.
    pub url: Option<String>,
    /// Size of the newest checkpoint it cosigned.
    pub size: Option<u64>,
    /// When it did, by its own clock, µs since the Unix epoch.
    pub cosigned_us: Option<i64>,
    /// When it was asked last.
    pub tried_us: Option<i64>,
    /// What went wrong then; `None` if nothing did.
    pub error: Option<String>,
    /// Since when nothing but errors has come.
    pub failing_since_us: Option<i64>,
}

/// What a ledger knows of cosignatures.
#[derive(Debug, Default)]
pub(crate) struct Cosigning {
    state: Mutex<State>,
    /// Held while the file is written.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    newest: Option<Cosigned>,
    /// `None`: nobody asks any.
    witnesses: Option<Vec<WitnessState>>,
    waiting: Vec<Waiting>,
    next_waiting: u64,
    asker: Option<Waker>,
    closed: bool,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    size: u64,
    waker: Waker,
}

impl Cosigning {
    /// Wakes everybody; nothing is kept any more.
    pub(crate) fn close(&self) {
        let _last = self.writing.lock();
        let mut state = self.state.lock();
        state.closed = true;
        state.waiting.drain(..).for_each(|waiting| waiting.waker.wake());
        state.asker.take().into_iter().for_each(Waker::wake);
    }
}

impl Ledger {
    /// Whether it was closed: nothing is cosigned any more.
    pub fn is_closed(&self) -> bool {
        self.cosigning().state.lock().closed
    }

    /// The newest checkpoint that a quorum has cosigned.
    pub fn cosigned(&self) -> Option<Cosigned> {
        self.cosigning().state.lock().newest.clone()
    }

    /// Keeps a checkpoint that a quorum has cosigned (G1, G2), durably, and wakes who waits for it (G3). A smaller one than is known changes nothing.
    ///
    /// Errors: 22023 for a note that is no checkpoint of this ledger, or of another root; 53100, 58030; 57P01 once the ledger is closed.
    pub fn keep_cosigned(&self, note: &Note) -> SqlResult<()> {
        let checkpoint = self.own_checkpoint(note).map_err(|why| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, why))?;
        let _turn = self.cosigning().writing.lock();
        {
            let state = self.cosigning().state.lock();
            if state.closed {
                return Err(closed());
            }
            if state.newest.as_ref().is_some_and(|newest| newest.size > checkpoint.size) {
                return Ok(());
            }
        }
        let text = note.to_string();
        replace(&*self.options().io, &self.folder().join(FILE), text.as_bytes())?;
        let mut state = self.cosigning().state.lock();
        state.newest = Some(Cosigned { size: checkpoint.size, note: text.into() });
        state.waiting.extract_if(.., |waiting| waiting.size <= checkpoint.size).for_each(|waiting| waiting.waker.wake());
        Ok(())
    }

    /// Reads what was kept. Errors: XX001 where it is not of this ledger as it is now: history was cut or changed. What cannot be read is as if it
    /// were not there: witnesses cosign again.
    pub(crate) fn read_cosigned(&self) -> SqlResult<()> {
        let path = self.folder().join(FILE);
        let Some(text) = read(&*self.options().io, &path)? else { return Ok(()) };
        let note = match Note::parse(&text) {
            Ok(note) => note,
            Err(error) => {
                eprintln!("database {}: \"{}\" is not read: {error}", self.name(), path.display());
                return Ok(());
            }
        };
        let checkpoint = self.own_checkpoint(&note).map_err(|why| {
            SqlError::new(SqlState::DATA_CORRUPTED, format!("witnesses have cosigned another history than this ledger's: {why}"))
                .detail(format!("What they cosigned is in \"{}\".", path.display()))
                .hint("The folder was rolled back to an older copy, or history was changed; restore the newest copy.")
        })?;
        self.cosigning().state.lock().newest = Some(Cosigned { size: checkpoint.size, note: text.into() });
        Ok(())
    }

    /// What a note says, if it is of this ledger (G1); else why not.
    pub(crate) fn own_checkpoint(&self, note: &Note) -> Result<Checkpoint, String> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
        if checkpoint.origin != self.origin() {
            return Err(format!("the checkpoint is of {}", checkpoint.origin));
        }
        let merkle = self.merkle().read();
        if checkpoint.size > merkle.size() {
            return Err(format!("the checkpoint has {} commits, the ledger {}", checkpoint.size, merkle.size()));
        }
        match tree_root::<Sha256Tree>(&merkle.sha, checkpoint.size) {
            Some(root) if root == checkpoint.root => Ok(checkpoint),
            _ => Err(format!("the checkpoint states another root of the first {} commits", checkpoint.size)),
        }
    }

    /// The path by which a witness that has cosigned `old` commits sees that `new` extend them; `None` for sizes that there are not.
    pub fn growth(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        consistency_proof::<Sha256Tree>(&self.merkle().read().sha, old, new)
    }

    /// Says which witnesses are asked from now on.
    pub(crate) fn ask_witnesses(&self, witnesses: Vec<WitnessState>) {
        self.cosigning().state.lock().witnesses = Some(witnesses);
    }

    /// Whether any are.
    pub fn asks_witnesses(&self) -> bool {
        self.cosigning().state.lock().witnesses.is_some()
    }

    /// What is known of the witnesses that are asked, in the policy's order.
    pub fn witnesses(&self) -> Vec<WitnessState> {
        self.cosigning().state.lock().witnesses.clone().unwrap_or_default()
    }

    /// Changes what is known of one.
    pub fn tell_of_witness(&self, name: &str, change: impl FnOnce(&mut WitnessState)) {
        let mut state = self.cosigning().state.lock();
        if let Some(witness) = state.witnesses.iter_mut().flatten().find(|witness| witness.name == name) {
            change(witness);
        }
    }

    /// Waits until a quorum has cosigned a checkpoint that covers a commit, and whoever asks witnesses knows that somebody waits. The error is 57P01.
    pub fn until_cosigned(self: &Arc<Self>, seq: CommitSeq) -> UntilCosigned {
        UntilCosigned { ledger: Arc::clone(self), size: seq.0 + 1, id: None }
    }

    /// Waits until somebody waits for a checkpoint of more than so many commits; false once the ledger is closed. For one asker.
    pub fn until_wanted(self: &Arc<Self>, beyond: u64) -> UntilWanted {
        UntilWanted { ledger: Arc::clone(self), beyond }
    }
}

/// See [`Ledger::until_cosigned`].
#[derive(Debug)]
pub struct UntilCosigned {
    ledger: Arc<Ledger>,
    size: u64,
    id: Option<u64>,
}

impl Future for UntilCosigned {
    type Output = SqlResult<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<SqlResult<()>> {
        let ledger = Arc::clone(&self.ledger);
        let mut state = ledger.cosigning().state.lock();
        if state.newest.as_ref().is_some_and(|newest| newest.size >= self.size) {
            return Poll::Ready(Ok(()));
        }
        if state.closed {
            return Poll::Ready(Err(closed()));
        }
        let waker = context.waker().clone();
        let id = self.id;
        match state.waiting.iter_mut().find(|waiting| Some(waiting.id) == id) {
            Some(waiting) => waiting.waker = waker,
            None => {
                let id = state.next_waiting;
                state.next_waiting += 1;
                state.waiting.push(Waiting { id, size: self.size, waker });
                self.id = Some(id);
                state.asker.take().into_iter().for_each(Waker::wake);
            }
        }
        Poll::Pending
    }
}

impl Drop for UntilCosigned {
    fn drop(&mut self) {
        self.ledger.cosigning().state.lock().waiting.retain(|waiting| Some(waiting.id) != self.id);
    }
}

/// See [`Ledger::until_wanted`].
#[derive(Debug)]
pub struct UntilWanted {
    ledger: Arc<Ledger>,
    beyond: u64,
}

impl Future for UntilWanted {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.ledger.cosigning().state.lock();
        if state.closed || state.waiting.iter().any(|waiting| waiting.size > self.beyond) {
            return Poll::Ready(!state.closed);
        }
        state.asker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The note in a ledger's folder, if there is one. Errors: 58030.
pub(crate) fn read(io: &dyn Io, path: &Path) -> SqlResult<Option<String>> {
    if !io.exists(path) {
        return Ok(None);
    }
    let bytes = io.open(path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", path, error))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
