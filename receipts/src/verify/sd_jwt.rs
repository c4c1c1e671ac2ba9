//! The checks of an SD-JWT: its signature, then each opening against its digest and its field's commitment, then those of the disclosure it amounts to.
//!
//! Y1: the key is one that the policy pins for the ledger that it says has issued it, and that ledger is the checkpoint's.
//! Y2: an opening counts only for a field of the row whose digests name it, and only with salt and value that give the field's commitment.
//!
//! Never: believes the text of a value: what is shown is spelled from its bytes.
//! Format: docs/formats/sd-jwt.md.

use std::collections::HashMap;

use super::disclosure::check_commits;
use super::{Failure, open_checkpoint, tampered};
use crate::FormatError;
use crate::definition::TableDefinition;
use crate::disclosure::Row;
use crate::hash::Hash;
use crate::note::{KeyType, VerifierKey, hex};
use crate::policy::Policy;
use crate::quote::format_name;
use crate::receipt::Field;
use crate::sd_jwt::{Opening, SdJwt};
use crate::verdict::Report;

pub(super) fn check(bytes: &[u8], policy: &Policy, report: &mut Report) -> Result<(), Failure> {
    let mut parsed = SdJwt::parse(bytes)?;
    check_signature(&parsed, policy)?;
    let issuer = format_name(&parsed.issuer);
    report.check(format!("signature of {issuer} over the SD-JWT, with a pinned key (strict Ed25519)"));
    let checkpoint = open_checkpoint(&parsed.disclosure.checkpoint, policy, report)?;
    if checkpoint.origin != parsed.issuer {
        return tampered("issuer", format!("{issuer} is not the ledger of the checkpoint, {}", format_name(&checkpoint.origin)));
    }
    open_all(&mut parsed)?;
    let count = parsed.openings.len();
    report.check(format!("{count} SD-JWT disclosures, each with its digest in the payload and the commitment of its field"));
    check_commits(&parsed.disclosure, &checkpoint, report)
}

/// Y1.
fn check_signature(parsed: &SdJwt, policy: &Policy) -> Result<(), Failure> {
    let issuer = format_name(&parsed.issuer);
    let is_own = |key: &&VerifierKey| key.key_type() == KeyType::Ed25519 && key.name() == parsed.issuer;
    let keys: Vec<&VerifierKey> = policy.logs().iter().filter(is_own).collect();
    if keys.is_empty() {
        return Err(Failure::Inconclusive("authenticity".to_owned(), format!("the policy pins no key for {issuer}")));
    }
    let Some(key) = keys.into_iter().find(|key| key.key_id() == parsed.key_id) else {
        return tampered("signature", format!("is by key {}, which is not pinned for {issuer}", hex(parsed.key_id)));
    };
    if key.verify_bytes(parsed.signed.as_bytes(), &parsed.signature) {
        Ok(())
    } else {
        tampered("signature", format!("of pinned key {issuer} does not verify over the SD-JWT"))
    }
}

/// Puts what the openings say into the rows of the disclosure (Y2). A definition is read once, however many fields are opened under it.
fn open_all(parsed: &mut SdJwt) -> Result<(), Failure> {
    let places: HashMap<Hash, usize> =
        parsed.digests.iter().enumerate().flat_map(|(row, digests)| digests.iter().map(move |digest| (*digest, row))).collect();
    let (mut rows, mut definitions) = (Vec::new(), Vec::new());
    for table in parsed.disclosure.commits.iter_mut().flat_map(|commit| &mut commit.tables) {
        rows.extend(table.rows.iter_mut().map(|row| (row, definitions.len())));
        definitions.push((&table.definition, None));
    }
    for (at, opening) in parsed.openings.iter().enumerate() {
        let what = format!("SD-JWT disclosure {}", at + 1);
        let Some((row, table)) = places.get(&opening.digest).and_then(|place| rows.get_mut(*place)) else {
            return tampered(&what, "has no digest in the payload");
        };
        let (bytes, known) = &mut definitions[*table];
        let definition = match known {
            Some(definition) => definition,
            none => none.insert(TableDefinition::parse(bytes).map_err(|error| Failure::from(error).at(&what))?),
        };
        open(row, definition, opening, &what)?;
    }
    Ok(())
}

fn open(row: &mut Row, definition: &TableDefinition, opening: &Opening, what: &str) -> Result<(), Failure> {
    let name = format_name(&opening.column);
    let mut fields = definition.columns.iter().zip(&mut row.fields);
    let Some((column, field)) = fields.find(|(column, _)| column.name == opening.column) else {
        return tampered(what, format!("is of column {name}, which its row has not"));
    };
    let Field::Hidden(commitment) = *field else {
        return tampered(what, format!("is of column {name}, which is not hidden"));
    };
    let value = opening.value.bytes(column.oid);
    let value = value.ok_or_else(|| FormatError::new(what, format!("is not as a value of column {name} is written")))?;
    let opened = Field::Shown { salt: opening.salt, value };
    if opened.commitment(column.id, column.oid) != commitment {
        return tampered(what, format!("does not open the commitment of column {name}"));
    }
    *field = opened;
    Ok(())
}
