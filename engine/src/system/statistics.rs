//! `ledger.statistics`: the ledger in numbers, as the Prometheus text has them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use super::{Batches, Kind, Scan};
use crate::gauges::Gauge;
use crate::types::SqlType;

pub(super) const TABLE: Kind = Kind {
    name: "statistics",
    columns: &[
        ("name", SqlType::Text),
        ("label", SqlType::Text),
        ("kind", SqlType::Text),
        ("value", SqlType::Float8),
        ("about", SqlType::Text),
    ],
    scan,
};

fn scan(scan: Scan) -> Batches {
    let all = scan.ledger.gauges();
    let text = |pick: &dyn Fn(&Gauge) -> Option<String>| Arc::new(all.iter().map(pick).collect::<StringArray>()) as ArrayRef;
    let batch = scan.batch(all.len(), |column| match column {
        0 => text(&|gauge| Some(gauge.name.to_owned())),
        1 => text(&|gauge| gauge.label.as_ref().map(|(label, value)| format!("{label}={value}"))),
        2 => text(&|gauge| Some(gauge.kind.name().to_owned())),
        3 => Arc::new(all.iter().map(|gauge| gauge.value).collect::<Float64Array>()),
        _ => text(&|gauge| Some(gauge.about.to_owned())),
    });
    Box::new(std::iter::once(batch))
}
