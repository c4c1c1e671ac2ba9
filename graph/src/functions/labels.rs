//! Community detection by label propagation, synchronous and deterministic: Graphalytics' variant of Raghavan, Albert and Kumara's.

use base::SqlResult;

use super::projection::Projection;

impl Projection {
    /// Label of each vertex after `iterations` steps: it begins with its own number and takes the most frequent of those around it, of several the
    /// least. With direction, a vertex joined both ways counts twice.
    pub fn cdlp(&self, iterations: u32) -> SqlResult<Vec<u32>> {
        let mut meter = self.meter();
        meter.take(self.len() as usize * 8)?;
        let mut labels: Vec<u32> = (0..self.len()).collect();
        let mut around = Vec::new();
        for _ in 0..iterations {
            let mut next = labels.clone();
            for vertex in 0..self.len() {
                around.clear();
                around.extend(self.out().of(vertex).iter().map(|other| labels[*other as usize]));
                if self.is_directed() {
                    around.extend(self.back().of(vertex).iter().map(|other| labels[*other as usize]));
                }
                meter.tick(around.len())?;
                around.sort_unstable();
                let runs = around.chunk_by(|a, b| a == b);
                // The last of equal ones is kept by `max_by_key`, so the least label comes last.
                if let Some(run) = runs.rev().max_by_key(|run| run.len()) {
                    next[vertex as usize] = run[0];
                }
            }
            labels = next;
        }
        Ok(labels)
    }
}
