//! Every leaf of the log, read through SQL: they give the signed root, and rows are drawn from them.
//!
//! V1: memory is bounded by the sample, whatever the size of the log.
//! V2: the same seed over the same log draws the same rows; every row of the log is as likely as any other.
//! Never: believes what a leaf says before the root is that of the checkpoint.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use receipts::verdict::{Finding, Report, Verdict};
use receipts::{Checkpoint, Frontier, Leaf, Sha256Tree};

use super::server::{Server, next_leaf};
use super::{finding, inconclusive};

/// A row of the log: its commit and its place there.
pub type Place = (u64, u64);

/// Reads the log that a checkpoint is of, and draws rows from it.
pub async fn check(server: &Server, checkpoint: &Checkpoint, sample: usize, seed: u64) -> (Verdict, Vec<Place>) {
    let mut drawing = Drawing::new(sample, seed);
    let mut counted = Counted::default();
    let verdict = match read(server, checkpoint, &mut drawing, &mut counted).await {
        Ok(report) => Verdict::Valid(Box::new(report)),
        Err(verdict) => verdict,
    };
    let chosen = if matches!(verdict, Verdict::Valid(_)) { drawing.places() } else { Vec::new() };
    (verdict, chosen)
}

#[derive(Default)]
struct Counted {
    commits: u64,
    rows: u64,
}

async fn read(server: &Server, checkpoint: &Checkpoint, drawing: &mut Drawing, counted: &mut Counted) -> Result<Report, Verdict> {
    let tampered = |index: u64, why: String| Verdict::Tampered(Finding { what: format!("leaf {index}"), why, checked: Vec::new() });
    let failed = |why: String| inconclusive("server", &why);
    let ledger = receipts::checkpoint::ledger_of_origin(&checkpoint.origin)
        .ok_or_else(|| Verdict::Malformed(finding("checkpoint", "has an origin that is no ledger's")))?;
    let mut frontier = Frontier::<Sha256Tree>::new();
    let mut rows = server.leaves(checkpoint.size).await.map_err(failed)?;
    let mut last_us = i64::MIN;
    while let Some((index, bytes)) = next_leaf(&mut rows).await.map_err(failed)? {
        if index != frontier.size() {
            return Err(tampered(frontier.size(), format!("is not there: the next is {index}")));
        }
        let leaf = Leaf::decode(&bytes).map_err(|error| tampered(index, error.to_string()))?;
        if leaf.seq() != index || leaf.ledger() != ledger {
            return Err(tampered(index, "says that it is another's".to_owned()));
        }
        frontier.append(receipts::leaf::leaf_hashes(&bytes).0, |_, _, _| {});
        if leaf.time_us() < last_us {
            return Err(tampered(index, "is older than the one before it".to_owned()));
        }
        last_us = leaf.time_us();
        if let Leaf::Commit(commit) = &leaf {
            counted.commits += 1;
            counted.rows += commit.n_rows;
            drawing.offer(index, commit.n_rows);
        }
    }
    if frontier.size() != checkpoint.size {
        let why = format!("gives {} of {} leaves", frontier.size(), checkpoint.size);
        return Err(Verdict::Tampered(finding("ledger.commits", &why)));
    }
    if frontier.root() != checkpoint.root {
        let why = format!("{} leaves do not give the signed root", checkpoint.size);
        return Err(Verdict::Tampered(finding("ledger.commits", &why)));
    }
    let mut report = Report { subject: format!("{} leaves give the signed root", checkpoint.size), ..Report::default() };
    report.facts = vec![("commits".to_owned(), counted.commits.to_string()), ("rows".to_owned(), counted.rows.to_string())];
    report.checked = vec![
        format!(
            "each of the {} leaves is canonical, says the ledger and the place it stands at, and is not older than the one before it",
            checkpoint.size
        ),
        "their SHA-256 tree has the root of the checkpoint: none was left out, added or changed".to_owned(),
    ];
    Ok(report)
}

/// A uniform sample of a stream whose length is not known (V2): the slots, and which number comes next.
struct Drawing {
    wanted: usize,
    rng: ChaCha8Rng,
    slots: Vec<Place>,
    /// Rows offered.
    seen: u64,
}

impl Drawing {
    fn new(wanted: usize, seed: u64) -> Self {
        Self { wanted, rng: ChaCha8Rng::seed_from_u64(seed), slots: Vec::new(), seen: 0 }
    }

    /// The rows of one commit.
    fn offer(&mut self, commit: u64, rows: u64) {
        for row in 0..rows {
            self.seen += 1;
            if self.slots.len() < self.wanted {
                self.slots.push((commit, row));
                continue;
            }
            let at = self.below(self.seen);
            if let Some(slot) = usize::try_from(at).ok().and_then(|at| self.slots.get_mut(at)) {
                *slot = (commit, row);
            }
        }
    }

    /// A number below `bound`, each as likely as the others.
    fn below(&mut self, bound: u64) -> u64 {
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.rng.next_u64();
            if number < zone {
                return number % bound;
            }
        }
    }

    fn places(mut self) -> Vec<Place> {
        self.slots.sort_unstable();
        self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_as_likely_as_the_others() {
        let mut hits = [0u32; 50];
        for seed in 0..4_000 {
            let mut drawing = Drawing::new(5, seed);
            for (commit, rows) in [(0, 10), (1, 0), (2, 1), (3, 39)] {
                drawing.offer(commit, rows);
            }
            let places = drawing.places();
            assert_eq!(places.len(), 5);
            for (commit, row) in places {
                let first = [0, 10, 10, 11][usize::try_from(commit).unwrap()];
                hits[first + usize::try_from(row).unwrap()] += 1;
            }
        }
        // 400 hits each are expected; six standard deviations are 114.
        assert!(hits.iter().all(|hits| (286..=514).contains(hits)), "{hits:?}");
    }

    #[test]
    fn a_short_log_is_taken_whole_and_a_seed_draws_again_what_it_drew() {
        let draw = |seed, wanted| {
            let mut drawing = Drawing::new(wanted, seed);
            drawing.offer(3, 4);
            drawing.offer(9, 2);
            drawing.places()
        };
        assert_eq!(draw(1, 10), [(3, 0), (3, 1), (3, 2), (3, 3), (9, 0), (9, 1)]);
        assert_eq!(draw(7, 3), draw(7, 3));
        assert!((0..20).any(|seed| draw(seed, 3) != draw(7, 3)));
    }
}
