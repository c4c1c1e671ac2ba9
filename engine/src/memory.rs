//! One budget of memory, shared out.
//!
//! B1: the shares add up to the budget at most; what a share is not enough for goes to disk or is refused.
//! Never: allocates.

/// Least that is shared out: less would only be many small runs.
const BYTES_MIN: usize = 32 << 20;

/// Who may hold how much, in bytes. Those of folds and rows are for each database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Commits' changes to the folds, until they are a run; three times that while the disk is behind.
    pub memtable_bytes: usize,
    /// Unpacked blocks of the folds.
    pub blocks_bytes: usize,
    /// Decoded batches of segments, for lookups of rows.
    pub batches_bytes: usize,
    /// What one transaction, or one making of an index, keeps of keys before they are sorted into runs on disk.
    pub staging_bytes: usize,
    /// Topologies of property graphs; a graph that needs more has none.
    pub graphs_bytes: usize,
    /// Sorts, joins and aggregates of all queries together; one more is refused.
    pub queries_bytes: usize,
}

impl Memory {
    /// Shares out so many bytes; 32 MiB at least.
    pub fn of(bytes: usize) -> Self {
        let bytes = bytes.max(BYTES_MIN);
        Self {
            memtable_bytes: (bytes / 24).min(64 << 20),
            blocks_bytes: bytes / 8,
            batches_bytes: bytes / 8,
            staging_bytes: (bytes / 16).min(64 << 20),
            graphs_bytes: bytes / 8,
            queries_bytes: bytes / 8 * 3,
        }
    }
}

impl Memory {
    /// A quarter of the machine's; the default where that cannot be known.
    pub fn of_machine() -> Self {
        let bytes = base::io::machine_memory_bytes().and_then(|bytes| usize::try_from(bytes / 4).ok());
        bytes.map_or_else(Self::default, Self::of)
    }
}

impl Default for Memory {
    /// That of 512 MiB.
    fn default() -> Self {
        Self::of(512 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_budget_at_most() {
        for bytes in [0, 1, 32 << 20, 512 << 20, 1 << 40] {
            let memory = Memory::of(bytes);
            // One memtable is filled while two wait to be written.
            let folds = 3 * memory.memtable_bytes + memory.blocks_bytes;
            let all = folds + memory.batches_bytes + 2 * memory.staging_bytes + memory.graphs_bytes + memory.queries_bytes;
            assert!(all <= bytes.max(BYTES_MIN), "B1: {all} of {bytes}");
        }
    }
}
