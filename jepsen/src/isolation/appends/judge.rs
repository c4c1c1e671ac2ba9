//! Says what is wrong with a history at a level of isolation, in Adya's terms (Adya, Liskov and O'Neil, ICDE 2000).
//!
//! G1: what no level allows is looked for first: writes that were acknowledged and are lost, or refused and are there, half a transaction, lists that do
//!     not grow by their ends, and what a transaction did not see of itself.
//! G2: only then are cycles looked for; they make sense only where lists have one order.
//! Never: takes the server's word for which transactions committed beyond what sessions were told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::dependencies::{Dependencies, Kind};
use super::history::{Element, End, History, Key, Step, Transaction};

/// What is promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// No G0, G1a, G1b, G1c.
    ReadCommitted,
    /// Snapshot isolation: besides, no cycle without two anti-dependencies in a row (G-single and its kin), and no lost update.
    RepeatableRead,
    /// Strict: one order of all transactions explains everything, and it is that of time where they did not overlap.
    Serializable,
}

impl Level {
    /// Weakest first.
    pub const ALL: [Self; 3] = [Self::ReadCommitted, Self::RepeatableRead, Self::Serializable];

    /// As SQL names it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}

/// What was found where nothing is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// Transactions that committed, those included whose COMMIT was never answered and whose elements are there.
    pub committed: usize,
    /// Such that nobody was told of.
    pub committed_unanswered: usize,
    /// Refused, rolled back or lost before COMMIT.
    pub aborted: usize,
    /// Dependencies between two transactions, those of time not counted.
    pub dependencies: usize,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { committed, committed_unanswered, aborted, dependencies } = self;
        write!(
            f,
            "{committed} transactions committed, {committed_unanswered} of them unanswered, {aborted} did not, {dependencies} dependencies"
        )
    }
}

/// Judges a history. Errors: the first promise of `level` that is broken, with the transactions that show it.
pub fn judge(history: &History, level: Level) -> Result<Verdict, String> {
    let writers = writers(history)?;
    let committed = committed(history, &writers)?;
    for at in &committed {
        check_reads(history, &writers, *at)?;
    }
    let dependencies = Dependencies::of(history, &writers, &committed);
    if let Some(cycle) = dependencies.cycle(level) {
        let steps: Vec<String> = cycle.iter().map(|(at, how)| format!("{}\n  {how}", shown(&history.transactions[*at]))).collect();
        return Err(format!("a cycle that {} excludes ({}):\n{}", level.sql(), name(&cycle), steps.join("\n")));
    }
    let is_unanswered = |at: &&usize| history.transactions[**at].end == End::Unknown;
    Ok(Verdict {
        committed: committed.len(),
        committed_unanswered: committed.iter().filter(is_unanswered).count(),
        aborted: history.transactions.len() - committed.len(),
        dependencies: dependencies.count(),
    })
}

/// Who appended an element.
pub(super) type Writers = BTreeMap<(Key, Element), usize>;

fn writers(history: &History) -> Result<Writers, String> {
    let mut writers = Writers::new();
    for (at, transaction) in history.transactions.iter().enumerate() {
        for of in transaction.appended() {
            if writers.insert(of, at).is_some() {
                return Err(format!("the run appended {of:?} twice: it cannot be judged"));
            }
        }
    }
    Ok(writers)
}

/// Which transactions committed, by index. G1.
fn committed(history: &History, writers: &Writers) -> Result<Vec<usize>, String> {
    let mut there = BTreeSet::new();
    for (key, list) in &history.last {
        for element in list {
            if !writers.contains_key(&(*key, *element)) {
                return Err(format!("list {key} has {element}, which nobody appended"));
            }
            if !there.insert((*key, *element)) {
                return Err(format!("list {key} has {element} twice"));
            }
        }
    }
    let mut committed = Vec::new();
    for (at, transaction) in history.transactions.iter().enumerate() {
        let (all, found) = (transaction.appended().count(), transaction.appended().filter(|of| there.contains(of)).count());
        match transaction.end {
            End::Committed if found < all => return Err(format!("lost: an acknowledged transaction's append: {}", shown(transaction))),
            End::Aborted if found > 0 => {
                return Err(format!("G1a: an append of a transaction that did not commit: {}", shown(transaction)));
            }
            End::Unknown if found > 0 && found < all => return Err(format!("half a transaction is there: {}", shown(transaction))),
            End::Unknown if found == 0 => {}
            End::Aborted => {}
            End::Committed | End::Unknown => committed.push(at),
        }
    }
    Ok(committed)
}

/// G1: whether what one transaction read can have been there.
fn check_reads(history: &History, writers: &Writers, at: usize) -> Result<(), String> {
    let transaction = &history.transactions[at];
    let mut own: BTreeMap<Key, Vec<Element>> = BTreeMap::new();
    for step in &transaction.steps {
        let (key, list) = match step {
            Step::Append(key, element) => {
                own.entry(*key).or_default().push(*element);
                continue;
            }
            Step::Read(key, list) => (*key, list),
        };
        let whole = history.last.get(&key).map_or(&[][..], Vec::as_slice);
        let why = if list.iter().any(|element| {
            writers.get(&(key, *element)).is_none_or(|writer| history.transactions[*writer].end == End::Aborted && *writer != at)
        }) {
            "G1a: it read what a transaction wrote that did not commit"
        } else if !list.ends_with(own.get(&key).map_or(&[][..], Vec::as_slice)) {
            "it did not read what it had appended itself"
        } else if !whole.starts_with(list) {
            "what it read is not how the list began"
        } else if is_intermediate(history, writers, at, key, list) {
            "G1b: it read what a transaction wrote before that one's last write"
        } else {
            continue;
        };
        return Err(format!("{why}: list {key} read as {list:?}, at the end {whole:?}: {}", shown(transaction)));
    }
    Ok(())
}

/// Whether a list ends amid what another transaction appended to it.
fn is_intermediate(history: &History, writers: &Writers, reader: usize, key: Key, list: &[Element]) -> bool {
    let foreign =
        list.iter().rev().find_map(|element| writers.get(&(key, *element)).filter(|writer| **writer != reader).map(|w| (*w, *element)));
    foreign.is_some_and(|(writer, element)| {
        let last = history.transactions[writer].appended().filter(|(of, _)| *of == key).last();
        last.is_some_and(|(_, last)| last != element)
    })
}

/// Adya's name for a cycle.
fn name(cycle: &[(usize, Kind)]) -> &'static str {
    let count = |kind: Kind| cycle.iter().filter(|(_, how)| *how == kind).count();
    match (count(Kind::Anti), count(Kind::Read), count(Kind::Time)) {
        (0, 0, 0) => "G0",
        (0, _, 0) => "G1c",
        (0, ..) => "a commit that came before one that had ended when it began",
        (1, ..) => "G-single",
        _ => "G2",
    }
}

/// A transaction in a line.
fn shown(transaction: &Transaction) -> String {
    let steps: Vec<String> = transaction
        .steps
        .iter()
        .map(|step| match step {
            Step::Append(key, element) => format!("append {element} to {key}"),
            Step::Read(key, list) => format!("read {key} as {list:?}"),
        })
        .collect();
    format!("{:?} {}..{} ns: {}", transaction.end, transaction.began_ns, transaction.ended_ns, steps.join(", "))
}
