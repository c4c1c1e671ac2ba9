//! What a witness is asked, and what its answer means.
//!
//! R1: a cosignature counts once it verifies over the very text that was handed in, with the key of the policy.
//! R2: an answer of a size below the one offered is asked again from there at once, a few times; one above it says that the witness knows more.
//! Never: takes a size from an answer that does not call itself one.

use std::sync::Arc;

use engine::Ledger;
use hyper::StatusCode;
use receipts::consistency::ConsistencyProof;
use receipts::note::{Note, NoteSignature, parse_signatures};

use super::witnesses::Asked;
use crate::http_client::{Answer, Client};

/// Sizes that a witness may name in one try.
const SIZES_MAX: usize = 4;
/// What a checkpoint is handed in as.
const KIND: &str = "text/plain; charset=utf-8";

/// A checkpoint that is offered.
#[derive(Clone)]
pub(crate) struct Offer {
    pub size: u64,
    pub note: Note,
}

/// What came of offering a checkpoint.
pub(crate) enum Outcome {
    /// A line of the witness's own, and the time in it.
    Cosigned(NoteSignature, u64),
    /// It has cosigned so many commits already: more than were offered, and no more than there are.
    KnowsMore(u64),
    /// Nothing, and why.
    Failed(String),
}

/// Offers a checkpoint to a witness that has cosigned `old` commits, as far as is known.
pub(crate) async fn offer(ledger: &Arc<Ledger>, asked: &Asked, client: &mut Client, offer: &Offer, mut old: u64) -> Outcome {
    for _ in 0..SIZES_MAX {
        let Some(path) = ledger.growth(old, offer.size) else { return Outcome::Failed(format!("there is no proof from {old} commits")) };
        let proof = ConsistencyProof { old_size: old, path, checkpoint: offer.note.clone() };
        let answer = match client.post(KIND, proof.to_string().into()).await {
            Ok(answer) => answer,
            Err(why) => return Outcome::Failed(why),
        };
        match size_in(&answer) {
            Some(size) if size > offer.size => return known_more(ledger, size),
            Some(size) if size != old => old = size,
            _ => return read(asked, offer, &answer),
        }
    }
    Outcome::Failed("it names another size each time".to_owned())
}

fn size_in(answer: &Answer) -> Option<u64> {
    let is_size = answer.status == StatusCode::CONFLICT && answer.kind == "text/x.tlog.size";
    let text = std::str::from_utf8(&answer.body).ok().filter(|_| is_size)?;
    text.strip_suffix('\n')?.parse().ok()
}

fn known_more(ledger: &Ledger, size: u64) -> Outcome {
    let own = ledger.checkpoint().state.size;
    if size <= own {
        return Outcome::KnowsMore(size);
    }
    Outcome::Failed(format!("it has cosigned {size} commits, the ledger has {own}: the ledger was rolled back, or a copy of it writes on"))
}

fn read(asked: &Asked, offer: &Offer, answer: &Answer) -> Outcome {
    if answer.status != StatusCode::OK {
        return Outcome::Failed(answer.complaint());
    }
    let lines = match parse_signatures(&String::from_utf8_lossy(&answer.body)) {
        Ok(lines) => lines,
        Err(error) => return Outcome::Failed(format!("answered with no signature lines: {error}")),
    };
    let own = lines.into_iter().find(|line| asked.key.is_of(line));
    match own.map(|line| (asked.key.verify(offer.note.text(), &line), line)) {
        Some((Ok(time), line)) => Outcome::Cosigned(line, time),
        Some((Err(_), _)) => Outcome::Failed("answered with a cosignature that does not verify".to_owned()),
        None => Outcome::Failed("answered without a cosignature by its key".to_owned()),
    }
}
