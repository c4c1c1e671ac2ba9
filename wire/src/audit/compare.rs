//! What SQL answers of rows, beside what their receipts prove: the same values, for people and programs that only ever ask SQL.
//!
//! P1: values are compared as canonical bytes, not as texts.
//! P2: a row that a commit wrote is there as of that commit, and one that it deleted is not.
//! Never: compares the ledger's own tables, which have no other side.

use engine::SqlType;
use engine::canonical::{Scratch, value_bytes};
use planner::types::ColumnBuilder;
use receipts::row::{OP_DELETE, Supersedes};
use receipts::verdict::{Report, Verdict};
use receipts::{Field, RowPart};

use super::sample::{self, Shown};
use super::server::{Missing, Values};
use super::{Asked, finding, inconclusive};

/// Schema of the ledger's own tables.
const LEDGER: &str = "ledger";

/// Compares the rows. Inconclusive where the role may not read some of them.
pub async fn check(asked: &Asked<'_>, shown: &[Shown]) -> Verdict {
    let (mut compared, mut own, mut hidden, mut redacted, mut past) = (0, 0, 0, 0, 0);
    let mut denied: Vec<String> = Vec::new();
    for row in shown {
        let table = format!("{}.{}", row.definition.schema, row.definition.name);
        if row.definition.schema == LEDGER {
            own += 1;
            continue;
        }
        hidden += row.part.fields.iter().filter(|field| matches!(field, Field::Hidden(_))).count();
        redacted += row.part.fields.iter().filter(|field| matches!(field, Field::Erased(_))).count();
        match one(asked, row).await {
            Ok(()) => compared += 1,
            Err(Refused::Denied) if denied.contains(&table) => {}
            Err(Refused::Denied) => denied.push(table),
            Err(Refused::Expired) => past += 1,
            Err(Refused::Verdict(verdict)) => return verdict,
        }
    }
    if !denied.is_empty() {
        let why = format!("the role may not read {}; grant SELECT, or leave the comparison out with --no-compare", denied.join(", "));
        return inconclusive("SQL", &why);
    }
    let mut report = Report { subject: format!("{compared} rows are in SQL what their receipts prove"), ..Report::default() };
    report.checked.push("each value as of the commit that wrote it, and that what was deleted is gone".to_owned());
    report.not_covered.push(format!("{own} rows drawn are of the ledger's own tables"));
    if past > 0 {
        report.not_covered.push(format!("{past} rows drawn are of moments of which other rows of their tables have expired"));
    }
    if hidden > 0 {
        report.not_covered.push(format!("the values of {hidden} hidden fields"));
    }
    if redacted > 0 {
        report.not_covered.push(format!("the values of {redacted} redacted fields, which SQL answers as NULL"));
    }
    Verdict::Valid(Box::new(report))
}

enum Refused {
    Denied,
    /// The moment cannot be read any more.
    Expired,
    Verdict(Verdict),
}

async fn one(asked: &Asked<'_>, shown: &Shown) -> Result<(), Refused> {
    let (commit, row) = shown.place;
    let what = format!("row {row} of commit {commit}, of {}.{}", shown.definition.schema, shown.definition.name);
    let tampered = |why: &str| Refused::Verdict(Verdict::Tampered(finding(&what, why)));
    let gone = |row_id: u64| query(shown, "1", row_id);
    if shown.part.header.op == OP_DELETE {
        let superseded = match shown.part.header.supersedes {
            Supersedes::Row(row_id) => row_id,
            // Written and ended by one commit: in SQL it never was.
            Supersedes::Own(_) | Supersedes::None => return Ok(()),
        };
        return match ask(asked, &what, &gone(superseded)).await?.as_slice() {
            [] => Ok(()),
            _ => Err(tampered("is a deletion, and SQL still answers the row")),
        };
    }
    let visible = shown.definition.columns.iter().zip(&shown.part.fields).filter(|(_, field)| !matches!(field, Field::Hidden(_)));
    let columns: Vec<String> = visible.map(|(column, _)| quoted(&column.name)).collect();
    let list = if columns.is_empty() { "1".to_owned() } else { columns.join(", ") };
    match ask(asked, &what, &query(shown, &list, shown.row_id)).await?.as_slice() {
        [_] if columns.is_empty() => {}
        [values] => match differs(&shown.part, &shown.definition.columns, values) {
            None => {}
            Some(_) if erased_meanwhile(asked, shown, values).await? => {}
            Some(column) => return Err(tampered(&format!("has another value in SQL in column \"{column}\""))),
        },
        [] if ended_at_once(asked, shown).await? => {}
        [] => return Err(tampered("is not in SQL as of its commit")),
        _ => return Err(tampered("is in SQL more than once")),
    }
    Ok(())
}

/// Whether what SQL answers is what the row's receipt proves by now: its subject may have been erased since the first was made.
async fn erased_meanwhile(asked: &Asked<'_>, shown: &Shown, values: &Values) -> Result<bool, Refused> {
    // A server that has shown the row a moment ago does not get away with calling it expired now.
    let again = sample::one(asked, shown.place).await.map_err(|unshown| Refused::Verdict(unshown.verdict("a receipt asked for again")))?;
    Ok(differs(&again.part, &again.definition.columns, values).is_none())
}

/// Whether the commit itself ended the row, which SQL then never showed: the receipt of what ended it proves it.
async fn ended_at_once(asked: &Asked<'_>, shown: &Shown) -> Result<bool, Refused> {
    let (relation, row_id, commit) = (shown.definition.id, shown.row_id, shown.place.0);
    let query =
        format!("SELECT row FROM ledger.receipts WHERE commit_seq = {commit} AND relation_id = {relation} AND supersedes = {row_id}");
    for found in ask(asked, "ledger.receipts", &query).await? {
        let Some(row) = found.first().and_then(Option::as_deref).and_then(|row| row.parse().ok()) else { continue };
        let ending = sample::one(asked, (commit, row)).await.map_err(|unshown| Refused::Verdict(unshown.verdict("ledger.receipts")))?;
        if ending.definition.id == relation && ending.part.header.supersedes == Supersedes::Own(shown.ordinal) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn query(shown: &Shown, list: &str, row_id: u64) -> String {
    let (schema, table, commit) = (quoted(&shown.definition.schema), quoted(&shown.definition.name), shown.place.0);
    format!("SELECT {list} FROM {schema}.{table} FOR SYSTEM_TIME AS OF COMMIT {commit} WHERE _row_id = {row_id}")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn ask(asked: &Asked<'_>, what: &str, query: &str) -> Result<Vec<Values>, Refused> {
    asked.server.rows(query).await.map_err(|missing| match missing {
        Missing::Denied => Refused::Denied,
        Missing::Expired(_) => Refused::Expired,
        Missing::Failed(why) => Refused::Verdict(inconclusive(what, &why)),
    })
}

/// The first column whose value is another one (P1).
fn differs<'c>(part: &RowPart, columns: &'c [receipts::definition::ColumnDefinition], values: &Values) -> Option<&'c str> {
    let shown = columns.iter().zip(&part.fields).filter_map(|(column, field)| match field {
        Field::Shown { value, .. } => Some((column, value.as_ref())),
        // What is erased is NULL in SQL.
        Field::Erased(_) => Some((column, None)),
        Field::Hidden(_) => None,
    });
    let mut values = values.iter();
    for (column, proven) in shown {
        let answered = values.next()?;
        let is_same = match (proven, answered) {
            (None, None) => true,
            (Some(proven), Some(text)) => canonical(column.oid, text).is_some_and(|bytes| bytes == *proven),
            _ => false,
        };
        if !is_same {
            return Some(&column.name);
        }
    }
    None
}

/// The canonical bytes of a value in the text that SQL shows.
fn canonical(oid: u32, text: &str) -> Option<Vec<u8>> {
    let sql_type = SqlType::from_oid(oid)?;
    let mut builder = ColumnBuilder::new(sql_type, 1);
    builder.append_text(text.as_bytes()).ok()?;
    let array = builder.finish();
    let mut scratch = Scratch::default();
    Some(value_bytes(sql_type, &array, 0, &mut scratch).to_vec())
}
