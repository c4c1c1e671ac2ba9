//! Growing the Merkle trees: a leaf for each commit, a hash for each row.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use receipts::{Blake3Tree, Frontier, Hash, RowTree, Sha256Tree, TreeHash};

const LEAVES: u64 = 65_536;

fn grow<T: TreeHash>(leaf: &[u8]) -> Hash {
    let mut frontier = Frontier::<T>::new();
    for _ in 0..LEAVES {
        frontier.append(T::leaf(leaf), |level, index, hash| {
            black_box((level, index, hash));
        });
    }
    frontier.root()
}

/// Leaves of the size of a commit of one row, hashed and appended.
pub fn append(c: &mut Criterion) {
    let leaf = [7; 256];
    let mut group = c.benchmark_group("tree append");
    group.throughput(Throughput::Elements(LEAVES)).sample_size(20);
    group.bench_function(BenchmarkId::from_parameter("SHA-256"), |b| b.iter(|| grow::<Sha256Tree>(black_box(&leaf))));
    group.bench_function(BenchmarkId::from_parameter("BLAKE3"), |b| b.iter(|| grow::<Blake3Tree>(black_box(&leaf))));
    group.finish();
}

/// The root over the rows of one large commit.
pub fn row_root(c: &mut Criterion) {
    let rows = vec![[7; 32]; LEAVES as usize];
    let mut group = c.benchmark_group("row tree");
    group.throughput(Throughput::Elements(LEAVES)).sample_size(20);
    group.bench_function("row hashes to root", |b| {
        b.iter(|| {
            let mut tree = RowTree::new();
            tree.extend(black_box(&rows));
            tree.root()
        });
    });
    group.finish();
}
