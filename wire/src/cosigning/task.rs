//! When which witness is asked: one checkpoint at a time is offered to all, and the next once a quorum has cosigned it or nobody is being asked.
//!
//! K1: a new checkpoint is offered at once where somebody waits for it, else within [`OFFER_EVERY`].
//! K2: what a quorum has cosigned is kept, and kept again as more lines come, until the next checkpoint is offered.
//! K3: an outage is told on standard error once when it begins and once when it ends.
//! Never: offers a checkpoint that is not published.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base::{OsRng, Rng};
use engine::{Ledger, WitnessState};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use receipts::note::{Note, NoteSignature};
use tokio::time::Instant;

use super::round::{Offer, Outcome, offer};
use super::witnesses::{Asked, Witnesses};
use crate::http_client::Client;

/// How often new checkpoints are offered where nobody waits.
const OFFER_EVERY: Duration = Duration::from_secs(1);
/// What slower witnesses get once a quorum stands, before the next checkpoint is offered.
const SLOWER: Duration = Duration::from_millis(100);
/// The first pause after an error; each that follows is twice as long, up to the last. What is waited is drawn between half of it and all.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// A witness that is asked, between two requests.
struct Waiting {
    asked: Asked,
    client: Client,
    /// Commits it has cosigned, as far as is known.
    old: u64,
    failures: u32,
    not_before: Option<Instant>,
}

type Request = Pin<Box<dyn Future<Output = (Waiting, Offer, Outcome)> + Send>>;

/// The checkpoint that is being offered, and who has cosigned it.
struct Round {
    offer: Offer,
    begun: Instant,
    lines: Vec<(String, NoteSignature)>,
    is_met: bool,
}

/// Everything one ledger's task knows.
struct Task {
    ledger: Arc<Ledger>,
    witnesses: Arc<Witnesses>,
    idle: Vec<Waiting>,
    flying: FuturesUnordered<Request>,
    round: Option<Round>,
}

/// Asks the witnesses of a policy for a ledger until it is closed.
pub(crate) async fn run(ledger: Arc<Ledger>, witnesses: Arc<Witnesses>) {
    let kept = ledger.cosigned();
    let note = kept.as_ref().and_then(|kept| Note::parse(&kept.note).ok());
    let waiting = |asked: &Asked| {
        let time = note.as_ref().and_then(|note| asked.key.cosigned(note).ok().flatten());
        let size = kept.as_ref().filter(|_| time.is_some()).map(|kept| kept.size);
        ledger.tell_of_witness(&asked.name, |state| (state.size, state.cosigned_us) = (size, time.and_then(micros)));
        let client = Client::new(asked.address.clone(), witnesses.tls().cloned());
        Waiting { asked: asked.clone(), client, old: size.unwrap_or(0), failures: 0, not_before: None }
    };
    let idle = witnesses.asked().iter().map(waiting).collect();
    Task { ledger, witnesses, idle, flying: FuturesUnordered::new(), round: None }.run().await;
}

impl Task {
    async fn run(mut self) {
        let mut looked = Instant::now();
        let mut is_wanted = false;
        loop {
            let now = Instant::now();
            let is_due = is_wanted || now >= looked + OFFER_EVERY || self.round.is_none();
            if is_due && self.may_go_on(now) {
                looked = now;
                self.begin_round(now);
            }
            self.ask(now);
            is_wanted = false;
            let (offered, may_go_on) = (self.round.as_ref().map_or(0, |round| round.offer.size), self.may_go_on(now));
            let wake = self.wakes_at(looked, now);
            tokio::select! {
                Some((waiting, offer, outcome)) = self.flying.next() => self.take(waiting, &offer, outcome).await,
                // Whoever waits is heard once the next checkpoint may be offered.
                is_open = self.ledger.until_wanted(offered), if may_go_on => if is_open { is_wanted = true } else { return },
                () = tokio::time::sleep_until(wake) => {
                    if self.ledger.is_closed() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether the next checkpoint may be offered.
    fn may_go_on(&self, now: Instant) -> bool {
        let is_over = |round: &Round| self.flying.is_empty() || (round.is_met && now >= round.begun + SLOWER);
        self.round.as_ref().is_none_or(is_over)
    }

    /// When there may be something to do without an answer or a wish.
    fn wakes_at(&self, looked: Instant, now: Instant) -> Instant {
        let pauses = self.idle.iter().filter_map(|waiting| waiting.not_before);
        let slower = self.round.iter().filter(|round| round.is_met && !self.flying.is_empty()).map(|round| round.begun + SLOWER);
        pauses.chain(slower).filter(|at| *at > now).fold((looked + OFFER_EVERY).max(now + Duration::from_millis(10)), Instant::min)
    }

    /// Offers the newest checkpoint, if it is new.
    fn begin_round(&mut self, now: Instant) {
        let newest = self.ledger.checkpoint();
        if self.round.as_ref().is_some_and(|round| round.offer.size >= newest.state.size) {
            return;
        }
        match Note::parse(&newest.sha_note) {
            Ok(note) => {
                let offer = Offer { size: newest.state.size, note };
                self.round = Some(Round { offer, begun: now, lines: Vec::new(), is_met: false });
            }
            Err(error) => eprintln!("database {}: its own checkpoint cannot be read: {error}", self.ledger.name()),
        }
    }

    /// Asks every witness that is to be asked and is not being asked (C1).
    fn ask(&mut self, now: Instant) {
        let Some(round) = &self.round else { return };
        let is_due = |waiting: &Waiting| {
            let has_cosigned = round.lines.iter().any(|(name, _)| *name == waiting.asked.name);
            // One that knows more than is offered is asked when there is more to offer.
            !has_cosigned && waiting.old <= round.offer.size && waiting.not_before.is_none_or(|at| now >= at)
        };
        for mut waiting in self.idle.extract_if(.., |waiting| is_due(waiting)) {
            let (ledger, of_round) = (Arc::clone(&self.ledger), round.offer.clone());
            self.flying.push(Box::pin(async move {
                let outcome = offer(&ledger, &waiting.asked, &mut waiting.client, &of_round, waiting.old).await;
                (waiting, of_round, outcome)
            }));
        }
    }

    async fn take(&mut self, mut waiting: Waiting, of: &Offer, outcome: Outcome) {
        let name = waiting.asked.name.clone();
        let tried_us = self.ledger.options().clock.now_us();
        match outcome {
            Outcome::Cosigned(line, time) => {
                waiting.old = waiting.old.max(of.size);
                self.succeeded(&mut waiting, tried_us, |state| {
                    state.size = Some(of.size);
                    state.cosigned_us = micros(time);
                });
                let is_of_round = self.round.as_ref().is_some_and(|round| round.offer.size == of.size);
                self.idle.push(waiting);
                if is_of_round {
                    self.add(name, line).await;
                }
            }
            Outcome::KnowsMore(size) => {
                waiting.old = size;
                self.succeeded(&mut waiting, tried_us, |state| state.size = Some(size));
                self.idle.push(waiting);
            }
            Outcome::Failed(why) => {
                self.failed(&mut waiting, tried_us, why);
                self.idle.push(waiting);
            }
        }
    }

    fn succeeded(&self, waiting: &mut Waiting, tried_us: i64, change: impl FnOnce(&mut WitnessState)) {
        if waiting.failures > 0 {
            eprintln!("database {}: witness {} answers again", self.ledger.name(), waiting.asked.name);
        }
        (waiting.failures, waiting.not_before) = (0, None);
        self.ledger.tell_of_witness(&waiting.asked.name, |state| {
            (state.tried_us, state.error, state.failing_since_us) = (Some(tried_us), None, None);
            change(state);
        });
    }

    fn failed(&self, waiting: &mut Waiting, tried_us: i64, why: String) {
        if waiting.failures == 0 {
            eprintln!("database {}: witness {} does not cosign: {why}", self.ledger.name(), waiting.asked.name);
        }
        waiting.failures = waiting.failures.saturating_add(1);
        waiting.not_before = Some(Instant::now() + pause(waiting.failures, &OsRng));
        self.ledger.tell_of_witness(&waiting.asked.name, |state| {
            (state.tried_us, state.error) = (Some(tried_us), Some(why));
            state.failing_since_us.get_or_insert(tried_us);
        });
    }

    /// Adds a line to what is offered; keeps it where a quorum stands behind it (C2, K2).
    async fn add(&mut self, name: String, line: NoteSignature) {
        let Some(round) = &mut self.round else { return };
        round.lines.push((name, line));
        let has_cosigned = |name: &str| round.lines.iter().any(|(known, _)| known == name);
        if !self.witnesses.policy().is_met(|witness| has_cosigned(&witness.name)) {
            return;
        }
        round.is_met = true;
        let mut note = round.offer.note.clone();
        for witness in self.witnesses.asked() {
            let own = round.lines.iter().filter(|(name, _)| *name == witness.name);
            for (_, line) in own {
                if let Err(error) = note.add(line.clone()) {
                    eprintln!("database {}: a cosignature was left out: {error}", self.ledger.name());
                }
            }
        }
        let ledger = Arc::clone(&self.ledger);
        let kept = tokio::task::spawn_blocking(move || ledger.keep_cosigned(&note)).await;
        if let Ok(Err(error)) = kept
            && !self.ledger.is_closed()
        {
            eprintln!("database {}: a cosigned checkpoint could not be kept: {error}", self.ledger.name());
        }
    }
}

/// Seconds that a witness states, as µs; `None` for what no timestamp holds.
fn micros(seconds: u64) -> Option<i64> {
    i64::try_from(seconds).ok()?.checked_mul(1_000_000)
}

/// How long a witness is left alone after so many errors in a row.
fn pause(failures: u32, rng: &dyn Rng) -> Duration {
    let whole = PAUSE_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(PAUSE_MAX);
    let mut drawn = [0; 2];
    rng.fill(&mut drawn);
    whole / 2 + whole / 2 * u32::from(u16::from_le_bytes(drawn)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use base::SeededRng;

    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_are_drawn() {
        let rng = SeededRng::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for failures in [1, 2, 3, 7, 30, u32::MAX] {
            let whole = PAUSE_MIN.saturating_mul(1 << (failures - 1).min(16)).min(PAUSE_MAX);
            for _ in 0..100 {
                let pause = pause(failures, &rng);
                assert!(whole / 2 <= pause && pause <= whole, "{pause:?} after {failures}");
                seen.insert(pause);
            }
        }
        assert!(seen.len() > 300, "{}", seen.len());
    }
}
