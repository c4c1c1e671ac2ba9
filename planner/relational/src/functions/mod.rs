//! Functions beside and instead of DataFusion's own, a file a family.
//!
//! F1: a family is registered here and nowhere else.
//! Never: reads a clock or any state outside its arguments and the [`Environment`].

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::environment::Environment;
use crate::marks;

pub(crate) mod arithmetic;
pub(crate) mod arrays;
pub(crate) mod averages;
pub(crate) mod bytes;
mod calendar;
mod caller;
pub(crate) mod casts;
pub(crate) mod catalog;
mod choice;
pub(crate) mod conversions;
mod dates;
pub(crate) mod documents;
mod format;
pub(crate) mod gathered;
pub(crate) mod intervals;
pub(crate) mod json_paths;
mod maths;
mod moments;
mod native;
mod normal_forms;
mod number_pictures;
pub(crate) mod numerics;
pub(crate) mod ordered_sets;
pub(crate) mod overlaps;
mod plain_input;
pub(crate) mod records;
mod regexps;
pub(crate) mod regressions;
pub(crate) mod row;
pub(crate) mod series;
pub(crate) mod session;
mod spreads;
pub(crate) mod strings;
pub(crate) mod text;
mod to_char;
mod to_date;
mod typed_sums;
pub(crate) mod types;
pub(crate) mod windows;
mod zones;

pub(crate) use caller::of_run;

/// DataFusion's functions that share a name with one of Postgres's and do something else: better none than a wrong answer.
const MISLEADING: [&str; 5] = ["current_time", "date_format", "to_char", "to_date", "to_timestamp"];

/// DataFusion's aggregates that Postgres 15 has not.
const NO_AGGREGATES: [&str; 7] = [
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
    "median",
    "nth_value",
];

/// Functions that are the same for every statement.
pub(crate) fn scalars() -> Vec<Arc<ScalarUDF>> {
    let theirs = SessionStateDefaults::default_scalar_functions()
        .into_iter()
        .filter_map(without_misleading_names)
        .map(choice::lenient)
        .map(numerics::widened::floating);
    // A later one replaces an earlier of its name.
    let ours = [
        arrays::functions(),
        bytes::functions(),
        catalog::functions(),
        dates::functions(),
        documents::functions(),
        format::functions(),
        intervals::functions(),
        json_paths::functions(),
        maths::functions(),
        normal_forms::functions(),
        numerics::functions(),
        overlaps::functions(),
        regexps::functions(),
        series::functions(),
        strings::functions(),
        text::functions(),
        to_char::functions(),
        to_date::functions(),
        zones::functions(),
    ];
    theirs.chain([Arc::new(types::pg_typeof())]).chain(ours.into_iter().flatten().chain(marks::functions()).map(Arc::new)).collect()
}

fn without_misleading_names(function: Arc<ScalarUDF>) -> Option<Arc<ScalarUDF>> {
    let is_misleading =
        MISLEADING.contains(&function.name()) || function.aliases().iter().any(|alias| MISLEADING.contains(&alias.as_str()));
    (!is_misleading).then_some(function)
}

/// Aggregates; the types of `sum` and `avg` follow Postgres rather than DataFusion.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let ours = [
        vec![averages::sum(), averages::avg()],
        gathered::aggregates(),
        ordered_sets::aggregates(),
        regressions::aggregates(),
        spreads::aggregates(),
    ];
    let ours = ours.concat();
    let is_theirs =
        |theirs: &Arc<AggregateUDF>| !NO_AGGREGATES.contains(&theirs.name()) && !ours.iter().any(|own| own.name() == theirs.name());
    let theirs: Vec<_> = SessionStateDefaults::default_aggregate_functions().into_iter().filter(is_theirs).collect();
    theirs.into_iter().chain(ours.into_iter().map(Arc::new)).collect()
}

static AGGREGATES: LazyLock<HashSet<String>> = LazyLock::new(|| aggregates().iter().map(|function| function.name().to_owned()).collect());
static WINDOWS: LazyLock<HashSet<String>> =
    LazyLock::new(|| windows::functions().iter().map(|function| function.name().to_owned()).collect());
static SCALARS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let all = scalars();
    all.iter()
        .map(|function| function.name())
        .filter(|name| !AGGREGATES.contains(*name) && !WINDOWS.contains(*name))
        .map(str::to_owned)
        .collect()
});

/// Whether a function of this name gathers rows.
pub fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(name)
}

/// Whether a function of this name is computed from one row alone.
pub(crate) fn is_scalar(name: &str) -> bool {
    SCALARS.contains(name)
}

/// Functions that answer from one statement's environment, by name.
pub(crate) fn of_environment(env: &Environment) -> HashMap<String, Arc<ScalarUDF>> {
    let session = session::functions(env);
    let callers = env.functions.iter().map(caller::adapt);
    session.into_iter().chain(callers).map(|function| (function.name().to_owned(), Arc::new(function))).collect()
}
