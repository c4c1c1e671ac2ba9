//! Single-source shortest paths by weight: Dijkstra's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::{SqlError, SqlResult, SqlState};

use super::projection::Projection;

impl Projection {
    /// Least sum of weights from `source` to each vertex; infinite where there is no path. Errors: 22003 for a weight below 0 or no number.
    pub fn sssp(&self, source: u32) -> SqlResult<Vec<f64>> {
        let mut meter = self.meter();
        meter.take(self.len() as usize * 8 + self.edges() * 16)?;
        let mut distances = vec![f64::INFINITY; self.len() as usize];
        distances[source as usize] = 0.0;
        // Bits of numbers that are not negative are ordered as the numbers are.
        let mut heap = BinaryHeap::from([Reverse((0_u64, source))]);
        while let Some(Reverse((bits, vertex))) = heap.pop() {
            let distance = f64::from_bits(bits);
            if distance > distances[vertex as usize] {
                continue;
            }
            meter.tick(self.out().of(vertex).len())?;
            let weights = self.out().weights(vertex);
            for (at, other) in self.out().of(vertex).iter().enumerate() {
                let weight = weights.get(at).unwrap_or(&1.0);
                if weight.is_nan() || *weight < 0.0 {
                    return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "the weight of an edge must not be negative"));
                }
                let further = distance + weight;
                if further < distances[*other as usize] {
                    distances[*other as usize] = further;
                    heap.push(Reverse((further.to_bits(), *other)));
                }
            }
        }
        Ok(distances)
    }
}
