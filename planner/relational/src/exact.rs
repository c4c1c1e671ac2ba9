//! Types of exact numbers, and which of them holds what an operator answers.
//!
//! E1: one of Arrow's decimals is the type of a result only if every result has its scale in PostgreSQL too, and no result has more digits than it:
//!     then columns stay as quick as Arrow is. Everything else is `numeric` of any length.
//! Never: looks at a value.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType};
use datafusion::logical_expr::Operator;

use crate::layouts;

/// An exact type's digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Digits {
    /// So many before and after the point, in every value.
    Fixed {
        whole: u32,
        scale: u32,
    },
    Any,
}

fn digits(data_type: &DataType) -> Option<Digits> {
    let fixed = |precision: u8, scale: i8| match u32::try_from(scale) {
        Ok(scale) => Digits::Fixed { whole: u32::from(precision).saturating_sub(scale), scale },
        Err(_) => Digits::Any,
    };
    Some(match data_type {
        DataType::Int16 => fixed(5, 0),
        DataType::Int32 => fixed(10, 0),
        DataType::Int64 => fixed(19, 0),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => fixed(*precision, *scale),
        any if layouts::is_any_numeric(any) => Digits::Any,
        _ => return None,
    })
}

/// Whether values of this type are integers or numeric.
pub(crate) fn is_exact(data_type: &DataType) -> bool {
    digits(data_type).is_some()
}

/// Whether values of this type are `numeric`, of any layout.
pub(crate) fn is_numeric(data_type: &DataType) -> bool {
    is_exact(data_type) && !data_type.is_integer()
}

/// `numeric` of any length if that is the one type in which values of all these types keep their display scales; `None` if they are not all exact, or
/// one of Arrow's types does.
pub(crate) fn common(types: &[DataType]) -> Option<DataType> {
    let all: Vec<Digits> = types.iter().filter(|data_type| !data_type.is_null()).map(digits).collect::<Option<_>>()?;
    if !types.iter().any(is_numeric) {
        return None;
    }
    let scale = |digits: &Digits| match digits {
        Digits::Fixed { scale, .. } => Some(*scale),
        Digits::Any => None,
    };
    let first = scale(all.first()?);
    let is_one_scale = first.is_some() && all.iter().all(|digits| scale(digits) == first);
    (!is_one_scale).then(layouts::any_numeric)
}

/// How an operator is computed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// As Arrow does it on these types.
    AsTheyAre,
    /// As Arrow does it on wider decimals.
    Cast(DataType, DataType),
    /// On numbers of any length.
    Long,
}

/// The way of `left op right`; `None` if one of them is not exact, or neither is numeric.
pub(crate) fn way(op: Operator, left: &DataType, right: &DataType) -> Option<Way> {
    let (left_digits, right_digits) = (digits(left)?, digits(right)?);
    if !is_numeric(left) && !is_numeric(right) {
        return None;
    }
    let (Digits::Fixed { whole, scale }, Digits::Fixed { whole: other_whole, scale: other_scale }) = (left_digits, right_digits) else {
        return Some(Way::Long);
    };
    let most = scale.max(other_scale);
    let (precision, cast_to) = match op {
        Operator::Divide => return Some(Way::Long),
        Operator::Multiply => (whole + scale + other_whole + other_scale, None),
        Operator::Plus | Operator::Minus => (whole.max(other_whole) + most + 1, None),
        // Both are brought to one type first.
        _ => (whole.max(other_whole) + most, Some(most)),
    };
    if precision <= u32::from(DECIMAL128_MAX_PRECISION) {
        return Some(Way::AsTheyAre);
    }
    if precision > u32::from(DECIMAL256_MAX_PRECISION) {
        return Some(Way::Long);
    }
    let wide = |precision: u32, scale: u32| DataType::Decimal256(precision as u8, scale as i8);
    Some(match cast_to {
        Some(scale) => Way::Cast(wide(precision, scale), wide(precision, scale)),
        None => Way::Cast(wide(whole + scale, scale), wide(other_whole + other_scale, other_scale)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_s_decimals_hold_what_they_can() {
        let money = DataType::Decimal128(15, 2);
        assert_eq!(way(Operator::Plus, &money, &DataType::Int32), Some(Way::AsTheyAre));
        assert_eq!(way(Operator::Multiply, &money, &money), Some(Way::AsTheyAre));
        assert_eq!(way(Operator::Divide, &money, &money), Some(Way::Long));
        assert_eq!(way(Operator::Plus, &layouts::any_numeric(), &money), Some(Way::Long));
        assert_eq!(way(Operator::Plus, &DataType::Int32, &DataType::Int32), None);
        assert_eq!(way(Operator::Plus, &money, &DataType::Float64), None);
        let product = DataType::Decimal128(31, 4);
        assert_eq!(way(Operator::Multiply, &product, &money), Some(Way::Cast(DataType::Decimal256(31, 4), DataType::Decimal256(15, 2))));
        let (large, fine) = (DataType::Decimal128(38, 0), DataType::Decimal128(38, 38));
        assert_eq!(way(Operator::Lt, &large, &fine), Some(Way::Cast(DataType::Decimal256(76, 38), DataType::Decimal256(76, 38))));
        assert_eq!(way(Operator::Plus, &large, &fine), Some(Way::Long));
    }

    #[test]
    fn values_of_one_scale_share_a_decimal() {
        let (cents, tenths) = (DataType::Decimal128(5, 2), DataType::Decimal128(9, 1));
        assert_eq!(common(&[cents.clone(), DataType::Decimal128(9, 2)]), None);
        assert_eq!(common(&[cents.clone(), tenths]), Some(layouts::any_numeric()));
        assert_eq!(common(&[cents.clone(), DataType::Int32]), Some(layouts::any_numeric()));
        assert_eq!(common(&[cents.clone(), DataType::Null]), None);
        assert_eq!(common(&[cents, DataType::Float64]), None);
        assert_eq!(common(&[DataType::Int32, DataType::Int64]), None);
    }
}
