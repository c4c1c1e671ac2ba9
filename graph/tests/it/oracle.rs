//! Every plan of every query answers as the naive matcher does, at every commit.

use std::collections::BTreeMap;

use base::{CommitSeq, SqlResult, SqlState};
use graph::{
    Answer, Budget, EdgePattern, Element, FromStatistics, Output, Pattern, Query, Run, Selector, Snapshot, Statistics, Strategy, Value,
    Var, plan, run,
};

use crate::draw::{Draw, seeds};
use crate::model::{self, Shape};
use crate::naive::{Held, Match, TooMuch, World};
use crate::queries::Drawing;

/// What of a match is the same whatever path a selector happens to choose.
type Row = Vec<Vec<u64>>;

fn path_pattern(pattern: &Pattern, var: Var) -> Option<&EdgePattern> {
    let own = pattern.edges.iter().find(|edge| edge.var == var);
    own.or_else(|| pattern.parts.iter().find_map(|part| path_pattern(&part.pattern, var)))
}

fn comparable(query: &Query, world: &World, var: Var, held: &Held) -> Vec<u64> {
    match held {
        Held::Unbound => panic!("an output variable is bound in every match"),
        Held::Element(element) => vec![element.bits()],
        Held::Path(path) => {
            let edge = path_pattern(&query.pattern, var).unwrap();
            assert!(world.is_path(edge, path), "A1: {path:?} is no path of {edge:?}");
            match edge.path.as_ref().unwrap().selector {
                Selector::All | Selector::AllShortest | Selector::ShortestGroups(_) => path.iter().map(|element| element.bits()).collect(),
                Selector::Any => vec![u64::MAX - 1],
                Selector::AnyShortest | Selector::Shortest(_) => vec![u64::MAX - 1, path.len() as u64],
                Selector::Cheapest(_) => vec![u64::MAX - 1, World::cost(edge, path).to_bits()],
            }
        }
    }
}

fn expected(query: &Query, world: &World) -> Result<BTreeMap<Row, u64>, TooMuch> {
    let start: Match = vec![Held::Unbound; 64];
    let matches = world.matches(&query.pattern, &start)?;
    let mut rows = BTreeMap::new();
    for one in &matches {
        let row: Row = query.output.vars().iter().map(|var| comparable(query, world, *var, &one[usize::from(var.0)])).collect();
        *rows.entry(row).or_insert(0) += 1;
    }
    Ok(rows)
}

fn found(query: &Query, world: &World, answer: Answer) -> BTreeMap<Row, u64> {
    let mut rows: BTreeMap<Row, u64> = BTreeMap::new();
    let elements = |elements: Vec<Element>| elements.into_iter().map(|element| vec![element.bits()]).collect::<Row>();
    match answer {
        Answer::Count(0) => {}
        Answer::Count(count) => drop(rows.insert(Vec::new(), count)),
        Answer::Groups(groups) => rows.extend(groups.into_iter().map(|(key, count)| (elements(key), count))),
        Answer::Rows(all) => {
            for (values, count) in all {
                let held = values.into_iter().map(|value| match value {
                    Value::Element(element) => Held::Element(element),
                    Value::Path(path) => Held::Path(path.elements.to_vec()),
                });
                let row = query.output.vars().iter().zip(held).map(|(var, held)| comparable(query, world, *var, &held)).collect();
                *rows.entry(row).or_insert(0) += count;
            }
        }
    }
    rows
}

fn answer(
    query: &Query,
    snapshot: &Snapshot,
    statistics: &Statistics,
    strategy: Strategy,
    threads: usize,
    limit: Option<u64>,
) -> SqlResult<Answer> {
    let cardinality = FromStatistics { schema: snapshot.schema(), statistics };
    let plan = plan(query, snapshot.schema(), &cardinality, strategy).unwrap();
    let how = Run { budget: Budget::new(1 << 25), limit, clock: None, threads };
    run(&plan, snapshot, &how).map(|(answer, _)| answer)
}

fn explained(query: &Query, snapshot: &Snapshot, statistics: &Statistics, strategy: Strategy) -> String {
    let cardinality = FromStatistics { schema: snapshot.schema(), statistics };
    plan(query, snapshot.schema(), &cardinality, strategy).unwrap().explain(snapshot.schema(), &|var| format!("v{}", var.0), None)
}

/// Words of EXPLAIN that tell the kinds of steps apart.
const STEPS: &[&str] = &[
    "Scan ",
    "Expand ",
    "Expand into",
    "Intersect",
    "Path between",
    "Paths from",
    "Keep v",
    "Filter",
    "Count v",
    ", but v",
    "Keep if any",
    "Keep if no",
    "at least 1",
    "Optional",
    "Exists",
    "Not exists",
    "WALK",
    "TRAIL",
    "ACYCLIC",
    "SIMPLE",
    "ANY WALK",
    "ANY SHORTEST",
    "ALL SHORTEST",
    "CHEAPEST",
];

/// 2312: a part that must exist declared a vertex of an optional part before it again, and was counted as if the vertex were its own.
const ONCE_WRONG: [u64; 1] = [2_312];

#[test]
fn every_plan_answers_as_nested_loops_do() {
    let (mut compared, mut skipped, mut matched, mut exploded) = (0, 0, 0, 0);
    let mut seen: BTreeMap<&str, u32> = STEPS.iter().map(|step| (*step, 0)).collect();
    for seed in seeds(400).chain(ONCE_WRONG) {
        let draw = Draw::new(seed);
        let shape = Shape {
            vertex_tables: 2,
            edge_tables: vec![(0, 0), (0, 1), (1, 1)],
            vertices: 2 + draw.below(4),
            edges: 4 + draw.below(24),
            commits: 1 + draw.below(5) as u64,
        };
        let (model, topology) = model::random(&draw, &shape);
        for turn in 0..12_u64 {
            let query = Drawing::new(&draw, 2, 3, shape.vertices).query();
            let at = draw.below(shape.commits as usize) as u64;
            let world = World::at(&model, &shape.edge_tables, at);
            let snapshot = topology.snapshot(CommitSeq(at));
            let statistics = Statistics::of(&snapshot);
            let Ok(mut expected) = expected(&query, &world) else {
                skipped += 1;
                continue;
            };
            compared += 1;
            matched += usize::from(!expected.is_empty());
            if let (Output::Rows(_), Ok(few)) = (&query.output, answer(&query, &snapshot, &statistics, Strategy::Cheapest, 1, Some(3))) {
                let few = found(&query, &world, few);
                let is_within = few.iter().all(|(row, count)| expected.get(row).is_some_and(|all| count <= all));
                assert!(few.len() <= 3 && is_within && few.is_empty() == expected.is_empty(), "a limit: seed {seed}, turn {turn}: {few:?}");
            }
            let is_distinct = matches!(query.output, Output::Distinct(_));
            if is_distinct {
                expected.values_mut().for_each(|count| *count = 1);
            }
            for random in [None, Some(turn), Some(turn + 1_000), Some(turn + 2_000)] {
                let strategy = random.map_or(Strategy::Cheapest, Strategy::Random);
                let text = explained(&query, &snapshot, &statistics, strategy);
                seen.iter_mut().filter(|(step, _)| text.contains(**step)).for_each(|(_, count)| *count += 1);
                let answer = match answer(&query, &snapshot, &statistics, strategy, 1 + draw.below(2), None) {
                    Err(error) if error.state() == SqlState::OUT_OF_MEMORY => {
                        // A plan may look for all trails from a vertex first, where the loops find early that nothing else matches.
                        exploded += 1;
                        continue;
                    }
                    answer => answer.unwrap(),
                };
                let mut found = found(&query, &world, answer);
                if is_distinct {
                    found.values_mut().for_each(|count| *count = 1);
                }
                if found != expected {
                    let differs = |a: &BTreeMap<Row, u64>, b: &BTreeMap<Row, u64>| {
                        a.iter()
                            .filter(|(row, count)| b.get(*row) != Some(*count))
                            .take(3)
                            .map(|row| format!("{row:?}"))
                            .collect::<Vec<_>>()
                    };
                    let (more, less) = (differs(&found, &expected), differs(&expected, &found));
                    panic!("J1: seed {seed}, turn {turn}, commit {at}, {strategy:?}: {more:?}, not {less:?}\n{query:?}\n{text}");
                }
            }
        }
    }
    println!(
        "{compared} queries compared under four plans each, {matched} with matches; {skipped} too large for loops, {exploded} plans too large"
    );
    println!("{seen:?}");
    assert!(seen.values().all(|count| *count > 20), "a kind of step is hardly tried: {seen:?}");
    assert!(exploded * 100 < compared, "{exploded} plans ran out of memory");
    assert!(skipped * 10 < compared && matched * 5 > compared * 2, "the seeds draw queries that say something");
}
