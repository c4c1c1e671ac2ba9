//! A row whose values have expired, as the server says: the ledger must say so too.
//!
//! E1: what proves it is the receipt of a row of `ledger.segments`, under the log's signed root like any other: it names a stub that holds the row.
//! E2: whoever cannot prove it has hidden a row.
//! Never: believes `ledger.expired`, which only tells where to look.

use receipts::verdict::Verdict;
use receipts::{Checkpoint, Field, Leaf, Receipt, verify_receipt};

use super::leaves::Place;
use super::sample::{self, Shown};
use super::server::Missing;
use super::{Asked, finding, inconclusive};

/// Relation of `ledger.segments`, and where its columns are that name a stub.
const SEGMENTS: u32 = 2;
const FILE: usize = 0;
const RELATION: usize = 1;
const FIRST_ROW: usize = 3;
const ROWS: usize = 4;

/// Whether the row at a place has expired (E1). The verdict says what is wrong if not.
pub async fn check(asked: &Asked<'_>, place: Place) -> Result<(), Verdict> {
    let what = format!("row {} of commit {}", place.1, place.0);
    let (relation, row_id) = locate(asked, place, &what).await?;
    let query = format!(
        "SELECT r.commit_seq, r.row FROM ledger.expired e JOIN ledger.receipts r ON r.commit_seq = e.commit_seq WHERE e.relation_id = {relation} \
         AND e.first_row_id <= {row_id} AND e.first_row_id + e.rows > {row_id} AND r.relation_id = {SEGMENTS}"
    );
    let found = asked.server.rows(&query).await.map_err(|missing| match missing {
        Missing::Denied => inconclusive("ledger.expired", "the role may not read it"),
        Missing::Expired(why) | Missing::Failed(why) => inconclusive("ledger.expired", &why),
    })?;
    for values in found {
        let number = |at: usize| values.get(at).and_then(Option::as_deref).and_then(|text| text.parse::<u64>().ok());
        let (Some(commit), Some(row)) = (number(0), number(1)) else { continue };
        let said = sample::one(asked, (commit, row)).await.map_err(|unshown| unshown.verdict(&what))?;
        if holds(&said, relation, row_id) {
            return Ok(());
        }
    }
    Err(Verdict::Tampered(finding(&what, "is not shown, and nothing in the ledger says that it has expired")))
}

/// Table and number of the row, by the leaf of its commit.
async fn locate(asked: &Asked<'_>, (commit, row): Place, what: &str) -> Result<(u32, u64), Verdict> {
    let text = asked.server.leaf_receipt(commit).await.map_err(|why| inconclusive(what, &why))?;
    match verify_receipt(text.as_bytes(), asked.policy) {
        Verdict::Valid(_) => {}
        verdict => return Err(verdict),
    }
    let receipt = Receipt::parse(text.as_bytes())?;
    let signed = Checkpoint::parse(receipt.checkpoint.text())?;
    let tampered = |why: &str| Verdict::Tampered(finding(what, why));
    let Leaf::Commit(leaf) = Leaf::decode(&receipt.leaf)? else { return Err(tampered("is of a leaf without rows")) };
    if signed.origin != asked.checkpoint.origin || receipt.index != commit {
        return Err(tampered("is of another commit"));
    }
    leaf.locate(row).map(|(span, row_id)| (span.relation, row_id)).ok_or_else(|| tampered("is of a row that its commit has not"))
}

/// Whether a row of `ledger.segments` names a stub with this row.
fn holds(said: &Shown, relation: u32, row_id: u64) -> bool {
    let bytes = |at: usize| match said.part.fields.get(at) {
        Some(Field::Shown { value: Some(value), .. }) => Some(value.as_slice()),
        _ => None,
    };
    let number = |at: usize| bytes(at).and_then(|value| value.try_into().ok()).map(u64::from_le_bytes);
    let is_stub = bytes(FILE).is_some_and(|name| name.ends_with(b".expired"));
    let (Some(of), Some(first), Some(rows)) = (number(RELATION), number(FIRST_ROW), number(ROWS)) else { return false };
    said.definition.id == SEGMENTS && is_stub && of == u64::from(relation) && row_id >= first && row_id - first < rows
}
