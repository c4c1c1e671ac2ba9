//! Random patterns in a property graph, to Shockwave as GRAPH_TABLE and to PostgreSQL 15 as the SQL that they stand for: joins, outer joins for what is
//! optional, recursive queries for paths.
//!
//! Y1: a path is every row of a recursive query that keeps what it has passed; a mode is a condition on its steps, a search ranks its rows by length.
//! Y2: everything follows from the seed, as in `random.rs`.
//! Never: asks which of several equal paths is found; only lengths are compared.

use std::ops::Range;

use super::random::{Pair, asked_of_both, seeds};

/// Seeds of an ordinary run, each with its graph.
const SEEDS: Range<u64> = 0..8;
/// Patterns of each.
const PATTERNS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_patterns_are_answered_as_joins_and_recursive_queries_by_postgresql() {
    asked_of_both("patterns", seeds(SEEDS), run).await;
}

fn run(pair: &mut Pair) {
    let mut dice = Dice(pair.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 11);
    for statement in data(&mut dice) {
        pair.compare(&statement, false);
    }
    let ends = "SOURCE KEY (f) REFERENCES v (id) DESTINATION KEY (t) REFERENCES v (id)";
    pair.ours.ask(&format!("CREATE PROPERTY GRAPH g VERTEX TABLES (v) EDGE TABLES (e {ends}, d {ends})"));
    for _ in 0..PATTERNS {
        let operators = dice.pick(["on", "off"]);
        pair.compare(&format!("SET shockwave.graph_operators = {operators}"), false);
        let mut pattern = Pattern::default();
        pattern.make(&mut dice);
        pair.compare_with(&pattern.ours(), &pattern.theirs(), false);
    }
}

/// A repeatable source of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    fn pick<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        from[self.below(N)]
    }
}

/// Vertices, and edges of two tables whose ids differ.
fn data(dice: &mut Dice) -> Vec<String> {
    let weight = |dice: &mut Dice| if dice.one_in(6) { "NULL".to_owned() } else { dice.below(4).to_string() };
    let mut statements = vec![
        "CREATE TABLE v (id int PRIMARY KEY, w int)".to_owned(),
        "CREATE TABLE e (id int PRIMARY KEY, f int NOT NULL REFERENCES v, t int NOT NULL REFERENCES v, w int)".to_owned(),
        "CREATE TABLE d (id int PRIMARY KEY, f int REFERENCES v, t int REFERENCES v, w int)".to_owned(),
    ];
    let vertices = 3 + dice.below(3);
    let rows: Vec<String> = (0..vertices).map(|id| format!("({id}, {})", weight(dice))).collect();
    statements.push(format!("INSERT INTO v VALUES {}", rows.join(", ")));
    for (table, first, most) in [("e", 0, 5), ("d", 100, 3)] {
        let edge = |id: usize, dice: &mut Dice| {
            let (from, to) = (dice.below(vertices), dice.below(vertices));
            format!("({id}, {from}, {to}, {})", weight(dice))
        };
        let rows: Vec<String> = (first..first + 1 + dice.below(most)).map(|id| edge(id, dice)).collect();
        statements.push(format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
    }
    statements
}

/// A pattern in both languages.
#[derive(Default)]
struct Pattern {
    matched: String,
    /// `(name, part that binds it)`.
    vertices: Vec<(String, usize)>,
    columns: Vec<(String, String)>,
    recursive: Vec<String>,
    parts: Vec<String>,
    made: usize,
    paths: usize,
}

/// What a part is in PostgreSQL's words.
#[derive(Default)]
struct Part {
    items: Vec<String>,
    from: Vec<String>,
    conditions: Vec<String>,
}

/// Edges: a label, the rows that have it, and which way they are passed.
struct Edges {
    label: &'static str,
    rows: String,
    arrows: (&'static str, &'static str),
    /// `w >= least`
    least: Option<usize>,
    /// Of a path that is repeated: each vertex weighs no less than the one before.
    is_rising: bool,
}

const BOTH: (&str, &str) = ("-", "-");
const RIGHT: (&str, &str) = ("-", "->");
const LEFT: (&str, &str) = ("<-", "-");

impl Pattern {
    fn make(&mut self, dice: &mut Dice) {
        for part in 0..1 + dice.below(4) {
            self.part(dice, part);
        }
    }

    fn ours(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|(ours, _)| ours.clone()).collect();
        format!("SELECT * FROM GRAPH_TABLE (g{} COLUMNS ({}))", self.matched, columns.join(", "))
    }

    fn theirs(&self) -> String {
        let with = if self.recursive.is_empty() { String::new() } else { format!("WITH RECURSIVE {} ", self.recursive.join(", ")) };
        let columns: Vec<String> = self.columns.iter().map(|(_, theirs)| theirs.clone()).collect();
        format!("{with}SELECT {} FROM {}", columns.join(", "), self.parts.join(" "))
    }

    /// The id of a vertex, or its weight, as a part of its own can say it.
    fn of(&self, name: &str, part: usize, is_weight: bool) -> String {
        let (_, binds) = self.vertices.iter().find(|(known, _)| known == name).unwrap();
        match (*binds == part, is_weight) {
            (true, true) => format!("{name}.w"),
            (true, false) => format!("{name}.id"),
            (false, true) => format!("p{binds}.{name}_w"),
            (false, false) => format!("p{binds}.{name}"),
        }
    }

    /// A vertex, known already one time in so many; as it stands in a pattern.
    fn vertex(&mut self, dice: &mut Dice, at: usize, known_in: usize, part: &mut Part) -> (String, String) {
        let name = if !self.vertices.is_empty() && dice.one_in(known_in) {
            let known = self.vertices[dice.below(self.vertices.len())].0.clone();
            part.conditions.push(format!("{} IS NOT NULL", self.of(&known, at, false)));
            known
        } else {
            self.made += 1;
            let name = format!("n{}", self.made);
            self.vertices.push((name.clone(), at));
            part.items.push(format!("{name}.id AS {name}, {name}.w AS {name}_w"));
            part.from.push(format!("v {name}"));
            self.columns.push((format!("{name}.id AS {name}"), format!("p{at}.{name} AS {name}")));
            name
        };
        if !dice.one_in(4) {
            return (name.clone(), format!("({name})"));
        }
        let least = dice.below(3);
        part.conditions.push(format!("{} >= {least}", self.of(&name, at, true)));
        (name.clone(), format!("({name} WHERE {name}.w >= {least})"))
    }

    fn part(&mut self, dice: &mut Dice, at: usize) {
        let (keyword, join) = match at {
            0 => (" MATCH ", ""),
            _ => dice.pick([(" OPTIONAL MATCH ", "LEFT JOIN "), (" OPTIONAL MATCH ", "LEFT JOIN "), (" MATCH ", "JOIN ")]),
        };
        let mut part = Part::default();
        let (start, shown) = self.vertex(dice, at, if at == 0 { 1_000 } else { 1 }, &mut part);
        let path = if dice.one_in(2) { self.chain(dice, at, &start, &mut part) } else { self.path(dice, at, &start, &mut part) };
        let (before, behind) = path;
        self.matched.push_str(&format!("{keyword}{before}{shown}{behind}"));
        if dice.one_in(3) {
            let mut one = || self.vertices[dice.below(self.vertices.len())].0.clone();
            let (one, other) = (one(), one());
            self.matched.push_str(&format!(" WHERE {one}.w < {other}.w + 1"));
            part.conditions.push(format!("{} < {} + 1", self.of(&one, at, true), self.of(&other, at, true)));
        }
        let Part { mut items, from, conditions } = part;
        items.push("1 AS one".to_owned());
        let from = if from.is_empty() { String::new() } else { format!(" FROM {}", from.join(", ")) };
        let conditions = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let on = if at == 0 { "" } else { " ON true" };
        self.parts.push(format!("{join}LATERAL (SELECT {}{from}{conditions}) p{at}{on}", items.join(", ")));
    }

    /// Edges one after the other.
    fn chain(&mut self, dice: &mut Dice, at: usize, start: &str, part: &mut Part) -> (String, String) {
        let (mut behind, mut here) = (String::new(), start.to_owned());
        for _ in 0..dice.below(3) {
            let edges = Edges::drawn(dice);
            self.made += 1;
            let name = format!("r{}", self.made);
            part.items.push(format!("{name}.id AS {name}"));
            part.from.push(format!("{} {name}", edges.rows));
            self.columns.push((format!("{name}.id AS {name}"), format!("p{at}.{name} AS {name}")));
            behind.push_str(&edges.shown(&name));
            part.conditions.extend(edges.least.map(|least| format!("{name}.w >= {least}")));
            let (next, shown) = self.vertex(dice, at, 4, part);
            let (one, other) = (self.of(&here, at, false), self.of(&next, at, false));
            let (along, against) = (format!("{name}.f = {one} AND {name}.t = {other}"), format!("{name}.t = {one} AND {name}.f = {other}"));
            part.conditions.push(match edges.arrows {
                RIGHT => along,
                LEFT => against,
                _ => format!("({along} OR {against})"),
            });
            behind.push_str(&shown);
            here = next;
        }
        (String::new(), behind)
    }

    /// A path of many lengths; what stands before its first vertex and behind it.
    fn path(&mut self, dice: &mut Dice, at: usize, start: &str, part: &mut Part) -> (String, String) {
        self.paths += 1;
        let name = format!("w{}", self.paths);
        let mode = dice.pick(["", "", "WALK ", "TRAIL ", "ACYCLIC ", "SIMPLE "]);
        let is_walk = matches!(mode, "" | "WALK ");
        let keep = dice.pick(["", "", "ANY SHORTEST ", "ALL SHORTEST ", "SHORTEST 3 ", "SHORTEST 2 GROUPS "]);
        let is_bounded = is_walk && !matches!(keep, "ANY SHORTEST " | "ALL SHORTEST ") || dice.one_in(2);
        let least = dice.below(if is_walk && !is_bounded { 2 } else { 3 });
        let most = is_bounded.then(|| least.max(1) + dice.below(3));
        let quantifier = match (least, most) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        let edges = Edges { is_rising: dice.one_in(3), ..Edges::drawn(dice) };
        let repeated = match edges.is_rising {
            true => format!("((x{0}){1}(y{0}) WHERE x{0}.w <= y{0}.w)", self.paths, edges.shown(&format!("z{}", self.paths))),
            false => edges.shown(&format!("z{}", self.paths)),
        };
        // Of walks that may have any length the shortest are wanted, which are simple.
        self.recursive.push(edges.paths(&name, if is_walk && !is_bounded { "SIMPLE " } else { mode }, most.unwrap_or(99)));
        let (end, shown) = self.vertex(dice, at, 4, part);
        let ranked = |rank: &str, count: usize| {
            format!(
                "(SELECT s, t, n FROM (SELECT s, t, n, {rank}() OVER (PARTITION BY s, t ORDER BY n) k FROM {name} WHERE n >= {least}) r WHERE k <= {count})"
            )
        };
        part.from.push(format!(
            "{} q",
            match keep {
                "ANY SHORTEST " => ranked("row_number", 1),
                "ALL SHORTEST " => ranked("rank", 1),
                "SHORTEST 3 " => ranked("row_number", 3),
                "SHORTEST 2 GROUPS " => ranked("dense_rank", 2),
                _ => format!("(SELECT s, t, n FROM {name} WHERE n >= {least})"),
            }
        ));
        part.conditions.push(format!("q.s = {} AND q.t = {}", self.of(start, at, false), self.of(&end, at, false)));
        part.items.push(format!("q.n AS l{name}"));
        self.columns.push((format!("path_length({name}) AS l{name}"), format!("p{at}.l{name} AS l{name}")));
        let prefix = match keep {
            "SHORTEST 2 GROUPS " => format!("SHORTEST 2 {mode}GROUPS "),
            keep => format!("{keep}{mode}"),
        };
        (format!("{name} = {prefix}"), format!("{repeated}{quantifier}{shown}"))
    }
}

impl Edges {
    fn drawn(dice: &mut Dice) -> Self {
        let (label, rows) = match dice.below(4) {
            0 => ("d", "d".to_owned()),
            1 => ("e|d", "(SELECT * FROM e UNION ALL SELECT * FROM d)".to_owned()),
            _ => ("e", "e".to_owned()),
        };
        let least = if dice.one_in(4) { Some(dice.below(3)) } else { None };
        Self { label, rows, arrows: dice.pick([RIGHT, RIGHT, LEFT, BOTH]), least, is_rising: false }
    }

    /// As they stand in a pattern.
    fn shown(&self, name: &str) -> String {
        let condition = self.least.map_or_else(String::new, |least| format!(" WHERE {name}.w >= {least}"));
        format!("{}[{name} IS {}{condition}]{}", self.arrows.0, self.label, self.arrows.1)
    }

    /// Steps along them, each from `f` to `t`; a loop is one step.
    fn steps(&self) -> String {
        let holds = self.least.map_or_else(|| "true".to_owned(), |least| format!("z.w >= {least}"));
        let rising = if self.is_rising { " AND a.w <= b.w" } else { "" };
        let way = |from: &str, to: &str, more: &str| {
            let ends = format!("JOIN v a ON a.id = z.{from} JOIN v b ON b.id = z.{to}");
            format!("SELECT z.id, z.{from} AS f, z.{to} AS t FROM {} z {ends} WHERE {holds}{more}{rising}", self.rows)
        };
        match self.arrows {
            RIGHT => way("f", "t", ""),
            LEFT => way("t", "f", ""),
            _ => format!("{} UNION ALL {}", way("f", "t", ""), way("t", "f", " AND z.f <> z.t")),
        }
    }

    /// Y1
    fn paths(&self, name: &str, mode: &str, most: usize) -> String {
        let allowed = match mode {
            "TRAIL " => " AND NOT x.id = ANY (p.es)",
            "ACYCLIC " => " AND NOT x.t = ANY (p.vs)",
            "SIMPLE " => " AND NOT x.t = ANY (p.vs[2:]) AND (p.n = 0 OR p.s <> p.t)",
            _ => "",
        };
        format!(
            "{name}(s, t, n, vs, es) AS (SELECT id, id, 0, ARRAY[id], ARRAY[]::int[] FROM v UNION ALL \
             SELECT p.s, x.t, p.n + 1, p.vs || x.t, p.es || x.id FROM {name} p JOIN ({}) x ON x.f = p.t WHERE p.n < {most}{allowed})",
            self.steps()
        )
    }
}
