//! How strong a lock is: of a row or a key, as Postgres's row-level locks, and of a whole table, as its table-level ones.
//!
//! Never: knows who has a lock.

/// What a lock allows others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// The row stays and keeps its key: what a foreign key asks for.
    KeyShare,
    /// The row stays as it is.
    Share,
    /// Its owner may change the row but for its key.
    NoKeyUpdate,
    /// Its owner may do anything with it.
    Update,
    /// Of a table.
    Table(TableLock),
}

impl Strength {
    fn rank(self) -> u8 {
        match self {
            Self::KeyShare => 0,
            Self::Share => 1,
            Self::NoKeyUpdate => 2,
            Self::Update | Self::Table(_) => 3,
        }
    }

    pub(super) fn conflicts(self, other: Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => one.excludes() & other.bit() != 0,
            _ => self.rank() + other.rank() >= 3,
        }
    }

    /// Whether who has this need not ask for the other.
    pub(super) fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => other.excludes() & !one.excludes() == 0,
            _ => self.rank() >= other.rank(),
        }
    }
}

/// The modes of LOCK TABLE, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "the names are SQL's own and say it all")]
pub enum TableLock {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl TableLock {
    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// As `pg_locks.mode` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessShare => "AccessShareLock",
            Self::RowShare => "RowShareLock",
            Self::RowExclusive => "RowExclusiveLock",
            Self::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Self::Share => "ShareLock",
            Self::ShareRowExclusive => "ShareRowExclusiveLock",
            Self::Exclusive => "ExclusiveLock",
            Self::AccessExclusive => "AccessExclusiveLock",
        }
    }

    /// The modes that others cannot have meanwhile.
    const fn excludes(self) -> u8 {
        match self {
            Self::AccessShare => 0b1000_0000,
            Self::RowShare => 0b1100_0000,
            Self::RowExclusive => 0b1111_0000,
            Self::ShareUpdateExclusive => 0b1111_1000,
            Self::Share => 0b1110_1100,
            Self::ShareRowExclusive => 0b1111_1100,
            Self::Exclusive => 0b1111_1110,
            Self::AccessExclusive => 0b1111_1111,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [TableLock; 8] = [
        TableLock::AccessShare,
        TableLock::RowShare,
        TableLock::RowExclusive,
        TableLock::ShareUpdateExclusive,
        TableLock::Share,
        TableLock::ShareRowExclusive,
        TableLock::Exclusive,
        TableLock::AccessExclusive,
    ];

    #[test]
    fn table_locks_conflict_as_in_postgres() {
        let row = |one: TableLock| -> String {
            let conflicts = |other: &TableLock| Strength::Table(one).conflicts(Strength::Table(*other));
            ALL.iter().map(|other| if conflicts(other) { 'x' } else { '.' }).collect()
        };
        let rows: Vec<String> = ALL.into_iter().map(row).collect();
        // The table of PostgreSQL's manual, «Explicit Locking».
        let manual = [".......x", "......xx", "....xxxx", "...xxxxx", "..xx.xxx", "..xxxxxx", ".xxxxxxx", "xxxxxxxx"];
        assert_eq!(rows, manual);
        for one in ALL {
            for other in ALL {
                assert_eq!(Strength::Table(one).conflicts(Strength::Table(other)), Strength::Table(other).conflicts(Strength::Table(one)));
            }
            assert!(Strength::Table(TableLock::AccessExclusive).covers(Strength::Table(one)));
            assert!(Strength::Table(one).covers(Strength::Table(one)));
        }
        assert!(!Strength::Table(TableLock::Share).covers(Strength::Table(TableLock::RowExclusive)));
    }

    #[test]
    fn row_locks_conflict_as_in_postgres() {
        use Strength::{KeyShare, NoKeyUpdate, Share, Update};
        let rows =
            [KeyShare, Share, NoKeyUpdate, Update].map(|one| [KeyShare, Share, NoKeyUpdate, Update].map(|other| one.conflicts(other)));
        let (y, n) = (true, false);
        assert_eq!(rows, [[n, n, n, y], [n, n, y, y], [n, y, y, y], [y, y, y, y]]);
    }
}
