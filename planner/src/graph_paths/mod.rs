//! Searching paths in a property graph: what stands in a query for a path that no join can answer.
//!
//! The query that a GRAPH_TABLE clause becomes calls [`FUNCTION`] for each vertex that such a path begins at. It answers the paths from there to vertices of
//! one table, each as one number: the row that the path leads to and, above it, how many edges it has.
//!
//! P1: a search sees the graph as of the statement's snapshot.
//! P2: rows that the transaction itself has written are not in any topology: it is refused then.
//! P3: SERIALIZABLE would have to note which edges a search passed: it is refused there.
//! P4: a search ends when its statement does, and holds no more than the statement may.
//! Never: judges a right; the query reads the vertices at both ends, and the clause's graph was asked for.

mod live;
mod spec;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Builder, ListBuilder};
use arrow::datatypes::{DataType, Int64Type};
use base::{CommitSeq, RowId, SqlError, SqlResult, SqlState};
use engine::{Catalog, Ledger, Object};
use graph::{Answer, Budget, EdgePattern, Element, Output, PathPattern, Query, Run, Snapshot, Strategy, Value, Var, VertexPattern};
use relational::{Interrupt, ScalarFunction};

use live::Live;
pub(crate) use live::LiveGraphs;
pub(crate) use spec::Spec;

/// Its name, which nobody can write.
pub(crate) const FUNCTION: &str = "\u{1}graph_paths";
/// Bits of an answer that are the row.
pub(crate) const ROW_BITS: u32 = 40;
/// What one search may hold where the statement has no limit of its own.
const MEMORY_BYTES: usize = 256 << 20;

/// What paths are searched in.
#[derive(Clone)]
pub(crate) struct Searched {
    pub(crate) graphs: Arc<LiveGraphs>,
    /// The statement's snapshot (P1).
    pub(crate) moment: Option<CommitSeq>,
    /// The transaction has written (P2).
    pub(crate) is_written: bool,
    /// What the transaction reads is noted (P3).
    pub(crate) is_traced: bool,
    /// The names are those of another moment.
    pub(crate) is_moved: bool,
    pub(crate) interrupt: Option<Interrupt>,
}

/// The function for one statement, whose names are those of `catalog`: of a spec and the ends' tables as text, and the row to begin at.
pub(crate) fn function(ledger: &Arc<Ledger>, catalog: &Arc<Catalog>, searched: &Searched, memory_bytes: Option<usize>) -> ScalarFunction {
    let searcher = Searcher {
        ledger: Arc::clone(ledger),
        catalog: Arc::clone(catalog),
        searched: searched.clone(),
        memory_bytes: memory_bytes.unwrap_or(MEMORY_BYTES),
    };
    ScalarFunction {
        name: FUNCTION.to_owned(),
        args: vec![DataType::Utf8, DataType::Int64],
        optional_args: 0,
        returns: DataType::new_list(DataType::Int64, true),
        call: Arc::new(move |arguments| searcher.call(arguments)),
    }
}

struct Searcher {
    ledger: Arc<Ledger>,
    catalog: Arc<Catalog>,
    searched: Searched,
    memory_bytes: usize,
}

impl Searcher {
    fn call(&self, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
        let [specs, rows] = arguments else { return Err(SqlError::internal("a search for paths has two arguments")) };
        let (specs, rows) = (specs.as_string::<i32>(), rows.as_primitive::<Int64Type>());
        let mut answers = ListBuilder::new(Int64Builder::new());
        let mut opened: Option<(String, Opened)> = None;
        for at in 0..rows.len() {
            if specs.is_null(at) || rows.is_null(at) {
                answers.append_null();
                continue;
            }
            let text = specs.value(at);
            let search = match &opened {
                Some((known, search)) if known == text => search,
                _ => &opened.insert((text.to_owned(), self.open(text)?)).1,
            };
            for found in self.search(search, RowId(rows.value(at).cast_unsigned()))? {
                answers.values().append_value(found);
            }
            answers.append(true);
        }
        Ok(Arc::new(answers.finish()))
    }

    fn open(&self, text: &str) -> SqlResult<Opened> {
        let (spec, ends) = Spec::read(text)?;
        if self.searched.is_written {
            return Err(SqlError::unsupported("a search for paths in a transaction that has written")
                .hint("Search in a transaction of its own: what is not committed yet is in no graph."));
        }
        if self.searched.is_traced {
            return Err(SqlError::unsupported("a search for paths in a SERIALIZABLE transaction").hint("Use REPEATABLE READ."));
        }
        let Some(Object::Graph(graph)) = self.catalog.object(spec.graph) else {
            return Err(SqlError::internal(format!("graph {} is not in the catalog", spec.graph)));
        };
        let moment = self.searched.moment.ok_or_else(|| SqlError::internal("a graph in an empty ledger"))?;
        let live = self.searched.graphs.get(&self.ledger, &self.catalog, graph)?;
        let snapshot = live.topology().snapshot(moment);
        Ok(Opened { pattern: spec.path()?, tables: live.edge_tables(&spec.edges)?, ends: live.vertex_tables(ends)?, spec, live, snapshot })
    }

    /// The paths from a row, as the module says. Errors: 53200, 57014, 54000.
    fn search(&self, opened: &Opened, row: RowId) -> SqlResult<Vec<i64>> {
        let Some(from) = opened.live.vertex_of_row(opened.ends.0, row) else { return Ok(Vec::new()) };
        let [left, path, right] = [Var(0), Var(1), Var(2)];
        let only = Some(Arc::from([Element::new(opened.ends.0, from.into())]));
        let pattern = graph::Pattern {
            vertices: vec![
                VertexPattern { var: left, tables: vec![opened.ends.0], only },
                VertexPattern { var: right, tables: vec![opened.ends.1], only: None },
            ],
            edges: vec![EdgePattern {
                var: path,
                from: left,
                to: right,
                tables: opened.tables.clone(),
                direction: opened.spec.direction(),
                path: Some(opened.pattern.clone()),
            }],
            ..graph::Pattern::default()
        };
        let query = Query { pattern, output: Output::Rows(vec![right, path]) };
        let plan = graph::plan(&query, opened.snapshot.schema(), &opened.live.cardinality(), Strategy::Cheapest)?;
        let interrupt = self.searched.interrupt.clone();
        let budget = Budget::with_interrupt(self.memory_bytes, move || interrupt.as_ref().map_or(Ok(()), |interrupt| interrupt()));
        let (answer, _) = graph::run(&plan, &opened.snapshot, &Run { budget, limit: None, clock: None, threads: 1 })?;
        let Answer::Rows(found) = answer else { return Err(SqlError::internal("a search for paths answers rows")) };
        let mut all = Vec::with_capacity(found.len());
        for (values, times) in found {
            let [Value::Element(to), Value::Path(path)] = values.as_slice() else {
                return Err(SqlError::internal("a search for paths answers a vertex and a path"));
            };
            let row = opened.snapshot.rows(opened.ends.1, &[to.vertex()]).pop().flatten();
            let Some(row) = row else { continue };
            let number = told(row, path.length())?;
            (0..times).for_each(|_| all.push(number));
        }
        Ok(all)
    }
}

/// One path as a number.
fn told(row: RowId, length: usize) -> SqlResult<i64> {
    let length = i64::try_from(length).ok().filter(|length| *length < 1 << (62 - ROW_BITS));
    match (i64::try_from(row.0).ok().filter(|row| *row < 1 << ROW_BITS), length) {
        (Some(row), Some(length)) => Ok(length << ROW_BITS | row),
        _ => Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "a path is too long, or leads to a row too far on in its table")),
    }
}

/// One kind of search in one snapshot.
struct Opened {
    spec: Spec,
    pattern: PathPattern,
    /// Places of its edge tables.
    tables: Vec<u16>,
    /// Places of the vertex tables at its ends.
    ends: (u16, u16),
    live: Arc<Live>,
    snapshot: Snapshot,
}
