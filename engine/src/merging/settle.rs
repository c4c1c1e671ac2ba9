//! What a crash and a restore leave of a merge.
//!
//! Never: removes a file that holds the only copy of a row.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{RowId, SqlResult};
use hashbrown::HashMap;

use super::put_in_place;
use crate::ledger::Ledger;
use crate::sealed_files::recorded;
use crate::sealer::{ACTOR, info_of};
use crate::segment::Segment;
use crate::segment::name::SegmentName;
use crate::table::TableState;

/// At start: of a merge that no commit says, what was merged is put back; where that is not there, as after a restore to a commit before the merge, the
/// merge is committed now (J4). Errors: XX001, 53100, 58030.
pub(crate) fn settle(ledger: &Arc<Ledger>) -> SqlResult<()> {
    let mut known: Option<HashMap<String, (RowId, String)>> = None;
    for state in ledger.table_states() {
        for merged in state.layout().segments.iter().filter(|segment| segment.name().merged_rows.is_some()) {
            let recorded = match &known {
                Some(known) => known,
                None => known.insert(recorded(&ledger.begin(ACTOR))?),
            };
            let names = [merged.name().whole(), merged.name().stub()];
            if !names.iter().any(|name| recorded.contains_key(&name.file(state.id))) {
                settle_one(ledger, &state, merged, recorded)?;
            }
        }
    }
    Ok(())
}

fn settle_one(ledger: &Arc<Ledger>, state: &TableState, merged: &Segment, recorded: &HashMap<String, (RowId, String)>) -> SqlResult<()> {
    let io = &*ledger.options().io;
    let folder = format!("segments/{}/", state.id);
    let within: BTreeMap<u64, (SegmentName, RowId)> = recorded
        .iter()
        .filter_map(|(file, (row, _))| Some((SegmentName::parse(file.strip_prefix(&folder)?)?, *row)))
        .filter(|(name, _)| (merged.first_row()..merged.end()).contains(&name.first_row))
        .map(|(name, row)| (name.first_row, (name, row)))
        .collect();
    let (mut parts, mut end) = (Vec::new(), merged.first_row());
    for (name, _) in within.values() {
        let path = ledger.folder().join(name.file(state.id));
        if name.first_row != end || !io.exists(&path) {
            break;
        }
        let part = Segment::open(io, &path)?;
        end = part.end();
        parts.push(Arc::new(part));
    }
    if end == merged.end() && state.exchange_segments(&parts) {
        return ledger.remove_files(&[merged.path().to_owned()]);
    }
    if within.is_empty() {
        // It is recorded as a segment that was sealed.
        return Ok(());
    }
    let mut transaction = ledger.begin(ACTOR);
    let rows: Vec<RowId> = within.into_values().map(|(_, row)| row).collect();
    put_in_place(&mut transaction, &rows, &info_of(merged.file(), merged)?)?;
    transaction.commit_blocking()?;
    Ok(())
}
