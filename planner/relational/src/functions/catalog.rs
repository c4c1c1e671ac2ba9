//! Types of the catalog that lie like others: casts to them, and the functions whose answers have them.
//!
//! F16: Arrow tells neither `name` from `text` nor `regclass` from `oid`; a column is of such a type if a table declares it so, or if it is the
//!      answer of a function of [`DECLARED`].
//! Never: looks an oid up; functions of the caller's do.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use base::SqlResult;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::native::{no_match, strict};

/// Longest `name`, bytes.
const NAME_BYTES_MAX: usize = 63;

const CHAR: u32 = 18;
const NAME: u32 = 19;
const XID: u32 = 28;
const NAMES: u32 = 1003;
const REGTYPE: u32 = 2206;
const VOID: u32 = 2278;

/// Functions, their answers' oids, and whether such an oid is shown by the name that another function gives it.
const DECLARED: [(&str, u32); 24] = [
    ("as_name", NAME),
    ("as_char", CHAR),
    ("as_xid", XID),
    ("current_catalog", NAME),
    ("current_database", NAME),
    ("current_role", NAME),
    ("current_schema", NAME),
    ("current_schemas", NAMES),
    ("current_user", NAME),
    ("getdatabaseencoding", NAME),
    ("pg_client_encoding", NAME),
    ("pg_encoding_to_char", NAME),
    ("pg_get_userbyid", NAME),
    ("pg_notify", VOID),
    ("pg_sleep", VOID),
    ("pg_typeof", REGTYPE),
    ("regclassin", 2205),
    ("regnamespacein", 4089),
    ("regprocedurein", 2202),
    ("regprocin", 24),
    ("regrolein", 4096),
    ("regtypein", REGTYPE),
    ("session_user", NAME),
    ("user", NAME),
];

/// Types whose values are oids that leave with the names they are shown by, and the caller's function that adds those.
const SHOWN: [(u32, &str); 6] = [
    (24, "regproc_shown"),
    (2202, "regprocedure_shown"),
    (2205, "regclass_shown"),
    (REGTYPE, "regtype_shown"),
    (4089, "regnamespace_shown"),
    (4096, "regrole_shown"),
];

/// The type that a function's answer is declared to have, where its layout does not tell.
pub(crate) fn declared(function: &str) -> Option<u32> {
    if function.starts_with("pg_advisory_") && !function.contains("unlock_shared") && function != "pg_advisory_unlock" {
        return Some(VOID);
    }
    if let Some(kind) = function.strip_prefix("to_reg") {
        return DECLARED.iter().find(|(name, _)| name.strip_prefix("reg") == Some(&format!("{kind}in"))).map(|(_, oid)| *oid);
    }
    DECLARED.iter().find(|(name, _)| *name == function).map(|(_, oid)| *oid)
}

/// The function that shows values of this type.
pub(crate) fn shown_by(oid: u32) -> Option<&'static str> {
    SHOWN.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name)
}

/// Casts to types that lie like others.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        strict("as_name", text, |_| DataType::Utf8, |args, _, _| Ok(cut(&args[0], NAME_BYTES_MAX))),
        strict("as_char", text, |_| DataType::Utf8, |args, _, _| Ok(cut(&args[0], 1))),
        strict("as_xid", number, |_| DataType::UInt32, |args, _, _| Ok(Arc::clone(&args[0])) as SqlResult<ArrayRef>),
    ]
}

fn text(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 1 { Ok(vec![DataType::Utf8]) } else { no_match() }
}

fn number(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 1 { Ok(vec![DataType::UInt32]) } else { no_match() }
}

/// Each text's first bytes, cut between characters.
fn cut(texts: &ArrayRef, bytes: usize) -> ArrayRef {
    let cut = |text: &str| text[..text.floor_char_boundary(bytes)].to_owned();
    Arc::new(texts.as_string::<i32>().iter().map(|text| text.map(cut)).collect::<StringArray>())
}
