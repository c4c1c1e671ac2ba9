//! A query's text on lines, as Postgres's `ruleutils` breaks and indents it.
//!
//! L1: an indentation is a column of spaces that clauses step back from by eight, joins come four further, items too.
//! L2: `pretty` leaves parentheses away that precedence makes needless; lines break the same way with and without.
//! Never: knows what a name means.

use super::tree::{Body, From, On, Order, Piece, Query, Select, Typed, Window};
use super::tree::{Node, Over};
use crate::pg_catalog::names::quote;

/// Spaces that a clause is indented by.
const STEP: i64 = 8;
const JOIN: i64 = 4;
const ITEM: i64 = 4;
/// Beyond that many columns the indentation grows slower.
const DEEP: i64 = 40;

/// The text as far as it is written.
pub(super) struct Printer {
    pub(super) out: String,
    pub(super) indent: i64,
    pub(super) pretty: bool,
}

impl Printer {
    pub(super) fn new(pretty: bool) -> Self {
        Self { out: String::new(), indent: 0, pretty }
    }

    /// A new line with a word that begins a clause.
    pub(super) fn clause(&mut self, word: &str, before: i64, after: i64, further: i64) {
        self.indent += before;
        self.trim();
        self.out.push('\n');
        let depth = if self.indent < DEEP { self.indent.max(0) } else { (DEEP + (self.indent - DEEP) / (STEP / 2)) % DEEP };
        self.out.extend(std::iter::repeat_n(' ', usize::try_from(depth + further).unwrap_or(0)));
        self.out.push_str(word);
        self.indent = (self.indent + after).max(0);
    }

    fn trim(&mut self) {
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept);
    }

    /// What is written by `write`, apart from the rest.
    fn apart(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let before = std::mem::take(&mut self.out);
        write(self);
        std::mem::replace(&mut self.out, before)
    }

    /// A query within, with an indentation of its own.
    pub(super) fn query_within(&mut self, query: &Query, names_shown: bool) {
        let indent = self.indent;
        self.query(query, names_shown);
        self.indent = indent;
    }

    /// `names_shown`: whether a column's name is told where nothing was given.
    pub(super) fn query(&mut self, query: &Query, names_shown: bool) {
        self.with(query);
        match &query.body {
            Body::Select(select) => self.select(select, names_shown),
            Body::Values(rows) => {
                self.indent += STEP;
                self.out.push(' ');
                self.values(rows);
            }
            Body::Set { op, all, left, right } => self.set(op, *all, left, right, names_shown),
        }
        if !query.order.is_empty() {
            self.clause(" ORDER BY ", -STEP, STEP, 1);
            let places = &query.order_places;
            self.order(&query.order, |at| places.get(at).copied());
        }
        if let Some(offset) = &query.offset {
            self.clause(" OFFSET ", -STEP, STEP, 0);
            self.expr(offset);
        }
        match (&query.limit, query.with_ties) {
            (Some(limit), true) => {
                self.clause(" FETCH FIRST ", -STEP, STEP, 0);
                let count = self.apart(|printer| printer.expr(limit));
                self.out.push_str(&format!("({count}) ROWS WITH TIES"));
            }
            (Some(limit), false) => {
                self.clause(" LIMIT ", -STEP, STEP, 0);
                self.expr(limit);
            }
            (None, _) => {}
        }
    }

    fn with(&mut self, query: &Query) {
        if query.ctes.is_empty() {
            return;
        }
        self.indent += STEP;
        self.out.push(' ');
        for (at, cte) in query.ctes.iter().enumerate() {
            self.out.push_str(match (at, query.recursive) {
                (0, true) => "WITH RECURSIVE ",
                (0, false) => "WITH ",
                _ => ", ",
            });
            self.out.push_str(&quote(&cte.name));
            if !cte.columns.is_empty() {
                self.out.push_str(&format!("({})", cte.columns.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")));
            }
            self.out.push_str(&format!(" AS {}(", cte.materialized));
            self.clause("", 0, 0, 0);
            self.query_within(&cte.query, true);
            self.clause("", 0, 0, 0);
            self.out.push(')');
        }
        self.indent -= STEP;
        self.clause("", 0, 0, 0);
    }

    fn values(&mut self, rows: &[Vec<Typed>]) {
        self.out.push_str("VALUES ");
        for (at, row) in rows.iter().enumerate() {
            self.out.push_str(if at == 0 { "(" } else { ", (" });
            for (at, item) in row.iter().enumerate() {
                if at > 0 {
                    self.out.push(',');
                }
                self.expr(item);
            }
            self.out.push(')');
        }
    }

    fn set(&mut self, op: &str, all: bool, left: &Query, right: &Query, names_shown: bool) {
        let is_same = match &left.body {
            Body::Set { op: other, all: others_all, .. } if is_bare(left) => *other == op && *others_all == all,
            _ => true,
        };
        let deeper = if is_same { 0 } else { STEP };
        if !is_same {
            self.out.push('(');
            self.clause("", deeper, 0, 0);
        }
        self.side(left, names_shown);
        self.clause(if is_same { "" } else { ") " }, -deeper, 0, 0);
        self.out.push_str(op);
        if all {
            self.out.push_str("ALL ");
        }
        let is_nested = matches!(right.body, Body::Set { .. }) && is_bare(right);
        let deeper = if is_nested { STEP } else { 0 };
        if is_nested {
            self.out.push('(');
        }
        self.clause("", deeper, 0, 0);
        self.side(right, false);
        self.indent -= deeper;
        if is_nested {
            self.clause(")", 0, 0, 0);
        }
    }

    /// One side of a set operation.
    fn side(&mut self, query: &Query, names_shown: bool) {
        if let (Body::Set { op, all, left, right }, true) = (&query.body, is_bare(query)) {
            return self.set(op, *all, left, right, names_shown);
        }
        if is_bare(query) {
            return self.query_within(query, names_shown);
        }
        self.out.push('(');
        self.query_within(query, names_shown);
        self.out.push(')');
    }

    fn select(&mut self, select: &Select, names_shown: bool) {
        self.indent += STEP;
        self.out.push_str(" SELECT");
        match &select.distinct {
            None => {}
            Some(on) if on.is_empty() => self.out.push_str(" DISTINCT"),
            Some(on) => {
                self.out.push_str(" DISTINCT ON (");
                self.list(on, Self::key);
                self.out.push(')');
            }
        }
        self.items(&select.items, names_shown);
        self.sources(&select.from);
        if let Some(condition) = &select.condition {
            self.clause(" WHERE ", -STEP, STEP, 1);
            self.expr(condition);
        }
        if !select.group.is_empty() {
            self.clause(" GROUP BY ", -STEP, STEP, 1);
            self.list(&select.group, Self::key);
        }
        if let Some(having) = &select.having {
            self.clause(" HAVING ", -STEP, STEP, 0);
            self.expr(having);
        }
        for (at, (name, window)) in select.windows.iter().enumerate() {
            if at == 0 {
                self.clause(" WINDOW ", -STEP, STEP, 1);
            } else {
                self.out.push_str(", ");
            }
            self.out.push_str(&format!("{} AS ", quote(name)));
            self.window(window);
        }
    }

    pub(super) fn list(&mut self, items: &[Typed], mut write: impl FnMut(&mut Self, &Typed)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            write(self, item);
        }
    }

    fn items(&mut self, items: &[(Typed, String)], names_shown: bool) {
        for (at, (item, name)) in items.iter().enumerate() {
            self.out.push_str(if at == 0 { " " } else { ", " });
            let mut text = self.apart(|printer| printer.expr(item));
            let own = match &item.node {
                Node::Column(shown) => Some(shown.rsplit_once('.').map_or(shown.as_str(), |(_, column)| column).to_owned()),
                _ if names_shown => None,
                _ => Some(quote("?column?")),
            };
            if own.is_none_or(|own| own != quote(name)) {
                text.push_str(&format!(" AS {}", quote(name)));
            }
            if text.starts_with('\n') {
                self.trim();
            } else if at > 0 {
                self.clause("", -STEP, STEP, ITEM);
            }
            self.out.push_str(&text);
        }
    }

    fn sources(&mut self, from: &[From]) {
        for (at, item) in from.iter().enumerate() {
            if at == 0 {
                self.clause(" FROM ", -STEP, STEP, 2);
                self.source(item);
                continue;
            }
            self.out.push_str(", ");
            let text = self.apart(|printer| printer.source(item));
            if text.starts_with('\n') {
                self.trim();
            } else {
                self.clause("", -STEP, STEP, ITEM);
            }
            self.out.push_str(&text);
        }
    }

    fn source(&mut self, item: &From) {
        match item {
            From::Relation(shown) => self.out.push_str(shown),
            From::Subquery { lateral, query, alias } => {
                self.out.push_str(if *lateral { "LATERAL (" } else { "(" });
                self.query_within(query, true);
                self.out.push_str(&format!(") {alias}"));
            }
            From::Function { lateral, call, ordinality, alias } => {
                self.out.push_str(if *lateral { "LATERAL " } else { "" });
                self.expr(call);
                self.out.push_str(if *ordinality { " WITH ORDINALITY " } else { " " });
                self.out.push_str(alias);
            }
            From::Join { kind, left, right, on } => {
                if !self.pretty {
                    self.out.push('(');
                }
                self.source(left);
                self.clause(kind, -STEP, STEP, JOIN);
                let is_wrapped = self.pretty && matches!(**right, From::Join { .. });
                if is_wrapped {
                    self.out.push('(');
                }
                self.source(right);
                if is_wrapped {
                    self.out.push(')');
                }
                match on {
                    On::Condition(condition) => {
                        self.out.push_str(if self.pretty { " ON " } else { " ON (" });
                        self.expr(condition);
                        if !self.pretty {
                            self.out.push(')');
                        }
                    }
                    On::Using(names) => {
                        self.out.push_str(&format!(" USING ({})", names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")));
                    }
                    On::Nothing => {}
                }
                if !self.pretty {
                    self.out.push(')');
                }
            }
        }
    }

    /// Keys of an order; `place` tells which of them are shown as places.
    pub(super) fn order(&mut self, order: &[Order], place: impl Fn(usize) -> Option<usize>) {
        for (at, key) in order.iter().enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            match place(at) {
                Some(place) => self.out.push_str(&place.to_string()),
                None => self.key(&key.expr),
            }
            match (key.descending, key.nulls_first) {
                (false, Some(true)) => self.out.push_str(" NULLS FIRST"),
                (true, Some(false)) => self.out.push_str(" DESC NULLS LAST"),
                (true, _) => self.out.push_str(" DESC"),
                (false, _) => {}
            }
        }
    }

    /// What is sorted or grouped by: in parentheses, unless it is a column.
    pub(super) fn key(&mut self, expr: &Typed) {
        let is_wrapped = match &expr.node {
            Node::Column(_) | Node::Constant(_) | Node::Grouping(..) => false,
            Node::Call(_) | Node::Words(_) => true,
            Node::Cast(inner) => self.pretty || super::expr::is_function_cast(inner.typ, expr.typ),
            _ => self.pretty,
        };
        if is_wrapped {
            self.out.push('(');
        }
        if let Node::Constant(text) = &expr.node {
            self.constant(text.as_deref(), expr.typ, Some(true));
        } else {
            self.expr(expr);
        }
        if is_wrapped {
            self.out.push(')');
        }
    }

    pub(super) fn window(&mut self, window: &Window) {
        self.out.push('(');
        let mut is_first = true;
        let mut space = |printer: &mut Self| {
            if !std::mem::take(&mut is_first) {
                printer.out.push(' ');
            }
        };
        if let Some(base) = &window.base {
            space(self);
            self.out.push_str(&quote(base));
        }
        if !window.partition.is_empty() {
            space(self);
            self.out.push_str("PARTITION BY ");
            self.list(&window.partition, Self::key);
        }
        if !window.order.is_empty() {
            space(self);
            self.out.push_str("ORDER BY ");
            self.order(&window.order, |_| None);
        }
        if !window.frame.is_empty() {
            space(self);
            self.pieces(&window.frame);
        }
        self.out.push(')');
    }

    pub(super) fn over(&mut self, over: &Over) {
        self.out.push_str(" OVER ");
        match over {
            Over::Named(name) => self.out.push_str(&quote(name)),
            Over::Window(window) => self.window(window),
        }
    }

    pub(super) fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Word(word) => self.out.push_str(word),
                Piece::Text(text) => self.out.push_str(text),
                Piece::Expr(expr) => self.expr(expr),
            }
        }
    }
}

/// Whether a query has nothing around its body.
fn is_bare(query: &Query) -> bool {
    query.ctes.is_empty() && query.order.is_empty() && query.limit.is_none() && query.offset.is_none()
}
