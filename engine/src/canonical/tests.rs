//! The examples of docs/formats/leaf.md, from the other side: what the engine commits to.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use arrow::array::{FixedSizeBinaryArray, IntervalMonthDayNanoArray, ListArray, StringArray, StructArray, Time64MicrosecondArray};
use arrow::datatypes::{DataType, Int32Type as Int4};
use std::sync::Arc;

fn hex(sql_type: SqlType, array: ArrayRef) -> String {
    assert_eq!(array.data_type(), &sql_type.arrow(), "T1");
    let mut scratch = Scratch::default();
    value_bytes(sql_type, array.as_ref(), 0, &mut scratch).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn document(sql_type: SqlType, text: &str) -> ArrayRef {
    let DataType::Struct(fields) = sql_type.arrow() else { panic!("a document is a struct") };
    Arc::new(StructArray::new(fields, vec![Arc::new(StringArray::from(vec![text]))], None))
}

#[test]
fn values_are_committed_to_as_the_format_page_shows() {
    let page = include_str!("../../../docs/formats/leaf.md");
    let interval = IntervalMonthDayNano::new(14, -3, 14_706_789_000_000);
    let list = ListArray::from_iter_primitive::<Int4, _, _>([Some([Some(1), None, Some(3)])]);
    let uuid: [u8; 16] = std::array::from_fn(|at| at as u8);
    let values: [(&str, SqlType, ArrayRef); 7] = [
        ("char(5)", SqlType::Bpchar(Some(5)), Arc::new(StringArray::from(vec!["ab"]))),
        ("time", SqlType::Time, Arc::new(Time64MicrosecondArray::from(vec![14_706_789_000]))),
        ("interval", SqlType::Interval, Arc::new(IntervalMonthDayNanoArray::from(vec![interval]))),
        ("uuid", SqlType::Uuid, Arc::new(FixedSizeBinaryArray::try_from_iter([uuid].iter()).unwrap())),
        ("json", SqlType::Json, document(SqlType::Json, "[1 ]")),
        ("jsonb", SqlType::Jsonb, document(SqlType::Jsonb, "{\"b\": 1.0}")),
        ("integer[]", SqlType::Int4.array().unwrap(), Arc::new(list)),
    ];
    for (name, sql_type, array) in values {
        let line = format!("\n{name:<9}  {}  ", hex(sql_type, array));
        assert!(page.contains(&line), "leaf.md has no line «{}»", line.trim());
    }
}

#[test]
fn arrays_that_differ_have_other_bytes() {
    let lists: Vec<Option<Vec<Option<i32>>>> =
        vec![Some(vec![]), Some(vec![None]), Some(vec![None, None]), Some(vec![Some(0)]), Some(vec![Some(0), None])];
    let lists = ListArray::from_iter_primitive::<Int4, _, _>(lists);
    let sql_type = SqlType::Int4.array().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for row in 0..lists.len() {
        let mut scratch = Scratch::default();
        assert!(seen.insert(value_bytes(sql_type, &lists, row, &mut scratch).to_vec()), "row {row}");
    }
}

#[test]
fn every_type_is_found_by_its_oid_again() {
    let scalars = [
        SqlType::Bool,
        SqlType::Int2,
        SqlType::Int4,
        SqlType::Int8,
        SqlType::Float4,
        SqlType::Float8,
        SqlType::Text,
        SqlType::Bytea,
        SqlType::Date,
        SqlType::Timestamp,
        SqlType::Timestamptz,
        SqlType::Time,
        SqlType::Interval,
        SqlType::Uuid,
        SqlType::Json,
        SqlType::Jsonb,
        SqlType::Varchar(Some(3)),
        SqlType::Bpchar(Some(3)),
        SqlType::Numeric { precision: 5, scale: 2 },
        SqlType::AnyNumeric(None),
        SqlType::numeric(3, 5).unwrap(),
        SqlType::numeric(1_000, -1_000).unwrap(),
    ];
    for scalar in scalars {
        for sql_type in [scalar, scalar.array().unwrap()] {
            assert_eq!(SqlType::with_typmod(sql_type.oid(), sql_type.typmod().into()), Some(sql_type), "{}", sql_type.name());
        }
        assert_eq!(scalar.array().unwrap().element(), Some(scalar));
        assert_eq!(scalar.array().unwrap().array(), None, "no arrays of arrays");
    }
}

/// `numeric` was written as (38, 10) before there were numbers of any length: its definitions still say so.
#[test]
fn an_undeclared_numeric_of_old_stays_what_it_was() {
    assert_eq!(SqlType::with_typmod(1700, (38 << 16 | 10) + 4), Some(SqlType::Numeric { precision: 38, scale: 10 }));
    assert_eq!(SqlType::with_typmod(1700, -1), Some(SqlType::AnyNumeric(None)));
}
