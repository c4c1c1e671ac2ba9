//! What a run leaves: transactions as their sessions saw them, and the lists at the end.
//!
//! Never: knows what a transaction was meant to do, only what was asked and answered.

use std::collections::BTreeMap;

/// A list's name.
pub type Key = u64;
/// What is appended; in one run never twice.
pub type Element = u64;

/// A statement that was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// The element was put at the end of the list.
    Append(Key, Element),
    /// The list was read so; empty where there was no row.
    Read(Key, Vec<Element>),
}

/// How a transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// COMMIT was acknowledged.
    Committed,
    /// It was refused or rolled back, or its connection was lost before COMMIT was sent.
    Aborted,
    /// COMMIT was sent and never answered.
    Unknown,
}

/// One transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// In the order in which they were asked.
    pub steps: Vec<Step>,
    /// How it ended.
    pub end: End,
    /// When BEGIN was sent, in nanoseconds of one clock for all sessions.
    pub began_ns: u64,
    /// When the last answer came.
    pub ended_ns: u64,
}

/// A whole run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// In any order.
    pub transactions: Vec<Transaction>,
    /// Every list, read when all was over.
    pub last: BTreeMap<Key, Vec<Element>>,
}

impl Transaction {
    /// What it appended to each list, in order.
    pub fn appended(&self) -> impl Iterator<Item = (Key, Element)> {
        self.steps.iter().filter_map(|step| match step {
            Step::Append(key, element) => Some((*key, *element)),
            Step::Read(..) => None,
        })
    }

    /// What it read, in order.
    pub fn read(&self) -> impl Iterator<Item = (Key, &[Element])> {
        self.steps.iter().filter_map(|step| match step {
            Step::Append(..) => None,
            Step::Read(key, list) => Some((*key, list.as_slice())),
        })
    }
}
