//! Weakly connected components, by union and find.

use base::SqlResult;

use super::projection::Projection;

fn root(parents: &mut [u32], mut vertex: u32) -> u32 {
    while parents[vertex as usize] != vertex {
        parents[vertex as usize] = parents[parents[vertex as usize] as usize];
        vertex = parents[vertex as usize];
    }
    vertex
}

impl Projection {
    /// For each vertex the first vertex, in the projection's order, that it is joined with whichever way edges go.
    pub fn wcc(&self) -> SqlResult<Vec<u32>> {
        let mut meter = self.meter();
        meter.take(self.len() as usize * 4)?;
        let mut parents: Vec<u32> = (0..self.len()).collect();
        for vertex in 0..self.len() {
            meter.tick(self.out().of(vertex).len())?;
            for other in self.out().of(vertex) {
                let (a, b) = (root(&mut parents, vertex), root(&mut parents, *other));
                parents[a.max(b) as usize] = a.min(b);
            }
        }
        Ok((0..self.len()).map(|vertex| root(&mut parents, vertex)).collect())
    }
}
