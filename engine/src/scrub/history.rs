//! Entry bundles, tiles and checkpoints: both trees are grown anew from the leaves and compared with every file.
//!
//! Never: takes a checkpoint that is sealed meanwhile for damage.

use std::collections::HashMap;
use std::sync::Arc;

use base::{SqlError, SqlResult};
use receipts::tiles::{TileId, TileKind, decode_entries};
use receipts::{Finding, KeyLeaf, Leaf, Policy, Verdict};

use super::{Damage, Pace};
use crate::checkpoints;
use crate::fsck::tiles::Trees;
use crate::fsck::{Checked, Request, Stop, check_checkpoints, check_newest_copies, malformed, tampered};
use crate::ledger::Ledger;

/// Why a look ended.
enum End {
    Damage(Stop),
    Stopped(SqlError),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        Self::Damage(stop)
    }
}

impl From<SqlError> for End {
    fn from(error: SqlError) -> Self {
        Self::Stopped(error)
    }
}

/// The first thing that is wrong with them. Errors: 57P01 when the server stops; 58030.
pub(super) fn look(ledger: &Arc<Ledger>, pace: &mut Pace<'_>) -> SqlResult<Vec<Damage>> {
    let stop = match compare(ledger, pace) {
        Ok(()) => return Ok(Vec::new()),
        Err(End::Stopped(error)) => return Err(error),
        Err(End::Damage(stop)) => *stop,
    };
    match stop {
        Verdict::Tampered(Finding { what, why, .. })
        | Verdict::Malformed(Finding { what, why, .. })
        | Verdict::Inconclusive(Finding { what, why, .. }) => Ok(vec![ledger.damage(&what, None, why, false)]),
        Verdict::Valid(_) => Ok(Vec::new()),
    }
}

fn compare(ledger: &Arc<Ledger>, pace: &mut Pace<'_>) -> Result<(), End> {
    let (io, folder) = (&ledger.options().io, ledger.folder());
    let sizes = checkpoints::sizes(&**io, folder)?;
    let Some(sealed) = sizes.last().copied() else { return Ok(()) };
    let (mut trees, mut checked, mut keys) = (Trees::new(io, folder, sealed), Checked::default(), Vec::new());
    let mut roots = HashMap::from([(0, trees.roots())]);
    while trees.size() < sealed {
        let before = checked.tiles;
        let bytes = bundle(ledger, &mut trees, sealed, (&sizes, &mut roots, &mut keys), &mut checked)?;
        // Beside the bundle itself, each tile holds at most 256 hashes, and most of them are of the lowest level.
        let tiles = checked.tiles - before;
        pace.read(1 + tiles, 2 * bytes + tiles * 8_192)?;
    }
    trees.finish(&mut checked)?;
    // The newest checkpoint may still be by keys that have been replaced since.
    let own = |error: receipts::FormatError| SqlError::internal(format!("own policy: {error}"));
    let named: Vec<_> = keys.iter().map(|leaf| leaf.verifiers().map(|[sha, _]| sha)).collect::<Result<_, _>>().map_err(own)?;
    let policy = Policy::of_logs(&named.iter().collect::<Vec<_>>()).map_err(own)?;
    let request = Request { folder, policy: &policy, pinned: None, threads: 1 };
    check_checkpoints(io, &request, ledger.origin(), &sizes, &roots, &keys, &mut checked)?;
    pace.read(2 * sizes.len() as u64, 0)?;
    ledger.sealer().between_seals(|| -> Result<(), End> { Ok(check_newest_copies(io, folder, &checkpoints::sizes(&**io, folder)?)?) })
}

type Roots = HashMap<u64, (receipts::Hash, receipts::Hash)>;

/// Feeds the trees the next bundle; its bytes.
fn bundle(
    ledger: &Ledger,
    trees: &mut Trees,
    sealed: u64,
    (sizes, roots, keys): (&[u64], &mut Roots, &mut Vec<KeyLeaf>),
    checked: &mut Checked,
) -> Result<u64, Stop> {
    let first = trees.size();
    let tile = TileId::holding(TileKind::Entries, first, sealed).ok_or_else(|| malformed("entries", "a commit is past the sealed size"))?;
    let name = tile.path();
    let bytes = ledger.options().io.open(&ledger.folder().join(&name)).and_then(|file| file.read_all());
    let bytes = bytes.map_err(|error| malformed(&name, format!("it cannot be read: {error}")))?;
    let entries = decode_entries(&bytes).map_err(|error| malformed(&name, error.to_string()))?;
    if entries.len() != usize::from(tile.width) {
        return Err(malformed(&name, format!("it holds {} entries, not {}", entries.len(), tile.width)));
    }
    for entry in entries {
        let seq = trees.size();
        let leaf = Leaf::decode(entry).map_err(|error| malformed(format!("{name} (commit {seq})"), error.to_string()))?;
        if leaf.seq() != seq {
            return Err(tampered(format!("{name} (commit {seq})"), format!("it calls itself commit {}", leaf.seq())));
        }
        if let Leaf::Key(leaf) = leaf {
            keys.push(leaf);
        }
        trees.append(entry, checked)?;
        if sizes.binary_search(&trees.size()).is_ok() {
            roots.insert(trees.size(), trees.roots());
        }
    }
    Ok(bytes.len() as u64)
}
