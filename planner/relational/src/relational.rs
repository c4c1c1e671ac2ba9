//! The service a server holds once: plans, describes, explains and runs queries.
//!
//! R5: what `describe` says of the columns is what `execute` answers.
//! Never: keeps a table, a resolver or an environment beyond the statement it was given for.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::execution::context::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{InvariantLevel, LogicalPlan};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use futures::StreamExt;
use futures::stream::BoxStream;
use sqlparser::ast::Statement;

use crate::answer::{Answer, Running};
use crate::apply::convert;
use crate::clock::Moment;
use crate::context::{Context, Found};
use crate::environment::{Environment, RunLimits};
use crate::explanation::Step;
use crate::memory::Memory;
use crate::parameters::{self, Parameters};
use crate::planning::{self, Planner};
use crate::session_options::States;
use crate::shape::{Bound, Shape};
use crate::slot::{Slot, Which};
use crate::spilling::Spill;
use crate::table::{Resolver, Table};
use crate::{attach, dialect, errors, full_joins, functions, hidden, names, names_shown, operators, output, reshape, semantics};

/// Limits and shape of execution, set once a server.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Memory all running queries may hold together for sorts, hashes and aggregates; past it a statement goes to disk, or fails with 53200.
    pub memory_bytes: usize,
    /// Memory one of them may hold, its subqueries included; past it that query goes to disk, or fails with 53200, whatever the others hold.
    /// Subject to `memory_bytes`.
    pub run_memory_bytes: usize,
    /// Streams a scan or an exchange is split into, ≥ 1; usually the number of cores.
    pub partitions: usize,
    /// Rows a batch, 1–8,192.
    pub batch_rows: usize,
}

/// A statement and the text it was parsed from.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// `Statement::Query`; anything else is 0A000.
    pub statement: &'a Statement,
    /// The string given to the tokenizer, which the AST's spans count in; error positions count characters of it from 1.
    /// Empty: errors carry no position.
    pub text: &'a str,
}

/// What a query would answer, without running it.
#[derive(Clone, PartialEq, Debug)]
pub struct Description {
    /// Names and types of the columns, as in [`Rows::schema`]; names may repeat.
    pub columns: Vec<(String, DataType)>,
    /// Types of `$1`, `$2`, …: as given, else inferred from use, else Utf8.
    pub parameters: Vec<DataType>,
}

/// A running query. It runs on the tokio runtime that polls the stream; dropping the stream cancels it.
pub struct Rows {
    /// The batches' schema; names may repeat.
    pub schema: SchemaRef,
    /// Batches of at most `Options::batch_rows` rows; ends after the first error.
    pub stream: BoxStream<'static, SqlResult<RecordBatch>>,
}

/// Runs SELECT over tables found through a [`Resolver`]. Cheap to share, one a server.
pub struct Relational {
    states: States,
    memory: Memory,
    batch_rows: usize,
}

impl std::fmt::Debug for Relational {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relational").field("batch_rows", &self.batch_rows).finish_non_exhaustive()
    }
}

impl Relational {
    /// A service with these limits, whose queries never go to disk: what their memory does not hold is refused.
    ///
    /// Errors: 22023 for a limit out of range.
    pub fn new(options: Options) -> SqlResult<Self> {
        let never = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        Self::with(options, never, planning::optimizer_rules(None))
    }

    /// A service with these limits, whose sorts, joins and aggregates go to disk when they meet them.
    ///
    /// Errors: 22023 for a limit out of range; those of the folder ([`Spill`]).
    pub fn spilling(options: Options, spill: &Spill) -> SqlResult<Self> {
        Self::with(options, spill.open()?, planning::optimizer_rules(Some(options.run_memory_bytes)))
    }

    fn with(options: Options, disk: DiskManagerBuilder, rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>) -> SqlResult<Self> {
        let out_of_range = |what: &str| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("{what} is out of range"));
        if !(1..=8192).contains(&options.batch_rows) {
            return Err(out_of_range("batch_rows"));
        }
        if options.partitions == 0 {
            return Err(out_of_range("partitions"));
        }
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(options.memory_bytes)))
            .with_disk_manager_builder(disk)
            .build_arc()
            .map_err(|error| errors::unplaced(&error))?;
        let config = SessionConfig::from(config(options)).with_batch_size(options.batch_rows);
        let memory = Memory::new(config.clone(), &runtime, options.run_memory_bytes);
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_expr_planners(operators::planners())
            .with_scalar_functions(functions::scalars())
            .with_aggregate_functions(functions::aggregates())
            .with_window_functions(functions::windows::functions())
            .with_analyzer_rules(semantics::rules())
            .with_physical_optimizer_rules(rules)
            .build();
        Ok(Self { states: States::new(state), memory, batch_rows: options.batch_rows })
    }

    /// Binds a query: names, types, columns. `parameter_types` may be shorter than the parameters are; `None` means infer.
    ///
    /// Errors: whatever binding finds: 42P01, 42703, 42883, 42803 …, and the resolver's own.
    pub fn bind(
        &self,
        query: Query<'_>,
        resolver: &dyn Resolver,
        env: &Environment,
        parameter_types: &[Option<DataType>],
    ) -> SqlResult<Arc<Shape>> {
        if !matches!(query.statement, Statement::Query(_)) {
            return Err(SqlError::unsupported("this statement as a query"));
        }
        let failed = |error| errors::placed(&error, query);
        let state = self.states.of(env.manner);
        let known = Parameters::of(query.statement)?.known(parameter_types);
        let mentioned = hidden::mentioned(query.statement);
        let context = Context::new(&state, query, resolver, env, &mentioned);
        let statement = respelled(query.statement, &mentioned, &context)?;
        let plan = |statement: Statement, types: &[Option<DataType>]| {
            let mut planner = PlannerContext::new().with_prepare_param_data_types(parameters::fields(types));
            SqlToRel::new(&context).sql_statement_to_plan_with_context(statement, &mut planner).map_err(failed)
        };
        let (plan, parameters) = if known.iter().all(Option::is_some) {
            (plan(statement, &known)?, known)
        } else {
            // Once more with the types that the first plan inferred.
            let first = plan(statement.clone(), &known)?;
            let settled = parameters::settle(&known, &first).map_err(failed)?;
            (plan(statement, &settled)?, settled)
        };
        let plan = settled(plan, &state).map_err(failed)?;
        let plan = names_shown::show(plan, &context).map_err(failed)?;
        // R5: before constants can narrow a type.
        let schema = output::shown_schema(&plan);
        let plan = attach::release_clocks(plan).map_err(failed)?;
        let Found { tables, views, calls } = context.found();
        let bound = Bound { plan, schema, manner: env.manner, parameters, tables, views, calls };
        Shape::new(query.statement.clone(), query.text, bound).map(Arc::new).map_err(failed)
    }

    /// Starts a bound query on the resolver's tables. `parameters` holds a one-row array a parameter, typed as [`Shape::parameters`] says.
    ///
    /// Must be called within a tokio runtime. Errors: the resolver's, what planning raises; what running raises comes through the stream.
    /// The interrupt ends what cannot be ended by dropping the stream: the evaluation of a subquery within an expression.
    pub fn run(
        &self,
        shape: &Arc<Shape>,
        resolver: &dyn Resolver,
        moment: Moment,
        parameters: &[ArrayRef],
        limits: &RunLimits,
    ) -> SqlResult<Rows> {
        let Run { plan, slot, running } = self.ready(shape, resolver, moment, parameters, limits)?;
        let query = Query { statement: &shape.statement, text: &shape.text };
        let stream = execute_stream(plan, Arc::clone(slot.context())).map_err(|error| errors::placed(&error, query))?;
        let stream = slot.guarded(stream);
        let schema = Arc::clone(&shape.schema);
        Ok(Rows {
            stream: Answer { stream, slot, running, schema: Arc::clone(&schema), batch_rows: self.batch_rows }.into_batches(),
            schema,
        })
    }

    /// [`Relational::bind`] and [`Relational::run`] for a query that runs once.
    pub fn execute(&self, query: Query<'_>, resolver: &dyn Resolver, env: &Environment, parameters: &[ArrayRef]) -> SqlResult<Rows> {
        // A NULL without a type takes whatever type its place gives it.
        let given: Vec<Option<DataType>> = parameters.iter().map(|p| Some(p.data_type().clone()).filter(|t| !t.is_null())).collect();
        let shape = self.bind(query, resolver, env, &given)?;
        self.run(&shape, resolver, env.moment(), parameters, &RunLimits::none())
    }

    /// Columns and parameters of a query. Errors: as for [`Relational::bind`].
    pub fn describe(
        &self,
        query: Query<'_>,
        resolver: &dyn Resolver,
        env: &Environment,
        parameter_types: &[Option<DataType>],
    ) -> SqlResult<Description> {
        let shape = self.bind(query, resolver, env, parameter_types)?;
        let columns = shape.columns().map(|(name, data_type)| (name.to_owned(), data_type.clone())).collect();
        let parameters = shape.parameters().cloned().collect();
        Ok(Description { columns, parameters })
    }

    /// The plan for these values; with `analyze` the query is run, and what each operator did stands in it.
    ///
    /// Errors: as for [`Relational::run`], and with `analyze` what running raises.
    pub fn explain(
        &self,
        shape: &Shape,
        resolver: &dyn Resolver,
        moment: Moment,
        parameters: &[ArrayRef],
        limits: &RunLimits,
        analyze: bool,
    ) -> impl Future<Output = SqlResult<Step>> + Send + 'static {
        let planned = self.special(shape, resolver, moment, parameters, limits);
        async move {
            let (plan, slot) = planned?;
            if analyze {
                let stream = execute_stream(Arc::clone(&plan), Arc::clone(slot.context())).map_err(|error| errors::unplaced(&error))?;
                let mut stream = slot.guarded(stream);
                while let Some(batch) = stream.next().await {
                    batch.map_err(|error| slot.named(errors::unplaced(&error)))?;
                }
            }
            Ok(Step::of(&plan, analyze))
        }
    }

    pub(crate) fn state(&self, env: &Environment) -> Arc<SessionState> {
        self.states.of(env.manner)
    }

    /// Planned and analyzed, for a statement without parameters.
    pub(crate) fn analyzed(&self, query: Query<'_>, resolver: &dyn Resolver, env: &Environment) -> SqlResult<LogicalPlan> {
        let failed = |error| errors::placed(&error, query);
        let state = self.states.of(env.manner);
        let mentioned = hidden::mentioned(query.statement);
        let context = Context::new(&state, query, resolver, env, &mentioned);
        let statement = respelled(query.statement, &mentioned, &context)?;
        let plan = SqlToRel::new(&context).sql_statement_to_plan_with_context(statement, &mut PlannerContext::new()).map_err(failed)?;
        settled(plan, &state).map_err(failed)
    }

    /// A plan filled in for one run: a kept one, or a new one.
    fn ready(
        &self,
        shape: &Arc<Shape>,
        resolver: &dyn Resolver,
        moment: Moment,
        parameters: &[ArrayRef],
        limits: &RunLimits,
    ) -> SqlResult<Run> {
        let values = parameters::values(parameters, &shape.parameters)?;
        let tables = tables_of(shape, resolver)?;
        if shape.is_generic() {
            if let Some(kept) = shape.take(&values, &tables) {
                kept.slot.fill(values, moment, tables, limits);
                return Ok(Run { plan: Arc::clone(&kept.plan), slot: Arc::clone(&kept.slot), running: Some(Running::new(shape, kept)) });
            }
            let slot = Arc::new(Slot::new(&self.memory, false));
            slot.fill(values.clone(), moment, tables.clone(), limits);
            match self.physical(shape, &slot, &|which| value_of(which, &values, moment).filter(|_| shape.is_pinned(which))) {
                Ok(plan) => {
                    let kept = shape.made(Arc::clone(&plan), Arc::clone(&slot), &values, &tables);
                    return Ok(Run { plan, slot, running: Some(Running::new(shape, kept)) });
                }
                // K3: whether it is the placeholders' fault or the query's, planning with values will tell.
                Err(_) => shape.specialise(),
            }
        }
        let (plan, slot) = self.special(shape, resolver, moment, parameters, limits)?;
        Ok(Run { plan, slot, running: None })
    }

    /// A plan for these values only.
    fn special(
        &self,
        shape: &Shape,
        resolver: &dyn Resolver,
        moment: Moment,
        parameters: &[ArrayRef],
        limits: &RunLimits,
    ) -> SqlResult<(Arc<dyn ExecutionPlan>, Arc<Slot>)> {
        let values = parameters::values(parameters, &shape.parameters)?;
        let slot = Arc::new(Slot::new(&self.memory, true));
        slot.fill(values.clone(), moment, tables_of(shape, resolver)?, limits);
        let plan = self.physical(shape, &slot, &|which| value_of(which, &values, moment))?;
        Ok((plan, slot))
    }

    /// From a bound query to operators. `constant` gives the values that are known now.
    fn physical(
        &self,
        shape: &Shape,
        slot: &Arc<Slot>,
        constant: &dyn Fn(Which) -> Option<ScalarValue>,
    ) -> SqlResult<Arc<dyn ExecutionPlan>> {
        let query = Query { statement: &shape.statement, text: &shape.text };
        let failed = |error| errors::placed(&error, query);
        let state = self.states.of(shape.manner);
        let plan = attach::fix(shape.plan.clone(), constant).map_err(failed)?;
        Arc::new(Planner::new(state)).operators(plan, slot).map_err(failed)
    }
}

fn tables_of(shape: &Shape, resolver: &dyn Resolver) -> SqlResult<Vec<Arc<dyn Table>>> {
    shape.views.iter().try_for_each(|(schema, name)| resolver.enter_view(schema.as_deref(), name))?;
    shape.tables.iter().map(|(schema, name)| resolver.table(schema.as_deref(), name)).collect()
}

fn value_of(which: Which, values: &[ScalarValue], moment: Moment) -> Option<ScalarValue> {
    match which {
        Which::Parameter(index) => values.get(index).cloned(),
        Which::Clock(clock) => Some(clock.at(moment)),
    }
}

/// The statement as DataFusion is to read it.
fn respelled(statement: &Statement, mentioned: &BTreeSet<String>, context: &Context<'_>) -> SqlResult<Statement> {
    let mut statement = statement.clone();
    prepare(&mut statement, context, mentioned)?;
    Ok(statement)
}

/// Everything done to a statement's text before DataFusion's planner reads it.
pub(crate) fn prepare(statement: &mut Statement, context: &Context<'_>, mentioned: &BTreeSet<String>) -> SqlResult<()> {
    dialect::subscripts::qualify(statement);
    hidden::exclude_from_wildcards(statement, mentioned, &|name| context.schema_of(name))?;
    dialect::recursion::carry(statement, context)?;
    dialect::same_names::keep_apart(statement, context);
    dialect::outer_aggregates::lift(statement, context)?;
    dialect::joined::write_out(statement, context)?;
    dialect::whole_rows::expand(statement, context);
    dialect::row_sets::compare(statement)?;
    dialect::sets::compare_by_name(statement)?;
    names::assign(statement);
    dialect::empty::prune(statement, context);
    dialect::impossible::prune(statement, context);
    dialect::by_key::aggregate(statement, context);
    dialect::apply(statement)
}

/// Types settled, subqueries that cannot be joins taken out, and the result checked.
pub(crate) fn settled(plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    plan.check_invariants(InvariantLevel::Always)?;
    full_joins::check(&plan)?;
    let plan = convert::analyzed(reshape::reshape(plan, state)?, state)?;
    let plan = convert::convert(reshape::delay(plan)?, state)?;
    plan.check_invariants(InvariantLevel::Executable)?;
    Ok(plan)
}

/// A row of a side of a join, as far as memory is concerned that many of them take: a text or two, some numbers, eight of such sides.
const GATHERED_BYTES: usize = 1_024;

/// A plan about to run.
struct Run {
    plan: Arc<dyn ExecutionPlan>,
    slot: Arc<Slot>,
    running: Option<Running>,
}

fn config(options: Options) -> ConfigOptions {
    let mut config = ConfigOptions::new();
    config.sql_parser.map_string_types_to_utf8view = false;
    config.sql_parser.parse_float_as_decimal = true;
    config.sql_parser.enable_ident_normalization = true;
    config.sql_parser.collect_spans = true;
    config.sql_parser.dialect = datafusion::common::config::Dialect::PostgreSQL;
    config.sql_parser.default_null_ordering = "nulls_max".to_owned();
    config.execution.target_partitions = options.partitions;
    config.execution.planning_concurrency = 1;
    // A side of a join is gathered for all threads together, where sorting cannot take its place, only if it is known to be small.
    config.optimizer.hash_join_single_partition_threshold_rows =
        (options.run_memory_bytes / GATHERED_BYTES).clamp(1, config.optimizer.hash_join_single_partition_threshold_rows);
    // What a merge needs is kept free by the shares of a run's memory, so that no sort takes its usual 10 MB ahead of its first row.
    config.execution.sort_spill_reservation_bytes = 0;
    config.execution.time_zone = Some("UTC".to_owned());
    config.execution.enforce_batch_size_in_joins = true;
    // It compares what fields say beside their types, too, which UNION ALL does not keep of windows; types are checked by every operator.
    config.execution.skip_physical_aggregate_schema_check = true;
    // No leaf takes a filter while it runs.
    config.optimizer.enable_dynamic_filter_pushdown = false;
    config.optimizer.enable_join_dynamic_filter_pushdown = false;
    config.optimizer.enable_topk_dynamic_filter_pushdown = false;
    config.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    config.execution.parquet.schema_force_view_types = false;
    config.catalog.create_default_catalog_and_schema = false;
    config
}
