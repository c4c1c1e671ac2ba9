//! Rows as values: `ROW(a, b)`, `(a, b)` in a list, and a relation's name where a value stands (`row_to_json(t)`, `SELECT t`, `count(t.*)`).
//!
//! D26: a row is a struct of named fields: those of the relation, or f1, f2, ….
//! D27: a name is a relation's row only if no relation in the same FROM has a column of that name.
//! D28: the row of a relation that an outer join may leave out is NULL where all its columns are.
//! Never: guesses the columns of a relation it cannot list; its name stays a column's, which planning will miss.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, JoinOperator, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Statement, TableAlias, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};

use super::spelling::call;
use crate::context::Context;
use crate::position::{folded, folded_parts};
use crate::{hidden, layouts, names};

/// Rewrites every mention of a relation's row, before SELECT items get their names.
pub(crate) fn expand(statement: &mut Statement, context: &Context<'_>) {
    let _ = VisitMut::visit(statement, &mut Rows { context, ctes: vec![HashMap::new()], scopes: Vec::new() });
}

/// A relation of FROM.
struct Relation {
    name: String,
    columns: Vec<String>,
    may_be_absent: bool,
}

type Ctes = HashMap<String, Option<Vec<String>>>;

struct Rows<'a> {
    context: &'a Context<'a>,
    ctes: Vec<Ctes>,
    /// Relations of each SELECT around, from the outermost; `None` where some cannot be listed.
    scopes: Vec<Vec<Option<Relation>>>,
}

impl VisitorMut for Rows<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let mut known = self.ctes.last().cloned().unwrap_or_default();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            // A recursive one is known by its list, or by its first part.
            let columns = self.of_query(&cte.query, &known);
            known.insert(folded(&cte.alias.name), renamed(columns, Some(&cte.alias)));
        }
        self.ctes.push(known);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.ctes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let ctes = self.ctes.last().cloned().unwrap_or_default();
        let mut relations = Vec::new();
        select.from.iter().for_each(|from| self.list(from, &ctes, false, &mut relations));
        self.scopes.push(relations);
        for item in &mut select.projection {
            // What is written names the column, not what it becomes.
            if let SelectItem::UnnamedExpr(expr @ (Expr::Identifier(_) | Expr::Cast { .. })) = item
                && let Some(row) = self.row_within(expr)
            {
                let alias = Ident::with_quote('"', names::figured(expr));
                *item = SelectItem::ExprWithAlias { expr: row, alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _select: &mut Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => {
                if let Some(row) = self.row(ident) {
                    *expr = row;
                }
            }
            Expr::Function(function) => self.arguments(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Rows<'_> {
    /// `f(t.*)` is `f(t)`.
    fn arguments(&self, function: &mut Function) {
        let FunctionArguments::List(list) = &mut function.args else { return };
        for arg in &mut list.args {
            if let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) = arg
                && let [part] = name.0.as_slice()
                && let Some(row) = part.as_ident().and_then(|ident| self.row(ident))
            {
                *arg = FunctionArg::Unnamed(FunctionArgExpr::Expr(row));
            }
        }
    }

    /// The expression with the row that it is, or that it casts.
    fn row_within(&self, expr: &Expr) -> Option<Expr> {
        match expr {
            Expr::Identifier(ident) => self.row(ident),
            Expr::Cast { kind, expr, data_type, array, format } => {
                let expr = Box::new(self.row_within(expr)?);
                Some(Expr::Cast { kind: kind.clone(), expr, data_type: data_type.clone(), array: *array, format: format.clone() })
            }
            Expr::Nested(inner) => self.row_within(inner),
            _ => None,
        }
    }

    /// The row that a bare name is, if it is one (D27).
    fn row(&self, ident: &Ident) -> Option<Expr> {
        let name = folded(ident);
        for scope in self.scopes.iter().rev() {
            let known: Option<Vec<&Relation>> = scope.iter().map(Option::as_ref).collect();
            let is_column = known.as_ref().is_none_or(|known| known.iter().any(|relation| relation.columns.contains(&name)));
            if is_column {
                return None;
            }
            if let Some(found) = known?.into_iter().find(|relation| relation.name == name) {
                return Some(found.row());
            }
        }
        None
    }

    fn list(&self, from: &TableWithJoins, ctes: &Ctes, may_be_absent: bool, out: &mut Vec<Option<Relation>>) {
        let left_is_optional = from
            .joins
            .iter()
            .any(|join| matches!(join.join_operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)));
        self.relation(&from.relation, ctes, may_be_absent || left_is_optional, out);
        for join in &from.joins {
            let is_optional = matches!(join.join_operator, JoinOperator::Left(_) | JoinOperator::LeftOuter(_) | JoinOperator::FullOuter(_));
            self.relation(&join.relation, ctes, may_be_absent || is_optional || left_is_optional, out);
        }
    }

    fn relation(&self, factor: &TableFactor, ctes: &Ctes, may_be_absent: bool, out: &mut Vec<Option<Relation>>) {
        if let TableFactor::NestedJoin { table_with_joins, alias: None } = factor {
            return self.list(table_with_joins, ctes, may_be_absent, out);
        }
        let (name, columns) = match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let parts = folded_parts(name);
                let cte = if let [only] = parts.as_slice() { ctes.get(only) } else { None };
                let columns = match cte {
                    Some(columns) => columns.clone(),
                    None => self.context.schema_of(name).map(|schema| {
                        let shown = schema.fields().iter().filter(|field| !hidden::is_hidden(field));
                        shown.map(|field| field.name().clone()).collect()
                    }),
                };
                let own = alias.as_ref().map(|alias| folded(&alias.name)).or_else(|| parts.last().cloned());
                (own, renamed(columns, alias.as_ref()))
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let columns = self.of_query(subquery, ctes);
                (alias.as_ref().map(|alias| folded(&alias.name)), renamed(columns, alias.as_ref()))
            }
            // A function's row of one column is that column.
            _ => (None, None),
        };
        out.push(name.zip(columns).map(|(name, columns)| Relation { name, columns, may_be_absent }));
    }

    /// The columns of a query, where they can be told from its text.
    fn of_query(&self, query: &Query, ctes: &Ctes) -> Option<Vec<String>> {
        let mut ctes = ctes.clone();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let columns = self.of_query(&cte.query, &ctes);
            ctes.insert(folded(&cte.alias.name), renamed(columns, Some(&cte.alias)));
        }
        self.of_body(&query.body, &ctes)
    }

    fn of_body(&self, body: &SetExpr, ctes: &Ctes) -> Option<Vec<String>> {
        match body {
            SetExpr::Select(select) => self.of_select(select, ctes),
            SetExpr::Query(query) => self.of_query(query, ctes),
            SetExpr::SetOperation { left, .. } => self.of_body(left, ctes),
            SetExpr::Values(values) => Some((1..=values.rows.first()?.content.len()).map(|at| format!("column{at}")).collect()),
            _ => None,
        }
    }

    fn of_select(&self, select: &Select, ctes: &Ctes) -> Option<Vec<String>> {
        let mut relations = Vec::new();
        select.from.iter().for_each(|from| self.list(from, ctes, false, &mut relations));
        let mut columns = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => columns.push(names::figured(expr)),
                SelectItem::ExprWithAlias { alias, .. } => columns.push(folded(alias)),
                SelectItem::Wildcard(_) => {
                    for relation in &relations {
                        columns.extend(relation.as_ref()?.columns.iter().cloned());
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let name = folded_parts(name).pop()?;
                    let found = relations.iter().flatten().find(|relation| relation.name == name)?;
                    columns.extend(found.columns.iter().cloned());
                }
                _ => return None,
            }
        }
        Some(columns)
    }
}

impl Relation {
    fn row(&self) -> Expr {
        let column = |column: &String| Expr::CompoundIdentifier(vec![Ident::with_quote('"', &self.name), Ident::with_quote('"', column)]);
        let row = record(self.columns.iter().map(|name| (name.clone(), column(name))).collect());
        if !self.may_be_absent || self.columns.is_empty() {
            return row;
        }
        // D28
        let known = call("num_nonnulls", self.columns.iter().map(|name| FunctionArgExpr::Expr(column(name))).collect());
        let zero = Expr::Value(Value::Number("0".into(), false).into());
        let condition = Expr::BinaryOp { left: Box::new(known), op: sqlparser::ast::BinaryOperator::Gt, right: Box::new(zero) };
        Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand: None,
            conditions: vec![CaseWhen { condition, result: row }],
            else_result: None,
        }
    }
}

fn renamed(columns: Option<Vec<String>>, alias: Option<&TableAlias>) -> Option<Vec<String>> {
    let given: Vec<String> = alias.iter().flat_map(|alias| alias.columns.iter().map(|column| folded(&column.name))).collect();
    match columns {
        Some(columns) => Some(given.iter().cloned().chain(columns.into_iter().skip(given.len())).collect()),
        None => (!given.is_empty()).then_some(given),
    }
}

/// D26.
fn record(fields: Vec<(String, Expr)>) -> Expr {
    let named = |(name, value): (String, Expr)| [Expr::Value(Value::SingleQuotedString(layouts::record_field(&name)).into()), value];
    call("named_struct", fields.into_iter().flat_map(named).map(FunctionArgExpr::Expr).collect())
}

/// Rows written out in a SELECT list, after comparisons of rows were taken apart.
pub(super) fn name_fields(item: &mut Expr) {
    let _ = VisitMut::visit(item, &mut Fields { depth: 0 });
}

struct Fields {
    depth: u32,
}

impl VisitorMut for Fields {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        let columns = match expr {
            Expr::Tuple(columns) if columns.len() > 1 => std::mem::take(columns),
            Expr::Function(function) if folded_parts(&function.name) == ["row"] && function.over.is_none() => {
                let FunctionArguments::List(list) = &function.args else { return ControlFlow::Continue(()) };
                let each = list.args.iter().map(|arg| match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
                    _ => None,
                });
                match each.collect() {
                    Some(columns) => columns,
                    None => return ControlFlow::Continue(()),
                }
            }
            _ => return ControlFlow::Continue(()),
        };
        *expr = record(columns.into_iter().enumerate().map(|(at, value)| (format!("f{}", at + 1), value)).collect());
        ControlFlow::Continue(())
    }
}
