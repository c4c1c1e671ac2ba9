//! What one commit, or many, do to the folds: gathered, and given to the tree as a batch or, where that would be too much memory, as sorted runs.
//!
//! G1: of several things said of one name at one commit the last counts.
//! G2: at most the budget is in memory; the rest is staged beside the tree, sorted.
//! Never: decides what is said.

use std::sync::Arc;

use base::{CommitSeq, SqlResult};
use lsm::{Batch, Ingest, LsmError, StagedScan, Tree};

use crate::folds::staged::{Place, Staged};

/// What an entry takes in a memtable beside its name and value, about.
const NODE_BYTES: usize = 40;

/// Which commits entries belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Commits {
    /// All to this one; entries are numbered as they come.
    One(CommitSeq),
    /// Each to its number, the last of them this.
    UpTo(CommitSeq),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    name_bytes: u32,
    value_bytes: u32,
    number: u64,
}

/// Entries on their way into the tree.
#[derive(Debug)]
pub(crate) struct Changes {
    place: Arc<Place>,
    commits: Commits,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    count: u64,
    staging: Option<Staged>,
}

impl Changes {
    pub(crate) fn new(place: Arc<Place>, commits: Commits) -> Self {
        Self { place, commits, bytes: Vec::new(), entries: Vec::new(), count: 0, staging: None }
    }

    /// The same, all at commit `seq`.
    pub(crate) fn of(self, seq: CommitSeq) -> Self {
        Self { commits: Commits::One(seq), ..self }
    }

    /// Entries so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Says `value` of `name` at commit `seq`, which is the one where all belong to one. Errors: 53100, 58030 where it has to be staged.
    pub(crate) fn put(&mut self, name: &[u8], seq: u64, value: &[u8]) -> SqlResult<()> {
        let number = match self.commits {
            Commits::One(_) => self.count,
            Commits::UpTo(last) => {
                assert!(seq <= last.0, "G1: commit {seq} is not among those up to {last}");
                seq
            }
        };
        self.count += 1;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.entries.push(Entry { start, name_bytes: name.len() as u32, value_bytes: value.len() as u32, number });
        if self.bytes.len() + self.entries.len() * size_of::<Entry>() > self.place.budget_bytes { self.stage() } else { Ok(()) }
    }

    /// [`Changes::put`] of a number.
    pub(crate) fn put_number(&mut self, name: &[u8], seq: u64, value: u64) -> SqlResult<()> {
        let (bytes, len) = super::names::number(value);
        self.put(name, seq, &bytes[..len])
    }

    /// G2.
    fn stage(&mut self) -> SqlResult<()> {
        self.sort();
        let staging = match &mut self.staging {
            Some(staging) => staging,
            none => none.insert(Place::open(&self.place, 0)?),
        };
        let bytes = &self.bytes;
        staging.add(self.entries.iter().map(|entry| entry.read(bytes)))?;
        self.entries.clear();
        self.bytes.clear();
        Ok(())
    }

    /// By name, the greatest number first, each once: of what is said twice the later stays.
    fn sort(&mut self) {
        let bytes = &self.bytes;
        // Stable and backwards: of equal numbers the one that came last comes first.
        self.entries.reverse();
        self.entries.sort_by(|a, b| a.name(bytes).cmp(b.name(bytes)).then(b.number.cmp(&a.number)));
        self.entries.dedup_by(|later, first| later.number == first.number && later.name(bytes) == first.name(bytes));
    }

    /// Whether the memtable is passed by; then all that goes before must be in the log.
    pub(crate) fn is_large(&self) -> bool {
        self.staging.is_some() || self.bytes.len() + self.entries.len() * NODE_BYTES > self.place.batch_bytes
    }

    /// Gives everything to the tree. What is large is durable then; all that is not waits in memory for a flush.
    ///
    /// # Errors
    /// Those of the tree; it has nothing of a commit then that it did not take in whole.
    pub(crate) fn write(mut self, tree: &Tree) -> Result<(), LsmError> {
        if self.is_large() {
            return self.ingest(tree);
        }
        match self.commits {
            Commits::One(seq) => {
                let mut batch = Batch::new();
                for entry in &self.entries {
                    let (name, _, value) = entry.read(&self.bytes);
                    batch.put(name, value);
                }
                tree.write_reserved(&batch, seq)
            }
            Commits::UpTo(last) => {
                self.entries.sort_by_key(|entry| entry.number);
                let mut batch = Batch::new();
                for of_one in self.entries.chunk_by(|a, b| a.number == b.number) {
                    batch.clear();
                    for entry in of_one {
                        let (name, _, value) = entry.read(&self.bytes);
                        batch.put(name, value);
                    }
                    tree.write(&batch, CommitSeq(of_one[0].number))?;
                }
                if tree.applied_seq() == Some(last) { Ok(()) } else { tree.write(&Batch::new(), last) }
            }
        }
    }

    fn ingest(mut self, tree: &Tree) -> Result<(), LsmError> {
        self.sort();
        let (commits, bytes) = (self.commits, &self.bytes);
        let last = match commits {
            Commits::One(seq) | Commits::UpTo(seq) => seq,
        };
        let mut sink = Sink { commits, name: Vec::new(), number: None };
        let mut in_memory = self.entries.iter().map(|entry| entry.read(bytes)).peekable();
        let Some(staging) = &self.staging else {
            return tree.ingest(last, |ingest| in_memory.try_for_each(|entry| sink.take(ingest, entry)));
        };
        let mut staged = staging.scan()?;
        tree.ingest(last, |ingest| merge(&mut staged, in_memory, |entry| sink.take(ingest, entry)))
    }
}

type Read<'a> = (&'a [u8], u64, &'a [u8]);

/// Walks over what is staged and what is in memory as one.
fn merge<'m>(
    staged: &mut StagedScan,
    mut in_memory: std::iter::Peekable<impl Iterator<Item = Read<'m>>>,
    mut take: impl FnMut(Read<'_>) -> Result<(), LsmError>,
) -> Result<(), LsmError> {
    while let Some(next) = staged.step()? {
        while let Some(entry) = in_memory.next_if(|entry| (entry.0, std::cmp::Reverse(entry.1)) < (next.0, std::cmp::Reverse(next.1))) {
            take(entry)?;
        }
        take(next)?;
    }
    in_memory.try_for_each(take)
}

/// Puts entries into an ingest, each commit's last word on a name once.
struct Sink {
    commits: Commits,
    name: Vec<u8>,
    number: Option<u64>,
}

impl Sink {
    fn take(&mut self, ingest: &mut Ingest<'_>, (name, number, value): Read<'_>) -> Result<(), LsmError> {
        let is_same_name = self.number.is_some() && self.name == name;
        let is_said = match self.commits {
            Commits::One(_) => is_same_name,
            Commits::UpTo(_) => is_same_name && self.number == Some(number),
        };
        if is_said {
            return Ok(());
        }
        if !is_same_name {
            self.name.clear();
            self.name.extend_from_slice(name);
        }
        self.number = Some(number);
        let seq = match self.commits {
            Commits::One(seq) => seq,
            Commits::UpTo(_) => CommitSeq(number),
        };
        ingest.put(name, seq, value)
    }
}

impl Entry {
    fn name<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.start..self.start + self.name_bytes as usize]
    }

    fn read<'b>(&self, bytes: &'b [u8]) -> Read<'b> {
        let value = self.start + self.name_bytes as usize;
        (self.name(bytes), self.number, &bytes[value..value + self.value_bytes as usize])
    }
}
