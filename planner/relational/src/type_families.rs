//! Which types can be compared with one another, and what several of one family have in common.
//!
//! Y4: of the types of one family the widest is the common one; there is none of two families.
//! Never: sees an expression.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::type_coercion::binary::{comparison_coercion, type_union_resolution};

use crate::exact;
use crate::layouts::{self, INTERVAL, TIME, UUID};

/// Types that can be compared with one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Bool,
    Number,
    Text,
    Bytes,
    /// Dates and timestamps.
    Moment,
    Time,
    Span,
    Uuid,
    Json,
    Jsonb,
    Array,
}

/// The family of a type; `None` for NULL's and for what has none, such as rows.
pub(crate) fn family(data_type: &DataType) -> Option<Family> {
    Some(match data_type {
        DataType::Boolean => Family::Bool,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Family::Moment,
        DataType::Time32(_) | DataType::Time64(_) => Family::Time,
        DataType::Interval(_) | DataType::Duration(_) => Family::Span,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Family::Bytes,
        DataType::Dictionary(_, values) => return family(values),
        other if *other == UUID => Family::Uuid,
        other if other.is_numeric() || layouts::is_any_numeric(other) => Family::Number,
        other if layouts::is_text(other) => Family::Text,
        other if layouts::is_json(other) => Family::Json,
        other if layouts::is_jsonb(other) => Family::Jsonb,
        other if layouts::element(other).is_some() => Family::Array,
        _ => return None,
    })
}

/// The type that a literal is read as beside a value of this type.
pub(crate) fn beside(data_type: &DataType) -> DataType {
    match data_type {
        // The digits are the literal's own.
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => layouts::any_numeric(),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| "UTC".into())),
        DataType::Time32(_) | DataType::Time64(_) => TIME,
        DataType::Interval(_) | DataType::Duration(_) => INTERVAL,
        DataType::Date64 => DataType::Date32,
        other if other.is_unsigned_integer() => DataType::Int64,
        other => other.clone(),
    }
}

/// Places of a type among those it can become without being asked.
fn rank(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::Date32 | DataType::Date64 => 0,
        DataType::Int32 | DataType::UInt16 | DataType::Timestamp(_, None) => 1,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 | DataType::Timestamp(_, Some(_)) => 2,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => 3,
        any if layouts::is_any_numeric(any) => 3,
        DataType::Float16 | DataType::Float32 => 4,
        _ => 5,
    }
}

/// The common type of several (Y4), `None` of none. Errors: two that have none.
pub(crate) fn common(types: &[DataType]) -> std::result::Result<Option<DataType>, (DataType, DataType)> {
    let Some((first, rest)) = types.split_first() else { return Ok(None) };
    let mut found = first.clone();
    for next in rest.iter().filter(|next| !next.is_null()) {
        if *next == found {
            continue;
        }
        if found.is_null() {
            found = next.clone();
            continue;
        }
        let clash = || (found.clone(), next.clone());
        match (family(&found), family(next)) {
            (Some(left), Some(right)) if left != right => return Err(clash()),
            (Some(Family::Number), _) => {
                let is_decimal = rank(&found).max(rank(next)) == 3;
                let both = [found.clone(), next.clone()];
                let decimal = is_decimal.then(|| exact::common(&both).or_else(|| type_union_resolution(&both))).flatten();
                found = decimal.unwrap_or_else(|| if rank(next) > rank(&found) { next.clone() } else { found.clone() });
            }
            (Some(Family::Moment), _) if rank(next) > rank(&found) => found = next.clone(),
            (Some(Family::Array), _) => {
                let elements = layouts::element(&found).zip(layouts::element(next));
                match elements.and_then(|(left, right)| common_element(left, right)) {
                    Some(element) => found = layouts::array_of(element),
                    None => return Err(clash()),
                }
            }
            (Some(_), Some(_)) => {}
            _ => return Err(clash()),
        }
    }
    Ok(Some(found))
}

/// The one type that elements of both are brought to.
pub(crate) fn common_element(left: &DataType, right: &DataType) -> Option<DataType> {
    let is_unknown = |data_type: &DataType| data_type.is_null() || *data_type == DataType::Utf8;
    if left == right {
        return Some(left.clone());
    }
    if left.is_null() {
        return Some(right.clone());
    }
    if right.is_null() {
        return Some(left.clone());
    }
    // A string literal has whatever type stands beside it.
    match (is_unknown(left), is_unknown(right)) {
        (true, _) => Some(right.clone()),
        (_, true) => Some(left.clone()),
        _ => exact::common(&[left.clone(), right.clone()]).or_else(|| comparison_coercion(left, right)),
    }
}
