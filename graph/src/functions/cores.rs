//! Core numbers, by taking away the vertices with fewest neighbours first (Batagelj and Zaveršnik, 2003).

use base::SqlResult;

use super::projection::Projection;

impl Projection {
    /// For each vertex the greatest `k` such that it is in a part of the graph where all have at least `k` neighbours, whichever way edges go.
    pub fn kcore(&self) -> SqlResult<Vec<u32>> {
        let mut meter = self.meter();
        let count = self.len() as usize;
        meter.take(count * 40 + self.edges() * 8)?;
        let mut around = Vec::new();
        let lists: Vec<Vec<u32>> = (0..self.len())
            .map(|vertex| {
                self.around(vertex, &mut around);
                around.clone()
            })
            .collect();
        let mut degrees: Vec<usize> = lists.iter().map(Vec::len).collect();
        let most = degrees.iter().copied().max().unwrap_or(0);
        let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); most + 1];
        degrees.iter().enumerate().for_each(|(vertex, degree)| buckets[*degree].push(vertex as u32));
        let mut cores = vec![0; count];
        let mut is_gone = vec![false; count];
        let (mut core, mut at) = (0, 0);
        while at <= most {
            let Some(vertex) = buckets[at].pop() else {
                at += 1;
                continue;
            };
            // A vertex stands in a bucket for each degree it has had; only the present one counts.
            if is_gone[vertex as usize] || degrees[vertex as usize] != at {
                continue;
            }
            is_gone[vertex as usize] = true;
            core = core.max(at);
            cores[vertex as usize] = core as u32;
            meter.tick(lists[vertex as usize].len())?;
            for other in lists[vertex as usize].iter().filter(|other| !is_gone[**other as usize]) {
                degrees[*other as usize] -= 1;
                buckets[degrees[*other as usize]].push(*other);
            }
            at = at.saturating_sub(1);
        }
        Ok(cores)
    }
}
