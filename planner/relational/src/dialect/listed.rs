//! What relations a FROM clause holds and which columns they have, as far as the text and the catalog tell.
//!
//! D38: a join by USING or NATURAL shows each column that it joins by once, before the others: the left's; of a RIGHT join the right's; of a FULL join
//!      whichever is not NULL.
//! Never: guesses the columns of a relation that it cannot list.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use sqlparser::ast::{
    Expr, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    TableAlias, TableFactor, TableWithJoins,
};

use super::spelling::call;
use crate::context::Context;
use crate::position::{folded, folded_parts};
use crate::{hidden, names};

/// A relation of FROM.
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// Whether an outer join may leave its row out.
    pub(super) may_be_absent: bool,
}

/// A column of FROM as a bare name and `*` find it.
#[derive(Clone)]
pub(super) struct Visible {
    pub(super) name: String,
    pub(super) value: Expr,
    /// Whether a join made one of two.
    pub(super) is_merged: bool,
}

/// Columns of the queries that WITH names, `None` where they cannot be told: the first of a list that those for queries around and within share.
#[derive(Clone, Default)]
pub(super) struct Ctes {
    named: Rc<RefCell<Vec<Named>>>,
    count: usize,
}

/// A name and the columns behind it.
type Named = (String, Option<Vec<String>>);

impl Ctes {
    pub(super) fn insert(&mut self, name: String, columns: Option<Vec<String>>) {
        let mut named = self.named.borrow_mut();
        // What a query before this one named is done with.
        named.truncate(self.count);
        named.push((name, columns));
        self.count = named.len();
    }

    /// `None` for a name that is none of theirs.
    fn get(&self, name: &str) -> Option<Option<Vec<String>>> {
        let named = self.named.borrow();
        named[..self.count].iter().rev().find(|(known, _)| known == name).map(|(_, columns)| columns.clone())
    }
}

pub(super) struct Listing<'a> {
    pub(super) context: &'a Context<'a>,
}

impl Listing<'_> {
    /// What is known within a query, given what is known around it.
    pub(super) fn with(&self, query: &Query, mut known: Ctes) -> Ctes {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            // A recursive one is known by its list, or by its first part.
            let columns = self.of_query(&cte.query, &known);
            known.insert(folded(&cte.alias.name), renamed(columns, Some(&cte.alias)));
        }
        known
    }

    /// The relations of a FROM item; `None` for one that cannot be listed.
    pub(super) fn relations(&self, from: &TableWithJoins, ctes: &Ctes, may_be_absent: bool, out: &mut Vec<Option<Relation>>) {
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
            return self.relations(table_with_joins, ctes, may_be_absent, out);
        }
        let name = match factor {
            TableFactor::Table { name, alias: None, args: None, .. } => folded_parts(name).pop(),
            TableFactor::Table { alias, args: None, .. } | TableFactor::Derived { alias, .. } => {
                alias.as_ref().map(|alias| folded(&alias.name))
            }
            TableFactor::NestedJoin { alias, .. } => alias.as_ref().map(|alias| folded(&alias.name)),
            // A function's row of one column is that column.
            _ => None,
        };
        out.push(name.zip(self.of_factor(factor, ctes)).map(|(name, columns)| Relation { name, columns, may_be_absent }));
    }

    /// The columns of a FROM item under the names that its alias gives them.
    pub(super) fn of_factor(&self, factor: &TableFactor, ctes: &Ctes) -> Option<Vec<String>> {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let parts = folded_parts(name);
                let cte = if let [only] = parts.as_slice() { ctes.get(only) } else { None };
                let columns = match cte {
                    Some(columns) => columns,
                    None => self.context.schema_of(name).map(|schema| {
                        let shown = schema.fields().iter().filter(|field| !hidden::is_hidden(field));
                        shown.map(|field| field.name().clone()).collect()
                    }),
                };
                renamed(columns, alias.as_ref())
            }
            TableFactor::Derived { subquery, alias, .. } => renamed(self.of_query(subquery, ctes), alias.as_ref()),
            TableFactor::NestedJoin { table_with_joins, alias: alias @ Some(_) } => {
                let visible = self.visible(table_with_joins, ctes)?;
                renamed(Some(visible.into_iter().map(|column| column.name).collect()), alias.as_ref())
            }
            TableFactor::Table { alias: Some(alias), args: Some(_), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
                if !alias.columns.is_empty() =>
            {
                renamed(None, Some(alias))
            }
            TableFactor::UNNEST { alias: Some(alias), array_exprs, with_ordinality: false, .. } if array_exprs.len() == 1 => {
                Some(vec![folded(&alias.name)])
            }
            _ => None,
        }
    }

    /// The columns of a FROM item with its joins, in the order of `*` (D38).
    pub(super) fn visible(&self, from: &TableWithJoins, ctes: &Ctes) -> Option<Vec<Visible>> {
        let first = self.of_relation(&from.relation, ctes)?;
        from.joins.iter().try_fold(first, |left, join| Some(joined(left, self.of_relation(&join.relation, ctes)?, join)?.0))
    }

    /// The columns of one relation of a join.
    pub(super) fn of_relation(&self, factor: &TableFactor, ctes: &Ctes) -> Option<Vec<Visible>> {
        if let TableFactor::NestedJoin { table_with_joins, alias: None } = factor {
            return self.visible(table_with_joins, ctes);
        }
        let qualifier = match factor {
            TableFactor::Table { name, alias: None, .. } => Ident::with_quote('"', folded_parts(name).pop()?),
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => Ident::with_quote('"', folded(&alias.name)),
            _ => return None,
        };
        let columns = self.of_factor(factor, ctes)?;
        let mut met = HashSet::new();
        // Of two columns of one name neither can be named.
        if !columns.iter().all(|name| met.insert(name)) {
            return None;
        }
        let column = |name: &String| Visible {
            name: name.clone(),
            value: Expr::CompoundIdentifier(vec![qualifier.clone(), Ident::with_quote('"', name)]),
            is_merged: false,
        };
        Some(columns.iter().map(column).collect())
    }

    /// The columns of a query, where they can be told from its text.
    pub(super) fn of_query(&self, query: &Query, ctes: &Ctes) -> Option<Vec<String>> {
        self.of_body(&query.body, &self.with(query, ctes.clone()))
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
        select.from.iter().for_each(|from| self.relations(from, ctes, false, &mut relations));
        let mut columns = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => columns.push(names::figured(expr)),
                SelectItem::ExprWithAlias { alias, .. } => columns.push(names::shown(&folded(alias)).to_owned()),
                SelectItem::Wildcard(_) => {
                    for from in &select.from {
                        match self.visible(from, ctes) {
                            Some(visible) => columns.extend(visible.into_iter().map(|column| column.name)),
                            None if from.joins.is_empty() => columns.extend(self.of_factor(&from.relation, ctes)?),
                            None => return None,
                        }
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

/// What is equal on both sides of a join.
pub(super) type Pairs = Vec<(Expr, Expr)>;

/// The columns of a join (D38), and the pairs that it joins by; `None` if one of those is not there, or twice.
pub(super) fn joined(left: Vec<Visible>, right: Vec<Visible>, join: &Join) -> Option<(Vec<Visible>, Pairs)> {
    let by = match constraint(&join.join_operator) {
        Some(JoinConstraint::Using(columns)) => columns.iter().map(|column| folded_parts(column).pop()).collect::<Option<Vec<_>>>()?,
        Some(JoinConstraint::Natural) => {
            let is_common = |column: &&Visible| right.iter().any(|other| other.name == column.name);
            left.iter().filter(is_common).map(|column| column.name.clone()).collect()
        }
        _ => Vec::new(),
    };
    let only = |columns: &[Visible], name: &String| {
        let mut found = columns.iter().filter(|column| column.name == *name);
        found.next().filter(|_| found.next().is_none()).map(|column| column.value.clone())
    };
    let pairs = by.iter().map(|name| Some((only(&left, name)?, only(&right, name)?))).collect::<Option<Vec<_>>>()?;
    let merged = by.iter().zip(&pairs).map(|(name, (left, right))| {
        let value = match &join.join_operator {
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) => right.clone(),
            JoinOperator::FullOuter(_) => call("coalesce", vec![FunctionArgExpr::Expr(left.clone()), FunctionArgExpr::Expr(right.clone())]),
            _ => left.clone(),
        };
        Visible { name: name.clone(), value, is_merged: true }
    });
    let rest = left.iter().chain(&right).filter(|column| !by.contains(&column.name)).cloned();
    let columns = merged.chain(rest).collect();
    Some((columns, pairs))
}

/// What a join joins by.
pub(super) fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

/// Columns under the names that an alias gives them.
pub(super) fn renamed(columns: Option<Vec<String>>, alias: Option<&TableAlias>) -> Option<Vec<String>> {
    let given: Vec<String> = alias.iter().flat_map(|alias| alias.columns.iter().map(|column| folded(&column.name))).collect();
    match columns {
        Some(columns) => Some(given.iter().cloned().chain(columns.into_iter().skip(given.len())).collect()),
        None => (!given.is_empty()).then_some(given),
    }
}
