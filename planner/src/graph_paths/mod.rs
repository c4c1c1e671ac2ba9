//! Searching paths in a property graph: what stands in a query for a path that no join can answer.
//!
//! The query that a GRAPH_TABLE clause becomes calls [`FUNCTION`] for each vertex that such a path begins at, or for each pair of ends where the other is one
//! vertex. It answers the paths from there to vertices of one table, each as one number: the row that the path leads to and, above it, how many edges it has; or, where what they pass is asked for, [`SHOWN`],
//! each as a document of that number and the ids of vertices and edges.
//!
//! P1: a search sees the graph as of the statement's snapshot, or as of the commit that it names.
//! P2: rows that the transaction itself has written are not in any topology: it is refused then, but for a search in the past.
//! P3: SERIALIZABLE would have to note which edges a search passed: it is refused there.
//! P4: a search ends when its statement does, and holds no more than the statement may.
//! Never: judges a right; the query opens the element tables beside the call, and the clause's graph was asked for.

mod edge_steps;
mod shown;
mod spec;
mod whole_steps;

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, Int64Builder, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use base::{CommitSeq, RelationId, RowId, SqlError, SqlResult, SqlState};
use engine::{Catalog, GraphDef, Ledger, Object};
use graph::{
    Answer, Budget, EdgePattern, Element, FromStatistics, Output, PathPattern, Query, Run, Snapshot, Strategy, Value, Var, VertexPattern,
};
use relational::{Environment, Interrupt, Relational, ScalarFunction};
use sqlparser::ast::{Expr, Visit, Visitor};

use shown::Shown;
pub(crate) use spec::{EdgeStep, Spec, WholeStep};
pub(crate) use whole_steps::{column, told as told_column};

use crate::live_graphs::{Live, LiveGraphs};
use crate::rule_text;

/// Its name, which nobody can write.
pub(crate) const FUNCTION: &str = "\u{1}graph_paths";
/// Likewise, of that which also tells what paths pass.
pub(crate) const SHOWN: &str = "\u{1}graph_paths shown";

/// Whether a function is one of these.
pub(crate) fn is_search(name: &str) -> bool {
    name == FUNCTION || name == SHOWN
}

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
    /// The names are those of another moment, and so is what is searched.
    pub(crate) moved: Option<CommitSeq>,
    pub(crate) interrupt: Option<Interrupt>,
}

/// What searching needs of a statement beside its names.
pub(crate) struct Means {
    pub(crate) ledger: Arc<Ledger>,
    /// The statement's names.
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) searched: Searched,
    pub(crate) memory_bytes: Option<usize>,
    pub(crate) relational: Arc<Relational>,
    /// What ids of elements are written in.
    pub(crate) environment: Environment,
}

/// The functions for one statement: of a spec and the ends' tables as text, the row to begin at, the row to end at or NULL for any, and a number that says
/// nothing.
pub(crate) fn functions(means: Means) -> [ScalarFunction; 2] {
    let searcher = Arc::new(Searcher { memory_bytes: means.memory_bytes.unwrap_or(MEMORY_BYTES), means });
    let shown = Arc::clone(&searcher);
    let function = |name: &str, item: DataType, call: relational::ScalarCall| ScalarFunction {
        name: name.to_owned(),
        args: vec![DataType::Utf8, DataType::Int64, DataType::Int64, DataType::Int32],
        optional_args: 0,
        returns: DataType::new_list(item, true),
        call,
    };
    [
        function(FUNCTION, DataType::Int64, Arc::new(move |arguments| searcher.numbers(arguments))),
        function(SHOWN, DataType::Utf8, Arc::new(move |arguments| shown.documents(arguments))),
    ]
}

/// The columns that an expression over rows at hand mentions.
pub(crate) fn columns_of(text: &str) -> SqlResult<Vec<String>> {
    struct Columns(Vec<String>);
    impl Visitor for Columns {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Identifier(ident) = expr {
                self.0.push(ident.value.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let mut columns = Columns(Vec::new());
    let _ = Visit::visit(&rule_text::expression(text)?, &mut columns);
    Ok(columns.0)
}

struct Searcher {
    means: Means,
    memory_bytes: usize,
}

/// A path that was found: where it leads, and itself.
struct Path {
    number: i64,
    path: graph::Path,
}

/// Takes the paths found from one row; `None` from NULL.
type Take<'a> = dyn FnMut(Option<&Opened>, Option<Vec<Path>>) -> SqlResult<()> + 'a;

impl Searcher {
    fn numbers(&self, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
        let mut answers = ListBuilder::new(Int64Builder::new());
        self.call(arguments, &mut |_, found| {
            found.iter().flatten().for_each(|path| answers.values().append_value(path.number));
            answers.append(found.is_some());
            Ok(())
        })?;
        Ok(Arc::new(answers.finish()))
    }

    fn documents(&self, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
        let mut answers = ListBuilder::new(StringBuilder::new());
        let mut shown = Shown::new(&self.means);
        self.call(arguments, &mut |opened, found| {
            if let Some(opened) = opened {
                shown.learn(opened, found.iter().flatten().map(|path| &path.path))?;
                for path in found.iter().flatten() {
                    answers.values().append_value(shown.document(path.number, &path.path)?);
                }
            }
            answers.append(found.is_some());
            Ok(())
        })?;
        Ok(Arc::new(answers.finish()))
    }

    /// Shows to `take` what is found from each row; nothing from NULL.
    fn call(&self, arguments: &[ArrayRef], take: &mut Take<'_>) -> SqlResult<()> {
        let [specs, rows, ends, _] = arguments else { return Err(SqlError::internal("a search for paths has four arguments")) };
        let (specs, rows, ends) = (specs.as_string::<i32>(), rows.as_primitive::<Int64Type>(), ends.as_primitive::<Int64Type>());
        let row = |rows: &Int64Array, at: usize| RowId(rows.value(at).cast_unsigned());
        let mut opened: Option<(String, Opened)> = None;
        for at in 0..rows.len() {
            if specs.is_null(at) || rows.is_null(at) {
                take(None, None)?;
                continue;
            }
            let text = specs.value(at);
            let search = match &opened {
                Some((known, search)) if known == text => search,
                _ => &opened.insert((text.to_owned(), self.open(text)?)).1,
            };
            let end = ends.is_valid(at).then(|| row(ends, at));
            let found = self.search(search, row(rows, at), end)?;
            take(Some(search), Some(found))?;
        }
        Ok(())
    }

    fn open(&self, text: &str) -> SqlResult<Opened> {
        let (spec, ends) = Spec::read(text)?;
        let Means { ledger, catalog, searched, .. } = &self.means;
        let (catalog, moment) = match spec.at {
            Some(at) => {
                let then = ledger.moment(CommitSeq(at))?;
                (then.catalog, then.seq)
            }
            None if searched.is_written => {
                return Err(SqlError::unsupported("a search for paths in a transaction that has written")
                    .hint("Search in a transaction of its own: what is not committed yet is in no graph."));
            }
            None if searched.is_traced => {
                let error = SqlError::unsupported("a search for paths in a SERIALIZABLE transaction");
                return Err(error.hint("Use REPEATABLE READ."));
            }
            None => (Arc::clone(catalog), searched.moment),
        };
        let Some(Object::Graph(graph)) = catalog.object(spec.graph) else {
            return Err(SqlError::internal(format!("graph {} is not in the catalog", spec.graph)));
        };
        let moment = moment.ok_or_else(|| SqlError::internal("a graph in an empty ledger"))?;
        for element in &graph.elements {
            ledger.check_unexpired(RelationId(element.relation), moment)?;
        }
        let live = searched.graphs.get(ledger, &catalog, graph)?;
        let snapshot = live.topology().snapshot(moment);
        let (tables, ends) = (live.edge_tables(&spec.edges)?, live.vertex_tables(ends)?);
        let graph = Arc::clone(graph);
        let mut pattern = spec.path();
        edge_steps::ask(&mut pattern, &spec, &self.means, &graph, &catalog, &live, &snapshot)?;
        Ok(Opened { pattern, tables, ends, spec, live, snapshot, graph, catalog })
    }

    /// The paths from a row, to one or to any, as the module says. Errors: 53200, 57014, 54000.
    fn search(&self, opened: &Opened, row: RowId, end: Option<RowId>) -> SqlResult<Vec<Path>> {
        let vertex = |table: u16, row: RowId| opened.live.vertex_of_row(table, row).map(|vertex| Element::new(table, vertex.into()));
        let Some(from) = vertex(opened.ends.0, row) else { return Ok(Vec::new()) };
        let to = match end {
            Some(end) => match vertex(opened.ends.1, end) {
                Some(to) => Some(Arc::from([to])),
                None => return Ok(Vec::new()),
            },
            None => None,
        };
        let [left, path, right] = [Var(0), Var(1), Var(2)];
        let only = Some(Arc::from([from]));
        let pattern = graph::Pattern {
            vertices: vec![
                VertexPattern { var: left, tables: vec![opened.ends.0], only },
                VertexPattern { var: right, tables: vec![opened.ends.1], only: to },
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
        let statistics = opened.live.statistics(&opened.snapshot);
        let cardinality = FromStatistics { schema: opened.snapshot.schema(), statistics: &statistics };
        let plan = graph::plan(&query, opened.snapshot.schema(), &cardinality, Strategy::Cheapest)?;
        let interrupt = self.means.searched.interrupt.clone();
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
            (0..times).for_each(|_| all.push(Path { number, path: path.clone() }));
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
    graph: Arc<GraphDef>,
    /// Of the moment that is searched.
    catalog: Arc<Catalog>,
}
