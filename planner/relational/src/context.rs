//! Binds one statement's names: tables through the caller's resolver, functions through the registry and the environment.
//!
//! C1: one table name resolves once a statement; every mention reads the same snapshot-bound table.
//! C2: a view is not expanded within itself. The engine asks for the table of a name even where a CTE hides it, so a view whose CTE has the
//!     view's name would go on for ever.
//! Never: outlives the planning of its statement.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::{SqlError, SqlResult};
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::ViewTable;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, Cast, Expr, HigherOrderUDF, LogicalPlan, LogicalPlanBuilder, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast::{ObjectName, Statement};

use crate::computed::{self, Known, RowShape};
use crate::environment::Environment;
use crate::functions::{self, session};
use crate::hidden;
use crate::position;
use crate::provider::Provider;
use crate::raised::external;
use crate::relational::{self, Query};
use crate::set_functions::relation::SetFunctions;
use crate::sql_types::PostgresTypes;
use crate::table::{Resolver, TABLE_OID, Table, TableExpression, View};

/// Tables met so far, by schema as written and name.
type Resolved = HashMap<(Option<String>, String), Arc<dyn Table>>;

/// The names one statement can use.
pub(crate) struct Context<'a> {
    state: &'a SessionState,
    query: Query<'a>,
    resolver: &'a dyn Resolver,
    database: &'a str,
    functions: HashMap<String, Arc<ScalarUDF>>,
    mentioned: &'a BTreeSet<String>,
    tables: RefCell<Resolved>,
    found: Rc<RefCell<Found>>,
    /// Queries of views that are being expanded, from the outermost (C2).
    expanding: Vec<Statement>,
    relations: [Arc<dyn RelationPlanner>; 1],
}

/// What binding came upon.
#[derive(Clone, Default)]
pub(crate) struct Found {
    /// Tables read, each once; a [`Provider`] knows its table by the place in this list.
    pub(crate) tables: Vec<(Option<String>, String)>,
    /// Views read, each once, those within views too.
    pub(crate) views: BTreeSet<(Option<String>, String)>,
    /// Functions of the environment that are called.
    pub(crate) calls: Vec<String>,
}

/// Views within views, at most.
const VIEW_DEPTH_MAX: usize = 32;

fn relations() -> [Arc<dyn RelationPlanner>; 1] {
    [Arc::new(SetFunctions)]
}

impl<'a> Context<'a> {
    /// `mentioned` holds the identifiers that may name hidden columns (`hidden::mentioned`).
    pub(crate) fn new(
        state: &'a SessionState,
        query: Query<'a>,
        resolver: &'a dyn Resolver,
        env: &'a Environment,
        mentioned: &'a BTreeSet<String>,
    ) -> Self {
        let functions = functions::of_environment(env);
        let (tables, found) = (RefCell::default(), Rc::default());
        Self {
            state,
            query,
            resolver,
            database: &env.database,
            functions,
            mentioned,
            tables,
            found,
            expanding: Vec::new(),
            relations: relations(),
        }
    }

    /// What was found so far.
    pub(crate) fn found(&self) -> Found {
        self.found.borrow().clone()
    }

    /// The number of a table that the plan reads.
    fn number(&self, schema: Option<&str>, name: &str) -> usize {
        let tables = &mut self.found.borrow_mut().tables;
        let known = tables.iter().position(|(known, table)| known.as_deref() == schema && table == name);
        known.unwrap_or_else(|| {
            tables.push((schema.map(str::to_owned), name.to_owned()));
            tables.len() - 1
        })
    }

    /// The schema of the base table a FROM item names, hidden columns included; `None` if it does not resolve.
    pub(crate) fn schema_of(&self, name: &ObjectName) -> Option<Schema> {
        let mut parts = position::folded_parts(name);
        let table = parts.pop()?;
        let schema = parts.pop();
        if let Ok(Some(view)) = self.resolver.view(schema.as_deref(), &table) {
            let field = |(name, data_type): (String, DataType)| Field::new(name, data_type, true);
            return Some(Schema::new(view.columns.into_iter().map(field).collect::<Vec<_>>()));
        }
        let table = self.resolve(schema.as_deref(), &table).ok()?;
        let own = table.schema();
        let told = hidden::table_oid(table.as_ref()).filter(|_| self.mentioned.contains(TABLE_OID)).map(|(_, field)| Arc::new(field));
        Some(match told {
            Some(told) => Schema::new(own.fields().iter().cloned().chain([told]).collect::<Vec<_>>()),
            None => own.as_ref().clone(),
        })
    }

    /// The plan that a view stands for, its columns under the names it was made with.
    fn expand(&self, view: View) -> Result<LogicalPlan> {
        if self.expanding.contains(&view.statement) {
            return Err(external(SqlError::new(base::SqlState("42P17"), "infinite recursion detected in a view")));
        }
        if self.expanding.len() >= VIEW_DEPTH_MAX {
            return Err(external(SqlError::new(base::SqlState::STATEMENT_TOO_COMPLEX, "views are nested too deeply")));
        }
        let mentioned = hidden::mentioned(&view.statement);
        let inner = Context {
            state: self.state,
            query: Query { statement: self.query.statement, text: "" },
            resolver: self.resolver,
            database: self.database,
            functions: self.functions.clone(),
            mentioned: &mentioned,
            tables: RefCell::new(HashMap::new()),
            found: Rc::clone(&self.found),
            expanding: self.expanding.iter().cloned().chain([view.statement.clone()]).collect(),
            relations: relations(),
        };
        let mut statement = view.statement;
        relational::prepare(&mut statement, &inner, &mentioned).map_err(external)?;
        let plan = SqlToRel::new(&inner).sql_statement_to_plan_with_context(statement, &mut PlannerContext::new())?;
        let fields: Vec<_> = plan.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
        if fields.len() != view.columns.len() {
            return Err(external(SqlError::internal("a view has other columns than when it was made")));
        }
        let shown = fields.iter().zip(&view.columns).map(|((qualifier, field), (name, data_type))| {
            let column = Expr::Column(Column::new(qualifier.clone(), field.name()));
            let typed = if field.data_type() == data_type { column } else { Expr::Cast(Cast::new(Box::new(column), data_type.clone())) };
            typed.alias(name)
        });
        LogicalPlanBuilder::from(plan).project(shown.collect::<Vec<_>>())?.build()
    }

    /// What a table's indexes are about, as this statement would have planned it (C1 of `computed.rs`).
    fn expressions(&self, table: &dyn Table, schema: &SchemaRef) -> Vec<Known> {
        let mut known = Vec::new();
        for one in table.expressions() {
            // Rows of a table without these indexes: what is planned for an expression knows no other.
            let rows = RowsOf(Arc::new(RowShape(Arc::clone(schema))));
            let mentioned = BTreeSet::new();
            let inner = Context {
                state: self.state,
                query: Query { statement: self.query.statement, text: "" },
                resolver: &rows,
                database: self.database,
                functions: self.functions.clone(),
                mentioned: &mentioned,
                tables: RefCell::new(HashMap::new()),
                found: Rc::default(),
                expanding: self.expanding.clone(),
                relations: relations(),
            };
            let TableExpression { shown, statement, data_type } = one;
            // What cannot be planned here is mentioned by nothing.
            let expr = inner.expression(statement, schema).ok().flatten();
            known.push(Known { shown, data_type, expr });
        }
        known
    }

    fn expression(&self, mut statement: Statement, schema: &SchemaRef) -> Result<Option<Expr>> {
        relational::prepare(&mut statement, self, self.mentioned).map_err(external)?;
        let plan = SqlToRel::new(self).sql_statement_to_plan_with_context(statement, &mut PlannerContext::new())?;
        computed::expression(relational::settled(plan, self.state)?, schema, self.state)
    }

    /// Whether a FROM item names a table that can have no row.
    pub(crate) fn is_always_empty(&self, name: &ObjectName) -> bool {
        let mut parts = position::folded_parts(name);
        let Some(table) = parts.pop() else { return false };
        self.resolve(parts.pop().as_deref(), &table).is_ok_and(|table| table.is_always_empty())
    }

    /// The columns that identify a row of the table a FROM item names, if there are such beside the key.
    pub(crate) fn unique_columns(&self, name: &ObjectName) -> Option<Vec<String>> {
        let mut parts = position::folded_parts(name);
        let table = parts.pop()?;
        let found = self.resolve(parts.pop().as_deref(), &table).ok()?;
        let columns: Vec<String> = found.unique_columns().iter().map(|column| (*column).to_owned()).collect();
        (!columns.is_empty()).then_some(columns)
    }

    /// Whether the table a FROM item names tells of the values of some of its columns.
    pub(crate) fn has_told_values(&self, name: &ObjectName) -> bool {
        self.named(name).is_some_and(|table| !table.told_values().is_empty())
    }

    /// The only values that a column of it has, if it tells.
    pub(crate) fn told_values(&self, name: &ObjectName, column: &str) -> Option<Vec<String>> {
        let table = self.named(name)?;
        let told = table.told_values().iter().find(|(told, _)| *told == column)?;
        Some(told.1.iter().map(|value| (*value).to_owned()).collect())
    }

    fn named(&self, name: &ObjectName) -> Option<Arc<dyn Table>> {
        let mut parts = position::folded_parts(name);
        let table = parts.pop()?;
        self.resolve(parts.pop().as_deref(), &table).ok()
    }

    /// Whether a call of this name can be an aggregate's.
    pub(crate) fn is_aggregate(&self, name: &str) -> bool {
        self.state.aggregate_functions().contains_key(name)
    }

    fn resolve(&self, schema: Option<&str>, name: &str) -> SqlResult<Arc<dyn Table>> {
        let key = (schema.map(str::to_owned), name.to_owned());
        if let Some(table) = self.tables.borrow().get(&key) {
            return Ok(Arc::clone(table));
        }
        let table = self.resolver.table(schema, name).map_err(|error| self.placed(error, schema, name))?;
        self.tables.borrow_mut().insert(key, Arc::clone(&table));
        Ok(table)
    }

    fn placed(&self, error: SqlError, schema: Option<&str>, name: &str) -> SqlError {
        if error.position().is_some() {
            return error;
        }
        match position::of_relation(self.query, schema, name) {
            Some(at) => error.at(at),
            None => error,
        }
    }
}

/// Finds the rows that an expression is over.
struct RowsOf(Arc<RowShape>);

impl Resolver for RowsOf {
    fn table(&self, _schema: Option<&str>, _name: &str) -> SqlResult<Arc<dyn Table>> {
        Ok(Arc::clone(&self.0) as Arc<dyn Table>)
    }
}

impl ContextProvider for Context<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        if name.catalog().is_some_and(|catalog| catalog != self.database) {
            return Err(external(SqlError::unsupported(format!("cross-database reference \"{name}\""))));
        }
        if let Some(view) = self.resolver.view(name.schema(), name.table()).map_err(external)? {
            self.found.borrow_mut().views.insert((name.schema().map(str::to_owned), name.table().to_owned()));
            return Ok(provider_as_source(Arc::new(ViewTable::new(self.expand(view)?, None))));
        }
        let table = self.resolve(name.schema(), name.table()).map_err(external)?;
        let label = name.schema().map_or_else(|| name.table().to_owned(), |schema| format!("{schema}.{}", name.table()));
        let number = self.number(name.schema(), name.table());
        let provider = Provider::new(table.as_ref(), number, label, self.mentioned).map_err(external)?;
        let known = self.expressions(table.as_ref(), provider.columns());
        let provider = provider.knowing(known);
        Ok(provider_as_source(Arc::new(provider)))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relations
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(PostgresTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
        let Some(function) = self.functions.get(name) else { return self.state.scalar_functions().get(name).cloned() };
        if !session::is_session(function) {
            self.found.borrow_mut().calls.push(name.to_owned());
        }
        Some(Arc::clone(function))
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.keys().chain(self.state.scalar_functions().keys()).cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
