//! PageRank by a fixed number of synchronous steps.

use base::SqlResult;

use super::projection::Projection;

impl Projection {
    /// Rank of each vertex after `iterations` steps with `damping`: what has no way out gives to all alike, so ranks sum to 1.
    pub fn pagerank(&self, damping: f64, iterations: u32) -> SqlResult<Vec<f64>> {
        let mut meter = self.meter();
        let count = self.len() as usize;
        meter.take(count * 24)?;
        let mut ranks = vec![1.0 / count as f64; count];
        let mut given = vec![0.0; count];
        for _ in 0..iterations {
            let mut dangling = 0.0;
            for vertex in 0..count {
                let out = self.out().of(vertex as u32).len();
                given[vertex] = if out == 0 { 0.0 } else { ranks[vertex] / out as f64 };
                dangling += if out == 0 { ranks[vertex] } else { 0.0 };
            }
            let base = (1.0 - damping) / count as f64 + damping * dangling / count as f64;
            for (vertex, rank) in ranks.iter_mut().enumerate() {
                let before = self.back().of(vertex as u32);
                meter.tick(before.len())?;
                *rank = base + damping * before.iter().map(|other| given[*other as usize]).sum::<f64>();
            }
        }
        Ok(ranks)
    }
}
