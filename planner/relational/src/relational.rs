//! The service a server holds once: plans, describes, explains and runs queries.
//!
//! R5: what `describe` says of the columns is what `execute` answers.
//! Never: keeps a table, a resolver or an environment beyond the statement it was given for.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::ParamValues;
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::context::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use futures::StreamExt;
use futures::executor::block_on;
use futures::stream::{self, BoxStream};
use sqlparser::ast::Statement;

use crate::context::Context;
use crate::environment::Environment;
use crate::parameters::{self, Parameters};
use crate::table::Resolver;
use crate::{dialect, errors, functions, hidden, names, output, semantics};

/// Limits and shape of execution, set once a server.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Memory all running queries may hold together for sorts, hashes and aggregates; past it a statement fails with 53200.
    pub memory_bytes: usize,
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
    state: SessionState,
    batch_rows: usize,
}

impl std::fmt::Debug for Relational {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relational").field("batch_rows", &self.batch_rows).finish_non_exhaustive()
    }
}

/// A plan with its parameters' types settled, before values take their places.
struct Planned {
    plan: LogicalPlan,
    parameters: Vec<Option<DataType>>,
}

impl Relational {
    /// A service with these limits.
    ///
    /// Errors: 22023 for a limit out of range.
    pub fn new(options: Options) -> SqlResult<Self> {
        let out_of_range = |what: &str| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("{what} is out of range"));
        if !(1..=8192).contains(&options.batch_rows) {
            return Err(out_of_range("batch_rows"));
        }
        if options.partitions == 0 {
            return Err(out_of_range("partitions"));
        }
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(options.memory_bytes)))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()
            .map_err(|error| errors::unplaced(&error))?;
        let state = SessionStateBuilder::new()
            .with_config(SessionConfig::from(config(options)).with_batch_size(options.batch_rows))
            .with_runtime_env(runtime)
            .with_expr_planners(SessionStateDefaults::default_expr_planners())
            .with_scalar_functions(functions::scalars())
            .with_aggregate_functions(functions::aggregates())
            .with_window_functions(SessionStateDefaults::default_window_functions())
            .with_table_function_list(SessionStateDefaults::default_table_functions())
            .with_analyzer_rules(semantics::rules())
            .build();
        Ok(Self { state, batch_rows: options.batch_rows })
    }

    /// Columns and parameters of a query. `parameter_types` may be shorter than the parameters are; `None` means infer.
    ///
    /// Errors: whatever planning finds: 42P01, 42703, 42883, 42803 …, and the resolver's own.
    pub fn describe(
        &self,
        query: Query<'_>,
        resolver: &dyn Resolver,
        env: &Environment,
        parameter_types: &[Option<DataType>],
    ) -> SqlResult<Description> {
        let planned = self.plan(query, resolver, env, parameter_types)?;
        let analyzed = self.analyze(query, planned.plan)?;
        let schema = output::shown_schema(analyzed.schema().as_arrow());
        let columns = schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        let parameters = planned.parameters.into_iter().map(|data_type| data_type.unwrap_or(DataType::Utf8)).collect();
        Ok(Description { columns, parameters })
    }

    /// Plans a query and starts it. `parameters` holds a one-row array a parameter, typed as [`Relational::describe`] says.
    ///
    /// Must be called within a tokio runtime. Errors: what planning raises; what running raises comes through the stream.
    pub fn execute(&self, query: Query<'_>, resolver: &dyn Resolver, env: &Environment, parameters: &[ArrayRef]) -> SqlResult<Rows> {
        let (plan, schema) = self.physical(query, resolver, env, parameters)?;
        let stream = execute_stream(plan, self.state.task_ctx()).map_err(|error| errors::placed(&error, query))?;
        let (shown, batch_rows) = (Arc::clone(&schema), self.batch_rows);
        let batches = stream.map(move |batch| {
            let batch = batch.map_err(|error| errors::unplaced(&error))?;
            output::shown_batch(&batch, &shown)
        });
        let pieces = batches.flat_map(move |batch| match batch {
            Ok(batch) => stream::iter(output::pieces(batch, batch_rows).map(Ok)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        });
        let until_error = pieces.scan(false, |failed, batch| {
            let item = (!*failed).then_some(batch);
            *failed |= matches!(item, Some(Err(_)));
            futures::future::ready(item)
        });
        Ok(Rows { schema, stream: until_error.boxed() })
    }

    /// The plan, a line an operator, indented by two spaces a level; with `analyze` the query is run and rows and times stand in the lines.
    ///
    /// Errors: as for [`Relational::execute`], and with `analyze` what running raises.
    pub fn explain(
        &self,
        query: Query<'_>,
        resolver: &dyn Resolver,
        env: &Environment,
        parameters: &[ArrayRef],
        analyze: bool,
    ) -> impl Future<Output = SqlResult<Vec<String>>> + Send + 'static {
        let planned = self.physical(query, resolver, env, parameters);
        let context = self.state.task_ctx();
        async move {
            let (plan, _) = planned?;
            if analyze {
                let mut stream = execute_stream(Arc::clone(&plan), context).map_err(|error| errors::unplaced(&error))?;
                while let Some(batch) = stream.next().await {
                    batch.map_err(|error| errors::unplaced(&error))?;
                }
            }
            let shown =
                if analyze { DisplayableExecutionPlan::with_metrics(plan.as_ref()) } else { DisplayableExecutionPlan::new(plan.as_ref()) };
            Ok(shown.indent(false).to_string().lines().map(str::to_owned).collect())
        }
    }

    /// From text to operators, and the schema results are shown with.
    fn physical(
        &self,
        query: Query<'_>,
        resolver: &dyn Resolver,
        env: &Environment,
        parameters: &[ArrayRef],
    ) -> SqlResult<(Arc<dyn ExecutionPlan>, SchemaRef)> {
        // A NULL without a type takes whatever type its place gives it.
        let given: Vec<Option<DataType>> = parameters.iter().map(|p| Some(p.data_type().clone()).filter(|t| !t.is_null())).collect();
        let planned = self.plan(query, resolver, env, &given)?;
        let values = parameters::values(parameters, &planned.parameters)?;
        let failed = |error| errors::placed(&error, query);
        // R5: the schema is that of the plan `describe` saw, before constants can narrow a type.
        let plan = self.analyze(query, planned.plan)?;
        let schema = output::shown_schema(plan.schema().as_arrow());
        let plan = if values.is_empty() { plan } else { plan.with_param_values(ParamValues::from(values)).map_err(failed)? };
        let plan = self.state.optimizer().optimize(plan, &self.state, |_, _| {}).map_err(failed)?;
        // Nothing in physical planning waits: table scans are opened without I/O.
        let plan = block_on(self.state.query_planner().create_physical_plan(&plan, &self.state)).map_err(failed)?;
        Ok((plan, schema))
    }

    /// Plans with the types given, once more if inference found others.
    fn plan(&self, query: Query<'_>, resolver: &dyn Resolver, env: &Environment, given: &[Option<DataType>]) -> SqlResult<Planned> {
        if !matches!(query.statement, Statement::Query(_)) {
            return Err(SqlError::unsupported("this statement as a query"));
        }
        let known = Parameters::of(query.statement)?.known(given);
        let mentioned = hidden::mentioned(query.statement);
        let context = Context::new(&self.state, query, resolver, env, &mentioned);
        let mut statement = query.statement.clone();
        prepare(&mut statement, &context, &mentioned)?;
        let bind = |statement: Statement, types: &[Option<DataType>]| {
            let mut planner = PlannerContext::new().with_prepare_param_data_types(parameters::fields(types));
            let plan = SqlToRel::new(&context).sql_statement_to_plan_with_context(statement, &mut planner);
            plan.map_err(|error| errors::placed(&error, query))
        };
        if known.iter().all(Option::is_some) {
            return Ok(Planned { plan: bind(statement, &known)?, parameters: known });
        }
        let first = bind(statement.clone(), &known)?;
        let settled = parameters::settle(&known, &first).map_err(|error| errors::placed(&error, query))?;
        Ok(Planned { plan: bind(statement, &settled)?, parameters: settled })
    }

    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    /// Planned and analyzed, for a statement without parameters.
    pub(crate) fn analyzed(&self, query: Query<'_>, resolver: &dyn Resolver, env: &Environment) -> SqlResult<LogicalPlan> {
        let planned = self.plan(query, resolver, env, &[])?;
        self.analyze(query, planned.plan)
    }

    fn analyze(&self, query: Query<'_>, plan: LogicalPlan) -> SqlResult<LogicalPlan> {
        let analyzed = self.state.analyzer().execute_and_check(plan, self.state.config_options(), |_, _| {});
        analyzed.map_err(|error| errors::placed(&error, query))
    }
}

/// Everything done to a statement's text before DataFusion's planner reads it.
pub(crate) fn prepare(statement: &mut Statement, context: &Context<'_>, mentioned: &BTreeSet<String>) -> SqlResult<()> {
    hidden::exclude_from_wildcards(statement, mentioned, &|name| context.schema_of(name))?;
    dialect::sets::compare_by_name(statement)?;
    names::assign(statement);
    dialect::empty::prune(statement, context);
    dialect::by_key::aggregate(statement, context);
    dialect::apply(statement)
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
    config.execution.time_zone = Some("UTC".to_owned());
    config.execution.enforce_batch_size_in_joins = true;
    config.execution.parquet.schema_force_view_types = false;
    config.catalog.create_default_catalog_and_schema = false;
    config
}
