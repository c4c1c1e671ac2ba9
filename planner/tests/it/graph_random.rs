//! Random small graphs, with loops, parallel edges and labels shared by tables; random patterns with labels, directions, conditions, repeated variables,
//! several paths, bounded repetition, `?`, modes of paths and of their parts, alternatives counted and not, searches, and parts behind the first, optional
//! or not, beside and within one another.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A repeatable source of numbers.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    pub fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }
}

/// Which tables there are, and the labels of each: the first is its own, the second that of its kind.
pub const VERTEX_TABLES: [(&str, [&str; 2]); 2] = [("ta", ["a", "v"]), ("tb", ["b", "v"])];
pub const EDGE_TABLES: [(&str, usize, usize, [&str; 2]); 4] =
    [("saa", 0, 0, ["aa", "e"]), ("sab", 0, 1, ["ab", "e"]), ("sba", 1, 0, ["ba", "e"]), ("sbb", 1, 1, ["bb", "e"])];

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Vertex {
    pub table: usize,
    pub id: i32,
    pub w: Option<i32>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Edge {
    pub table: usize,
    pub id: i32,
    pub w: Option<i32>,
    pub from: (usize, i32),
    pub to: (usize, i32),
}

#[derive(Default, Debug)]
pub struct Graph {
    pub vertices: Vec<Vertex>,
    pub edges: Vec<Edge>,
}

pub fn weight(dice: &mut Dice) -> Option<i32> {
    if dice.one_in(6) { None } else { Some(dice.below(4) as i32) }
}

pub fn graph(dice: &mut Dice) -> Graph {
    let mut graph = Graph::default();
    for table in 0..2 {
        for id in 0..1 + dice.below(3) as i32 {
            let w = weight(dice);
            graph.vertices.push(Vertex { table, id, w });
        }
    }
    for (table, (_, from, to, _)) in EDGE_TABLES.iter().enumerate() {
        let of = |table: usize| {
            graph.vertices.iter().filter(|vertex| vertex.table == table).map(|vertex| (table, vertex.id)).collect::<Vec<_>>()
        };
        let (from, to) = (of(*from), of(*to));
        for id in 0..dice.below(4) as i32 {
            let ends = (from[dice.below(from.len())], to[dice.below(to.len())]);
            let w = weight(dice);
            graph.edges.push(Edge { table, id, w, from: ends.0, to: ends.1 });
        }
    }
    graph
}

#[derive(Clone, Debug)]
pub enum Label {
    Name(&'static str),
    Any,
    Not(Box<Label>),
    And(Box<Label>, Box<Label>),
    Or(Box<Label>, Box<Label>),
}

#[derive(Clone, Debug, Default)]
pub struct Element {
    pub variable: Option<String>,
    pub label: Option<Label>,
    /// `w >= least`
    pub least: Option<i32>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Way {
    Right,
    Left,
    Both,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mode {
    Walk,
    Trail,
    Acyclic,
    Simple,
}

#[derive(Clone, Debug)]
pub enum Part {
    Vertex(Element),
    Edge(Element, Way, Option<(usize, usize)>),
    /// Mode, parts, `x.w <= y.w` of two variables inside, least and most, whether written `?`.
    Nested {
        mode: Option<Mode>,
        parts: Vec<Part>,
        ordered: Option<(String, String)>,
        times: Option<(usize, usize)>,
        optional: bool,
    },
    /// Whether each match of each counts (`|+|`), and the two.
    Choice(bool, Vec<Part>, Vec<Part>),
}

/// How often a path without a bound is repeated at most.
pub const UNBOUNDED: usize = usize::MAX;

/// Which paths of each pair of ends are kept; of all these their lengths are settled.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Keep {
    AnyShortest,
    AllShortest,
    Shortest(usize),
    Groups(usize),
}

#[derive(Clone, Debug)]
pub struct PathPattern {
    pub keep: Option<Keep>,
    pub mode: Option<Mode>,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, Default)]
pub struct Pattern {
    pub paths: Vec<PathPattern>,
    /// `x.w <= y.w`
    pub ordered: Option<(String, String)>,
    pub following: Vec<Following>,
    /// Variables that COLUMNS may mention.
    pub shown: Vec<String>,
}

/// `MATCH …`, `OPTIONAL MATCH …`, or `OPTIONAL { MATCH … OPTIONAL … MATCH … }`.
#[derive(Clone, Debug)]
pub struct Following {
    pub is_optional: bool,
    pub paths: Vec<PathPattern>,
    pub ordered: Option<(String, String)>,
    pub following: Vec<Following>,
}

/// Makes patterns.
pub struct Maker<'a> {
    pub dice: &'a mut Dice,
    pub made: usize,
    pub shown: Vec<String>,
    /// Names of the present scope, and whether each is an edge.
    pub scope: Vec<(String, bool)>,
}

impl Maker<'_> {
    pub fn label(&mut self, edge: bool, depth: usize) -> Label {
        let names: &[&'static str] = if edge { &["aa", "ab", "ba", "bb", "e"] } else { &["a", "b", "v"] };
        match self.dice.below(if depth == 0 { 5 } else { 9 }) {
            0..=4 => Label::Name(names[self.dice.below(names.len())]),
            5 => Label::Any,
            6 => Label::Not(Box::new(self.label(edge, depth - 1))),
            7 => Label::And(Box::new(self.label(edge, depth - 1)), Box::new(self.label(edge, depth - 1))),
            _ => Label::Or(Box::new(self.label(edge, depth - 1)), Box::new(self.label(edge, depth - 1))),
        }
    }

    pub fn element(&mut self, edge: bool, is_shown: bool) -> Element {
        let known: Vec<String> = self.scope.iter().filter(|(_, other)| *other == edge).map(|(name, _)| name.clone()).collect();
        let variable = match self.dice.below(4) {
            0 => None,
            1 if !known.is_empty() => Some(known[self.dice.below(known.len())].clone()),
            _ => {
                self.made += 1;
                let name = format!("{}{}", if edge { "r" } else { "n" }, self.made);
                self.scope.push((name.clone(), edge));
                if is_shown {
                    self.shown.push(name.clone());
                }
                Some(name)
            }
        };
        // Without labels a pattern comes to many joins, and to time spent on planning them.
        let label = if self.dice.one_in(4) { None } else { Some(self.label(edge, 2)) };
        let least = if variable.is_some() && self.dice.one_in(4) { Some(self.dice.below(3) as i32) } else { None };
        Element { variable, label, least }
    }

    pub fn way(&mut self) -> Way {
        [Way::Right, Way::Right, Way::Left, Way::Both][self.dice.below(4)]
    }

    pub fn mode(&mut self) -> Option<Mode> {
        [None, None, None, Some(Mode::Walk), Some(Mode::Trail), Some(Mode::Acyclic), Some(Mode::Simple)][self.dice.below(7)]
    }

    /// Begins and ends with a vertex.
    pub fn parts(&mut self, length: usize, depth: usize, is_shown: bool) -> Vec<Part> {
        let first = self.element(false, is_shown);
        self.parts_from(first, length, depth, is_shown)
    }

    fn parts_from(&mut self, first: Element, length: usize, depth: usize, is_shown: bool) -> Vec<Part> {
        let mut parts = vec![Part::Vertex(first)];
        for _ in 0..length {
            match self.dice.below(if depth == 0 { 5 } else { 8 }) {
                0..=3 => {
                    let (element, way) = (self.element(true, is_shown), self.way());
                    parts.push(Part::Edge(element, way, None));
                }
                4 => {
                    let scope = std::mem::take(&mut self.scope);
                    let (element, way) = (self.element(true, false), self.way());
                    self.scope = scope;
                    let times = [(1, 2), (0, 1), (2, 2), (0, 2)][self.dice.below(4)];
                    parts.push(Part::Edge(element, way, Some(times)));
                }
                5 => parts.push(self.choice(is_shown)),
                _ => parts.push(self.nested(depth, is_shown)),
            }
            parts.push(Part::Vertex(self.element(false, is_shown)));
        }
        parts
    }

    /// A path of parts, or now and then one that is searched.
    fn path(&mut self, mode: Option<Mode>, first: Element, length: usize, depth: usize) -> PathPattern {
        if !self.dice.one_in(6) {
            return PathPattern { keep: None, mode, parts: self.parts_from(first, length, depth, true) };
        }
        let keep = [None, Some(Keep::AnyShortest), Some(Keep::AllShortest), Some(Keep::Shortest(2)), Some(Keep::Groups(2))];
        let keep = keep[self.dice.below(keep.len())];
        let is_finite = !matches!(mode, None | Some(Mode::Walk)) || matches!(keep, Some(Keep::AnyShortest | Keep::AllShortest));
        let times = match self.dice.below(3) {
            0 => (0, 3),
            1 => (1, 2),
            _ if is_finite => (self.dice.below(2), UNBOUNDED),
            _ => (1, 3),
        };
        let scope = std::mem::take(&mut self.scope);
        let step = if self.dice.one_in(2) {
            Part::Edge(self.element(true, false), self.way(), Some(times))
        } else {
            let before = self.element(false, false);
            let edge = Part::Edge(self.element(true, false), self.way(), None);
            // One that is what it began with is another pattern.
            let known = std::mem::take(&mut self.scope);
            let behind = self.element(false, false);
            self.scope.extend(known);
            let (parts, ordered) = (vec![Part::Vertex(before), edge, Part::Vertex(behind)], self.ordered());
            Part::Nested { mode: None, parts, ordered, times: Some(times), optional: false }
        };
        self.scope = scope;
        let last = self.element(false, true);
        PathPattern { keep, mode, parts: vec![Part::Vertex(first), step, Part::Vertex(last)] }
    }

    /// Alternatives; often those of a union differ in what they ask of the same variables.
    fn choice(&mut self, is_shown: bool) -> Part {
        let (scope, counted) = (self.scope.clone(), self.dice.one_in(3));
        let length = self.dice.below(3);
        let first = self.parts(length, 0, is_shown);
        self.scope.clone_from(&scope);
        let second = if self.dice.one_in(3) { self.parts(1, 0, is_shown) } else { first.iter().map(|part| self.varied(part)).collect() };
        self.scope = scope;
        Part::Choice(counted, first, second)
    }

    fn varied(&mut self, part: &Part) -> Part {
        let mut element = |element: &Element, edge: bool| Element {
            variable: element.variable.clone(),
            label: if self.dice.one_in(2) { Some(self.label(edge, 1)) } else { None },
            least: element.least.filter(|_| self.dice.one_in(2)),
        };
        match part {
            Part::Vertex(vertex) => Part::Vertex(element(vertex, false)),
            Part::Edge(edge, _, None) => Part::Edge(element(edge, true), self.way(), None),
            // Within a path that is repeated a name is of that path alone.
            Part::Edge(_, _, times) => Part::Edge(Element::default(), self.way(), *times),
            other => other.clone(),
        }
    }

    pub fn nested(&mut self, depth: usize, is_shown: bool) -> Part {
        let mode = self.mode();
        let (times, optional) = match self.dice.below(5) {
            0 => (None, false),
            1 => (Some((0, 1)), true),
            _ => (Some([(1, 2), (0, 1), (2, 2), (0, 2)][self.dice.below(4)]), false),
        };
        let scope = if times.is_some() { std::mem::take(&mut self.scope) } else { self.scope.clone() };
        let length = 1 + self.dice.below(2);
        let parts = self.parts(length, depth - 1, is_shown && (times.is_none() || optional));
        let ordered = self.ordered();
        if times.is_some() {
            self.scope = scope;
        }
        Part::Nested { mode, parts, ordered, times, optional }
    }

    pub fn ordered(&mut self) -> Option<(String, String)> {
        if self.scope.is_empty() || !self.dice.one_in(4) {
            return None;
        }
        let count = self.scope.len();
        let (first, second) = (self.dice.below(count), self.dice.below(count));
        Some((self.scope[first].0.clone(), self.scope[second].0.clone()))
    }

    pub fn pattern(&mut self) -> Pattern {
        let mut pattern = Pattern::default();
        for _ in 0..if self.dice.one_in(4) { 2 } else { 1 } {
            let mode = self.mode();
            let length = self.dice.below(3);
            let first = self.element(false, true);
            pattern.paths.push(self.path(mode, first, length, 1));
        }
        pattern.ordered = self.ordered();
        for _ in 0..[0, 0, 1, 1, 2, 3][self.dice.below(6)] {
            pattern.following.push(self.following(1));
        }
        pattern.shown = self.shown.clone();
        pattern
    }

    fn following(&mut self, depth: usize) -> Following {
        let is_optional = !self.dice.one_in(3);
        let mut paths = Vec::new();
        for _ in 0..if self.dice.one_in(5) { 2 } else { 1 } {
            let (mode, length, depth) = (self.mode(), self.dice.below(3), usize::from(self.dice.one_in(3)));
            // Most begin at what is there.
            let known: Vec<String> = self.scope.iter().filter(|(_, edge)| !*edge).map(|(name, _)| name.clone()).collect();
            let first = match known.is_empty() || self.dice.one_in(4) {
                true => self.element(false, true),
                false => Element { variable: Some(known[self.dice.below(known.len())].clone()), ..Element::default() },
            };
            paths.push(self.path(mode, first, length, depth));
        }
        let ordered = self.ordered();
        let mut following = Vec::new();
        while is_optional && depth > 0 && self.dice.one_in(3) {
            following.push(self.following(depth - 1));
        }
        Following { is_optional, paths, ordered, following }
    }
}

pub fn label_text(label: &Label) -> String {
    match label {
        Label::Name(name) => (*name).to_owned(),
        Label::Any => "%".to_owned(),
        Label::Not(inner) => format!("!({})", label_text(inner)),
        Label::And(one, other) => format!("({})&({})", label_text(one), label_text(other)),
        Label::Or(one, other) => format!("{}|{}", label_text(one), label_text(other)),
    }
}

pub fn element_text(element: &Element) -> String {
    let mut text = element.variable.clone().unwrap_or_default();
    if let Some(label) = &element.label {
        write!(text, " IS {}", label_text(label)).unwrap();
    }
    if let (Some(variable), Some(least)) = (&element.variable, element.least) {
        write!(text, " WHERE {variable}.w >= {least}").unwrap();
    }
    text
}

pub fn ordered_text(ordered: Option<&(String, String)>) -> String {
    ordered.map_or_else(String::new, |(one, other)| format!(" WHERE {one}.w <= {other}.w"))
}

pub fn mode_text(mode: Option<Mode>) -> &'static str {
    match mode {
        None => "",
        Some(Mode::Walk) => "WALK ",
        Some(Mode::Trail) => "TRAIL ",
        Some(Mode::Acyclic) => "ACYCLIC ",
        Some(Mode::Simple) => "SIMPLE ",
    }
}

fn keep_text(keep: Option<Keep>) -> String {
    match keep {
        None | Some(Keep::Groups(_)) => String::new(),
        Some(Keep::AnyShortest) => "ANY SHORTEST ".to_owned(),
        Some(Keep::AllShortest) => "ALL SHORTEST ".to_owned(),
        Some(Keep::Shortest(count)) => format!("SHORTEST {count} "),
    }
}

/// What stands before a path.
fn prefix_text(path: &PathPattern) -> String {
    match path.keep {
        Some(Keep::Groups(count)) => format!("SHORTEST {count} {}GROUPS ", mode_text(path.mode)),
        keep => format!("{}{}", keep_text(keep), mode_text(path.mode)),
    }
}

fn times_text((least, most): (usize, usize)) -> String {
    match (least, most) {
        (0, UNBOUNDED) => "*".to_owned(),
        (1, UNBOUNDED) => "+".to_owned(),
        (least, UNBOUNDED) => format!("{{{least},}}"),
        (least, most) => format!("{{{least},{most}}}"),
    }
}

pub fn parts_text(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Vertex(element) => write!(text, "({})", element_text(element)).unwrap(),
            Part::Edge(element, way, times) => {
                let (left, right) = match way {
                    Way::Right => ("-", "->"),
                    Way::Left => ("<-", "-"),
                    Way::Both => ("-", "-"),
                };
                write!(text, "{left}[{}]{right}", element_text(element)).unwrap();
                text.push_str(&times.map_or_else(String::new, times_text));
            }
            Part::Nested { mode, parts, ordered, times, optional } => {
                write!(text, "({}{}{})", mode_text(*mode), parts_text(parts), ordered_text(ordered.as_ref())).unwrap();
                match times {
                    Some(_) if *optional => text.push('?'),
                    Some(times) => text.push_str(&times_text(*times)),
                    None => {}
                }
            }
            Part::Choice(counted, first, second) => {
                let bar = if *counted { "|+|" } else { "|" };
                write!(text, "({} {bar} {})", parts_text(first), parts_text(second)).unwrap();
            }
        }
    }
    text
}

fn matched_text(paths: &[PathPattern], ordered: Option<&(String, String)>, named: &mut Option<usize>) -> String {
    let mut path = |path: &PathPattern| {
        let name = named.as_mut().map_or_else(String::new, |number| {
            *number += 1;
            format!("p{} = ", *number - 1)
        });
        format!("{name}{}{}", prefix_text(path), parts_text(&path.parts))
    };
    let paths: Vec<String> = paths.iter().map(&mut path).collect();
    format!("MATCH {}{}", paths.join(", "), ordered_text(ordered))
}

fn following_text(part: &Following, named: &mut Option<usize>) -> String {
    let mut text = matched_text(&part.paths, part.ordered.as_ref(), named);
    part.following.iter().for_each(|part| text.push_str(&following_text(part, named)));
    match (part.is_optional, part.following.is_empty()) {
        (false, _) => format!(" {text}"),
        (true, true) => format!(" OPTIONAL {text}"),
        (true, false) => format!(" OPTIONAL {{ {text} }}"),
    }
}

impl Following {
    fn is_searched(&self) -> bool {
        self.paths.iter().any(PathPattern::is_searched) || self.following.iter().any(Self::is_searched)
    }
}

impl PathPattern {
    fn is_searched(&self) -> bool {
        let is_endless =
            |part: &Part| matches!(part, Part::Edge(_, _, Some((_, UNBOUNDED))) | Part::Nested { times: Some((_, UNBOUNDED)), .. });
        self.keep.is_some() || self.parts.iter().any(is_endless)
    }
}

impl Pattern {
    /// Whether joins alone cannot answer it.
    pub fn is_searched(&self) -> bool {
        self.paths.iter().any(PathPattern::is_searched) || self.following.iter().any(Following::is_searched)
    }

    /// The query of all its rows, as of a commit or of now.
    pub fn sql(&self, commit: Option<&str>) -> String {
        let mut columns: Vec<String> =
            self.shown.iter().flat_map(|name| [format!("{name}.k AS {name}_k"), format!("{name}.w AS {name}_w")]).collect();
        let mut named = Some(0);
        let matched = self.matched(&mut named);
        columns.extend((0..named.unwrap()).map(|at| format!("path_length(p{at}) AS l{at}")));
        let order: Vec<String> = (1..=columns.len()).map(|at| at.to_string()).collect();
        let version = commit.map_or_else(String::new, |commit| format!("FOR SYSTEM_TIME AS OF COMMIT {commit} "));
        format!("SELECT * FROM GRAPH_TABLE (g {version}{matched} COLUMNS ({})) ORDER BY {}", columns.join(", "), order.join(", "))
    }

    /// `MATCH … OPTIONAL …`, paths named by their numbers from `named` on, or not at all.
    fn matched(&self, named: &mut Option<usize>) -> String {
        let mut text = matched_text(&self.paths, self.ordered.as_ref(), named);
        self.following.iter().for_each(|part| text.push_str(&following_text(part, named)));
        text
    }

    /// How many rows there are, and for two variables that are shown: rows by what the first holds, distinct values of the second. With what they answer.
    pub fn aggregated(&self, rows: &[String], dice: &mut Dice) -> Vec<(String, Vec<String>)> {
        let matched = self.matched(&mut None);
        let count = |columns: &[String]| format!("GRAPH_TABLE (g {matched} COLUMNS ({}))", columns.join(", "));
        let mut all = vec![(format!("SELECT count(*) FROM {}", count(&["1 AS one".to_owned()])), vec![rows.len().to_string()])];
        if self.shown.is_empty() {
            return all;
        }
        let (one, other) = (dice.below(self.shown.len()), dice.below(self.shown.len()));
        let shown = |at: usize| format!("{}.k AS k{at}", self.shown[at]);
        // Of each variable two columns stand in a row.
        let cell = |row: &String, at: usize| row.split('|').nth(2 * at).unwrap().to_owned();
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        rows.iter().for_each(|row| *groups.entry(cell(row, one)).or_default() += 1);
        let mut groups: Vec<String> = groups.into_iter().map(|(key, count)| format!("{key}|{count}")).collect();
        groups.sort();
        all.push((format!("SELECT k{one}, count(*) FROM {} GROUP BY 1 ORDER BY 1", count(&[shown(one)])), groups));
        let mut distinct: Vec<String> = rows.iter().map(|row| cell(row, other)).filter(|key| key != "∅").collect();
        distinct.sort();
        distinct.dedup();
        all.push((format!("SELECT count(DISTINCT k{other}) FROM {}", count(&[shown(other)])), vec![distinct.len().to_string()]));
        all
    }
}
