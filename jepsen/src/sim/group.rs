//! Commits that the engine decides as one group: handed in while the committer is held in the answer to the commit before.
//!
//! G1: what is in a group is the seed's choice, not the scheduler's.

use std::sync::mpsc::{self, Receiver, Sender};

use base::SqlError;
use engine::{Committed, Transaction};

use super::driver::{ANSWER_MAX, Driver, Halt, Run, halted, violation};
use super::statements::single;
use crate::model::Delta;

type Answer = (usize, Result<Option<Committed>, SqlError>);

impl Driver {
    /// A gate commit and, behind it, two to six commits in one group; now and then two of them want the same key.
    pub(super) fn group(&mut self) -> Run {
        let ledger = self.ledger()?;
        let names: Vec<String> = self.model.tables.keys().cloned().collect();
        let count = 2 + self.dice.below(5) as usize;
        let mut members: Vec<(Transaction, Delta)> = Vec::with_capacity(count + 1);
        for _ in 0..=count {
            let name = self.dice.pick(&names).clone();
            let row = self.next_row();
            let fresh = self.versions.cast_signed();
            // The key of the member before, perhaps: then one of the two must lose.
            let again = members.last().and_then(|(_, delta)| delta.tables.get(&name)?.keys.keys().next().copied());
            let key = if self.dice.percent(15) { again.unwrap_or(fresh) } else { fresh };
            members.push(single(&ledger, &self.model, &name, key, row).map_err(|error| halted("group insert", error))?);
        }
        self.say(|| format!("group of {count} behind one"));
        let answers = self.submit(members)?;
        let mut halt = None;
        for (answer, delta) in answers {
            match self.answered(answer, &delta) {
                Ok(()) => {}
                Err(Halt::Fault(error)) => halt = Some(Halt::Fault(error)),
                Err(violation) => return Err(violation),
            }
        }
        halt.map_or(Ok(()), Err)
    }

    /// Hands all in, the first alone and the others together (G1); answers in the order handed in.
    #[expect(clippy::type_complexity, reason = "each answer stays beside what was asked")]
    fn submit(&self, members: Vec<(Transaction, Delta)>) -> Run<Vec<(Result<Option<Committed>, SqlError>, Delta)>> {
        let (sender, receiver): (Sender<Answer>, Receiver<Answer>) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let mut deltas = Vec::with_capacity(members.len());
        let mut answers = Vec::with_capacity(members.len());
        let mut members = members.into_iter().enumerate();
        if let Some((at, (transaction, delta))) = members.next() {
            deltas.push(delta);
            let (sender, here) = (sender.clone(), std::thread::current().id());
            transaction.commit(Box::new(move |answer| {
                // Receivers outlive both; a refusal on the submitting thread must not wait for itself.
                let _ = sender.send((at, answer));
                if std::thread::current().id() != here {
                    let _ = gate.recv_timeout(ANSWER_MAX);
                }
            }));
            answers.push(take(&receiver)?);
        }
        for (at, (transaction, delta)) in members {
            deltas.push(delta);
            let sender = sender.clone();
            transaction.commit(Box::new(move |answer| {
                // The receiver waits below.
                let _ = sender.send((at, answer));
            }));
        }
        drop(open);
        while answers.len() < deltas.len() {
            answers.push(take(&receiver)?);
        }
        answers.sort_by_key(|(at, _)| *at);
        Ok(answers.into_iter().map(|(_, answer)| answer).zip(deltas).collect())
    }
}

fn take(receiver: &Receiver<Answer>) -> Run<Answer> {
    match receiver.recv_timeout(ANSWER_MAX) {
        Ok(answer) => Ok(answer),
        Err(_) => violation("a commit of a group was never answered"),
    }
}
