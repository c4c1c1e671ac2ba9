//! What a call's query calls: vertices and edges as numbers in arrays, and what the function says of each vertex as an array.
//!
//! R1: what a function makes of the arrays is taken from the statement's memory before it is made.
//! R2: a function ends when its statement does.
//! Never: sees a key.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, Int64Builder, ListArray, ListBuilder};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use base::{SqlError, SqlResult, SqlState};
use graph::{Budget, Edges, Projection};
use relational::{Interrupt, ScalarFunction};

use super::query::NUMBER_BITS;

/// Names of the functions, which nobody can write: of every vertex its id, and what is said of it.
pub(super) const IDS: &str = "\u{1}graph_ids";
pub(super) const NUMBERS: &str = "\u{1}graph_numbers";
pub(super) const REALS: &str = "\u{1}graph_reals";
/// What one call may hold where the statement has no limit of its own.
const MEMORY_BYTES: usize = 1 << 30;
/// Steps that a function may be asked for.
const ITERATIONS_MAX: i32 = 100_000;

/// Whether a function is one of these.
pub(crate) fn is_own(name: &str) -> bool {
    [IDS, NUMBERS, REALS].contains(&name)
}

/// The functions for one statement.
pub(crate) fn functions(interrupt: Option<&Interrupt>, memory_bytes: Option<usize>) -> Vec<ScalarFunction> {
    let list = |item: DataType| DataType::new_list(item, true);
    let args = vec![
        DataType::Utf8,
        DataType::Boolean,
        DataType::Int32,
        DataType::Float64,
        DataType::Int64,
        list(DataType::Int64),
        list(DataType::Int64),
        list(DataType::Int64),
        list(DataType::Float64),
    ];
    let runner = Runner { interrupt: interrupt.cloned(), memory_bytes: memory_bytes.unwrap_or(MEMORY_BYTES) };
    let (numbers, reals) = (runner.clone(), runner);
    let function = |name: &str, args: Vec<DataType>, returns: DataType, call: relational::ScalarCall| ScalarFunction {
        name: name.to_owned(),
        args,
        optional_args: 0,
        returns,
        call,
    };
    vec![
        function(IDS, vec![list(DataType::Int64)], list(DataType::Int64), Arc::new(ids)),
        function(NUMBERS, args.clone(), list(DataType::Int64), Arc::new(move |arguments| numbers.numbers(arguments))),
        function(REALS, args, list(DataType::Float64), Arc::new(move |arguments| reals.reals(arguments))),
    ]
}

/// The numbers in a row of a list; none of NULL.
fn row(list: &ListArray, at: usize) -> SqlResult<Vec<i64>> {
    if list.is_null(at) {
        return Ok(Vec::new());
    }
    let values = list.value(at);
    match values.as_primitive_opt::<Int64Type>() {
        Some(values) if values.null_count() == 0 => Ok(values.values().to_vec()),
        _ => Err(SqlError::internal("R1: a list of numbers")),
    }
}

/// Of tables with so many vertices: the id of each vertex.
fn ids(arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
    let [counts] = arguments else { return Err(SqlError::internal("one argument")) };
    let counts = counts.as_list::<i32>();
    let mut all = ListBuilder::new(Int64Builder::new());
    for at in 0..counts.len() {
        Tables::new(&row(counts, at)?)?.ids().for_each(|id| all.values().append_value(id));
        all.append(true);
    }
    Ok(Arc::new(all.finish()))
}

/// How many vertices the tables have, and which numbers these have among all.
struct Tables {
    counts: Vec<u32>,
    firsts: Vec<u32>,
    total: u32,
}

impl Tables {
    /// Errors: 54000.
    fn new(counts: &[i64]) -> SqlResult<Self> {
        let (mut all, mut firsts, mut total) = (Vec::new(), Vec::new(), 0_u32);
        for count in counts {
            let small = u32::try_from(*count).ok().filter(|count| total.checked_add(*count).is_some_and(|total| total < u32::MAX));
            let Some(count) = small else {
                return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "a graph function takes 4,294,967,294 vertices at most"));
            };
            firsts.push(total);
            total += count;
            all.push(count);
        }
        Ok(Self { counts: all, firsts, total })
    }

    fn ids(&self) -> impl Iterator<Item = i64> + '_ {
        let of = |(place, count): (usize, &u32)| (0..i64::from(*count)).map(move |number| ((place as i64) << NUMBER_BITS) | number);
        self.counts.iter().enumerate().flat_map(of)
    }

    fn number(&self, id: i64) -> SqlResult<u32> {
        let place = usize::try_from(id >> NUMBER_BITS).ok();
        let number = (id & ((1 << NUMBER_BITS) - 1)) as u32;
        let found = place.and_then(|place| Some((self.firsts.get(place)?, self.counts.get(place)?)));
        found
            .filter(|(_, count)| number < **count)
            .map(|(first, _)| first + number)
            .ok_or_else(|| SqlError::internal("no vertex has this id"))
    }

    /// The id of a number.
    fn id(&self, number: u32) -> i64 {
        // Of tables that begin at one number the last alone has vertices.
        let place = self.firsts.partition_point(|first| *first <= number).saturating_sub(1);
        ((place as i64) << NUMBER_BITS) | i64::from(number - self.firsts.get(place).copied().unwrap_or(0))
    }
}

#[derive(Clone)]
struct Runner {
    interrupt: Option<Interrupt>,
    memory_bytes: usize,
}

/// One row's arguments.
struct Asked {
    name: String,
    iterations: i32,
    damping: f64,
    source: u32,
    tables: Tables,
    projection: Projection,
}

impl Runner {
    fn numbers(&self, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
        let mut all = ListBuilder::new(Int64Builder::new());
        for at in 0..arguments.first().map_or(0, |first| first.len()) {
            let asked = self.asked(arguments, at)?;
            let projection = &asked.projection;
            let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
            let said: Vec<Option<i64>> = match asked.name.as_str() {
                "graph_bfs" => projection.bfs(asked.source)?.into_iter().map(|depth| depth.map(signed)).collect(),
                "graph_kcore" => projection.kcore()?.into_iter().map(|core| Some(core.into())).collect(),
                "graph_triangle_count" => projection.triangle_count()?.into_iter().map(|count| Some(signed(count))).collect(),
                "graph_wcc" => asked.vertices(projection.wcc()?),
                "graph_cdlp" => asked.vertices(projection.cdlp(asked.iterations()?)?),
                other => return Err(SqlError::internal(format!("no graph function: {other}"))),
            };
            said.into_iter().for_each(|said| all.values().append_option(said));
            all.append(true);
        }
        Ok(Arc::new(all.finish()))
    }

    fn reals(&self, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
        let mut all = ListBuilder::new(Float64Builder::new());
        for at in 0..arguments.first().map_or(0, |first| first.len()) {
            let asked = self.asked(arguments, at)?;
            let projection = &asked.projection;
            let said = match asked.name.as_str() {
                "graph_lcc" => projection.lcc()?,
                "graph_pagerank" => projection.pagerank(asked.damping()?, asked.iterations()?)?,
                "graph_sssp" => projection.sssp(asked.source)?,
                other => return Err(SqlError::internal(format!("no graph function: {other}"))),
            };
            // No path leads there.
            said.into_iter().for_each(|said| all.values().append_option(said.is_finite().then_some(said)));
            all.append(true);
        }
        Ok(Arc::new(all.finish()))
    }

    /// The arguments of a row, the edges as a projection. Errors: 22004, 53200, 54000.
    fn asked(&self, arguments: &[ArrayRef], at: usize) -> SqlResult<Asked> {
        let [name, directed, iterations, damping, source, counts, from, to, weights] = arguments else {
            return Err(SqlError::internal("a graph function has nine arguments"));
        };
        for (name, argument) in [("directed", directed), ("iterations", iterations), ("damping", damping)] {
            if argument.is_null(at) {
                return Err(SqlError::new(SqlState("22004"), format!("argument \"{name}\" must not be null")));
            }
        }
        let name = name.as_string::<i32>().value(at).to_owned();
        let is_directed = directed.as_boolean().value(at);
        let (iterations, damping) = (iterations.as_primitive::<Int32Type>().value(at), damping.as_primitive::<Float64Type>().value(at));
        let tables = Tables::new(&row(counts.as_list::<i32>(), at)?)?;
        let ends =
            |list: &ArrayRef| -> SqlResult<Vec<u32>> { row(list.as_list::<i32>(), at)?.into_iter().map(|id| tables.number(id)).collect() };
        let (sources, targets) = (ends(from)?, ends(to)?);
        let weights = weighed(weights, at)?;
        let interrupt = self.interrupt.clone();
        let budget = Budget::with_interrupt(self.memory_bytes, move || interrupt.as_ref().map_or(Ok(()), |interrupt| interrupt()));
        let edges = Edges { sources: &sources, targets: &targets, weights: weights.as_deref() };
        let projection = Projection::of_edges(tables.total, &edges, is_directed, &budget)?;
        let source = source.as_primitive::<Int64Type>();
        let source = if source.is_null(at) { 0 } else { tables.number(source.value(at))? };
        Ok(Asked { name, iterations, damping, source, tables, projection })
    }
}

/// Errors: 22004 for an edge without a weight.
fn weighed(weights: &ArrayRef, at: usize) -> SqlResult<Option<Vec<f64>>> {
    let weights = weights.as_list::<i32>();
    if weights.is_null(at) {
        return Ok(None);
    }
    let values = weights.value(at);
    match values.as_primitive_opt::<Float64Type>() {
        Some(values) if values.null_count() == 0 => Ok(Some(values.values().to_vec())),
        _ => Err(SqlError::new(SqlState("22004"), "the weight of an edge must not be null")
            .hint("Let the property be coalesce(column, 1), or leave these edges out by a view.")),
    }
}

impl Asked {
    fn vertices(&self, numbers: Vec<u32>) -> Vec<Option<i64>> {
        numbers.into_iter().map(|number| Some(self.tables.id(number))).collect()
    }

    /// Errors: 22023.
    fn iterations(&self) -> SqlResult<u32> {
        u32::try_from(self.iterations).ok().filter(|_| self.iterations <= ITERATIONS_MAX).ok_or_else(|| {
            let message = format!("iterations are 0 to {ITERATIONS_MAX}, not {}", self.iterations);
            SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
        })
    }

    /// Errors: 22023.
    fn damping(&self) -> SqlResult<f64> {
        match (0.0..=1.0).contains(&self.damping) {
            true => Ok(self.damping),
            false => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("damping is 0 to 1, not {}", self.damping))),
        }
    }
}
