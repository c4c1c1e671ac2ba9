//! Receipts of the rows drawn, each verified as any receipt is.
//!
//! Never: takes a receipt of another row, or of a smaller log, for the one that was asked for.

use receipts::definition::TableDefinition;
use receipts::verdict::{Finding, Report, Verdict};
use receipts::{Checkpoint, FormatError, Leaf, Receipt, RowPart, verify_receipt};

use super::leaves::Place;
use super::server::Missing;
use super::{Asked, expired, finding, inconclusive};

/// A row that a receipt proves.
pub struct Shown {
    pub place: Place,
    pub row_id: u64,
    /// Its place among the commit's rows of the same table.
    pub ordinal: u64,
    pub part: RowPart,
    pub definition: TableDefinition,
}

/// Verifies the receipts of these rows; the rows themselves where all are valid.
pub async fn check(asked: &Asked<'_>, chosen: &[Place], seed: u64) -> (Verdict, Vec<Shown>) {
    let (mut shown, mut gone) = (Vec::with_capacity(chosen.len()), 0);
    for place in chosen {
        match one(asked, *place).await {
            Ok(row) => shown.push(row),
            Err(Unshown::Verdict(verdict)) => return (*verdict, Vec::new()),
            Err(Unshown::Expired(_)) => match expired::check(asked, *place).await {
                Ok(()) => gone += 1,
                Err(verdict) => return (verdict, Vec::new()),
            },
        }
    }
    let mut report = Report { subject: format!("{} receipts, drawn with seed {seed}", shown.len()), ..Report::default() };
    if let [first, .., last] = shown.as_slice() {
        report.facts.push(("from row".to_owned(), format!("{} of commit {}", first.place.1, first.place.0)));
        report.facts.push(("to row".to_owned(), format!("{} of commit {}", last.place.1, last.place.0)));
    }
    report.checked.push(format!("{} rows under the leaves of their commits, with paths to signed roots of this log", shown.len()));
    report.not_covered.push("rows that were not drawn: an export has them all".to_owned());
    if gone > 0 {
        report.checked.push(format!("of {gone} more rows drawn the ledger says, in commits under signed roots, that they have expired"));
        report.not_covered.push(format!("EXPIRED: the values of {gone} rows drawn"));
    }
    (Verdict::Valid(Box::new(report)), shown)
}

/// Why a row is not shown.
pub enum Unshown {
    /// Its values have expired, or so the server says.
    Expired(String),
    Verdict(Box<Verdict>),
}

impl Unshown {
    /// For one that has no business to expire.
    pub fn verdict(self, what: &str) -> Verdict {
        match self {
            Self::Expired(why) => inconclusive(what, &why),
            Self::Verdict(verdict) => *verdict,
        }
    }
}

impl From<Verdict> for Unshown {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(Box::new(verdict))
    }
}

impl From<FormatError> for Unshown {
    fn from(error: FormatError) -> Self {
        Verdict::from(error).into()
    }
}

/// The row at a place, which its receipt proves.
pub async fn one(asked: &Asked<'_>, place: Place) -> Result<Shown, Unshown> {
    let (commit, row) = place;
    let what = format!("receipt of row {row} of commit {commit}");
    let tampered = |why: &str| Verdict::Tampered(finding(&what, why));
    let text = asked.server.receipt(commit, row).await.map_err(|missing| match missing {
        Missing::Expired(why) => Unshown::Expired(why),
        other => inconclusive(&what, &other.told()).into(),
    })?;
    match verify_receipt(text.as_bytes(), asked.policy) {
        Verdict::Valid(_) => {}
        Verdict::Tampered(found) => return Err(Verdict::Tampered(within(&what, found)).into()),
        Verdict::Malformed(found) => return Err(Verdict::Malformed(within(&what, found)).into()),
        Verdict::Inconclusive(found) => return Err(Verdict::Inconclusive(within(&what, found)).into()),
    }
    let receipt = Receipt::parse(text.as_bytes())?;
    let signed = Checkpoint::parse(receipt.checkpoint.text())?;
    let (Leaf::Commit(leaf), Some(part)) = (Leaf::decode(&receipt.leaf)?, receipt.row) else {
        return Err(tampered("shows no row").into());
    };
    if signed.origin != asked.checkpoint.origin || receipt.index != commit || part.index != row {
        return Err(tampered("is of another row").into());
    }
    let (span, row_id) = leaf.locate(row).ok_or_else(|| tampered("is of a row that its commit has not"))?;
    let definition = TableDefinition::parse(&part.definition)?;
    Ok(Shown { place, row_id, ordinal: row_id - span.first_row, part, definition })
}

fn within(what: &str, found: Finding) -> Finding {
    Finding { what: format!("{what}: {}", found.what), ..found }
}
