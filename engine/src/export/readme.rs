//! What an export says of itself to whoever finds it.
//!
//! Never: is read by a verifier.

use super::Exported;
use crate::ledger::Ledger;

/// The file README.md.
pub(super) fn text(ledger: &Ledger, exported: &Exported) -> String {
    let Exported { size, first, end, rows } = exported;
    let (origin, last, database) = (ledger.origin(), end - 1, ledger.name());
    format!(
        "\
# Export of {database}

The log of the Shockwave ledger `{origin}`, {size} leaves, and the {rows} rows of commits {first} to {last}. It can be verified without the
server it came from:

    shockwave verify fsck FOLDER --policy POLICY
    shockwave-verify fsck FOLDER --policy POLICY        Go, Python or TypeScript; no line in common with the server

Exit code 0 says that every leaf, tile, row and definition here is what the ledger signed; 1 that something was changed, 2 that something is
malformed, 3 that a check could not be made. What was checked, and what was not, is printed.

`POLICY` is the policy file, or `--key` the key, that you pinned before, from a source you trust. `policy.txt` beside this file has the keys that the
ledger calls its own: compare them with yours. Keys that come with what they verify prove nothing.

| file | |
|---|---|
| `export` | which commits' rows are here |
| `checkpoint`, `b3/checkpoint` | the signed roots of the log, SHA-256 and BLAKE3 |
| `cosigned` | if it is here: the newest checkpoint with the cosignatures of witnesses, which covers the commits below its size |
| `tile/entries/` | the leaves, one for each commit, as C2SP tlog-tiles has them |
| `tile/`, `b3/tile/` | the hashes above them |
| `rows/` | the rows, each with its fields and their salts |
| `objects` | tables and other objects as they were before commit {first} |

The salts are here, so whoever has this folder can show any field of it to others, and prove it. Keep it as you would keep the data.
"
    )
}
