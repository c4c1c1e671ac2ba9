//! From values to row hashes: the costly half of a write.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use receipts::{Hash, RowHeader, Supersedes, field_commitment, field_salt, row_hash};

/// bigint, text, int, text: the row of the COPY that is compared with PostgreSQL.
const ROW: [(u32, &[u8]); 4] = [(20, &[1, 0, 0, 0, 0, 0, 0, 0]), (25, b"Grace Hopper"), (23, &[42, 0, 0, 0]), (25, b"Basel")];

const HEADER: RowHeader = RowHeader { relation: 16_384, schema_version: 1, op: 1, supersedes: Supersedes::None };

/// One field's salt and commitment, by length of the value.
pub fn fields(c: &mut Criterion) {
    let mut group = c.benchmark_group("field commitment");
    let row_salt = [3; 16];
    for bytes in [8usize, 32, 256, 4096] {
        let value = vec![7; bytes];
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(bytes), |b| {
            b.iter(|| field_commitment(&field_salt(black_box(&row_salt), 0), 1, 25, Some(black_box(&value))));
        });
    }
    group.finish();
}

/// A whole row of four fields.
pub fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("row hash");
    group.throughput(Throughput::Elements(1));
    group.bench_function("4 fields with salts", |b| {
        b.iter(|| whole_row(black_box(&[3; 16])));
    });
    group.finish();
}

fn whole_row(row_salt: &[u8; 16]) -> Hash {
    let mut commitments = [Hash::default(); ROW.len()];
    for (index, ((oid, value), commitment)) in (0u32..).zip(ROW.iter().zip(&mut commitments)) {
        *commitment = field_commitment(&field_salt(row_salt, index), index + 1, *oid, Some(value));
    }
    row_hash(&HEADER, &commitments)
}
