//! Triangles, and how close a vertex's neighbours are to knowing one another.

use base::SqlResult;

use super::projection::Projection;
use crate::reader::common;

impl Projection {
    /// Local clustering coefficient of each vertex: of the ordered pairs of its neighbours, whichever way they are joined to it, the share that an edge
    /// leads from the first to the second of. 0 with fewer than two neighbours.
    pub fn lcc(&self) -> SqlResult<Vec<f64>> {
        let mut meter = self.meter();
        let mut around = Vec::new();
        let mut shares = Vec::with_capacity(self.len() as usize);
        let mut out = Vec::new();
        for vertex in 0..self.len() {
            self.around(vertex, &mut around);
            let mut joined = 0_u64;
            for other in &around {
                out.clear();
                out.extend_from_slice(self.out().of(*other));
                out.dedup();
                meter.tick(out.len())?;
                // Neither the vertex itself nor the other is among the neighbours that count.
                common(&[&around, &out], |third, _| joined += u64::from(third != *other));
            }
            let pairs = around.len() as f64 * (around.len() as f64 - 1.0);
            shares.push(if around.len() < 2 { 0.0 } else { joined as f64 / pairs });
        }
        Ok(shares)
    }

    /// Triangles that each vertex is a corner of, whichever way edges go and however many there are between two vertices. The sum is three times the
    /// number of triangles.
    pub fn triangle_count(&self) -> SqlResult<Vec<u64>> {
        let mut meter = self.meter();
        let mut around = Vec::new();
        let mut degrees = Vec::with_capacity(self.len() as usize);
        for vertex in 0..self.len() {
            self.around(vertex, &mut around);
            degrees.push(around.len());
        }
        // Each edge is kept at its end of lower degree, so no list is longer than the square root of twice the edges.
        let mut higher: Vec<Vec<u32>> = Vec::with_capacity(self.len() as usize);
        for vertex in 0..self.len() {
            self.around(vertex, &mut around);
            meter.take(around.len() * 4 + 24)?;
            let rank = |vertex: u32| (degrees[vertex as usize], vertex);
            higher.push(around.iter().copied().filter(|other| rank(*other) > rank(vertex)).collect());
        }
        let mut counts = vec![0_u64; self.len() as usize];
        for vertex in 0..self.len() {
            for other in &higher[vertex as usize] {
                meter.tick(higher[vertex as usize].len())?;
                common(&[&higher[vertex as usize], &higher[*other as usize]], |third, _| {
                    for corner in [vertex, *other, third] {
                        counts[corner as usize] += 1;
                    }
                });
            }
        }
        Ok(counts)
    }
}
