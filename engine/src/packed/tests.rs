//! Round trips of every stored type, and what damage is told.

use arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array, Int32Array,
    Int64Array, IntervalMonthDayNanoArray, ListBuilder, StringArray, StringBuilder, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, UInt8Array, UInt64Array,
};
use arrow::datatypes::{Field, IntervalMonthDayNano, Schema};

use super::*;

/// `rows` rows of every type a table can have; every third value is NULL.
fn every_type(rows: usize) -> RecordBatch {
    let some = |i: usize| (i % 3 != 1).then_some(i);
    let int = |i: usize| some(i).map(|i| i as i64 * 7 - 50);
    let columns: Vec<ArrayRef> = vec![
        Arc::new((0..rows).map(|i| some(i).map(|i| i % 2 == 0)).collect::<BooleanArray>()),
        Arc::new((0..rows).map(|i| int(i).map(|v| v as i16)).collect::<Int16Array>()),
        Arc::new((0..rows).map(|i| int(i).map(|v| v as i32)).collect::<Int32Array>()),
        Arc::new((0..rows).map(int).collect::<Int64Array>()),
        Arc::new((0..rows).map(|i| int(i).map(|v| v as f32)).collect::<Float32Array>()),
        Arc::new((0..rows).map(|i| int(i).map(|v| v as f64)).collect::<Float64Array>()),
        Arc::new((0..rows).map(|i| int(i).map(i128::from)).collect::<Decimal128Array>().with_precision_and_scale(20, 3).unwrap()),
        Arc::new((0..rows).map(|i| some(i).map(|i| "naïve ".repeat(i % 5))).collect::<StringArray>()),
        Arc::new((0..rows).map(|i| some(i).map(|i| vec![i as u8; i % 4])).collect::<BinaryArray>()),
        Arc::new((0..rows).map(|i| int(i).map(|v| v as i32)).collect::<Date32Array>()),
        Arc::new((0..rows).map(int).collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Arc::new(FixedSizeBinaryArray::try_from_iter((0..rows.max(1)).map(|i| [i as u8; 16])).unwrap().slice(0, rows)),
        Arc::new((0..rows).map(|i| i as u8).collect::<Vec<_>>().into_iter().collect::<UInt8Array>()),
        Arc::new((0..rows).map(|i| some(i).map(|i| i as u64)).collect::<UInt64Array>()),
        Arc::new((0..rows).map(|i| int(i).map(i64::abs)).collect::<Time64MicrosecondArray>()),
        Arc::new(
            (0..rows)
                .map(|i| int(i).map(|v| IntervalMonthDayNano::new(v as i32, -v as i32, v * 1_000)))
                .collect::<IntervalMonthDayNanoArray>(),
        ),
        documents(rows),
        lists(rows),
    ];
    let fields: Vec<Field> =
        columns.iter().enumerate().map(|(i, column)| Field::new(format!("c{i}"), column.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// `jsonb`; every third is NULL.
fn documents(rows: usize) -> ArrayRef {
    let DataType::Struct(fields) = crate::types::SqlType::Jsonb.arrow() else { panic!("jsonb is a struct") };
    let texts: StringArray = (0..rows).map(|i| (i % 3 != 1).then(|| format!("[{i}]"))).collect();
    let nulls = texts.nulls().cloned();
    Arc::new(StructArray::new(fields, vec![Arc::new(texts)], nulls))
}

/// `text[]`: empty, with NULLs inside, and NULL.
fn lists(rows: usize) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for i in 0..rows {
        (0..i % 4).for_each(|at| builder.values().append_option((at % 3 != 2).then(|| "é".repeat(at))));
        builder.append(i % 5 != 4);
    }
    Arc::new(builder.finish())
}

fn packed(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(batch, &mut bytes).unwrap();
    bytes
}

#[test]
fn what_goes_in_comes_out() {
    for rows in [0, 1, 2, 7, 8, 9, 100] {
        let batch = every_type(rows);
        assert_eq!(decode(&packed(&batch), &batch.schema()).unwrap(), batch, "{rows} rows");
        // A slice has offsets that the bytes must not show.
        for (from, n) in [(0, rows / 2), (rows / 2, rows - rows / 2), (rows.min(3), rows.saturating_sub(3))] {
            let slice = batch.slice(from, n);
            assert_eq!(decode(&packed(&slice), &batch.schema()).unwrap(), slice, "{n} rows from {from} of {rows}");
        }
    }
}

#[test]
fn a_row_is_little_more_than_its_values() {
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1])), Arc::new(StringArray::from(vec!["Ada"]))];
    let fields = vec![Field::new("id", DataType::Int64, true), Field::new("name", DataType::Utf8, true)];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    assert_eq!(packed(&batch), b"ROW1\x01\0\0\0\0\x01\0\0\0\0\0\0\0\0\x03\0\0\0Ada");
}

#[test]
fn every_cut_is_noticed() {
    let batch = every_type(9);
    let bytes = packed(&batch);
    for end in 0..bytes.len() {
        let error = decode(&bytes[..end], &batch.schema()).unwrap_err();
        assert_eq!(error.state(), SqlState::DATA_CORRUPTED, "cut at {end}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(decode(&longer, &batch.schema()).unwrap_err().message().contains("bytes follow the last column"));
}

#[test]
fn no_flipped_bit_makes_it_panic_or_read_past_the_end() {
    let batch = every_type(9);
    let bytes = packed(&batch);
    for at in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        if let Ok(read) = decode(&flipped, &batch.schema()) {
            assert_eq!(read.num_rows(), 9, "bit {at}");
        }
    }
}
