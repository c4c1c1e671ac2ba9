//! COPY's bytes to columns, without a server around it: `cargo xtask bench pieces --copy`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot set itself up stops")]
#![allow(missing_docs, reason = "Criterion's macros make functions without any")]

use std::fmt::Write as _;

use criterion::{BenchmarkId, Criterion, Throughput};
use engine::SqlType;
use planner::copy::{CopyOptions, CopyParser};

const ROWS: u64 = 100_000;
/// What a socket hands over at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Rows of 28 bytes: bigint, text, int, text.
fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("COPY parse");
    for (name, options, separator) in [("text", CopyOptions::text(), '\t'), ("CSV", CopyOptions::csv(), ',')] {
        let bytes = input(separator);
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        group.bench_function(BenchmarkId::from_parameter(name), |b| b.iter(|| rows_in(&options, &bytes)));
    }
    group.finish();
}

/// Amounts of money, as decimals of 128 bits and as numbers of any length (decision 0009).
fn numbers(c: &mut Criterion) {
    let mut group = c.benchmark_group("COPY parse amounts");
    let bytes = (0..ROWS).fold(String::new(), |mut text, id| {
        let _ = writeln!(text, "{}.{:02}", id * 7, id % 100);
        text
    });
    let decimal = SqlType::Numeric { precision: 10, scale: 2 };
    for (name, sql_type) in [("numeric(10,2)", decimal), ("numeric", SqlType::AnyNumeric(None))] {
        group.throughput(Throughput::Elements(ROWS)).sample_size(20);
        let columns = [("amount".to_owned(), sql_type)];
        group.bench_function(BenchmarkId::from_parameter(name), |b| b.iter(|| rows_of(&CopyOptions::text(), &columns, bytes.as_bytes())));
    }
    group.finish();
}

fn input(separator: char) -> Vec<u8> {
    (0..ROWS)
        .fold(String::new(), |mut text, id| {
            let _ = writeln!(text, "{id}{separator}Grace Hopper{separator}{}{separator}Basel", 18 + id % 80);
            text
        })
        .into_bytes()
}

fn rows_in(options: &CopyOptions, bytes: &[u8]) -> u64 {
    let columns = [("id", SqlType::Int8), ("name", SqlType::Text), ("age", SqlType::Int4), ("city", SqlType::Text)];
    rows_of(options, &columns.map(|(name, sql_type)| (name.to_owned(), sql_type)), bytes)
}

fn rows_of(options: &CopyOptions, columns: &[(String, SqlType)], bytes: &[u8]) -> u64 {
    let mut parser = CopyParser::new(options.clone(), "people", columns.to_vec(), 8192);
    let mut seen = 0;
    let mut sink = |_, rows: usize| {
        seen += rows as u64;
        Ok(())
    };
    for chunk in bytes.chunks(CHUNK_BYTES) {
        parser.push(chunk, &mut sink).unwrap();
    }
    assert_eq!(parser.finish(&mut sink).unwrap(), ROWS, "every row is parsed");
    seen
}

criterion::criterion_group!(copy, parse, numbers);
criterion::criterion_main!(copy);
