//! Subqueries that read the rows around them, in every place where one can stand, and relations that read those before them.

use super::{ALL, Big, Bool, Date, Generator, Int, Numeric, TABLES, Text, Type};

impl Generator {
    /// A query about such subqueries, and whether it orders its rows.
    pub(super) fn correlated(&mut self) -> (String, bool) {
        match self.below(8) {
            0 | 1 => self.in_list(),
            2 | 3 => self.in_condition(),
            4 => self.in_group(),
            5 => self.in_order(),
            _ => self.lateral(),
        }
    }

    fn in_list(&mut self) -> (String, bool) {
        let (from, scope) = self.from();
        let of = self.pick(&[Int, Text, Date, Big]);
        let (value, truth) = (self.value(of, &scope, 2), self.truth(&scope, 2));
        let third = match self.below(3) {
            0 => {
                format!("CASE WHEN {} THEN {} ELSE {} END", self.condition(&scope, 1), self.value(Int, &scope, 1), self.column(Int, &scope))
            }
            1 => format!("coalesce({}, {})", self.value(of, &scope, 1), self.column(of, &scope)),
            _ => format!("{} + 1", self.value(Int, &scope, 1)),
        };
        (format!("SELECT x.id, {value} AS v, {truth} AS w, {third} AS z FROM {from}"), false)
    }

    fn in_condition(&mut self) -> (String, bool) {
        let first = self.pick(&TABLES);
        let second = self.pick(&TABLES);
        let truth = self.truth(&["x"], 2);
        let truth = match self.below(4) {
            0 => format!("NOT {truth}"),
            1 => format!("({truth} OR {})", self.truth(&["x"], 1)),
            2 => format!("({truth}) IS NULL"),
            _ => truth,
        };
        if self.one_in(3) {
            let join = self.pick(&["JOIN", "LEFT JOIN"]);
            return (format!("SELECT x.id, y.id FROM {first} x {join} {second} y ON x.a = y.a AND {}", self.truth(&["x", "y"], 1)), false);
        }
        (format!("SELECT x.id, x.a FROM {first} x WHERE {truth} ORDER BY 1"), true)
    }

    fn in_group(&mut self) -> (String, bool) {
        let (table, other) = (self.pick(&TABLES), self.pick(&TABLES));
        let key = self.pick(&["a", "t", "k"]);
        let condition = match self.below(3) {
            0 => format!("EXISTS (SELECT 1 FROM {other} q WHERE q.{key} = x.{key})"),
            1 => format!("count(*) > (SELECT count(*) FROM {other} q WHERE q.{key} = x.{key})"),
            _ => format!("(SELECT min(q.id) FROM {other} q WHERE q.{key} = x.{key}) < 10"),
        };
        (
            format!(
                "SELECT x.{key}, count(*), (SELECT max(q.id) FROM {other} q WHERE q.{key} = x.{key}) FROM {table} x GROUP BY x.{key} HAVING {condition}"
            ),
            false,
        )
    }

    fn in_order(&mut self) -> (String, bool) {
        let table = self.pick(&TABLES);
        let key = self.value(Int, &["x"], 1);
        (format!("SELECT x.id, x.t FROM {table} x ORDER BY {key} NULLS FIRST, x.id"), true)
    }

    fn lateral(&mut self) -> (String, bool) {
        let (table, other) = (self.pick(&TABLES), self.pick(&TABLES));
        let of = self.pick(&ALL);
        let item = self.expr(of, &["x", "q"], 1);
        let (condition, limit) = (self.correlation(&["x"]), self.below(3) + 1);
        let relation = match self.below(5) {
            0 => format!("(SELECT {item} AS c FROM {other} q WHERE {condition}) l"),
            1 => format!("(SELECT {} AS c) l", self.expr(of, &["x"], 1)),
            2 => "generate_series(1, x.a % 4) l(c)".to_owned(),
            3 => format!("(SELECT count(*) AS c, min(q.id) FROM {other} q WHERE {condition}) l"),
            _ => format!("(SELECT {item} AS c FROM {other} q WHERE {condition} ORDER BY q.id LIMIT {limit}) l"),
        };
        match self.below(3) {
            0 => (format!("SELECT x.id, l.c FROM {table} x, LATERAL {relation}"), false),
            1 => (format!("SELECT x.id, l.c FROM {table} x LEFT JOIN LATERAL {relation} ON true"), false),
            _ => (format!("SELECT x.id, l.c FROM {table} x LEFT JOIN LATERAL {relation} ON x.a > 1 WHERE x.id < 20"), false),
        }
    }

    /// A subquery of one value.
    fn value(&mut self, of: Type, scope: &[&str], depth: u32) -> String {
        let table = self.pick(&TABLES);
        let inner: Vec<&str> = scope.iter().copied().chain(["q"]).collect();
        let condition = self.correlation(scope);
        let deeper = if depth > 1 && self.one_in(3) { format!(" AND {}", self.deeper(&inner)) } else { String::new() };
        match self.below(5) {
            0 if of != Bool => {
                let call = self.pick(&["min", "max"]);
                format!("(SELECT {call}({}) FROM {table} q WHERE {condition}{deeper})", self.column(of, &["q"]))
            }
            1 => format!("(SELECT {} FROM {table} q WHERE q.id = {})", self.expr(of, &inner, 1), self.column(Int, scope)),
            2 => format!("(SELECT {})", self.expr(of, scope, 1)),
            _ => {
                let direction = self.pick(&["", " DESC"]);
                let offset = self.pick(&["", " OFFSET 1"]);
                format!(
                    "(SELECT {} FROM {table} q WHERE {condition}{deeper} ORDER BY q.id{direction} LIMIT 1{offset})",
                    self.expr(of, &inner, 1)
                )
            }
        }
    }

    /// A subquery that is true, false or unknown.
    fn truth(&mut self, scope: &[&str], depth: u32) -> String {
        let table = self.pick(&TABLES);
        let of = self.pick(&[Int, Text, Date, Numeric]);
        let (condition, value, column) = (self.correlation(scope), self.expr(of, scope, 1), self.column(of, &["q"]));
        let inner: Vec<&str> = scope.iter().copied().chain(["q"]).collect();
        let deeper = if depth > 1 && self.one_in(3) { format!(" AND {}", self.deeper(&inner)) } else { String::new() };
        match self.below(6) {
            0 => format!("EXISTS (SELECT 1 FROM {table} q WHERE {condition}{deeper})"),
            1 => format!("NOT EXISTS (SELECT q.a FROM {table} q WHERE {condition}{deeper} LIMIT 2)"),
            2 => format!("{value} IN (SELECT {column} FROM {table} q WHERE {condition}{deeper})"),
            3 => format!("{value} NOT IN (SELECT {column} FROM {table} q WHERE {condition}{deeper})"),
            4 => {
                let (op, set) = (self.pick(&["=", "<>", "<", ">="]), self.pick(&["ANY", "ALL"]));
                format!("{value} {op} {set} (SELECT {column} FROM {table} q WHERE {condition}{deeper})")
            }
            _ => format!("{value} IN (SELECT {column} FROM {table} q)"),
        }
    }

    /// A condition of the subquery `q` on the rows around it.
    fn correlation(&mut self, scope: &[&str]) -> String {
        match self.below(4) {
            0 => {
                let of = self.pick(&[Int, Text, Date]);
                format!("{} = {}", self.column(of, &["q"]), self.column(of, scope))
            }
            1 => format!("q.a > {}", self.column(Int, scope)),
            _ => {
                let inner: Vec<&str> = scope.iter().copied().chain(["q"]).collect();
                self.condition(&inner, 1)
            }
        }
    }

    /// A condition of a subquery within the subquery on both.
    fn deeper(&mut self, scope: &[&str]) -> String {
        let table = self.pick(&TABLES);
        let (inside, outside) = (self.column(Int, scope), self.column(Int, scope));
        match self.below(3) {
            0 => format!("EXISTS (SELECT 1 FROM {table} r2 WHERE r2.a = {inside} AND r2.id <> {outside})"),
            1 => format!("{inside} < (SELECT count(*) FROM {table} r2 WHERE r2.a >= {outside})"),
            _ => format!("{inside} = ANY (SELECT r2.a FROM {table} r2 WHERE r2.id > {outside})"),
        }
    }
}
