//! How much of a run's memory each operator may hold, so that those which go to disk leave room for their own merging and for their neighbours.
//!
//! H1: an operator that goes to disk is refused at its share, and goes to disk then; one that holds nothing yet may begin whatever its share is.
//! H2: what a sort merges with is apart from what it sorts: the keys of all that it gathered fit beside it.
//! H3: exchanges between threads are never refused while the run goes on. Refused, DataFusion's write files whose readers can wait for one another
//!     for ever: one file a writer, read one after the other, and each writer waits until its reader has read. The run ends instead (M4).
//! H4: who cannot go to disk may have all that is left, and the shares are those of the rest.
//! Never: counts bytes; it says what may be counted.

use datafusion::execution::memory_pool::MemoryConsumer;

/// What the exchanges of a run may hold on top of its limit: a few batches for each thread.
pub(crate) const EXCHANGED_BYTES: usize = 4 << 20;

/// How an operator behaves when it is refused memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// Gathers rows, and sorts them onto disk when it is refused.
    Sorts,
    /// Merges what a sort gathered or wrote: of files it takes fewer at once when it is refused, of what is in memory it needs all.
    Merges,
    /// Goes to disk, or hands on what it has, when it is refused; it merges within the same share.
    Spills,
    /// Passes rows between threads (H3).
    Exchanges,
    /// Fails.
    Holds,
}

impl Manner {
    /// Of an operator, by the name under which DataFusion 55 registers it and by what it says of itself.
    pub(crate) fn of(consumer: &MemoryConsumer) -> Self {
        let name = consumer.name();
        match consumer.can_spill() {
            _ if name.starts_with("ExternalSorterMerge") => Self::Merges,
            _ if name.starts_with("SMJStream") => Self::Spills,
            true if name.starts_with("ExternalSorter") => Self::Sorts,
            true if name.starts_with("RepartitionExec") => Self::Exchanges,
            true => Self::Spills,
            false => Self::Holds,
        }
    }

    /// Whether it takes part in the division. A sort does by its merge, which outlives it.
    pub(crate) fn is_counted(self) -> bool {
        matches!(self, Self::Merges | Self::Spills)
    }

    /// Bytes that one such operator may hold of `free`, those that nobody holds who would fail, among `counted` that share them; `None`: all that is
    /// left.
    ///
    /// A sort counts the rows it gathered twice; as keys they take at most 4.5 times their bytes, where a row has at least three of them (two
    /// `smallint`: 4 bytes, as a key 2 × 3 and an offset of 8). So 9/4 of what a sort holds is what its merge may need (H2).
    pub(crate) fn share(self, free: usize, counted: usize) -> Option<usize> {
        let part = |hundredths: usize| free / 100 * hundredths / counted.max(1);
        match self {
            Self::Sorts => Some(part(25)),
            Self::Merges => Some(part(60)),
            Self::Spills => Some(part(85)),
            Self::Exchanges | Self::Holds => None,
        }
    }
}
