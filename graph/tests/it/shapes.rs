//! The nine shapes of LSQB (ldbc/lsqb, Apache-2.0) and the tables they are over; shared with `bench/graph-peers`.

use graph::{Condition, Direction, EdgePattern, GraphSchema, Output, Part, PartKind, Pattern, Query, Var, VertexPattern};

use crate::data::Folder;

const MESSAGE: &[&str] = &["Message"];

/// The whole network.
pub const ALL: Folder<'static> = Folder {
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

/// What q3, q6 and q9 need of it.
pub const PART: Folder<'static> = Folder {
    vertices: &[("City", &["City"]), ("Country", &["Country"]), ("Person", &["Person"]), ("Tag", &["Tag"])],
    edges: &[
        ("City_isPartOf_Country", "isPartOf", "City", "Country"),
        ("Person_hasInterest_Tag", "hasInterest", "Person", "Tag"),
        ("Person_isLocatedIn_City", "isLocatedIn", "Person", "City"),
        ("Person_knows_Person", "knows", "Person", "Person"),
    ],
    both: &["Person_knows_Person"],
};

/// The place of a vertex table.
#[allow(dead_code, reason = "the bench asks for it")]
pub fn place(folder: &Folder<'_>, name: &str) -> u16 {
    folder.vertices.iter().position(|(table, _)| *table == name).unwrap() as u16
}

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

/// Shape `number`, 1 to 9.
pub fn shape(number: usize, schema: &GraphSchema) -> Query {
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
