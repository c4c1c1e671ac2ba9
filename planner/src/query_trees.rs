//! Parts of queries as syntax trees, with everything that a plain one does not have left out.
//!
//! Never: prints and parses; looks anything up.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Expr, GroupByExpr, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, Visit,
    Visitor,
};

use crate::names::{fold, quoted};

/// `SELECT items [FROM from] [WHERE selection]`
pub(crate) fn select_body(items: Vec<SelectItem>, from: Vec<TableWithJoins>, selection: Option<Expr>) -> SetExpr {
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: items,
        exclude: None,
        into: None,
        from,
        lateral_views: Vec::new(),
        prewhere: None,
        selection,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    };
    SetExpr::Select(Box::new(select))
}

/// A body as a query.
pub(crate) fn query(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// An alias without columns.
pub(crate) fn alias(name: &str) -> TableAlias {
    TableAlias { explicit: true, name: quoted(name), columns: Vec::new(), at: None }
}

/// Any name under an alias.
pub(crate) fn named(name: ObjectName, alias: &str) -> TableWithJoins {
    let relation = TableFactor::Table {
        name,
        alias: Some(self::alias(alias)),
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    };
    TableWithJoins { relation, joins: Vec::new() }
}

/// What the relations of a query, and of those within it, are called in it.
pub(crate) fn relation_names(query: &Query) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            let (name, alias) = match factor {
                TableFactor::Table { name, alias, .. } => (name.0.last().and_then(|part| part.as_ident()), alias),
                TableFactor::Derived { alias, .. } | TableFactor::NestedJoin { alias, .. } | TableFactor::UNNEST { alias, .. } => {
                    (None, alias)
                }
                TableFactor::Function { name, alias, .. } => (name.0.last().and_then(|part| part.as_ident()), alias),
                TableFactor::TableFunction { alias, .. } => (None, alias),
                _ => return ControlFlow::Continue(()),
            };
            self.0.extend(alias.as_ref().map(|alias| &alias.name).or(name).map(fold));
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(BTreeSet::new());
    let _ = Visit::visit(query, &mut names);
    names.0
}
