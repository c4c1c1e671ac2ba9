//! `pg_type`: the types that columns can have, those that the catalog's own columns have, and what drivers look up at start.
//!
//! Y1: rows are those of PostgreSQL 15 (`types.txt`); having a row here does not mean that a column can have the type.

use std::sync::LazyLock;

use super::cells::{Row, row};
use super::oids;
use super::scene::Scene;

/// One type.
pub(super) struct Known {
    pub(super) oid: i64,
    pub(super) name: &'static str,
    pub(super) len: i64,
    pub(super) by_value: bool,
    kind: &'static str,
    pub(super) category: &'static str,
    pub(super) is_preferred: bool,
    pub(super) element: i64,
    pub(super) array: i64,
    pub(super) align: &'static str,
    pub(super) storage: &'static str,
    pub(super) collation: i64,
    /// Oids of `typinput`, `typoutput`, `typreceive`, `typsend`, `typmodin`, `typmodout`, `typanalyze`, `typsubscript`.
    functions: [i64; 8],
}

static KNOWN: LazyLock<Vec<Known>> =
    LazyLock::new(|| include_str!("types.txt").lines().filter(|line| !line.starts_with('#')).filter_map(read).collect());

impl Known {
    /// Whether it is a type of arrays rather than of vectors or of something else.
    pub(super) fn is_array(&self) -> bool {
        self.category == "A" && self.name.starts_with('_')
    }
}

fn read(line: &'static str) -> Option<Known> {
    let words: Vec<&'static str> = line.split(' ').collect();
    let [oid, name, len, by_value, kind, category, is_preferred, element, array, align, storage, collation, functions @ ..] =
        words.as_slice()
    else {
        return None;
    };
    let functions = functions.iter().map(|oid| oid.parse().ok()).collect::<Option<Vec<i64>>>()?;
    Some(Known {
        oid: oid.parse().ok()?,
        name,
        len: len.parse().ok()?,
        by_value: *by_value == "t",
        kind,
        category,
        is_preferred: *is_preferred == "t",
        element: element.parse().ok()?,
        array: array.parse().ok()?,
        align,
        storage,
        collation: collation.parse().ok()?,
        functions: functions.try_into().ok()?,
    })
}

pub(super) fn by_oid(oid: i64) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.oid == oid)
}

/// By `typname`.
pub(super) fn named(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

pub(super) fn rows(_scene: &Scene) -> Vec<Row> {
    let row = |known: &Known| {
        row![
            "oid": known.oid,
            "typname": known.name,
            "typnamespace": oids::PG_CATALOG,
            "typowner": oids::OWNER,
            "typlen": known.len,
            "typbyval": known.by_value,
            "typtype": known.kind,
            "typcategory": known.category,
            "typispreferred": known.is_preferred,
            "typisdefined": true,
            "typdelim": ",",
            "typsubscript": known.functions[7],
            "typelem": known.element,
            "typarray": known.array,
            "typinput": known.functions[0],
            "typoutput": known.functions[1],
            "typreceive": known.functions[2],
            "typsend": known.functions[3],
            "typmodin": known.functions[4],
            "typmodout": known.functions[5],
            "typanalyze": known.functions[6],
            "typalign": known.align,
            "typstorage": known.storage,
            "typtypmod": -1,
            "typcollation": known.collation,
        ]
    };
    KNOWN.iter().map(row).collect()
}

/// The SQL name of a type with a modifier, as Postgres's `format_type` gives it; `???` for an oid that is not there.
pub(super) fn format(oid: i64, typmod: Option<i64>) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let Some(known) = by_oid(oid) else { return "???".to_owned() };
    if known.is_array() {
        return format!("{}[]", format(known.element, typmod));
    }
    let length = typmod.filter(|typmod| *typmod > 4).map(|typmod| typmod - 4);
    let digits = typmod.filter(|typmod| (0..6).contains(typmod));
    match (known.name, length) {
        ("bool", _) => "boolean".to_owned(),
        ("int2", _) => "smallint".to_owned(),
        ("int4", _) => "integer".to_owned(),
        ("int8", _) => "bigint".to_owned(),
        ("float4", _) => "real".to_owned(),
        ("float8", _) => "double precision".to_owned(),
        ("varchar", Some(length)) => format!("character varying({length})"),
        ("varchar", None) => "character varying".to_owned(),
        ("bpchar", Some(length)) => format!("character({length})"),
        ("bpchar", None) => "character".to_owned(),
        // The scale has eleven bits, the highest of which is its sign.
        ("numeric", Some(packed)) => format!("numeric({},{})", packed >> 16, ((packed & 0x7ff) ^ 0x400) - 0x400),
        ("timestamp" | "timestamptz" | "time", _) if digits.is_some() => {
            let (name, zone) = (known.name.trim_end_matches("tz"), if known.name.ends_with("tz") { "with" } else { "without" });
            format!("{name}({}) {zone} time zone", digits.unwrap_or(6))
        }
        ("interval", _) if typmod.is_some_and(|typmod| typmod >= 0) => format!("interval({})", typmod.unwrap_or(6) & 0xffff),
        ("timestamp", _) => "timestamp without time zone".to_owned(),
        ("timestamptz", _) => "timestamp with time zone".to_owned(),
        ("time", _) => "time without time zone".to_owned(),
        ("timetz", _) => "time with time zone".to_owned(),
        ("varbit", _) => "bit varying".to_owned(),
        ("char", _) => "\"char\"".to_owned(),
        ("any", _) => "\"any\"".to_owned(),
        (name, _) => name.to_owned(),
    }
}

/// The oid of a type by its SQL name or its `typname`.
pub(super) fn oid_of(name: &str) -> Option<i64> {
    let name = name.trim().strip_prefix("pg_catalog.").unwrap_or(name.trim());
    let alias = match name {
        "int" => "integer",
        "decimal" => "numeric",
        other => other,
    };
    let found = named(alias).or_else(|| KNOWN.iter().find(|known| format(known.oid, None) == alias));
    found.map(|known| known.oid)
}
