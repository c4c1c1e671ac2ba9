//! Makes random tables, rows, queries and writes out of a seed.
//!
//! Values come from small sets, so that rows meet in joins and groups; every column but the key holds NULLs and duplicates.

mod subqueries;

/// The tables; their columns are [`COLUMNS`].
pub const TABLES: [&str; 2] = ["r", "s"];

const COLUMNS: &str = "id int PRIMARY KEY, a int, b bigint, n numeric(8,2), f double precision, t text, d date, k boolean";

/// Types of expressions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Big,
    Numeric,
    Float,
    Text,
    Date,
    Bool,
}

use Type::{Big, Bool, Date, Float, Int, Numeric, Text};

const ALL: [Type; 7] = [Int, Big, Numeric, Float, Text, Date, Bool];

pub struct Generator {
    state: u64,
    /// Rows written so far, for new keys.
    keys: u64,
    in_block: bool,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03, keys: 100, in_block: false }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// The tables with their rows.
    pub fn data(&mut self) -> Vec<String> {
        let mut statements = Vec::new();
        for table in TABLES {
            statements.push(format!("CREATE TABLE {table} ({COLUMNS})"));
            let rows = 5 + self.below(40);
            let rows: Vec<String> = (0..rows).map(|id| self.row(id)).collect();
            statements.push(format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
        }
        statements
    }

    fn row(&mut self, id: u64) -> String {
        let cells: Vec<String> = ALL.iter().map(|of| if self.one_in(5) { "NULL".to_owned() } else { self.constant(*of) }).collect();
        format!("({id}, {})", cells.join(", "))
    }

    /// A constant that needs no context to have its type, but for those that an INSERT casts.
    fn constant(&mut self, of: Type) -> String {
        match of {
            Int => self.pick(&["0", "1", "2", "3", "-1", "7", "100"]).to_owned(),
            Big => self.pick(&["0::bigint", "1::bigint", "2::bigint", "5000000000", "-3000000000"]).to_owned(),
            Numeric => self.pick(&["0.00", "1.50", "2.25", "-3.75", "100.00", "12.34"]).to_owned(),
            Float => self.pick(&["0::float8", "0.5::float8", "-1.25::float8", "3::float8", "1024::float8"]).to_owned(),
            Text => self.pick(&["''", "'a'", "'b'", "'ab'", "'Abc'", "'x y'", "'ä'", "'%'"]).to_owned(),
            Date => self.pick(&["DATE '2020-01-01'", "DATE '2020-02-29'", "DATE '1999-12-31'", "DATE '2024-07-04'"]).to_owned(),
            Bool => self.pick(&["true", "false"]).to_owned(),
        }
    }

    fn column(&mut self, of: Type, scope: &[&str]) -> String {
        let alias = self.pick(scope);
        let name = match of {
            Int => self.pick(&["id", "a"]),
            Big => "b",
            Numeric => "n",
            Float => "f",
            Text => "t",
            Date => "d",
            Bool => "k",
        };
        format!("{alias}.{name}")
    }

    /// An expression of a type over the tables in scope.
    fn expr(&mut self, of: Type, scope: &[&str], depth: u32) -> String {
        if depth == 0 || self.one_in(3) {
            return if self.one_in(5) { self.constant(of) } else { self.column(of, scope) };
        }
        let mut sub = |of: Type| self.expr(of, scope, depth - 1);
        let (x, y) = (sub(of), sub(of));
        if self.one_in(6) {
            let condition = self.condition(scope, depth - 1);
            return match self.below(4) {
                0 => format!("coalesce({x}, {y})"),
                1 => format!("nullif({x}, {y})"),
                2 => format!("CASE WHEN {condition} THEN {x} ELSE {y} END"),
                _ if of == Bool => format!("({x} OR {y})"),
                _ => format!("greatest({x}, {y})"),
            };
        }
        match of {
            Int => match self.below(5) {
                0 => format!("({x} + {y})"),
                1 => format!("({x} - {y})"),
                2 => format!("abs({x})"),
                3 => format!("length({})", self.expr(Text, scope, depth - 1)),
                _ => format!("({x} % 5)"),
            },
            Big => format!("({x} {} {y})", self.pick(&["+", "-"])),
            Numeric => format!("({x} {} {y})", self.pick(&["+", "-"])),
            Float => format!("({x} {} {y})", self.pick(&["+", "-"])),
            Text => match self.below(8) {
                0 => format!("({x} || {y})"),
                1 => format!("upper({x})"),
                2 => format!("substring({x} from 1 for 2)"),
                3 => format!("replace({x}, 'a', 'zz')"),
                4 => format!("left({x}, 1)"),
                5 => format!("({})::text", self.expr(Int, scope, 0)),
                6 => format!("lpad({x}, 3, '*')"),
                _ => format!("concat({x}, {y})"),
            },
            Date => match self.below(3) {
                0 => format!("({x} + {})", self.pick(&["1", "30", "365"])),
                1 => format!("({x} - 7)"),
                _ => x,
            },
            Bool => self.condition(scope, depth - 1),
        }
    }

    fn condition(&mut self, scope: &[&str], depth: u32) -> String {
        let of = self.pick(&ALL);
        let (x, y) = (self.expr(of, scope, depth.min(1)), self.expr(of, scope, depth.min(1)));
        if depth > 0 && self.one_in(3) {
            let (left, right) = (self.condition(scope, depth - 1), self.condition(scope, depth - 1));
            return match self.below(3) {
                0 => format!("({left} AND {right})"),
                1 => format!("({left} OR {right})"),
                _ => format!("(NOT ({left}))"),
            };
        }
        match self.below(10) {
            0 => format!("({x} IS NULL)"),
            1 => format!("({x} IS NOT NULL)"),
            2 => format!("({x} IS DISTINCT FROM {y})"),
            3 => format!("({x} IN ({y}, {}))", self.constant(of)),
            4 => format!("({x} BETWEEN {y} AND {})", self.constant(of)),
            5 if of == Text => format!("({x} LIKE {})", self.pick(&["'a%'", "'%b%'", "'_'", "'%'"])),
            6 if of == Text => format!("({x} ~ {})", self.pick(&["'^a'", "'[a-c]+$'", "' '", "'^.$'"])),
            _ => format!("({x} {} {y})", self.pick(&["=", "<>", "<", "<=", ">", ">="])),
        }
    }

    /// FROM with its joins, and the aliases in scope.
    fn from(&mut self) -> (String, Vec<&'static str>) {
        let first = self.pick(&TABLES);
        if self.one_in(2) {
            return (format!("{first} x"), vec!["x"]);
        }
        let second = self.pick(&TABLES);
        let join = self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
        let column = self.pick(&["id", "a", "t", "d"]);
        let more = if self.one_in(3) && join != "FULL JOIN" { " AND x.id < y.id + 3" } else { "" };
        (format!("{first} x {join} {second} y ON x.{column} = y.{column}{more}"), vec!["x", "y"])
    }

    fn filter(&mut self, scope: &[&str]) -> String {
        let table = self.pick(&TABLES);
        match self.below(6) {
            0 => String::new(),
            1 => format!(" WHERE x.{} IN (SELECT q.a FROM {table} q WHERE {})", self.pick(&["id", "a"]), self.condition(&["q"], 1)),
            2 => format!(" WHERE EXISTS (SELECT 1 FROM {table} q WHERE q.a = x.a AND {})", self.condition(&["q"], 1)),
            3 => format!(" WHERE x.a > (SELECT {}(q.a) FROM {table} q)", self.pick(&["min", "max"])),
            _ => format!(" WHERE {}", self.condition(scope, 2)),
        }
    }

    /// A query, and whether it orders its rows.
    pub fn query(&mut self) -> (String, bool) {
        match self.below(12) {
            0..=3 => self.correlated(),
            4..=6 => self.plain(),
            7 | 8 => self.grouped(),
            9 => self.windowed(),
            10 => self.united(),
            _ => {
                let (inner, _) = self.plain();
                (format!("WITH w AS ({inner}) SELECT count(*), count(DISTINCT c1), min(c1), max(c1) FROM w"), true)
            }
        }
    }

    fn plain(&mut self) -> (String, bool) {
        let (from, scope) = self.from();
        let count = 1 + self.below(3);
        // The first may be compared, grouped and measured by whoever stands around.
        let items: Vec<String> = (1..=count)
            .map(|index| {
                let of = if index == 1 { self.pick(&[Int, Text, Date, Numeric]) } else { self.pick(&ALL) };
                format!("{} AS c{index}", self.expr(of, &scope, 2))
            })
            .collect();
        let distinct = if self.one_in(4) { "DISTINCT " } else { "" };
        let filter = self.filter(&scope);
        let mut query = format!("SELECT {distinct}{} FROM {from}{filter}", items.join(", "));
        let ordered = self.one_in(2);
        if ordered {
            query.push_str(&self.order(count));
        }
        (query, ordered)
    }

    /// ORDER BY every column, so that ties are alike, and sometimes LIMIT.
    fn order(&mut self, columns: u64) -> String {
        let keys: Vec<String> =
            (1..=columns).map(|index| format!("{index}{}", self.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]))).collect();
        let limit = if self.one_in(3) { format!(" LIMIT {} OFFSET {}", self.below(6), self.below(3)) } else { String::new() };
        format!(" ORDER BY {}{limit}", keys.join(", "))
    }

    fn aggregate(&mut self, scope: &[&str]) -> String {
        let filter = if self.one_in(4) { format!(" FILTER (WHERE {})", self.condition(scope, 1)) } else { String::new() };
        let of = self.pick(&[Int, Big, Numeric, Float]);
        let any = self.pick(&[Int, Big, Numeric, Float, Text, Date]);
        let call = match self.below(8) {
            0 => "count(*)".to_owned(),
            1 => format!("count({})", self.expr(any, scope, 1)),
            2 => format!("count(DISTINCT {})", self.column(any, scope)),
            3 => format!("sum({})", self.expr(of, scope, 1)),
            4 => format!("min({})", self.expr(any, scope, 1)),
            5 => format!("max({})", self.expr(any, scope, 1)),
            6 => format!("bool_or({})", self.condition(scope, 1)),
            _ => format!("string_agg({0}, ',' ORDER BY {0})", self.column(Text, scope)),
        };
        format!("{call}{filter}")
    }

    fn grouped(&mut self) -> (String, bool) {
        let (from, scope) = self.from();
        let of = self.pick(&[Int, Text, Date, Bool]);
        let key = self.column(of, &scope);
        let (first, second) = (self.aggregate(&scope), self.aggregate(&scope));
        let filter = self.filter(&scope);
        let having = match self.below(4) {
            0 => " HAVING count(*) > 1".to_owned(),
            1 => format!(" HAVING {key} IS NOT NULL"),
            _ => String::new(),
        };
        if self.one_in(4) {
            return (format!("SELECT {first}, {second} FROM {from}{filter}"), true);
        }
        let grouping = match self.below(5) {
            0 => format!("ROLLUP ({key})"),
            _ => key.clone(),
        };
        (format!("SELECT {key}, {first}, {second} FROM {from}{filter} GROUP BY {grouping}{having}"), false)
    }

    fn windowed(&mut self) -> (String, bool) {
        let (table, partition) = (self.pick(&TABLES), self.pick(&["t", "k", "a"]));
        let frame = self.pick(&["", "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", "ROWS UNBOUNDED PRECEDING", "ROWS 2 PRECEDING"]);
        let call = match self.below(8) {
            0 => "row_number() OVER",
            1 => "rank() OVER",
            2 => "dense_rank() OVER",
            3 => "lag(x.a) OVER",
            4 => "lead(x.t) OVER",
            5 => "sum(x.n) OVER",
            6 => "count(x.a) OVER",
            _ => "max(x.d) OVER",
        };
        let frame = if call.starts_with("sum") || call.starts_with("count") || call.starts_with("max") { frame } else { "" };
        let direction = self.pick(&["", " DESC"]);
        let filter = self.filter(&["x"]);
        (
            format!("SELECT x.id, {call} (PARTITION BY x.{partition} ORDER BY x.id{direction} {frame}) FROM {table} x{filter} ORDER BY 1"),
            true,
        )
    }

    fn united(&mut self) -> (String, bool) {
        let of = self.pick(&ALL);
        let op = self.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]);
        let mut side = || {
            let table = self.pick(&TABLES);
            let (item, filter) = (self.expr(of, &["x"], 1), self.filter(&["x"]));
            format!("SELECT {item} AS c FROM {table} x{filter}")
        };
        let (left, right) = (side(), side());
        (format!("{left} {op} {right} ORDER BY 1"), true)
    }

    /// A write, or a step of a transaction.
    pub fn write(&mut self) -> String {
        let table = self.pick(&TABLES);
        match self.below(10) {
            0 => {
                self.in_block = !self.in_block;
                if self.in_block { "BEGIN".to_owned() } else { self.pick(&["COMMIT", "ROLLBACK"]).to_owned() }
            }
            1 | 2 => {
                self.keys += 2;
                let (key, other) = (self.keys, self.keys + 1);
                format!("INSERT INTO {table} VALUES {}, {}", self.row(key), self.row(other))
            }
            3 => {
                let key = self.below(40);
                format!("INSERT INTO {table} VALUES {} ON CONFLICT (id) DO NOTHING", self.row(key))
            }
            4 => {
                let key = self.below(40);
                format!(
                    "INSERT INTO {table} AS x VALUES {} ON CONFLICT (id) DO UPDATE SET a = excluded.a, t = x.t || excluded.t RETURNING x.*",
                    self.row(key)
                )
            }
            5 => format!("DELETE FROM {table} x WHERE {}", self.condition(&["x"], 1)),
            6 => format!("DELETE FROM {table} x WHERE x.id = {} RETURNING id, t", self.below(40)),
            7 => format!("UPDATE {table} x SET t = {} WHERE x.id < {}", self.expr(Text, &["x"], 1), self.below(30)),
            8 => {
                let other = self.pick(&TABLES);
                format!(
                    "UPDATE {table} x SET n = y.n, k = {} FROM {other} y WHERE x.id = y.id AND y.id % 3 = {}",
                    self.condition(&["x", "y"], 1),
                    self.below(3)
                )
            }
            _ => format!(
                "UPDATE {table} x SET a = {}, d = {} WHERE {}",
                self.constant(Int),
                self.expr(Date, &["x"], 1),
                self.condition(&["x"], 1)
            ),
        }
    }
}
