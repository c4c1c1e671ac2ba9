//! The scripts. The table `test` holds (1, 10) and (2, 20); every session has begun its transaction. Names after Adya's thesis; the shapes are
//! those of Martin Kleppmann's Hermitage.
//!
//! Never: names a level.

use super::play::Answers;

/// An anomaly and the steps that would show it.
#[derive(Debug)]
pub struct Script {
    /// Adya's name.
    pub name: &'static str,
    /// What would be seen.
    pub what: &'static str,
    /// Sessions, from 1, and what they ask.
    pub steps: &'static [(usize, &'static str)],
    /// Whether the answers show it.
    pub happened: fn(&Answers) -> bool,
}

/// All of them.
pub const SCRIPTS: &[Script] = &[
    Script {
        name: "G0",
        what: "writes of two transactions interleaved",
        steps: &[
            (1, "UPDATE test SET value = 11 WHERE id = 1"),
            (2, "UPDATE test SET value = 12 WHERE id = 1"),
            (1, "UPDATE test SET value = 21 WHERE id = 2"),
            (1, "COMMIT"),
            (2, "UPDATE test SET value = 22 WHERE id = 2"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.end == ["1:11", "2:22"] || answers.end == ["1:12", "2:21"],
    },
    Script {
        name: "G1a",
        what: "a write that was rolled back",
        steps: &[
            (1, "UPDATE test SET value = 101 WHERE id = 1"),
            (2, "SELECT * FROM test ORDER BY id"),
            (1, "ROLLBACK"),
            (2, "SELECT * FROM test ORDER BY id"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.read(2, 0).contains("101") || answers.read(2, 1).contains("101"),
    },
    Script {
        name: "G1b",
        what: "a value that its transaction wrote over",
        steps: &[
            (1, "UPDATE test SET value = 101 WHERE id = 1"),
            (2, "SELECT * FROM test ORDER BY id"),
            (1, "UPDATE test SET value = 11 WHERE id = 1"),
            (1, "COMMIT"),
            (2, "SELECT * FROM test ORDER BY id"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.read(2, 0).contains("101") || answers.read(2, 1).contains("101"),
    },
    Script {
        name: "G1c",
        what: "each what the other wrote",
        steps: &[
            (1, "UPDATE test SET value = 11 WHERE id = 1"),
            (2, "UPDATE test SET value = 22 WHERE id = 2"),
            (1, "SELECT value FROM test WHERE id = 2"),
            (2, "SELECT value FROM test WHERE id = 1"),
            (1, "COMMIT"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.committed(2) && answers.read(1, 0) == "22" && answers.read(2, 0) == "11",
    },
    Script {
        name: "G1c, three sessions",
        what: "each what the one before wrote, in a circle",
        steps: &[
            (1, "UPDATE test SET value = 11 WHERE id = 1"),
            (2, "UPDATE test SET value = 22 WHERE id = 2"),
            (3, "INSERT INTO test VALUES (3, 33)"),
            (1, "SELECT value FROM test WHERE id = 2"),
            (2, "SELECT value FROM test WHERE id = 3"),
            (3, "SELECT value FROM test WHERE id = 1"),
            (1, "COMMIT"),
            (2, "COMMIT"),
            (3, "COMMIT"),
        ],
        happened: |answers| answers.read(1, 0) == "22" && answers.read(2, 0) == "33" && answers.read(3, 0) == "11",
    },
    Script {
        name: "lost update",
        what: "a write over what was read, written by another meanwhile",
        steps: &[
            (1, "SELECT value FROM test WHERE id = 1"),
            (2, "SELECT value FROM test WHERE id = 1"),
            (1, "UPDATE test SET value = 11 WHERE id = 1"),
            (2, "UPDATE test SET value = 12 WHERE id = 1"),
            (1, "COMMIT"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.committed(2),
    },
    Script {
        name: "G-single",
        what: "one row before, another after the same commit",
        steps: &[
            (1, "SELECT value FROM test WHERE id = 1"),
            (2, "UPDATE test SET value = 12 WHERE id = 1"),
            (2, "UPDATE test SET value = 18 WHERE id = 2"),
            (2, "COMMIT"),
            (1, "SELECT value FROM test WHERE id = 2"),
            (1, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.read(1, 0) == "10" && answers.read(1, 1) == "18",
    },
    Script {
        name: "G-single, predicate",
        what: "a row that came between two looks for the same",
        steps: &[
            (1, "SELECT id FROM test WHERE value = 30"),
            (2, "INSERT INTO test VALUES (3, 30)"),
            (2, "COMMIT"),
            (1, "SELECT id FROM test WHERE value % 3 = 0"),
            (1, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.read(1, 1) == "3",
    },
    Script {
        name: "G2-item",
        what: "two writes, each against what the other read by key",
        steps: &[
            (1, "SELECT value FROM test WHERE id = 1"),
            (1, "SELECT value FROM test WHERE id = 2"),
            (2, "SELECT value FROM test WHERE id = 1"),
            (2, "SELECT value FROM test WHERE id = 2"),
            (1, "UPDATE test SET value = 11 WHERE id = 1"),
            (2, "UPDATE test SET value = 21 WHERE id = 2"),
            (1, "COMMIT"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.committed(2),
    },
    Script {
        name: "G2, no row",
        what: "two inserts, each of the key that the other found free",
        steps: &[
            (1, "SELECT value FROM test WHERE id = 4"),
            (2, "SELECT value FROM test WHERE id = 3"),
            (1, "INSERT INTO test VALUES (3, 30)"),
            (2, "INSERT INTO test VALUES (4, 42)"),
            (1, "COMMIT"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.committed(2),
    },
    Script {
        name: "G2, range",
        what: "two inserts, each into the range that the other read",
        steps: &[
            (1, "SELECT id FROM test WHERE value > 25"),
            (2, "SELECT id FROM test WHERE value > 25"),
            (1, "INSERT INTO test VALUES (3, 30)"),
            (2, "INSERT INTO test VALUES (4, 42)"),
            (1, "COMMIT"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.committed(2),
    },
    Script {
        name: "G2, predicate",
        what: "two inserts, each of what the other looked for in the whole table",
        steps: &[
            (1, "SELECT id FROM test WHERE value % 3 = 0"),
            (2, "SELECT id FROM test WHERE value % 3 = 0"),
            (1, "INSERT INTO test VALUES (3, 30)"),
            (2, "INSERT INTO test VALUES (4, 42)"),
            (1, "COMMIT"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.committed(2),
    },
    Script {
        name: "G2, count",
        what: "two inserts, each after counting the rows",
        steps: &[
            (1, "SELECT count(*) FROM test"),
            (2, "SELECT count(*) FROM test"),
            (1, "INSERT INTO test VALUES (3, 30)"),
            (2, "INSERT INTO test VALUES (4, 42)"),
            (1, "COMMIT"),
            (2, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.committed(2),
    },
    Script {
        name: "G2, three sessions",
        what: "a reader sees the second writer and not the first, who had read before the second wrote",
        steps: &[
            (1, "SELECT * FROM test ORDER BY id"),
            (2, "UPDATE test SET value = 25 WHERE id = 2"),
            (2, "COMMIT"),
            (3, "SELECT * FROM test ORDER BY id"),
            (3, "COMMIT"),
            (1, "UPDATE test SET value = 0 WHERE id = 1"),
            (1, "COMMIT"),
        ],
        happened: |answers| answers.committed(1) && answers.read(3, 0) == "1:10 2:25",
    },
];
