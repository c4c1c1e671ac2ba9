//! Types of what has none: a text literal takes the type of what stands beside it, and types of different families do not meet.
//!
//! U1: a literal is «unknown» where it stands bare; under a cast, or as a column of a subquery, it is text.
//! Never: chooses a function.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit};
use base::{SqlError, SqlState};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable};

use crate::calls::call;
use crate::clock::Clock;
use crate::functions::conversions::convert;
use crate::functions::types;
use crate::layouts;
use crate::type_families::{beside, common};
use crate::values::datetime::{ClockWord, clock_word};

/// Whether an expression is a text literal without a type (U1).
pub(crate) fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_literal(&alias.expr),
        other => matches!(other, Expr::Literal(ScalarValue::Utf8(_), _)),
    }
}

/// Whether an expression says nothing of its type: a bare text literal, NULL, or a parameter that has none yet.
pub(crate) fn is_unknown(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_unknown(&alias.expr),
        Expr::Literal(ScalarValue::Null, _) | Expr::Placeholder(Placeholder { field: None, .. }) => true,
        other => is_literal(other),
    }
}

/// The literal as a value of this type; anything else as it is.
pub(crate) fn typed(expr: Expr, data_type: &DataType) -> Result<Expr> {
    match expr {
        Expr::Alias(mut alias) => {
            alias.expr = Box::new(typed(*alias.expr, data_type)?);
            Ok(Expr::Alias(alias))
        }
        Expr::Literal(ScalarValue::Utf8(Some(text)), metadata) => match by_clock(&text, data_type)? {
            Some(moment) => Ok(moment),
            None if layouts::is_text(data_type) => Ok(Expr::Literal(ScalarValue::Utf8(Some(text)), metadata)),
            None => match read_at_once(&text, data_type)? {
                Some(value) => Ok(Expr::Literal(value, metadata)),
                None => Ok(Expr::Cast(Cast::new(Box::new(Expr::Literal(ScalarValue::Utf8(Some(text)), metadata)), data_type.clone()))),
            },
        },
        other => Ok(other),
    }
}

/// The value of a literal whose reading depends on no session. Errors: those of the type's input.
pub(crate) fn read_at_once(text: &str, data_type: &DataType) -> Result<Option<ScalarValue>> {
    let is_plain = matches!(
        data_type,
        DataType::Boolean | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Float32 | DataType::Float64
    );
    if !is_plain {
        return Ok(None);
    }
    let texts: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let read = convert(&texts, data_type).map_err(|error| DataFusionError::External(Box::new(error)))?;
    ScalarValue::try_from_array(&read, 0).map(Some)
}

/// `'now'`, `'today'` and their like, which mean another value in every run.
pub(crate) fn by_clock(text: &str, data_type: &DataType) -> Result<Option<Expr>> {
    let Some(word) = clock_word(text) else { return Ok(None) };
    let day = |by: i32| match by {
        0 => Ok(Clock::Date.placeholder()),
        by => call("date_pli", vec![Clock::Date.placeholder(), Expr::Literal(ScalarValue::Int32(Some(by)), None)]),
    };
    let midnight = |by: i32| Ok::<_, DataFusionError>(Expr::Cast(Cast::new(Box::new(day(by)?), beside(data_type))));
    Ok(Some(match (data_type, word) {
        (DataType::Date32, ClockWord::Now) => day(0)?,
        (DataType::Date32, ClockWord::Day(by)) => day(by)?,
        (DataType::Timestamp(_, Some(_)), ClockWord::Now) => Clock::Transaction.placeholder(),
        (DataType::Timestamp(_, None), ClockWord::Now) => Clock::Local.placeholder(),
        (DataType::Timestamp(..), ClockWord::Day(by)) => midnight(by)?,
        (DataType::Timestamp(..), ClockWord::At(by, micros)) => {
            let day = Expr::Cast(Cast::new(Box::new(day(by)?), DataType::Timestamp(TimeUnit::Microsecond, None)));
            let clock = Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, micros * 1_000))), None);
            Expr::Cast(Cast::new(Box::new(call("timestamp_pl_interval", vec![day, clock])?), beside(data_type)))
        }
        (DataType::Date32, ClockWord::At(by, _)) => day(by)?,
        (DataType::Time64(_), ClockWord::Now) => Clock::Time.placeholder(),
        _ => return Ok(None),
    }))
}

/// The type of an expression as it will be once its literals have theirs. `None` for one without a type.
pub(crate) fn type_of(expr: &Expr, schema: &DFSchema) -> Result<Option<DataType>> {
    let of_choice = |results: Vec<&Expr>| -> Result<Option<DataType>> {
        let mut known = Vec::new();
        for result in results.into_iter().filter(|result| !is_unknown(result)) {
            known.extend(type_of(result, schema)?);
        }
        Ok(Some(common(&known).unwrap_or_else(|_| known.first().cloned()).unwrap_or(DataType::Utf8)))
    };
    match expr {
        unknown if is_unknown(unknown) => Ok(None),
        Expr::Case(case) => of_choice(case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref()).collect()),
        Expr::ScalarFunction(choice) if matches!(choice.func.name(), "coalesce" | "greatest" | "least") => {
            of_choice(choice.args.iter().collect())
        }
        typed => Ok(Some(typed.get_type(schema)?).filter(|data_type| !data_type.is_null())),
    }
}

/// «CASE types integer and boolean cannot be matched» (42804).
pub(crate) fn unmatched(construct: &str, (left, right): &(DataType, DataType)) -> DataFusionError {
    let message = format!("{construct} types {} and {} cannot be matched", types::name(left), types::name(right));
    DataFusionError::External(Box::new(SqlError::new(SqlState::DATATYPE_MISMATCH, message)))
}

/// «operator does not exist: text = integer» (42883); `None` is a literal without a type.
pub(crate) fn no_operator(op: &str, left: Option<&DataType>, right: Option<&DataType>) -> DataFusionError {
    let shown = |data_type: Option<&DataType>| data_type.map_or_else(|| "unknown".to_owned(), types::name);
    let message = format!("operator does not exist: {} {op} {}", shown(left), shown(right));
    let error = SqlError::new(SqlState::UNDEFINED_FUNCTION, message)
        .hint("No operator matches the given name and argument types. You might need to add explicit type casts.");
    DataFusionError::External(Box::new(error))
}

/// «operator is not unique: unknown + unknown» (42725).
pub(crate) fn ambiguous_operator(shown: &str) -> SqlError {
    SqlError::new(SqlState("42725"), format!("operator is not unique: {shown}"))
        .hint("Could not choose a best candidate operator. You might need to add explicit type casts.")
}
