//! Bytes of random values against comparisons written anew for each type.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::key_order;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, IntervalMonthDayNanoArray, ListArray, StringArray, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int32Type as Int4};
use base::{Rng, SeededRng};
use std::cmp::Ordering;
use std::sync::Arc;

fn bytes(sql_type: SqlType, array: &ArrayRef, row: usize) -> Vec<u8> {
    assert_eq!(array.data_type(), &sql_type.arrow());
    let mut out = Vec::new();
    key_order::put(sql_type, array.as_ref(), row, &mut out);
    out
}

/// Compares all pairs of values, among which NULL is the greatest.
fn check<T: std::fmt::Debug>(sql_type: SqlType, array: ArrayRef, values: &[T], compare: impl Fn(&T, &T) -> Ordering) {
    assert_eq!(array.len(), values.len() + 1, "one NULL at the end");
    let all: Vec<Vec<u8>> = (0..array.len()).map(|row| bytes(sql_type, &array, row)).collect();
    for (at, a) in values.iter().enumerate() {
        assert!(all[at] < all[values.len()], "O1: {a:?} before NULL");
        for (other, b) in values.iter().enumerate() {
            let expected = compare(a, b);
            assert_eq!(all[at].cmp(&all[other]), expected, "O1: {sql_type:?}: {a:?} and {b:?}");
            assert!(expected.is_eq() || !all[other].starts_with(&all[at]), "O2: {a:?} begins {b:?}");
        }
    }
    if is_readable(sql_type) {
        let wide = match array.data_type() {
            DataType::Date32 => arrow::compute::cast(&array, &DataType::Int32).unwrap(),
            _ => Arc::clone(&array),
        };
        let wide = arrow::compute::cast(&wide, &DataType::Int64).unwrap();
        for (at, mut rest) in all.iter().map(Vec::as_slice).enumerate() {
            let expected = wide.is_valid(at).then(|| wide.as_primitive::<Int64Type>().value(at));
            assert_eq!((take(&mut rest), rest.len()), (Some(expected), 0), "what was put is taken");
        }
    }
    for a in &all {
        let mut after = a.clone();
        go_after(&mut after);
        for b in &all {
            assert_eq!(b.starts_with(a) || b < a, *b < after, "what begins with a value is below what comes after it");
        }
    }
}

fn with_null<T: Copy>(values: &[T]) -> Vec<Option<T>> {
    values.iter().copied().map(Some).chain([None]).collect()
}

fn ints(rng: &SeededRng) -> Vec<i64> {
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, 255, 256, i64::MAX];
    edges.into_iter().chain((0..60).map(|_| rng.next_u64().cast_signed() >> (rng.next_u64() % 64))).collect()
}

#[test]
fn integers_and_moments() {
    let rng = SeededRng::new(1);
    let wide = ints(&rng);
    let middle: Vec<i32> = wide.iter().map(|value| *value as i32).collect();
    let narrow: Vec<i16> = wide.iter().map(|value| *value as i16).collect();
    check(SqlType::Int8, Arc::new(Int64Array::from(with_null(&wide))), &wide, i64::cmp);
    check(SqlType::Int4, Arc::new(Int32Array::from(with_null(&middle))), &middle, i32::cmp);
    check(SqlType::Int2, Arc::new(Int16Array::from(with_null(&narrow))), &narrow, i16::cmp);
    check(SqlType::Date, Arc::new(Date32Array::from(with_null(&middle))), &middle, i32::cmp);
    check(SqlType::Time, Arc::new(Time64MicrosecondArray::from(with_null(&wide))), &wide, i64::cmp);
    check(SqlType::Timestamp, Arc::new(TimestampMicrosecondArray::from(with_null(&wide))), &wide, i64::cmp);
    let zoned = TimestampMicrosecondArray::from(with_null(&wide)).with_timezone("UTC");
    check(SqlType::Timestamptz, Arc::new(zoned), &wide, i64::cmp);
    let (yes, no): (ArrayRef, ArrayRef) = (Arc::new(Int64Array::from(vec![7])), Arc::new(Int16Array::from(vec![7])));
    assert_eq!(bytes(SqlType::Int8, &yes, 0), bytes(SqlType::Int2, &no, 0), "O3");
}

#[test]
fn floats_have_one_zero_and_one_nan() {
    let rng = SeededRng::new(2);
    let edges =
        [f64::NEG_INFINITY, f64::MIN, -1.0, -f64::MIN_POSITIVE, -0.0, 0.0, 1e-300, 1.0, f64::MAX, f64::INFINITY, f64::NAN, -f64::NAN];
    let wide: Vec<f64> = edges.into_iter().chain((0..60).map(|_| f64::from_bits(rng.next_u64()))).collect();
    let narrow: Vec<f32> = wide.iter().map(|value| *value as f32).chain((0..60).map(|_| f32::from_bits(rng.next_u64() as u32))).collect();
    let compare = |a: &f64, b: &f64| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(b).unwrap(),
        (a, b) => a.cmp(&b),
    };
    check(SqlType::Float8, Arc::new(Float64Array::from(with_null(&wide))), &wide, compare);
    check(SqlType::Float4, Arc::new(Float32Array::from(with_null(&narrow))), &narrow, |a, b| compare(&f64::from(*a), &f64::from(*b)));
}

/// The stored form of a number of any length, made digit by digit.
fn any_numeric(unscaled: i128, scale: usize) -> Vec<u8> {
    if unscaled == 0 {
        return vec![2, 0, scale as u8];
    }
    let mut digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let fraction = digits.split_off(digits.len() - scale);
    let whole = format!("{}{digits}", "0".repeat((4 - digits.len() % 4) % 4));
    let fraction = format!("{fraction}{}", "0".repeat((4 - fraction.len() % 4) % 4));
    let mut weight = whole.len() as i64 / 4 - 1;
    let text = whole + &fraction;
    let mut groups: Vec<u16> = text.as_bytes().chunks(4).map(|four| str::from_utf8(four).unwrap().parse().unwrap()).collect();
    while groups[0] == 0 {
        groups.remove(0);
        weight -= 1;
    }
    while groups.ends_with(&[0]) {
        groups.pop();
    }
    let turned = if unscaled < 0 { u16::MAX } else { 0 };
    let mut out = vec![if unscaled < 0 { 1 } else { 3 }];
    let numbers = [(weight + 0x8000) as u16].into_iter().chain(groups.iter().map(|group| group + 1)).chain([0]);
    out.extend(numbers.flat_map(|number| (number ^ turned).to_be_bytes()));
    out.extend((scale as u16).to_be_bytes());
    out
}

fn unbounded(values: Vec<Option<Vec<u8>>>) -> ArrayRef {
    let DataType::Struct(fields) = SqlType::AnyNumeric(None).arrow() else { panic!("a number of any length is a struct") };
    let inner = BinaryArray::from_iter(values.iter().map(|value| value.as_deref()));
    let nulls = arrow::buffer::NullBuffer::from_iter(values.iter().map(Option::is_some));
    Arc::new(StructArray::new(fields, vec![Arc::new(inner)], Some(nulls)))
}

#[test]
fn numbers_of_both_layouts_and_all_scales_share_one_order() {
    let rng = SeededRng::new(3);
    for scale in [0_u8, 1, 2, 3, 4, 5, 9, 18, 37, 38] {
        let most = 10_i128.pow(38) - 1;
        let edges = [-most, -1, 0, 1, 9, 10, 9_999, 10_000, 10_001, 100_000_000, most];
        let draw = |_| {
            let wide = i128::from(rng.next_u64()) << 64 | i128::from(rng.next_u64());
            (wide >> (rng.next_u64() % 127)) % most
        };
        let values: Vec<i128> = edges.into_iter().chain((0..60).map(draw)).collect();
        let array = Decimal128Array::from(with_null(&values)).with_precision_and_scale(38, scale as i8).unwrap();
        let decimal = SqlType::Numeric { precision: 38, scale };
        let array: ArrayRef = Arc::new(array);
        check(decimal, Arc::clone(&array), &values, i128::cmp);
        let long = values.iter().map(|value| Some(any_numeric(*value, scale.into()))).chain([None]).collect();
        let long = unbounded(long);
        check(SqlType::AnyNumeric(None), Arc::clone(&long), &values, i128::cmp);
        for (row, value) in values.iter().enumerate() {
            assert_eq!(bytes(decimal, &array, row), bytes(SqlType::AnyNumeric(None), &long, row), "O3: {value} / 10^{scale}");
        }
    }
    let ends = [vec![0, 0, 0], any_numeric(-5, 0), any_numeric(0, 3), any_numeric(5, 0), vec![4, 0, 0], vec![5, 0, 0]];
    let array = unbounded(ends.iter().cloned().map(Some).chain([None]).collect());
    check(SqlType::AnyNumeric(None), array, &[0, 1, 2, 3, 4, 5], i32::cmp);
}

fn strings(rng: &SeededRng) -> Vec<Vec<u8>> {
    let edges: [&[u8]; 9] = [b"", &[0], &[0, 0], &[0, 1], &[0, 255], &[1], &[255], &[255, 255], b"a"];
    let draw = |_| (0..rng.next_u64() % 6).map(|_| [0, 1, 2, 97, 98, 255][(rng.next_u64() % 6) as usize]).collect();
    edges.into_iter().map(<[u8]>::to_vec).chain((0..120).map(draw)).collect()
}

#[test]
fn bytes_text_and_the_rest() {
    let rng = SeededRng::new(4);
    let raw = strings(&rng);
    let array = BinaryArray::from_iter(raw.iter().map(|value| Some(value.as_slice())).chain([None]));
    check(SqlType::Bytea, Arc::new(array), &raw, |a, b| a.cmp(b));
    let text: Vec<String> = raw.iter().map(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect()).collect();
    let array: ArrayRef = Arc::new(StringArray::from_iter(text.iter().map(Some).chain([None])));
    for sql_type in [SqlType::Text, SqlType::Varchar(Some(9)), SqlType::Bpchar(Some(9))] {
        check(sql_type, Arc::clone(&array), &text, |a, b| a.as_bytes().cmp(b.as_bytes()));
    }
    check(SqlType::Bool, Arc::new(BooleanArray::from(vec![Some(false), Some(true), None])), &[false, true], bool::cmp);
    let ids: Vec<[u8; 16]> = (0..40).map(|_| std::array::from_fn(|_| rng.next_u64() as u8)).collect();
    let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(ids.iter().map(Some).chain([None]), 16).unwrap();
    check(SqlType::Uuid, Arc::new(array), &ids, |a, b| a.cmp(b));
}

#[test]
fn intervals_sort_by_their_length() {
    let rng = SeededRng::new(5);
    let edges =
        [(0, 0, 0), (1, 0, 0), (0, 30, 0), (0, 29, 86_400_000_000_000), (-1, 31, 0), (0, 0, -1_000), (i32::MAX, i32::MAX, i64::MAX - 807)];
    let draw = |_| ((rng.next_u64() % 5) as i32 - 2, (rng.next_u64() % 90) as i32 - 45, rng.next_u64().cast_signed() / 100_000 * 1_000);
    let values: Vec<(i32, i32, i64)> = edges.into_iter().chain((0..60).map(draw)).collect();
    let array = IntervalMonthDayNanoArray::from_iter(
        values.iter().map(|(months, days, nanos)| Some(IntervalMonthDayNano::new(*months, *days, *nanos))).chain([None]),
    );
    let us = |(months, days, nanos): &(i32, i32, i64)| {
        i128::from(*months) * 30 * 86_400_000_000 + i128::from(*days) * 86_400_000_000 + i128::from(nanos / 1_000)
    };
    check(SqlType::Interval, Arc::new(array), &values, |a, b| us(a).cmp(&us(b)));
}

#[test]
fn arrays_sort_by_their_elements() {
    let rng = SeededRng::new(6);
    let element = |_| (!rng.next_u64().is_multiple_of(4)).then(|| (rng.next_u64() % 3) as i32);
    let values: Vec<Vec<Option<i32>>> = (0..80).map(|_| (0..rng.next_u64() % 4).map(element).collect()).collect();
    let array = ListArray::from_iter_primitive::<Int4, _, _>(values.iter().map(|value| Some(value.clone())).chain([None]));
    let key = |value: &[Option<i32>]| value.iter().map(|value| value.map_or((1, 0), |value| (0, value))).collect::<Vec<_>>();
    check(SqlType::Int4.array().unwrap(), Arc::new(array), &values, |a, b| key(a).cmp(&key(b)));
}

#[test]
fn several_columns_sort_one_after_the_other() {
    let rng = SeededRng::new(7);
    let texts: Vec<Vec<u8>> = strings(&rng).into_iter().take(40).collect();
    let numbers: Vec<i64> = texts.iter().map(|_| (rng.next_u64() % 3) as i64).collect();
    let nulls: Vec<bool> = texts.iter().map(|_| rng.next_u64().is_multiple_of(5)).collect();
    let text: ArrayRef = Arc::new(BinaryArray::from_iter(texts.iter().zip(&nulls).map(|(text, null)| (!null).then_some(text.as_slice()))));
    let number: ArrayRef = Arc::new(Int64Array::from(numbers.clone()));
    let key = |row: usize| [bytes(SqlType::Bytea, &text, row), bytes(SqlType::Int8, &number, row)].concat();
    for a in 0..texts.len() {
        for b in 0..texts.len() {
            let of = |row: usize| (nulls[row], if nulls[row] { &[][..] } else { &texts[row] }, numbers[row]);
            assert_eq!(key(a).cmp(&key(b)), of(a).cmp(&of(b)), "O2: rows {a} and {b}");
        }
    }
}
