//! Reads a stored query: what each name means, which type each part has.
//!
//! Never: reads what it does not know for certain; then there is nothing, and the query is shown as it is kept.

use sqlparser::ast::{
    self, Cte, CteAsMaterialized, Distinct, Expr, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, NamedWindowExpr, OrderByExpr,
    OrderByKind, SelectItem, SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor, TableWithJoins, Value,
};

use super::scope::{Column, Relation, Scope};
use super::tree::{Body, From, Node, On, Order, Query, Select, Typed, Window};
use super::types::{self, BOOL, INT8, Typ};
use super::{expressions, types::UNKNOWN};
use crate::names::fold;
use crate::pg_catalog::names::quote;
use crate::pg_catalog::scene;
use crate::updatable_views;
use engine::Object;

type Columns = Vec<(String, Typ)>;

/// A query and what it answers with. `names`: what the answer's columns are called, where somebody else says so.
pub(super) fn query(scope: &Scope<'_>, query: &ast::Query, names: Option<&[String]>) -> Option<Query> {
    let refused = !query.locks.is_empty() || query.for_clause.is_some() || !query.pipe_operators.is_empty();
    if refused {
        return None;
    }
    let mut scope = scope.clone();
    scope.beside = names_beside(&query.body);
    let mut ctes = Vec::new();
    let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        let bound = self::cte(&scope, cte, recursive)?;
        scope.ctes.push((
            bound.name.clone(),
            bound.query.columns.iter().map(|(_, typ)| *typ).zip(names_of(&bound)).map(|(typ, name)| (name, typ)).collect(),
        ));
        ctes.push(bound);
    }
    let order = match &query.order_by {
        None => &[][..],
        Some(order) => match (&order.kind, &order.interpolate) {
            (OrderByKind::Expressions(order), None) => order.as_slice(),
            _ => return None,
        },
    };
    let (limit, offset, with_ties) = limits(&scope, query)?;
    let mut bound = body(&scope, &query.body, order, names)?;
    if !ctes.is_empty() && !bound.ctes.is_empty() {
        return None;
    }
    if limit.is_some() || offset.is_some() {
        if bound.limit.is_some() || bound.offset.is_some() {
            return None;
        }
        (bound.limit, bound.offset, bound.with_ties) = (limit, offset, with_ties);
    }
    if !ctes.is_empty() {
        (bound.ctes, bound.recursive) = (ctes, recursive);
    }
    Some(bound)
}

/// Names of the relations that a SELECT reads.
fn names_beside(body: &SetExpr) -> Vec<String> {
    match body {
        SetExpr::Select(select) => select.from.iter().flat_map(names_in).collect(),
        _ => Vec::new(),
    }
}

fn names_in(item: &TableWithJoins) -> Vec<String> {
    let of = |factor: &TableFactor| match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. } => vec![fold(&alias.name)],
        TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
            name.0.last().and_then(|part| part.as_ident()).map(fold).into_iter().collect()
        }
        TableFactor::NestedJoin { table_with_joins, .. } => names_in(table_with_joins),
        _ => Vec::new(),
    };
    std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation)).flat_map(of).collect()
}

fn names_of(cte: &super::tree::Cte) -> Vec<String> {
    let own = cte.query.columns.iter().map(|(name, _)| name.clone());
    cte.columns.iter().cloned().chain(own.skip(cte.columns.len())).collect()
}

fn cte(scope: &Scope<'_>, cte: &Cte, recursive: bool) -> Option<super::tree::Cte> {
    if cte.from.is_some() {
        return None;
    }
    let name = fold(&cte.alias.name);
    let columns: Vec<String> = cte.alias.columns.iter().map(|column| fold(&column.name)).collect();
    let materialized = match cte.materialized {
        None => "",
        Some(CteAsMaterialized::Materialized) => "MATERIALIZED ",
        Some(CteAsMaterialized::NotMaterialized) => "NOT MATERIALIZED ",
    };
    let mut inner = scope.clone();
    if recursive && let SetExpr::SetOperation { left, .. } = cte.query.body.as_ref() {
        // What it answers with is what its first part does.
        let first = body(&scope.within(), left, &[], None)?;
        let named = first.columns.iter().enumerate().map(|(at, (own, typ))| (columns.get(at).unwrap_or(own).clone(), *typ));
        inner.ctes.push((name.clone(), named.collect()));
    }
    let query = query(&inner.within(), &cte.query, None)?;
    Some(super::tree::Cte { name, columns, materialized, query })
}

fn limits(scope: &Scope<'_>, query: &ast::Query) -> Option<(Option<Typed>, Option<Typed>, bool)> {
    let count = |expr: &Expr| expressions::coerced(expressions::bind(scope, expr)?, INT8);
    let (mut limit, mut offset, mut with_ties) = (None, None, false);
    match &query.limit_clause {
        None => {}
        Some(LimitClause::LimitOffset { limit: own, offset: skipped, limit_by }) if limit_by.is_empty() => {
            limit = own.as_ref().map(|own| Some(plain(count(own)?))).map_or(Some(None), |known| known.map(Some))?;
            offset = skipped.as_ref().map(|skipped| Some(plain(count(&skipped.value)?))).map_or(Some(None), |known| known.map(Some))?;
        }
        Some(_) => return None,
    }
    if let Some(fetch) = &query.fetch {
        if fetch.percent || limit.is_some() {
            return None;
        }
        with_ties = fetch.with_ties;
        limit = Some(match &fetch.quantity {
            Some(quantity) => plain(count(quantity)?),
            None => Typed { node: Node::Constant(Some("1".to_owned())), typ: types::of(types::INT4) },
        });
    }
    Some((limit, offset, with_ties))
}

/// A count that is a constant is shown without its type.
fn plain(count: Typed) -> Typed {
    match count.node {
        Node::Cast(inner) if matches!(inner.node, Node::Constant(_)) => *inner,
        _ => count,
    }
}

fn body(scope: &Scope<'_>, body: &SetExpr, order: &[OrderByExpr], names: Option<&[String]>) -> Option<Query> {
    match body {
        SetExpr::Select(select) => self::select(scope, select, order, names),
        SetExpr::Query(inner) if order.is_empty() => query(scope, inner, names),
        // Parentheses around all of it say nothing where the query in them has no order of its own.
        SetExpr::Query(inner)
            if inner.order_by.is_none() && inner.limit_clause.is_none() && inner.fetch.is_none() && inner.with.is_none() =>
        {
            self::body(scope, &inner.body, order, names)
        }
        SetExpr::Values(values) if order.is_empty() => self::values(scope, values),
        SetExpr::SetOperation { left, op, set_quantifier, right } => {
            let all = match set_quantifier {
                SetQuantifier::All => true,
                SetQuantifier::None | SetQuantifier::Distinct => false,
                _ => return None,
            };
            let op = match op {
                SetOperator::Union => "UNION ",
                SetOperator::Except => "EXCEPT ",
                SetOperator::Intersect => "INTERSECT ",
                SetOperator::Minus => return None,
            };
            let mut left = self::body(scope, left, &[], names)?;
            let mut right = self::body(scope, right, &[], names)?;
            let pairs = left.columns.iter().zip(&right.columns);
            let common: Vec<i64> = pairs.map(|(one, other)| types::common(&[one.1.oid, other.1.oid])).collect::<Option<_>>()?;
            let typ = |at: usize, one: Typ| if one.oid == common[at] { one } else { types::of(common[at]) };
            let columns: Columns = left.columns.iter().enumerate().map(|(at, (name, one))| (name.clone(), typ(at, *one))).collect();
            retype(&mut left, &common)?;
            retype(&mut right, &common)?;
            let place = |item: &OrderByExpr| match &item.expr {
                Expr::Value(value) => match &value.value {
                    Value::Number(number, _) => number.parse().ok(),
                    _ => None,
                },
                Expr::Identifier(name) => columns.iter().position(|(column, _)| *column == fold(name)).map(|at| at + 1),
                _ => None,
            };
            let order_places: Vec<usize> = order.iter().map(place).collect::<Option<_>>()?;
            let nothing = || Typed { node: Node::Constant(None), typ: types::of(UNKNOWN) };
            let order = order.iter().map(|item| ordered(item, nothing())).collect::<Option<_>>()?;
            let body = Body::Set { op, all, left: Box::new(left), right: Box::new(right) };
            Some(Query { order, order_places, ..Query::of(body, columns) })
        }
        _ => None,
    }
}

/// Gives the rows of one side of a set operation the types that both take.
fn retype(query: &mut Query, to: &[i64]) -> Option<()> {
    match &mut query.body {
        Body::Select(select) => {
            for ((item, _), to) in select.items.iter_mut().zip(to) {
                if item.typ.oid != *to {
                    *item = expressions::coerced(item.clone(), *to)?;
                }
            }
        }
        Body::Values(rows) => {
            for (item, to) in rows.iter_mut().flat_map(|row| row.iter_mut().zip(to)) {
                *item = expressions::coerced(item.clone(), *to)?;
            }
        }
        // What a nested one answers with is cast around it in Postgres, which has no words for it here.
        Body::Set { .. } => query.columns.iter().zip(to).all(|((_, typ), to)| typ.oid == *to).then_some(())?,
    }
    Some(())
}

fn values(scope: &Scope<'_>, values: &ast::Values) -> Option<Query> {
    let bind = |expr: &Expr| expressions::bind(scope, expr);
    let rows: Vec<Vec<Typed>> = values.rows.iter().map(|row| row.iter().map(bind).collect()).collect::<Option<_>>()?;
    let width = rows.first()?.len();
    let types: Vec<i64> = (0..width)
        .map(|at| types::common(&rows.iter().filter_map(|row| row.get(at)).map(|item| item.typ.oid).collect::<Vec<_>>()))
        .collect::<Option<_>>()?;
    let typed = |row: Vec<Typed>| row.into_iter().zip(&types).map(|(item, to)| expressions::coerced(item, *to)).collect::<Option<Vec<_>>>();
    let rows = rows.into_iter().map(typed).collect::<Option<_>>()?;
    let columns = types.iter().zip(1..).map(|(oid, at)| (format!("column{at}"), types::of(*oid))).collect();
    Some(Query::of(Body::Values(rows), columns))
}

fn ordered(item: &OrderByExpr, expr: Typed) -> Option<Order> {
    item.with_fill.is_none().then_some(())?;
    Some(Order { expr, descending: item.options.asc == Some(false), nulls_first: item.options.nulls_first })
}

/// What ORDER BY, GROUP BY or DISTINCT ON means by an expression: an item of the list, by place or name, or the expression.
fn meant(scope: &Scope<'_>, expr: &Expr, items: &[(Typed, String)], names_first: bool) -> Option<Typed> {
    let by_name = |name: &str| items.iter().find(|(_, known)| known == name).map(|(item, _)| item.clone());
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(items.get(number.parse::<usize>().ok()?.checked_sub(1)?)?.0.clone()),
            _ => None,
        },
        Expr::Identifier(name) if names_first => by_name(&fold(name)).or_else(|| expressions::bind(scope, expr)),
        Expr::Identifier(name) => expressions::bind(scope, expr).or_else(|| by_name(&fold(name))),
        Expr::Nested(inner) => meant(scope, inner, items, names_first),
        other => expressions::settled(expressions::bind(scope, other)?),
    }
}

fn select(around: &Scope<'_>, select: &ast::Select, order: &[OrderByExpr], names: Option<&[String]>) -> Option<Query> {
    let refused = select.top.is_some()
        || select.into.is_some()
        || !select.lateral_views.is_empty()
        || select.qualify.is_some()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || select.exclude.is_some();
    if refused {
        return None;
    }
    let mut scope = around.clone();
    (scope.relations, scope.merged) = (Vec::new(), Vec::new());
    scope.beside = select.from.iter().flat_map(names_in).collect();
    let mut from = Vec::new();
    for item in &select.from {
        from.push(self::from(&mut scope, item)?);
    }
    let mut items = Vec::new();
    for (at, item) in select.projection.iter().enumerate() {
        if let (SelectItem::Wildcard(options), 1) = (item, select.projection.len()) {
            (options.opt_exclude.is_none()
                && options.opt_except.is_none()
                && options.opt_rename.is_none()
                && options.opt_replace.is_none())
            .then_some(())?;
            items = all_columns(&scope, select, names)?;
            break;
        }
        let (expr, given) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(fold(alias))),
            _ => return None,
        };
        let bound = expressions::settled(expressions::bind(&scope, expr)?)?;
        let own = given.unwrap_or_else(|| relational::figured_name(expr));
        items.push((bound, names.and_then(|names| names.get(at).cloned()).unwrap_or(own)));
    }
    let own_name = |at: usize, shown: &String| match select.projection.get(at) {
        Some(SelectItem::ExprWithAlias { alias, .. }) => fold(alias),
        Some(SelectItem::UnnamedExpr(expr)) => relational::figured_name(expr),
        _ => shown.clone(),
    };
    let own_names: Vec<(Typed, String)> =
        items.iter().enumerate().map(|(at, (bound, shown))| (bound.clone(), own_name(at, shown))).collect();
    let condition = |expr: &Expr| expressions::coerced(expressions::bind(&scope, expr)?, BOOL);
    let optional = |expr: &Option<Expr>| expr.as_ref().map_or(Some(None), |expr| condition(expr).map(Some));
    let distinct = match &select.distinct {
        None | Some(Distinct::All) => None,
        Some(Distinct::Distinct) => Some(Vec::new()),
        Some(Distinct::On(exprs)) => Some(exprs.iter().map(|expr| meant(&scope, expr, &own_names, true)).collect::<Option<_>>()?),
    };
    let group = match &select.group_by {
        GroupByExpr::Expressions(exprs, modifiers) if modifiers.is_empty() => {
            exprs.iter().map(|expr| grouped(&scope, expr, &own_names)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let mut windows = Vec::new();
    for definition in &select.named_window {
        let NamedWindowExpr::WindowSpec(spec) = &definition.1 else { return None };
        windows.push((fold(&definition.0), window(&scope, spec)?));
    }
    let order = order.iter().map(|item| ordered(item, meant(&scope, &item.expr, &own_names, true)?)).collect::<Option<_>>()?;
    let (condition, having) = (optional(&select.selection)?, optional(&select.having)?);
    let columns = items.iter().map(|(item, name)| (name.clone(), item.typ)).collect();
    let body = Body::Select(Box::new(Select { distinct, items, from, condition, group, having, windows }));
    let order_places = Vec::new();
    Some(Query { order, order_places, ..Query::of(body, columns) })
}

/// `*`: what USING merges, then the rest; of one such join, beyond which the order is another.
fn all_columns(scope: &Scope<'_>, select: &ast::Select, names: Option<&[String]>) -> Option<Vec<(Typed, String)>> {
    let merging = |join: &ast::Join| match &join.join_operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => {
            !matches!(on, JoinConstraint::On(_) | JoinConstraint::None)
        }
        JoinOperator::Right(on) | JoinOperator::RightOuter(on) => !matches!(on, JoinConstraint::On(_) | JoinConstraint::None),
        _ => false,
    };
    let [from] = select.from.as_slice() else { return None };
    (from.joins.len() == 1 && from.joins.iter().all(merging)).then_some(())?;
    let merged = scope.merged.iter().map(|(name, column)| (column.clone(), name.clone()));
    let is_merged = |name: &String| scope.merged.iter().any(|(known, _)| known == name);
    let rest = scope.relations.iter().flat_map(|relation| {
        let own = relation.columns.iter().filter(|column| !is_merged(&column.name));
        own.filter_map(|column| Some((relation.column(&column.name)?, column.shown.clone())))
    });
    let all: Vec<(Typed, String)> = merged.chain(rest).collect();
    let named = |(at, (column, own)): (usize, (Typed, String))| (column, names.and_then(|names| names.get(at).cloned()).unwrap_or(own));
    Some(all.into_iter().enumerate().map(named).collect())
}

fn grouped(scope: &Scope<'_>, expr: &Expr, items: &[(Typed, String)]) -> Option<Typed> {
    let sets = |word: &'static str, sets: &[Vec<Expr>]| {
        let one = |set: &Vec<Expr>| set.iter().map(|expr| grouped(scope, expr, items)).collect::<Option<Vec<_>>>();
        Some(Typed { node: Node::Grouping(word, sets.iter().map(one).collect::<Option<_>>()?), typ: types::of(UNKNOWN) })
    };
    match expr {
        Expr::GroupingSets(all) => sets("GROUPING SETS ", all),
        Expr::Cube(all) => sets("CUBE", all),
        Expr::Rollup(all) => sets("ROLLUP", all),
        Expr::Tuple(exprs) => sets("", std::slice::from_ref(exprs)),
        other => meant(scope, other, items, false),
    }
}

/// A window as it is written.
pub(super) fn window(scope: &Scope<'_>, spec: &ast::WindowSpec) -> Option<Window> {
    let bind = |expr: &Expr| expressions::settled(expressions::bind(scope, expr)?);
    Some(Window {
        base: spec.window_name.as_ref().map(fold),
        partition: spec.partition_by.iter().map(bind).collect::<Option<_>>()?,
        order: spec.order_by.iter().map(|item| ordered(item, bind(&item.expr)?)).collect::<Option<_>>()?,
        frame: match &spec.window_frame {
            None => Vec::new(),
            Some(frame) => expressions::frame(scope, frame)?,
        },
    })
}

/// Keys of an aggregate's own order.
pub(super) fn order_of(scope: &Scope<'_>, order: &[OrderByExpr]) -> Option<Vec<Order>> {
    order.iter().map(|item| ordered(item, expressions::settled(expressions::bind(scope, &item.expr)?)?)).collect()
}

fn from(scope: &mut Scope<'_>, item: &TableWithJoins) -> Option<From> {
    let first = scope.relations.len();
    let mut left = factor(scope, &item.relation)?;
    for join in &item.joins {
        let middle = scope.relations.len();
        let right = factor(scope, &join.relation)?;
        let (kind, constraint) = match &join.join_operator {
            JoinOperator::Join(on) | JoinOperator::Inner(on) => (" JOIN ", on),
            JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (" LEFT JOIN ", on),
            JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (" RIGHT JOIN ", on),
            JoinOperator::FullOuter(on) => (" FULL JOIN ", on),
            JoinOperator::CrossJoin(on @ JoinConstraint::None) => (" CROSS JOIN ", on),
            _ => return None,
        };
        let on = match constraint {
            JoinConstraint::On(condition) => On::Condition(expressions::coerced(expressions::bind(scope, condition)?, BOOL)?),
            JoinConstraint::Using(columns) => {
                let names: Vec<String> =
                    columns.iter().map(|name| name.0.last().and_then(|part| part.as_ident()).map(fold)).collect::<Option<_>>()?;
                for name in &names {
                    merge(scope, name, kind, first, middle)?;
                }
                On::Using(names)
            }
            JoinConstraint::None => On::Nothing,
            JoinConstraint::Natural => {
                let right: Vec<String> =
                    scope.relations[middle..].iter().flat_map(|one| &one.columns).map(|column| column.name.clone()).collect();
                let left = scope.relations[first..middle].iter().flat_map(|one| &one.columns).map(|column| column.name.clone());
                let mut names: Vec<String> = left.filter(|name| right.contains(name)).collect();
                names.dedup();
                (!names.is_empty()).then_some(())?;
                for name in &names {
                    merge(scope, name, kind, first, middle)?;
                }
                On::Using(names)
            }
        };
        left = From::Join { kind, left: Box::new(left), right: Box::new(right), on };
    }
    Some(left)
}

/// A column of both sides of a join is shown as that of the side that has all its rows.
fn merge(scope: &mut Scope<'_>, name: &str, kind: &str, first: usize, middle: usize) -> Option<()> {
    let before = scope.merged.iter().position(|(known, _)| known == name);
    let of = |range: &[Relation]| range.iter().find_map(|relation| relation.column(name));
    let left = before.map(|at| scope.merged[at].1.clone()).or_else(|| of(&scope.relations[first..middle]))?;
    let right = of(&scope.relations[middle..])?;
    if left.typ.oid != right.typ.oid || kind == " FULL JOIN " {
        return None;
    }
    let shown = if kind == " RIGHT JOIN " { right } else { left };
    match before {
        Some(at) => scope.merged[at].1 = shown,
        None => scope.merged.push((name.to_owned(), shown)),
    }
    Some(())
}

fn factor(scope: &mut Scope<'_>, factor: &TableFactor) -> Option<From> {
    match factor {
        TableFactor::Table { name, alias, args: None, version: None, sample: None, with_ordinality: false, .. } => {
            match name.0.as_slice() {
                [one] => cte_reference(scope, &fold(one.as_ident()?), alias.as_ref()),
                [schema, table] => stored(scope, &fold(schema.as_ident()?), &fold(table.as_ident()?), alias.as_ref()?),
                _ => None,
            }
        }
        TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } if args.settings.is_none() => {
            function(scope, name, &args.args, false, *with_ordinality, alias.as_ref())
        }
        TableFactor::Function { lateral, name, args, with_ordinality, alias } => {
            function(scope, name, args, *lateral, *with_ordinality, alias.as_ref())
        }
        TableFactor::Derived { lateral, subquery, alias: Some(alias), sample: None } => {
            let query = query(&scope.within(), subquery, None)?;
            let names: Vec<String> = query.columns.iter().map(|(name, _)| name.clone()).collect();
            let (shown, columns) = (scope.free_name(&fold(&alias.name)), aliased(&names, alias)?);
            let columns = columns.into_iter().zip(&query.columns).map(|(name, (_, typ))| Column { shown: name.clone(), name, typ: *typ });
            let columns: Vec<Column> = columns.collect();
            let listed = if alias.columns.is_empty() { String::new() } else { list(columns.iter().map(|column| &column.shown)) };
            scope.relations.push(Relation { name: fold(&alias.name), shown: shown.clone(), columns });
            Some(From::Subquery { lateral: *lateral, query: Box::new(query), alias: format!("{}{listed}", quote(&shown)) })
        }
        TableFactor::NestedJoin { table_with_joins, alias: None } => from(scope, table_with_joins),
        _ => None,
    }
}

fn aliased(own: &[String], alias: &TableAlias) -> Option<Vec<String>> {
    let given: Vec<String> = alias.columns.iter().map(|column| fold(&column.name)).collect();
    (given.len() <= own.len()).then(|| given.iter().cloned().chain(own.iter().skip(given.len()).cloned()).collect())
}

fn list<'n>(names: impl Iterator<Item = &'n String>) -> String {
    format!("({})", names.map(|name| quote(name)).collect::<Vec<_>>().join(", "))
}

fn cte_reference(scope: &mut Scope<'_>, name: &str, alias: Option<&TableAlias>) -> Option<From> {
    let columns = scope.cte(name)?.clone();
    let called = alias.map_or_else(|| name.to_owned(), |alias| fold(&alias.name));
    let own: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    let names = alias.map_or(Some(own.clone()), |alias| aliased(&own, alias))?;
    let listed = if names == own { String::new() } else { list(names.iter()) };
    let shown = scope.free_name(&called);
    let columns = names.into_iter().zip(columns).map(|(name, (_, typ))| Column { shown: name.clone(), name, typ }).collect();
    scope.relations.push(Relation { name: called.clone(), shown: shown.clone(), columns });
    let is_plain = shown == name && listed.is_empty() && alias.is_none();
    Some(From::Relation(if is_plain { quote(name) } else { format!("{} {}{listed}", quote(name), quote(&shown)) }))
}

/// A table or view. Its alias may tell how columns were called, which are shown as they are called now.
fn stored(scope: &mut Scope<'_>, schema: &str, table: &str, alias: &TableAlias) -> Option<From> {
    let catalog = &scope.scene.catalog;
    let object = catalog.relation_owner(schema, table).and_then(|id| catalog.object(id))?;
    let typ = |sql_type: engine::SqlType| Typ { oid: i64::from(sql_type.oid()), modifier: i64::from(sql_type.typmod()) };
    let (relation, types): (scene::Relation<'_>, Vec<Typ>) = match object {
        Object::Table(found) if found.name == table => {
            (scene::Relation::Table(found), found.columns.iter().map(|column| typ(column.sql_type)).collect())
        }
        Object::View(found) => (scene::Relation::View(found), found.columns.iter().map(|column| typ(column.sql_type)).collect()),
        _ => return None,
    };
    let now = updatable_views::column_names(object);
    let looked_up = aliased(&now, alias)?;
    let name = if scope.scene.is_visible(&relation) { quote(table) } else { format!("{}.{}", quote(schema), quote(table)) };
    let called = fold(&alias.name);
    let shown = scope.free_name(&called);
    let columns = looked_up.into_iter().zip(now).zip(types).map(|((name, shown), typ)| Column { name, shown, typ }).collect();
    scope.relations.push(Relation { name: called.clone(), shown: shown.clone(), columns });
    Some(From::Relation(if shown == table { name } else { format!("{name} {}", quote(&shown)) }))
}

fn function(
    scope: &mut Scope<'_>,
    name: &ast::ObjectName,
    args: &[ast::FunctionArg],
    lateral: bool,
    ordinality: bool,
    alias: Option<&TableAlias>,
) -> Option<From> {
    let call = expressions::call_of(scope, name, args)?;
    let own = fold(name.0.last()?.as_ident()?);
    let called = alias.map_or_else(|| own.clone(), |alias| fold(&alias.name));
    let given: Vec<String> = alias.iter().flat_map(|alias| &alias.columns).map(|column| fold(&column.name)).collect();
    let first = given.first().cloned().unwrap_or_else(|| called.clone());
    let mut columns = vec![Column { name: first.clone(), shown: first, typ: call.typ }];
    if ordinality {
        let name = given.get(1).cloned().unwrap_or_else(|| "ordinality".to_owned());
        columns.push(Column { name: name.clone(), shown: name, typ: types::of(INT8) });
    }
    (given.len() <= columns.len() && !types::is_polymorphic(call.typ.oid) && call.typ.oid != 2249).then_some(())?;
    let shown = scope.free_name(&called);
    let alias = format!("{}{}", quote(&shown), list(columns.iter().map(|column| &column.shown)));
    scope.relations.push(Relation { name: called, shown, columns });
    Some(From::Function { lateral, call: Box::new(call), ordinality, alias })
}
