//! The nine shapes of LSQB over its data, where present: every count is the published one.

use base::CommitSeq;
use graph::{
    Answer, Budget, Condition, Direction, EdgePattern, FromStatistics, GraphSchema, Output, Part, PartKind, Pattern, Query, Run,
    Statistics, Strategy, Topology, Var, VertexPattern, plan, run,
};

use crate::data::{Folder, folder};

const MESSAGE: &[&str] = &["Message"];

const ALL: Folder<'static> = Folder {
    vertices: &[
        ("City", &["City"]),
        ("Comment", MESSAGE),
        ("Country", &["Country"]),
        ("Forum", &["Forum"]),
        ("Person", &["Person"]),
        ("Post", MESSAGE),
        ("Tag", &["Tag"]),
        ("TagClass", &["TagClass"]),
    ],
    edges: &[
        ("City_isPartOf_Country", "isPartOf", "City", "Country"),
        ("Comment_hasCreator_Person", "hasCreator", "Comment", "Person"),
        ("Comment_hasTag_Tag", "hasTag", "Comment", "Tag"),
        ("Comment_replyOf_Comment", "replyOf", "Comment", "Comment"),
        ("Comment_replyOf_Post", "replyOf", "Comment", "Post"),
        ("Forum_containerOf_Post", "containerOf", "Forum", "Post"),
        ("Forum_hasMember_Person", "hasMember", "Forum", "Person"),
        ("Person_hasInterest_Tag", "hasInterest", "Person", "Tag"),
        ("Person_isLocatedIn_City", "isLocatedIn", "Person", "City"),
        ("Person_knows_Person", "knows", "Person", "Person"),
        ("Person_likes_Comment", "likes", "Person", "Comment"),
        ("Person_likes_Post", "likes", "Person", "Post"),
        ("Post_hasCreator_Person", "hasCreator", "Post", "Person"),
        ("Post_hasTag_Tag", "hasTag", "Post", "Tag"),
        ("Tag_hasType_TagClass", "hasType", "Tag", "TagClass"),
    ],
    both: &["Person_knows_Person"],
};

const PART: Folder<'static> = Folder {
    vertices: &[("City", &["City"]), ("Country", &["Country"]), ("Person", &["Person"]), ("Tag", &["Tag"])],
    edges: &[
        ("City_isPartOf_Country", "isPartOf", "City", "Country"),
        ("Person_hasInterest_Tag", "hasInterest", "Person", "Tag"),
        ("Person_isLocatedIn_City", "isLocatedIn", "Person", "City"),
        ("Person_knows_Person", "knows", "Person", "Person"),
    ],
    both: &["Person_knows_Person"],
};

/// Builds a pattern by variables' letters: `vertices` as (letter, labels), edges as (from, label, to), numbered on from the vertices.
struct Build<'s> {
    schema: &'s GraphSchema,
    letters: Vec<char>,
    next: u16,
}

impl Build<'_> {
    fn var(&self, letter: char) -> Var {
        self.letters.iter().position(|other| *other == letter).map(|at| Var(at as u16)).unwrap()
    }

    fn pattern(&mut self, vertices: &[(char, &str)], edges: &[(char, &str, char)], different: &[(char, char)]) -> Pattern {
        let mut pattern = Pattern::default();
        for (letter, label) in vertices {
            let var = self.var(*letter);
            pattern.vertices.push(VertexPattern { var, tables: self.schema.vertex_tables(&[label]), only: None });
        }
        for (from, label, to) in edges {
            let (var, tables) = (Var(self.next), self.schema.edge_tables(&[label]));
            self.next += 1;
            let edge = EdgePattern { var, from: self.var(*from), to: self.var(*to), tables, direction: Direction::Forward, path: None };
            pattern.edges.push(edge);
        }
        pattern.conditions = different.iter().map(|(a, b)| Condition::Different(self.var(*a), self.var(*b))).collect();
        pattern
    }
}

fn shape(number: usize, schema: &GraphSchema) -> Query {
    let letters = "abcdefghi".chars().collect::<Vec<char>>();
    let mut build = Build { next: letters.len() as u16, letters, schema };
    let with = |mut pattern: Pattern, kind: PartKind, parts: Vec<Pattern>| {
        pattern.parts = parts.into_iter().map(|pattern| Part { kind, pattern }).collect();
        pattern
    };
    let pattern = match number {
        1 => build.pattern(
            &[
                ('a', "Country"),
                ('b', "City"),
                ('c', "Person"),
                ('d', "Forum"),
                ('e', "Message"),
                ('f', "Message"),
                ('g', "Tag"),
                ('h', "TagClass"),
            ],
            &[
                ('b', "isPartOf", 'a'),
                ('c', "isLocatedIn", 'b'),
                ('d', "hasMember", 'c'),
                ('d', "containerOf", 'e'),
                ('f', "replyOf", 'e'),
                ('f', "hasTag", 'g'),
                ('g', "hasType", 'h'),
            ],
            &[],
        ),
        2 => {
            let mut pattern = build.pattern(
                &[('a', "Person"), ('b', "Person"), ('c', "Message"), ('d', "Message")],
                &[('a', "knows", 'b'), ('c', "hasCreator", 'a'), ('d', "hasCreator", 'b'), ('c', "replyOf", 'd')],
                &[],
            );
            // The comment replies to a post.
            pattern.vertices[3].tables.retain(|table| schema.vertices()[usize::from(*table)].name == "Post");
            pattern
        }
        3 => build.pattern(
            &[('a', "Country"), ('b', "City"), ('c', "City"), ('d', "City"), ('e', "Person"), ('f', "Person"), ('g', "Person")],
            &[
                ('b', "isPartOf", 'a'),
                ('c', "isPartOf", 'a'),
                ('d', "isPartOf", 'a'),
                ('e', "isLocatedIn", 'b'),
                ('f', "isLocatedIn", 'c'),
                ('g', "isLocatedIn", 'd'),
                ('e', "knows", 'f'),
                ('f', "knows", 'g'),
                ('g', "knows", 'e'),
            ],
            &[],
        ),
        4 => build.pattern(
            &[('a', "Message"), ('b', "Tag"), ('c', "Person"), ('d', "Person"), ('e', "Message")],
            &[('a', "hasTag", 'b'), ('a', "hasCreator", 'c'), ('d', "likes", 'a'), ('e', "replyOf", 'a')],
            &[],
        ),
        5 => build.pattern(
            &[('a', "Tag"), ('b', "Message"), ('c', "Message"), ('d', "Tag")],
            &[('b', "hasTag", 'a'), ('c', "replyOf", 'b'), ('c', "hasTag", 'd')],
            &[('a', 'd')],
        ),
        6 | 9 => {
            let pattern = build.pattern(
                &[('a', "Person"), ('b', "Person"), ('c', "Person"), ('d', "Tag")],
                &[('a', "knows", 'b'), ('b', "knows", 'c'), ('c', "hasInterest", 'd')],
                &[('a', 'c')],
            );
            let known = build.pattern(&[], &[('a', "knows", 'c')], &[]);
            if number == 6 { pattern } else { with(pattern, PartKind::NotExists, vec![known]) }
        }
        7 => {
            let pattern =
                build.pattern(&[('a', "Message"), ('b', "Tag"), ('c', "Person")], &[('a', "hasTag", 'b'), ('a', "hasCreator", 'c')], &[]);
            let liker = build.pattern(&[('d', "Person")], &[('d', "likes", 'a')], &[]);
            let reply = build.pattern(&[('e', "Message")], &[('e', "replyOf", 'a')], &[]);
            with(pattern, PartKind::Optional, vec![liker, reply])
        }
        _ => {
            let pattern = build.pattern(
                &[('a', "Tag"), ('b', "Message"), ('c', "Message"), ('d', "Tag")],
                &[('b', "hasTag", 'a'), ('c', "replyOf", 'b'), ('c', "hasTag", 'd')],
                &[('a', 'd')],
            );
            let carried = build.pattern(&[], &[('c', "hasTag", 'a')], &[]);
            with(pattern, PartKind::NotExists, vec![carried])
        }
    };
    Query { pattern, output: Output::Count }
}

fn count(topology: &Topology, number: usize, strategy: Strategy, last: u64) -> u64 {
    let snapshot = topology.snapshot(CommitSeq(last));
    let statistics = Statistics::of(&snapshot);
    let query = shape(number, snapshot.schema());
    let plan = plan(&query, snapshot.schema(), &FromStatistics { schema: snapshot.schema(), statistics: &statistics }, strategy).unwrap();
    let clock = base::RealClock;
    let how = Run { budget: Budget::new(1 << 30), limit: None, clock: Some(&clock), threads: 1 };
    let (answer, actual) = run(&plan, &snapshot, &how).unwrap();
    println!("q{number}\n{}", plan.explain(snapshot.schema(), &|var| char::from(b'a' + var.0 as u8).to_string(), Some(&actual)));
    let Answer::Count(count) = answer else { panic!("a count was asked for") };
    count
}

#[test]
fn the_small_graph_has_the_published_counts() {
    let Some(folder) = folder("lsqb-sf0.003") else { return };
    let topology = ALL.load(&folder, 1);
    for (number, expected) in (1..).zip([20_608, 281, 0, 3_047, 4_973, 33_201, 7_188, 2_436, 23_669]) {
        assert_eq!(count(&topology, number, Strategy::Cheapest, 0), expected, "q{number}");
    }
}

#[test]
fn the_larger_graph_has_the_published_counts_fresh_and_compacted() {
    let Some(folder) = folder("lsqb-sf0.1") else { return };
    let topology = PART.load(&folder, 40);
    for is_compacted in [false, true] {
        for (number, expected) in [(3, 30_456), (6, 55_607_896), (9, 51_009_398)] {
            assert_eq!(count(&topology, number, Strategy::Cheapest, 39), expected, "q{number}, compacted: {is_compacted}");
        }
        topology.compact();
    }
}
