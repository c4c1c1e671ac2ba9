//! Queries that ask for too much end with an error that says so, and leave the graph as it was.

use std::sync::Arc;

use base::{CommitSeq, RowId, SqlError, SqlResult, SqlState};
use graph::{
    Answer, Budget, Changes, Direction, EdgePattern, Element, FromStatistics, Mode, Output, PathPattern, Pattern, Query, Run, Selector,
    Statistics, Strategy, Topology, Var, VertexPattern, VertexRow, Weight, plan, run,
};

use crate::model;

/// Everyone is joined to everyone, themselves included.
fn complete(vertices: u32) -> Topology {
    let topology = Topology::new(model::schema(1, &[(0, 0)]));
    let edge = |at: u32| graph::EdgeRow { table: 0, source: at / vertices, target: at % vertices, row: RowId(at.into()) };
    let changes = Changes {
        vertices_added: (0..vertices).map(|vertex| VertexRow { table: 0, vertex, row: RowId(vertex.into()) }).collect(),
        edges_added: (0..vertices * vertices).map(edge).collect(),
        ..Changes::default()
    };
    topology.apply(CommitSeq(0), &changes).unwrap();
    topology
}

fn paths(path: PathPattern, output: Output) -> Query {
    let vertex = |var| VertexPattern { var: Var(var), tables: vec![0], only: None };
    let edge = EdgePattern { var: Var(2), from: Var(0), to: Var(1), tables: vec![0], direction: Direction::Forward, path: Some(path) };
    Query { pattern: Pattern { vertices: vec![vertex(0), vertex(1)], edges: vec![edge], ..Pattern::default() }, output }
}

fn path(min: u32, max: Option<u32>, mode: Mode, selector: Selector) -> PathPattern {
    PathPattern { min, max, mode, selector, step: None, weight: None }
}

fn answer(topology: &Topology, query: &Query, budget: &Arc<Budget>) -> SqlResult<Answer> {
    let snapshot = topology.snapshot(CommitSeq(0));
    let statistics = Statistics::of(&snapshot);
    let cardinality = FromStatistics { schema: snapshot.schema(), statistics: &statistics };
    let plan = plan(query, snapshot.schema(), &cardinality, Strategy::Cheapest)?;
    let how = Run { budget: Arc::clone(budget), limit: None, clock: None, threads: 1 };
    run(&plan, &snapshot, &how).map(|(answer, _)| answer)
}

fn error_of(query: &Query) -> SqlError {
    answer(&complete(30), query, &Budget::new(1 << 24)).unwrap_err()
}

#[test]
fn an_unbounded_walk_without_a_selector_is_refused() {
    assert_eq!(error_of(&paths(path(1, None, Mode::Walk, Selector::All), Output::Count)).state(), SqlState::SYNTAX_ERROR);
    assert_eq!(error_of(&paths(path(2, Some(1), Mode::Trail, Selector::All), Output::Count)).state(), SqlState::SYNTAX_ERROR);
    assert_eq!(
        error_of(&paths(path(1, Some(1), Mode::Walk, Selector::Cheapest(1)), Output::Count)).state(),
        SqlState::INVALID_PARAMETER_VALUE
    );
    assert_eq!(
        error_of(&paths(path(1, None, Mode::Walk, Selector::Shortest(0)), Output::Count)).state(),
        SqlState::INVALID_PARAMETER_VALUE
    );
}

#[test]
fn an_explosion_of_paths_ends_within_its_budget() {
    let budget = Budget::new(1 << 24);
    let topology = complete(30);
    let kept = paths(path(1, Some(6), Mode::Walk, Selector::All), Output::Rows(vec![Var(2)]));
    assert_eq!(answer(&topology, &kept, &budget).unwrap_err().state(), SqlState::OUT_OF_MEMORY);
    assert!(budget.peak_bytes() <= 1 << 24, "U1: {} bytes", budget.peak_bytes());
    let trails = paths(path(2, None, Mode::Trail, Selector::Shortest(1_000_000)), Output::Count);
    assert_eq!(answer(&topology, &trails, &budget).unwrap_err().state(), SqlState::OUT_OF_MEMORY);
    // What an ended query took it gave back.
    let small = paths(path(1, Some(2), Mode::Walk, Selector::All), Output::Count);
    assert!(matches!(answer(&topology, &small, &budget), Ok(Answer::Count(27_900))), "30² walks of one edge, 30³ of two");
}

/// Walks are counted, not made, so their number alone ends the query.
#[test]
fn a_number_beyond_bigint_is_an_error() {
    let many = paths(path(14, Some(14), Mode::Walk, Selector::All), Output::Count);
    assert_eq!(error_of(&many).state(), SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
    let fits = paths(path(11, Some(11), Mode::Walk, Selector::All), Output::Count);
    assert!(matches!(answer(&complete(30), &fits, &Budget::new(1 << 24)), Ok(Answer::Count(count)) if count == 30_u64.pow(12)));
}

#[test]
fn a_search_without_end_can_be_cancelled() {
    let budget = Budget::new(usize::MAX);
    // No end in sight: every trail of a complete graph.
    let endless = paths(path(1, None, Mode::Trail, Selector::All), Output::Count);
    let topology = complete(30);
    let stopper = Arc::clone(&budget);
    let (started, starts) = std::sync::mpsc::channel();
    let cancelling = std::thread::Builder::new().name("cancel".to_owned()).spawn(move || {
        starts.recv().unwrap();
        // However long the query has run by now: it must end after the flag, which it cannot by itself.
        stopper.cancel();
    });
    started.send(()).unwrap();
    assert_eq!(answer(&topology, &endless, &budget).unwrap_err().state(), SqlState::QUERY_CANCELED);
    cancelling.unwrap().join().unwrap();
}

#[derive(Debug)]
struct Negative;

impl Weight for Negative {
    fn evaluate(&self, _: &[Element], edges: &[Element], _: &[Element], weights: &mut Vec<f64>) -> SqlResult<()> {
        weights.extend(edges.iter().map(|_| -1.0));
        Ok(())
    }
}

#[test]
fn a_negative_weight_is_an_error() {
    let mut pattern = path(1, None, Mode::Walk, Selector::Cheapest(1));
    pattern.weight = Some(Arc::new(Negative));
    assert_eq!(error_of(&paths(pattern, Output::Count)).state(), SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
}

#[test]
fn too_many_variables_are_refused() {
    let vertices = (0..57).map(|var| VertexPattern { var: Var(var), tables: vec![0], only: None }).collect();
    let query = Query { pattern: Pattern { vertices, ..Pattern::default() }, output: Output::Count };
    assert_eq!(error_of(&query).state(), SqlState::STATEMENT_TOO_COMPLEX);
}
