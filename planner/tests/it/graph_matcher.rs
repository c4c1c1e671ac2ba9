//! A matcher that is spelled from the definition: for each step of a path, every vertex and every edge of the graph is tried; of an optional part all
//! matches are taken with what they extend, or that alone where there are none.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph_random::{
    EDGE_TABLES, Edge, Element, Following, Graph, Keep, Label, Mode, Part, PathPattern, Pattern, VERTEX_TABLES, Vertex, Way,
};

/// Partial matches that are tried at most.
pub const STATES_MAX: usize = 3_000;

/// What a variable holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Held {
    Vertex(Vertex),
    Edge(Edge),
}

impl Held {
    pub fn w(self) -> Option<i32> {
        match self {
            Self::Vertex(vertex) => vertex.w,
            Self::Edge(edge) => edge.w,
        }
    }

    pub fn key(self) -> String {
        match self {
            Self::Vertex(vertex) => format!("{}:{}", VERTEX_TABLES[vertex.table].0, vertex.id),
            Self::Edge(edge) => format!("{}:{}", EDGE_TABLES[edge.table].0, edge.id),
        }
    }
}

/// What a path passes.
#[derive(Clone, PartialEq, Debug)]
enum Passed {
    Element(Option<String>, Held),
    /// One of counted alternatives: where they stand, and which.
    Took(usize, usize),
}

/// What is one place of a path: vertices that stand side by side are one vertex with all their names.
type Place = (Held, BTreeSet<String>, BTreeSet<(usize, usize)>);

fn places(passed: &[Passed]) -> Vec<Place> {
    let (mut places, mut took): (Vec<Place>, BTreeSet<(usize, usize)>) = (Vec::new(), BTreeSet::new());
    for passed in passed {
        match passed {
            Passed::Took(at, which) => {
                took.insert((*at, *which));
            }
            Passed::Element(name, held) => {
                let is_here = matches!((places.last(), held), (Some((Held::Vertex(_), ..)), Held::Vertex(_)));
                if !is_here {
                    places.push((*held, BTreeSet::new(), BTreeSet::new()));
                }
                let (_, names, chosen) = places.last_mut().unwrap();
                names.extend(name.clone());
                chosen.append(&mut took);
            }
        }
    }
    places
}

/// A partial match.
#[derive(Clone, Default, Debug)]
pub struct State {
    pub held: BTreeMap<String, Held>,
    pub vertices: Vec<Vertex>,
    pub edges: Vec<Edge>,
    /// All that was passed, with names; what was chosen where every choice counts.
    passed: Vec<Passed>,
    /// The edge just passed, and the vertex that must come next.
    pub next: Option<(usize, i32)>,
}

pub fn admits(label: &Label, labels: &[&str]) -> bool {
    match label {
        Label::Name(name) => labels.contains(name),
        Label::Any => true,
        Label::Not(inner) => !admits(inner, labels),
        Label::And(one, other) => admits(one, labels) && admits(other, labels),
        Label::Or(one, other) => admits(one, labels) || admits(other, labels),
    }
}

/// The state with an element bound, if the element fits.
pub fn bound(state: &State, element: &Element, held: Held, labels: &[&str]) -> Option<State> {
    let fits = element.label.as_ref().is_none_or(|label| admits(label, labels));
    let heavy = element.least.is_none_or(|least| held.w().is_some_and(|w| w >= least));
    if !fits || !heavy {
        return None;
    }
    let mut state = state.clone();
    state.passed.push(Passed::Element(element.variable.clone(), held));
    if let Some(variable) = &element.variable {
        match state.held.get(variable) {
            Some(other) if *other != held => return None,
            _ => state.held.insert(variable.clone(), held),
        };
    }
    Some(state)
}

pub fn is_ordered(state: &State, ordered: Option<&(String, String)>) -> bool {
    ordered.is_none_or(|(one, other)| {
        let w = |name: &String| state.held.get(name).and_then(|held| held.w());
        matches!((w(one), w(other)), (Some(one), Some(other)) if one <= other)
    })
}

pub fn obeys(mode: Option<Mode>, vertices: &[Vertex], edges: &[Edge]) -> bool {
    let pairs = |count: usize| (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)));
    match mode.unwrap_or(Mode::Walk) {
        Mode::Walk => true,
        Mode::Trail => pairs(edges.len()).all(|(one, other)| edges[one] != edges[other]),
        Mode::Acyclic => pairs(vertices.len()).all(|(one, other)| vertices[one] != vertices[other]),
        Mode::Simple => {
            let last = vertices.len().saturating_sub(1);
            pairs(vertices.len()).all(|(one, other)| (one, other) == (0, last) || vertices[one] != vertices[other])
        }
    }
}

/// Every way along a part. `within` is the mode of the whole path, where it must bound what is repeated.
fn through(graph: &Graph, states: Vec<State>, part: &Part, within: Option<Mode>) -> Vec<State> {
    match part {
        Part::Vertex(element) => {
            let mut found = Vec::new();
            for state in &states {
                for vertex in &graph.vertices {
                    let here = (vertex.table, vertex.id);
                    let is_place = match (state.next, state.vertices.last()) {
                        (Some(next), _) => next == here,
                        (None, Some(last)) => last == vertex,
                        (None, None) => true,
                    };
                    if !is_place {
                        continue;
                    }
                    let Some(mut next) = bound(state, element, Held::Vertex(*vertex), &VERTEX_TABLES[vertex.table].1) else { continue };
                    if next.next.take().is_some() || next.vertices.is_empty() {
                        next.vertices.push(*vertex);
                    }
                    found.push(next);
                }
            }
            found
        }
        Part::Edge(element, way, None) => {
            let mut found = Vec::new();
            for state in &states {
                let last = state.vertices.last().map(|vertex| (vertex.table, vertex.id)).unwrap();
                for edge in &graph.edges {
                    let mut ends = Vec::new();
                    if *way != Way::Left && edge.from == last {
                        ends.push(edge.to);
                    }
                    if *way != Way::Right && edge.to == last && !ends.contains(&edge.from) {
                        ends.push(edge.from);
                    }
                    // A loop is passed once, whichever way.
                    for end in ends {
                        let Some(mut next) = bound(state, element, Held::Edge(*edge), &EDGE_TABLES[edge.table].3) else { continue };
                        next.edges.push(*edge);
                        next.next = Some(end);
                        found.push(next);
                    }
                }
            }
            found
        }
        Part::Edge(element, way, Some(times)) => {
            let any = || Part::Vertex(Element::default());
            let parts = vec![any(), Part::Edge(element.clone(), *way, None), any()];
            repeated(graph, states, Times { mode: None, within, parts: &parts, ordered: None, times: *times, kept: false })
        }
        Part::Nested { mode, parts, ordered, times, optional } => {
            let (ordered, kept) = (ordered.as_ref(), times.is_none() || *optional);
            repeated(graph, states, Times { mode: *mode, within, parts, ordered, times: times.unwrap_or((1, 1)), kept })
        }
        Part::Choice(true, first, second) => {
            let mut found = Vec::new();
            for (which, parts) in [first, second].into_iter().enumerate() {
                let mut begun = states.clone();
                begun.iter_mut().for_each(|state| state.passed.push(Passed::Took(std::ptr::from_ref(part).addr(), which)));
                found.extend(along(graph, begun, parts, within));
            }
            found
        }
        Part::Choice(false, first, second) => {
            let mut found = Vec::new();
            for state in states {
                let mut known: Vec<Vec<Place>> = Vec::new();
                for parts in [first, second] {
                    let all = along(graph, vec![state.clone()], parts, within);
                    if all.len() > STATES_MAX {
                        return all;
                    }
                    for done in all {
                        let places = places(&done.passed[state.passed.len()..]);
                        if !known.contains(&places) {
                            known.push(places);
                            found.push(done);
                        }
                    }
                }
            }
            found
        }
    }
}

fn along(graph: &Graph, states: Vec<State>, parts: &[Part], within: Option<Mode>) -> Vec<State> {
    let few = |states: Vec<State>| if states.len() > STATES_MAX { vec![State::default(); STATES_MAX + 1] } else { states };
    parts.iter().fold(states, |states, part| if states.len() > STATES_MAX { states } else { few(through(graph, states, part, within)) })
}

/// A path in parentheses, so many times.
struct Times<'a> {
    mode: Option<Mode>,
    within: Option<Mode>,
    parts: &'a [Part],
    ordered: Option<&'a (String, String)>,
    times: (usize, usize),
    /// Its variables can be mentioned outside.
    kept: bool,
}

fn repeated(graph: &Graph, states: Vec<State>, path: Times<'_>) -> Vec<State> {
    let (least, most) = path.times;
    let mut found = Vec::new();
    for state in states {
        let mut current = vec![state];
        for time in 0..=most {
            if time >= least {
                found.extend(current.clone());
            }
            if time == most || current.is_empty() || found.len() > STATES_MAX {
                break;
            }
            let mut next = Vec::new();
            for state in current {
                let (vertices, edges) = (state.vertices.clone(), state.edges.clone());
                let begin = State { vertices: vertices.last().copied().into_iter().collect(), edges: Vec::new(), ..state.clone() };
                for mut done in along(graph, vec![begin], path.parts, None) {
                    if !is_ordered(&done, path.ordered) || !obeys(path.mode, &done.vertices, &done.edges) {
                        continue;
                    }
                    let passed = if vertices.is_empty() { &done.vertices[..] } else { &done.vertices[1..] };
                    done.vertices = vertices.iter().chain(passed).copied().collect();
                    done.edges = edges.iter().chain(&done.edges).copied().collect();
                    if !path.kept {
                        done.held.clone_from(&state.held);
                    }
                    // What begins a path of a mode is of that mode.
                    if obeys(path.within, &done.vertices, &done.edges) {
                        next.push(done);
                    }
                }
                if next.len() > STATES_MAX {
                    return next;
                }
            }
            current = next;
        }
    }
    found
}

/// Of the paths between the same two vertices those that are kept.
fn kept(keep: Keep, mut paths: Vec<State>) -> Vec<State> {
    paths.sort_by_key(|path| path.edges.len());
    let mut kept: Vec<State> = Vec::new();
    for path in paths {
        let ends = |path: &State| (path.vertices.first().copied(), path.vertices.last().copied());
        let known: Vec<usize> = kept.iter().filter(|other| ends(other) == ends(&path)).map(|other| other.edges.len()).collect();
        let lengths: BTreeSet<usize> = known.iter().copied().chain([path.edges.len()]).collect();
        let is_kept = match keep {
            Keep::AnyShortest => known.is_empty(),
            Keep::AllShortest => lengths.len() == 1,
            Keep::Shortest(count) => known.len() < count,
            Keep::Groups(count) => lengths.len() <= count,
        };
        if is_kept {
            kept.push(path);
        }
    }
    kept
}

/// A match, or a part of one: what is held, and the length of each path, where it matched.
type Match = (State, Vec<Option<usize>>);

/// Every way in which a match goes on along some paths; `None` where trying everything takes too long.
fn extended(graph: &Graph, from: Match, paths: &[PathPattern], ordered: Option<&(String, String)>) -> Option<Vec<Match>> {
    let mut matches = vec![from];
    for path in paths {
        let mut next = Vec::new();
        for (state, lengths) in matches {
            let begin = State { held: state.held, ..State::default() };
            // The shortest walk passes no vertex twice, unless it ends where it began.
            let within = match path.keep {
                Some(Keep::AnyShortest | Keep::AllShortest) if path.mode.is_none_or(|mode| mode == Mode::Walk) => Some(Mode::Simple),
                _ => path.mode,
            };
            let mut found = along(graph, vec![begin], &path.parts, within);
            if found.len() > STATES_MAX {
                return None;
            }
            found.retain(|done| obeys(path.mode, &done.vertices, &done.edges));
            if let Some(keep) = path.keep {
                found = kept(keep, found);
            }
            next.extend(found.into_iter().map(|done| {
                let lengths = lengths.iter().copied().chain([Some(done.edges.len())]).collect();
                (done, lengths)
            }));
            if next.len() > STATES_MAX {
                return None;
            }
        }
        matches = next;
    }
    matches.retain(|(state, _)| is_ordered(state, ordered));
    Some(matches)
}

/// The variables that parts of paths mention.
fn mentioned(parts: &[Part], names: &mut BTreeSet<String>) {
    for part in parts {
        match part {
            Part::Vertex(element) | Part::Edge(element, ..) => names.extend(element.variable.clone()),
            Part::Nested { parts, .. } => mentioned(parts, names),
            Part::Choice(_, first, second) => [first, second].into_iter().for_each(|parts| mentioned(parts, names)),
        }
    }
}

/// The variables and the number of the paths of a part and those within it.
fn bound_by(part: &Following) -> (BTreeSet<String>, usize) {
    let (mut names, mut paths) = (BTreeSet::new(), part.paths.len());
    part.paths.iter().for_each(|path| mentioned(&path.parts, &mut names));
    for inner in &part.following {
        let (inner, count) = bound_by(inner);
        names.extend(inner);
        paths += count;
    }
    (names, paths)
}

/// What becomes of matches by a part that follows. `known` are the variables that stand before it, NULL or not.
fn followed(graph: &Graph, matches: Vec<Match>, part: &Following, known: &BTreeSet<String>) -> Option<Vec<Match>> {
    let mut own = BTreeSet::new();
    part.paths.iter().for_each(|path| mentioned(&path.parts, &mut own));
    let (_, paths) = bound_by(part);
    let inside: BTreeSet<String> = known.union(&own).cloned().collect();
    let mut found = Vec::new();
    for (state, lengths) in matches {
        // What is NULL is no element that anything could match.
        let is_void = own.intersection(known).any(|name| !state.held.contains_key(name));
        let from = (state.clone(), lengths.clone());
        let mut more = if is_void { Vec::new() } else { extended(graph, from, &part.paths, part.ordered.as_ref())? };
        let mut known = inside.clone();
        for inner in &part.following {
            more = followed(graph, more, inner, &known)?;
            known.extend(bound_by(inner).0);
        }
        if more.is_empty() && part.is_optional {
            more.push((state, lengths.into_iter().chain(vec![None; paths]).collect()));
        }
        found.extend(more);
        if found.len() > STATES_MAX {
            return None;
        }
    }
    Some(found)
}

/// Every match, as the query would show it; `None` where trying everything takes too long.
pub fn expected(graph: &Graph, pattern: &Pattern) -> Option<Vec<String>> {
    let mut matches = extended(graph, (State::default(), Vec::new()), &pattern.paths, pattern.ordered.as_ref())?;
    let mut known = BTreeSet::new();
    pattern.paths.iter().for_each(|path| mentioned(&path.parts, &mut known));
    for part in &pattern.following {
        matches = followed(graph, matches, part, &known)?;
        known.extend(bound_by(part).0);
    }
    let null = || "∅".to_owned();
    let mut rows: Vec<String> = matches
        .iter()
        .map(|(state, lengths)| {
            let cells = pattern.shown.iter().flat_map(|name| {
                let held = state.held.get(name);
                [held.map_or_else(null, |held| held.key()), held.and_then(|held| held.w()).map_or_else(null, |w| w.to_string())]
            });
            cells.chain(lengths.iter().map(|length| length.map_or_else(null, |length| length.to_string()))).collect::<Vec<_>>().join("|")
        })
        .collect();
    rows.sort();
    Some(rows)
}
