//! `AT TIME ZONE`: an instant as a clock of a zone shows it, and back.
//!
//! Never: knows the session's zone.

use base::SqlResult;
use datafusion::logical_expr::ScalarUDF;

use crate::functions::calendar::{DAY, SECOND};
use crate::functions::dates::{span, stamp, truncate_in_zone};
use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};
use crate::functions::text::text;
use crate::values::zone::Zone;

use Kind::{Instant, Span, Stamp, Text};

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const TIMEZONE: &[Form] = &[
        form(&[Text, Instant], Returns::Is(Stamp), to_clock),
        form(&[Text, Stamp], Returns::Is(Instant), from_clock),
        form(&[Span, Instant], Returns::Is(Stamp), to_clock),
        form(&[Span, Stamp], Returns::Is(Instant), from_clock),
    ];
    vec![
        function("timezone", TIMEZONE),
        function("date_trunc_in_zone", &[form(&[Text, Instant, Text], Returns::Is(Instant), date_trunc_in_zone)]),
    ]
}

/// The zone of an argument. Errors: 22023.
fn zone(args: &[Option<Value>], at: usize) -> SqlResult<Zone> {
    if let Some(Some(Value::Span(_))) = args.get(at) {
        let span = span(args, at);
        return Ok(Zone::Fixed(i32::try_from((span.days * DAY + span.micros) / SECOND).unwrap_or(0)));
    }
    Zone::named(text(args, at))
}

fn to_clock(args: &[Option<Value>]) -> Answer {
    let (zone, instant) = (zone(args, 0)?, stamp(args, 1));
    Ok(Some(Value::Stamp(if matches!(instant, i64::MAX | i64::MIN) { instant } else { zone.clock_at(instant) })))
}

fn from_clock(args: &[Option<Value>]) -> Answer {
    let (zone, clock) = (zone(args, 0)?, stamp(args, 1));
    Ok(Some(Value::Stamp(if matches!(clock, i64::MAX | i64::MIN) { clock } else { zone.instant_of(clock) })))
}

fn date_trunc_in_zone(args: &[Option<Value>]) -> Answer {
    truncate_in_zone(text(args, 0), stamp(args, 1), zone(args, 2)?).map(|micros| Some(Value::Stamp(micros)))
}
