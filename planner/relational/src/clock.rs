//! The time a run is at, and the functions that ask for it.
//!
//! Never: reads a clock; the caller brings the time.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Placeholder;

use crate::layouts::TIME;
use crate::values::zone::Zone;

/// When a statement runs: what `now()` and its like answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// `now()`, `current_timestamp`, `transaction_timestamp()`: µs since 1970-01-01 UTC.
    pub transaction_us: i64,
    /// `statement_timestamp()`: µs since 1970-01-01 UTC.
    pub statement_us: i64,
    /// The session's, whose day `current_date` is.
    pub zone: Zone,
}

/// A function of the time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Clock {
    Transaction,
    Statement,
    /// The transaction's start, without a zone.
    Local,
    /// The day of the transaction's start.
    Date,
    /// The time of day of the transaction's start.
    Time,
}

impl Clock {
    pub(crate) const ALL: [Self; 5] = [Self::Transaction, Self::Statement, Self::Local, Self::Date, Self::Time];

    /// Its value at a moment.
    pub(crate) fn at(self, moment: Moment) -> ScalarValue {
        const DAY_US: i64 = 86_400_000_000;
        let instant = |us| ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into()));
        let local = || moment.zone.clock_at(moment.transaction_us);
        match self {
            Self::Time => ScalarValue::Time64Microsecond(Some(local().rem_euclid(DAY_US))),
            Self::Transaction => instant(moment.transaction_us),
            Self::Statement => instant(moment.statement_us),
            Self::Local => ScalarValue::TimestampMicrosecond(Some(local()), None),
            Self::Date => ScalarValue::Date32(i32::try_from(local().div_euclid(DAY_US)).ok()),
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Transaction | Self::Statement => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Local => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Date => DataType::Date32,
            Self::Time => TIME,
        }
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Transaction => "$now",
            Self::Statement => "$statement_timestamp",
            Self::Local => "$localtimestamp",
            Self::Date => "$current_date",
            Self::Time => "$localtime",
        }
    }

    /// What stands for it in a plan until the plan runs.
    pub(crate) fn placeholder(self) -> Expr {
        let field = Field::new(self.id(), self.data_type(), true);
        Expr::Placeholder(Placeholder { id: self.id().to_owned(), field: Some(Arc::new(field)) })
    }
}
