//! Operator classes of indexes: which a column's type has, and which is its own.
//!
//! Never: changes what an index answers, which is equality whatever its class.

use std::sync::LazyLock;

use base::{SqlError, SqlResult, SqlState};

use super::{builtin, types};

/// One of Postgres's classes for B-trees.
struct Class {
    oid: i64,
    name: &'static str,
    type_oid: i64,
    is_default: bool,
}

static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let read = |parts: &[&'static str]| {
        let [oid, _, name, _, type_oid, is_default, ..] = parts else { return None };
        Some(Class { oid: oid.parse().ok()?, name, type_oid: type_oid.parse().ok()?, is_default: *is_default == "t" })
    };
    builtin::lines("pg_opclass").filter_map(|parts| read(&parts)).collect()
});

/// The type whose classes a type's values are sorted by.
fn sorted_as(type_oid: i64) -> i64 {
    const TEXT: i64 = 25;
    const VARCHAR: i64 = 1043;
    const ANY_ARRAY: i64 = 2277;
    match type_oid {
        VARCHAR => TEXT,
        other if types::by_oid(other).is_some_and(types::Known::is_array) => ANY_ARRAY,
        other => other,
    }
}

/// Oid of the class that a column of an index has: the named one, or the type's own; 0 for none.
pub(super) fn oid(type_oid: i64, name: Option<&str>) -> i64 {
    let sorted = sorted_as(type_oid);
    let fits = |class: &&Class| match name {
        Some(name) => class.name == name,
        None => class.is_default && class.type_oid == sorted,
    };
    CLASSES.iter().find(fits).map_or(0, |class| class.oid)
}

/// Errors: 42704 for a class that is not there, 42804 for one of another type.
pub(super) fn named(type_oid: i64, name: &str) -> SqlResult<String> {
    let sorted = sorted_as(type_oid);
    let mut known = CLASSES.iter().filter(|class| class.name == name).peekable();
    if known.peek().is_none() {
        let message = format!("operator class \"{name}\" does not exist for access method \"btree\"");
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    match known.find(|class| class.type_oid == sorted) {
        Some(class) if class.is_default => Ok(String::new()),
        Some(class) => Ok(class.name.to_owned()),
        None => {
            let message = format!("operator class \"{name}\" does not accept data type {}", types::format(type_oid, None));
            Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message))
        }
    }
}
