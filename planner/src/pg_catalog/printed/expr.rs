//! An expression's text, with the parentheses that Postgres prints.
//!
//! P1: without `pretty` an operation always stands in parentheses; with it where precedence or its place asks for them.
//! Never: breaks a line but in CASE and in subqueries.

use super::print::Printer;
use super::tree::{Call, Node, Piece, Sub, Typed};
use super::types::{BOOL, INT4, NUMERIC, Typ, UNKNOWN};
use crate::pg_catalog::{builtin, types as known};

/// Where an expression stands.
#[derive(Clone, Copy)]
enum Within<'a> {
    /// An operand: of which operator, and whether the first.
    Operand(&'a str, bool),
    And,
    Or,
    Not,
    /// A cast, or what has an operator's binding.
    Bound,
}

/// Whether a cast calls a function, rather than reading the value as another type or through its text.
pub(super) fn is_function_cast(from: Typ, to: Typ) -> bool {
    if from.oid == to.oid {
        return true;
    }
    let is_it = |line: &Vec<&str>| {
        let [_, source, target, _, _, method] = line.as_slice() else { return false };
        *method == "f" && source.parse() == Ok(from.oid) && target.parse() == Ok(to.oid)
    };
    builtin::lines("pg_cast").any(|line| is_it(&line))
}

/// `+`, `-` bind less than `*`, `/`, `%`; other operators are not compared.
fn rank(op: &str) -> Option<u8> {
    match op {
        "+" | "-" => Some(0),
        "*" | "/" | "%" => Some(1),
        _ => None,
    }
}

fn is_simple(expr: &Typed, within: Within<'_>) -> bool {
    let asks = |expr: &Typed| matches!(&expr.node, Node::Subquery(..) | Node::Is(..) | Node::Distinct(..));
    match &expr.node {
        Node::Column(_) | Node::Constant(_) | Node::Call(_) | Node::Words(_) | Node::Phrase(_) | Node::Array(_) | Node::Subscript(..) => {
            true
        }
        Node::Case { .. } | Node::Grouping(..) => true,
        Node::Cast(inner) => is_function_cast(inner.typ, expr.typ) || is_simple(inner, Within::Bound),
        Node::Operator { op, left, .. } => match within {
            Within::Operand(around, is_first) => match (left, rank(op), rank(around)) {
                (Some(_), Some(own), Some(around)) => own > around || (own == around && is_first),
                _ => false,
            },
            Within::And | Within::Or | Within::Not => true,
            Within::Bound => false,
        },
        _ if asks(expr) => matches!(within, Within::And | Within::Or | Within::Not),
        Node::Joined { op: "AND", .. } | Node::Not(_) => matches!(within, Within::And | Within::Or),
        Node::Joined { .. } => matches!(within, Within::Or),
        _ => false,
    }
}

impl Printer {
    /// In parentheses where its place asks for them.
    fn inner(&mut self, expr: &Typed, within: Within<'_>) {
        let is_wrapped = self.pretty && !is_simple(expr, within);
        if is_wrapped {
            self.out.push('(');
        }
        self.expr(expr);
        if is_wrapped {
            self.out.push(')');
        }
    }

    fn open(&mut self) {
        if !self.pretty {
            self.out.push('(');
        }
    }

    fn close(&mut self) {
        if !self.pretty {
            self.out.push(')');
        }
    }

    /// A constant; `labelled`: with its type always, never, or where it cannot be told.
    pub(super) fn constant(&mut self, text: Option<&str>, typ: Typ, labelled: Option<bool>) {
        let (shown, needs) = match (text, typ.oid) {
            (None, _) => ("NULL".to_owned(), true),
            (Some(text), BOOL) => (text.to_owned(), false),
            (Some(text), INT4) if !text.starts_with('-') => (text.to_owned(), false),
            (Some(text), NUMERIC) if text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(['e', 'E', '.']) => {
                (text.to_owned(), false)
            }
            (Some(text), UNKNOWN) => (quoted(text), false),
            (Some(text), _) => (quoted(text), true),
        };
        self.out.push_str(&shown);
        if labelled.unwrap_or(needs) {
            self.out.push_str(&format!("::{}", known::format(typ.oid, Some(-1))));
        }
    }

    pub(super) fn expr(&mut self, expr: &Typed) {
        match &expr.node {
            Node::Column(shown) => self.out.push_str(shown),
            Node::Constant(text) => self.constant(text.as_deref(), expr.typ, None),
            Node::Call(call) => self.call(call),
            Node::Words(pieces) => self.pieces(pieces),
            Node::Phrase(pieces) => {
                self.out.push('(');
                for piece in pieces {
                    match piece {
                        Piece::Expr(inner) => self.inner(inner, Within::Bound),
                        other => self.pieces(std::slice::from_ref(other)),
                    }
                }
                self.out.push(')');
            }
            Node::Operator { op, left: Some(left), right } => {
                self.open();
                self.inner(left, Within::Operand(op, true));
                self.out.push_str(&format!(" {op} "));
                self.inner(right, Within::Operand(op, false));
                self.close();
            }
            Node::Operator { op, left: None, right } => {
                self.open();
                self.out.push_str(&format!("{op} "));
                self.inner(right, Within::Operand(op, false));
                self.close();
            }
            Node::Joined { op, terms } => {
                self.open();
                for (at, term) in terms.iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(&format!(" {op} "));
                    }
                    self.inner(term, if *op == "AND" { Within::And } else { Within::Or });
                }
                self.close();
            }
            Node::Not(inner) => {
                self.open();
                self.out.push_str("NOT ");
                self.inner(inner, Within::Not);
                self.close();
            }
            Node::Is(inner, words) => {
                self.open();
                self.inner(inner, Within::Bound);
                self.out.push_str(&format!(" {words}"));
                self.close();
            }
            Node::Distinct(left, right) => {
                self.open();
                self.inner(left, Within::Bound);
                self.out.push_str(" IS DISTINCT FROM ");
                self.inner(right, Within::Bound);
                self.close();
            }
            Node::OfArray { left, op, all, right } => {
                self.open();
                self.inner(left, Within::Bound);
                self.out.push_str(&format!(" {op} {} (", if *all { "ALL" } else { "ANY" }));
                self.inner(right, Within::Bound);
                self.out.push(')');
                self.close();
            }
            Node::Array(items) => {
                self.out.push_str("ARRAY[");
                self.list(items, Self::expr);
                self.out.push(']');
            }
            Node::Subscript(base, index) => {
                let is_column = matches!(base.node, Node::Column(_));
                self.out.push_str(if is_column { "" } else { "(" });
                self.expr(base);
                self.out.push_str(if is_column { "[" } else { ")[" });
                self.expr(index);
                self.out.push(']');
            }
            Node::Case { operand, whens, otherwise } => self.case(operand.as_deref(), whens, otherwise.as_deref()),
            Node::Cast(inner) => self.cast(inner, expr.typ),
            Node::Subquery(asked, query) => self.subquery(asked, query),
            Node::Grouping(word, sets) => {
                self.out.push_str(word);
                self.out.push_str(if word.is_empty() { "" } else { "(" });
                for (at, set) in sets.iter().enumerate() {
                    self.out.push_str(if at > 0 { ", " } else { "" });
                    // A set of one stands alone within ROLLUP and CUBE.
                    let is_alone = set.len() == 1 && matches!(*word, "ROLLUP" | "CUBE");
                    let is_nested = matches!(set.as_slice(), [Typed { node: Node::Grouping(..), .. }]);
                    self.out.push_str(if is_alone || is_nested { "" } else { "(" });
                    self.list(set, Self::key);
                    self.out.push_str(if is_alone || is_nested { "" } else { ")" });
                }
                self.out.push_str(if word.is_empty() { "" } else { ")" });
            }
        }
    }

    fn cast(&mut self, inner: &Typed, to: Typ) {
        match &inner.node {
            Node::Constant(text) if inner.typ.oid == to.oid => self.constant(text.as_deref(), inner.typ, Some(false)),
            _ => {
                self.open();
                self.inner(inner, Within::Bound);
                self.close();
            }
        }
        self.out.push_str(&format!("::{}", known::format(to.oid, Some(to.modifier))));
    }

    fn call(&mut self, call: &Call) {
        self.out.push_str(&call.name);
        self.out.push_str(if call.distinct { "(DISTINCT " } else { "(" });
        if call.star {
            self.out.push('*');
        }
        self.list(&call.args, Self::expr);
        if !call.order.is_empty() {
            self.out.push_str(" ORDER BY ");
            self.order(&call.order, |_| None);
        }
        self.out.push(')');
        if let Some(filter) = &call.filter {
            self.out.push_str(" FILTER (WHERE ");
            self.expr(filter);
            self.out.push(')');
        }
        if let Some(over) = &call.over {
            self.over(over);
        }
    }

    fn case(&mut self, operand: Option<&Typed>, whens: &[(Typed, Typed)], otherwise: Option<&Typed>) {
        self.clause("CASE", 0, 4, 0);
        if let Some(operand) = operand {
            self.out.push(' ');
            self.expr(operand);
        }
        for (when, then) in whens {
            self.clause("WHEN ", 0, 0, 0);
            self.expr(when);
            self.out.push_str(" THEN ");
            self.expr(then);
        }
        if let Some(otherwise) = otherwise {
            self.clause("ELSE ", 0, 0, 0);
            self.expr(otherwise);
        }
        self.clause("END", -4, 0, 0);
    }

    fn subquery(&mut self, asked: &Sub, query: &super::tree::Query) {
        match asked {
            Sub::Array => self.out.push_str("ARRAY("),
            Sub::Value => self.out.push('('),
            Sub::Exists => self.out.push_str("(EXISTS ("),
            Sub::Compared { left, op, all } => {
                self.out.push('(');
                self.inner(left, Within::Bound);
                self.out.push_str(&match (op.as_str(), all) {
                    ("=", false) => " IN (".to_owned(),
                    (op, false) => format!(" {op} ANY ("),
                    (op, true) => format!(" {op} ALL ("),
                });
            }
        }
        self.query_within(query, false);
        self.out.push_str(match asked {
            Sub::Array | Sub::Value => ")",
            Sub::Exists | Sub::Compared { .. } => "))",
        });
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
