//! What filters say of a table's columns: comparisons, lists, ends of rows and beginnings of texts.
//!
//! V4: what is made of a filter is never narrower than it (B1 of `table.rs`); the first column of a comparison of rows is bound by itself, too.
//! Never: reads a value; a run does.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Like, Operator};

use super::Provider;
use crate::computed::parts;
use crate::layouts::{INTERVAL, is_any_numeric, is_compared_by_key};
use crate::operand::{End, Operand};
use crate::table::{Comparison, DECLARED_TYPE};

/// Values of an IN that an index is asked for, at most.
const LISTED_MAX: usize = 1_000;

/// What a filter says of a column.
pub(super) struct Compared {
    pub(super) column: usize,
    pub(super) op: Comparison,
    pub(super) value: Operand,
}

impl Provider {
    /// The filter as `column op value`, if it is that and the value can be had in the column's own type.
    pub(super) fn compared(&self, filter: &Expr) -> Option<Compared> {
        if let Expr::IsNull(inner) = filter {
            let column = self.column_of(inner)?;
            let value = Operand::Constant(ScalarValue::try_from(self.type_at(column)).ok()?);
            return Some(Compared { column, op: Comparison::Null, value });
        }
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
        let op = comparison(*op)?;
        if let Some(compared) = self.compared_by_key(left, op, right).or_else(|| self.compared_by_key(right, mirrored(op), left)) {
            return Some(compared);
        }
        let (column, op, value) = match (self.column_of(left), self.column_of(right)) {
            (Some(column), None) => (column, op, right.as_ref()),
            (None, Some(column)) => (column, mirrored(op), left.as_ref()),
            _ => return None,
        };
        let data_type = self.type_at(column);
        let value = Operand::or_computed(value, data_type)?;
        // A column widened for the comparison meets its own values only in an equality: what does not fit is nobody's.
        let is_widened = ![left, right].iter().any(|side| matches!(side.as_ref(), Expr::Column(_)) || self.expression_of(side).is_some());
        (!is_widened || (op == Comparison::Eq && value.is_narrowed(data_type))).then_some(Compared { column, op, value })
    }

    /// `column IN (…)`, however it is written: several columns where all alternatives compare them.
    fn listed(&self, filter: &Expr) -> Option<Compared> {
        let mut alternatives = Vec::new();
        self.alternatives(filter, &mut alternatives)?;
        if !(2..=LISTED_MAX).contains(&alternatives.len()) {
            return None;
        }
        let (first, rest) = alternatives.split_first()?;
        let is_common = |column: &&usize| rest.iter().all(|other| other.contains_key(*column));
        let columns: Vec<usize> = first.keys().filter(is_common).copied().collect();
        let list = |column: usize| {
            let values = alternatives.iter_mut().filter_map(|each| each.remove(&column)).collect();
            (column, Operand::List(values, self.type_at(column).clone()))
        };
        self.in_rows(columns.into_iter().map(list).collect(), Comparison::In)
    }

    /// Values of several columns as those of the first, with the others beside them.
    fn in_rows(&self, columns: Vec<(usize, Operand)>, op: Comparison) -> Option<Compared> {
        let mut columns = columns.into_iter();
        let (column, first) = columns.next()?;
        let then: Vec<_> = columns.map(|(column, value)| (self.place_in_table(column), value)).collect();
        let value = if then.is_empty() { first } else { Operand::Row { first: Box::new(first), then } };
        Some(Compared { column, op, value })
    }

    /// What each of some alternatives says that columns are equal to.
    fn alternatives(&self, filter: &Expr, all: &mut Vec<BTreeMap<usize, Operand>>) -> Option<()> {
        match filter {
            Expr::InList(list) if !list.negated => {
                let column = self.column_of(&list.expr)?;
                for item in &list.list {
                    all.push(BTreeMap::from([(column, Operand::or_computed(item, self.type_at(column))?)]));
                }
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                self.alternatives(left, all)?;
                self.alternatives(right, all)?;
            }
            other => {
                let equal =
                    parts(other).into_iter().filter_map(|part| self.compared(part)).filter(|compared| compared.op == Comparison::Eq);
                let equal: BTreeMap<usize, Operand> = equal.map(|compared| (compared.column, compared.value)).collect();
                all.push(Some(equal).filter(|equal| !equal.is_empty())?);
            }
        }
        Some(())
    }

    /// `column = ANY (array)`.
    fn any_of(&self, filter: &Expr) -> Option<Compared> {
        let Expr::ScalarFunction(call) = filter else { return None };
        let ([value, array], "any_eq") = (call.args.as_slice(), call.func.name()) else { return None };
        let column = self.column_of(value).filter(|column| !self.is_padded(*column))?;
        let data_type = self.type_at(column);
        let is_ordered = !is_compared_by_key(data_type) || *data_type == INTERVAL || is_any_numeric(data_type);
        let value = if is_ordered { Operand::elements(array, data_type)? } else { return None };
        Some(Compared { column, op: Comparison::In, value })
    }

    /// `(a, b) > (1, 2)`, which is `a > 1 OR (a = 1 AND b > 2)`, as what it says of the first column, with the others beside it.
    fn beyond(&self, filter: &Expr) -> Option<Compared> {
        let ends = self.row_end(filter)?;
        let op = if matches!(ends.first()?.op, Comparison::Gt | Comparison::Ge) { Comparison::Ge } else { Comparison::Le };
        self.in_rows(ends.into_iter().map(|end| (end.column, end.value)).collect(), op)
    }

    /// The columns of a comparison of rows, each with its end.
    fn row_end(&self, filter: &Expr) -> Option<Vec<Compared>> {
        let Expr::BinaryExpr(BinaryExpr { left: strict, op: Operator::Or, right: equal }) = filter else { return None };
        let first = self.compared(strict).filter(|first| matches!(first.op, Comparison::Gt | Comparison::Lt))?;
        let Expr::BinaryExpr(BinaryExpr { left: value, right: end, .. }) = strict.as_ref() else { return None };
        let is_equal =
            |part: &&Expr| matches!(part, Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if left == value && right == end);
        let (equal, rest): (Vec<&Expr>, Vec<&Expr>) = parts(equal).into_iter().partition(is_equal);
        if equal.is_empty() {
            return None;
        }
        let is_same_way = |end: &Compared| match first.op {
            Comparison::Gt => matches!(end.op, Comparison::Gt | Comparison::Ge),
            _ => matches!(end.op, Comparison::Lt | Comparison::Le),
        };
        // Of what is not understood only the first column is kept.
        let then = match rest.as_slice() {
            [one] => self.compared(one).map(|end| vec![end]).or_else(|| self.row_end(one)).filter(|then| then.iter().all(is_same_way)),
            _ => None,
        };
        Some(std::iter::once(first).chain(then.into_iter().flatten()).collect())
    }

    /// `column LIKE 'ab%'` as the range that it is within: bytes sort as texts do.
    fn prefixed(&self, filter: &Expr) -> Vec<Compared> {
        let Expr::Like(Like { negated: false, expr, pattern, escape_char: None, case_insensitive: false }) = filter else {
            return Vec::new();
        };
        let Some(column) = self.column_of(expr).filter(|column| *self.type_at(*column) == DataType::Utf8 && !self.is_padded(*column))
        else {
            return Vec::new();
        };
        let Some(pattern) = Operand::or_computed(pattern, &DataType::Utf8) else { return Vec::new() };
        let ends = [(Comparison::Ge, End::First), (Comparison::Lt, End::After)];
        ends.into_iter().filter_map(|(op, end)| Some(Compared { column, op, value: pattern.end_of_pattern(end)? })).collect()
    }

    /// Whether a column is a `char(n)`, of which spaces at the end are no part.
    fn is_padded(&self, place: usize) -> bool {
        let declared = self.columns.get(place).and_then(|_| self.metadata(place)).and_then(|metadata| metadata.get(DECLARED_TYPE).cloned());
        declared.is_some_and(|declared| declared.starts_with("1042,"))
    }

    /// What a filter says of columns, of which each is a hint.
    pub(super) fn bounds_of(&self, filter: &Expr) -> Vec<Compared> {
        let one = self.compared(filter).or_else(|| self.any_of(filter)).or_else(|| self.listed(filter)).or_else(|| self.beyond(filter));
        one.map_or_else(|| self.prefixed(filter), |one| vec![one])
    }

    /// A column of numbers of any length or of intervals, of which only keys are compared.
    fn compared_by_key(&self, column: &Expr, op: Comparison, value: &Expr) -> Option<Compared> {
        let Expr::ScalarFunction(call) = column else { return None };
        let ([compared], "comparison_key") = (call.args.as_slice(), call.func.name()) else { return None };
        let column = match compared {
            Expr::Column(column) => self.place_of(&column.name)?,
            other => self.expression_of(other)?,
        };
        let data_type = self.type_at(column);
        let has_order = *data_type == INTERVAL || is_any_numeric(data_type);
        let value = if has_order { Operand::of_key(value, data_type)? } else { return None };
        Some(Compared { column, op, value })
    }
}

fn comparison(op: Operator) -> Option<Comparison> {
    Some(match op {
        Operator::Eq => Comparison::Eq,
        Operator::Lt => Comparison::Lt,
        Operator::LtEq => Comparison::Le,
        Operator::Gt => Comparison::Gt,
        Operator::GtEq => Comparison::Ge,
        _ => return None,
    })
}

fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Eq => Comparison::Eq,
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        Comparison::Null => Comparison::Null,
        Comparison::In => Comparison::In,
    }
}
