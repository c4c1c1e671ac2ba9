//! Breadth-first search from one vertex: edges to each other.
//!
//! Directions turn as Beamer, Asanović and Patterson do (SC 2012): while the frontier is large, vertices not reached look for it instead.

use base::SqlResult;

use super::projection::Projection;

/// Not reached.
const NONE: u64 = u64::MAX;
/// The frontier looks ahead until its edges are more than one in so many of those still unseen.
const ALPHA: usize = 14;
/// And again once it has fewer than one in so many of the vertices.
const BETA: usize = 24;

impl Projection {
    /// Edges of a shortest path from `source` to each vertex; `None` where there is none.
    pub fn bfs(&self, source: u32) -> SqlResult<Vec<Option<u64>>> {
        let mut meter = self.meter();
        let count = self.len() as usize;
        meter.take(count * 17)?;
        let mut depths = vec![NONE; count];
        depths[source as usize] = 0;
        let mut frontier = vec![source];
        let mut unseen = self.out().edges();
        let mut depth = 0;
        while !frontier.is_empty() {
            depth += 1;
            let ahead: usize = frontier.iter().map(|vertex| self.out().of(*vertex).len()).sum();
            let looks_back = ahead > unseen / ALPHA && frontier.len() > count / BETA;
            unseen = unseen.saturating_sub(ahead);
            let mut next = Vec::new();
            if looks_back {
                for vertex in 0..count as u32 {
                    if depths[vertex as usize] == NONE {
                        let before = self.back().of(vertex);
                        meter.tick(before.len())?;
                        if before.iter().any(|other| depths[*other as usize] == depth - 1) {
                            next.push(vertex);
                        }
                    }
                }
                next.iter().for_each(|vertex| depths[*vertex as usize] = depth);
            } else {
                for vertex in &frontier {
                    meter.tick(self.out().of(*vertex).len())?;
                    for other in self.out().of(*vertex) {
                        if depths[*other as usize] == NONE {
                            depths[*other as usize] = depth;
                            next.push(*other);
                        }
                    }
                }
            }
            frontier = next;
        }
        Ok(depths.into_iter().map(|depth| (depth != NONE).then_some(depth)).collect())
    }
}
