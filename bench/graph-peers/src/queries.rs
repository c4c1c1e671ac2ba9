//! The nine shapes of LSQB as our SQL, over the tables of a folder: as patterns, and as the joins that somebody writes who knows no graphs.
//!
//! A message is a post or a comment, each with tables of its own, so that a join over messages is two.

use crate::data::Folder;

/// A table's name in SQL.
pub fn table(name: &str) -> String {
    name.to_lowercase()
}

/// What makes the tables and the graph.
pub fn definitions(folder: &Folder<'_>) -> Vec<String> {
    let mut all: Vec<String> =
        folder.vertices.iter().map(|(name, _)| format!("CREATE TABLE {} (id bigint PRIMARY KEY)", table(name))).collect();
    for (name, _, source, target) in folder.edges {
        let (source, target) = (table(source), table(target));
        let ends = format!("a bigint NOT NULL REFERENCES {source}, b bigint NOT NULL REFERENCES {target}");
        all.push(format!("CREATE TABLE {} ({ends}, PRIMARY KEY (a, b))", table(name)));
    }
    let vertices: Vec<String> = folder
        .vertices
        .iter()
        .map(|(name, labels)| {
            let own = table(name);
            let others = labels.iter().filter(|label| table(label) != own).map(|label| format!(" LABEL {} PROPERTIES (id)", table(label)));
            format!("{own} LABEL {own} PROPERTIES (id){}", others.collect::<String>())
        })
        .collect();
    let edges: Vec<String> = folder
        .edges
        .iter()
        .map(|(name, label, source, target)| {
            let ends = format!("SOURCE KEY (a) REFERENCES {} (id) DESTINATION KEY (b) REFERENCES {} (id)", table(source), table(target));
            format!("{} {ends} LABEL {} NO PROPERTIES", table(name), table(label))
        })
        .collect();
    all.push(format!("CREATE PROPERTY GRAPH lsqb VERTEX TABLES ({}) EDGE TABLES ({})", vertices.join(", "), edges.join(", ")));
    all
}

fn matched(pattern: &str, columns: &str) -> String {
    format!("GRAPH_TABLE (lsqb MATCH {pattern} COLUMNS ({columns}))")
}

/// Both kinds of messages added up.
fn added(of_kind: impl Fn(&str) -> String) -> String {
    format!("SELECT sum(n)::bigint FROM ({} UNION ALL {}) AS kinds", of_kind("post"), of_kind("comment"))
}

/// A shape as a pattern; what must not be there stands beside it.
pub fn pattern(number: usize) -> String {
    let count = |pattern: &str| format!("SELECT count(*) FROM {}", matched(pattern, "1 AS one"));
    match number {
        1 => count(
            "(co IS country)<-[IS ispartof]-(ci IS city)<-[IS islocatedin]-(p IS person)<-[IS hasmember]-(f IS forum)-[IS containerof]->(o IS post)\
             <-[IS replyof]-(c IS comment)-[IS hastag]->(t IS tag)-[IS hastype]->(k IS tagclass)",
        ),
        2 => {
            count("(p IS person)-[IS knows]->(q IS person)<-[IS hascreator]-(o IS post)<-[IS replyof]-(c IS comment)-[IS hascreator]->(p)")
        }
        3 => count(
            "(co IS country)<-[IS ispartof]-(x IS city)<-[IS islocatedin]-(p IS person)-[IS knows]->(q IS person)-[IS knows]->(r IS person)\
             -[IS knows]->(p), (q)-[IS islocatedin]->(y IS city)-[IS ispartof]->(co), (r)-[IS islocatedin]->(z IS city)-[IS ispartof]->(co)",
        ),
        4 => count(
            "(t IS tag)<-[IS hastag]-(m IS message)-[IS hascreator]->(p IS person), (m)<-[IS likes]-(l IS person), (m)<-[IS replyof]-(c IS comment)",
        ),
        5 => count("(t IS tag)<-[IS hastag]-(m IS message)<-[IS replyof]-(c IS comment)-[IS hastag]->(u IS tag) WHERE t.id <> u.id"),
        6 => count("(p IS person)-[IS knows]->(q IS person)-[IS knows]->(r IS person)-[IS hasinterest]->(t IS tag) WHERE p.id <> r.id"),
        7 => added(|kind| {
            let path = format!(
                "(t IS tag)<-[IS hastag]-(m IS {kind})-[IS hascreator]->(p IS person) OPTIONAL MATCH (m)<-[IS likes]-(l IS person) \
                 OPTIONAL MATCH (m)<-[IS replyof]-(c IS comment)"
            );
            format!("SELECT count(*) AS n FROM {}", matched(&path, "1 AS one"))
        }),
        8 => added(|kind| {
            let path =
                format!("(t IS tag)<-[IS hastag]-(m IS {kind})<-[IS replyof]-(c IS comment)-[IS hastag]->(u IS tag) WHERE t.id <> u.id");
            let found = matched(&path, "t.id AS tag, c.id AS comment");
            format!(
                "SELECT count(*) AS n FROM {found} AS g WHERE NOT EXISTS \
                 (SELECT FROM comment_hastag_tag h WHERE h.a = g.comment AND h.b = g.tag)"
            )
        }),
        _ => {
            let path = "(p IS person)-[IS knows]->(q IS person)-[IS knows]->(r IS person)-[IS hasinterest]->(t IS tag) WHERE p.id <> r.id";
            let found = matched(path, "p.id AS one, r.id AS other");
            format!(
                "SELECT count(*) FROM {found} AS g WHERE NOT EXISTS \
                 (SELECT FROM person_knows_person k WHERE k.a = g.one AND k.b = g.other)"
            )
        }
    }
}

/// A shape as joins of edge tables.
pub fn joins(number: usize) -> String {
    match number {
        1 => "SELECT count(*) FROM city_ispartof_country p JOIN person_islocatedin_city l ON l.b = p.a JOIN forum_hasmember_person m ON m.b = l.a \
              JOIN forum_containerof_post c ON c.a = m.a JOIN comment_replyof_post r ON r.b = c.b JOIN comment_hastag_tag h ON h.a = r.a \
              JOIN tag_hastype_tagclass t ON t.a = h.b"
            .to_owned(),
        2 => "SELECT count(*) FROM person_knows_person k JOIN comment_hascreator_person c ON c.b = k.a JOIN comment_replyof_post r ON r.a = c.a \
              JOIN post_hascreator_person p ON p.a = r.b AND p.b = k.b"
            .to_owned(),
        3 => "SELECT count(*) FROM city_ispartof_country c1 JOIN city_ispartof_country c2 ON c2.b = c1.b JOIN city_ispartof_country c3 ON c3.b = c1.b \
              JOIN person_islocatedin_city p1 ON p1.b = c1.a JOIN person_islocatedin_city p2 ON p2.b = c2.a \
              JOIN person_islocatedin_city p3 ON p3.b = c3.a JOIN person_knows_person k1 ON k1.a = p1.a AND k1.b = p2.a \
              JOIN person_knows_person k2 ON k2.a = p2.a AND k2.b = p3.a JOIN person_knows_person k3 ON k3.a = p3.a AND k3.b = p1.a"
            .to_owned(),
        4 => added(|kind| {
            format!(
                "SELECT count(*) AS n FROM {kind}_hastag_tag h JOIN {kind}_hascreator_person c ON c.a = h.a \
                 JOIN person_likes_{kind} l ON l.b = h.a JOIN comment_replyof_{kind} r ON r.b = h.a"
            )
        }),
        5 => added(|kind| {
            format!(
                "SELECT count(*) AS n FROM {kind}_hastag_tag h JOIN comment_replyof_{kind} r ON r.b = h.a \
                 JOIN comment_hastag_tag t ON t.a = r.a WHERE h.b <> t.b"
            )
        }),
        6 => "SELECT count(*) FROM person_knows_person k JOIN person_knows_person l ON l.a = k.b JOIN person_hasinterest_tag i ON i.a = l.b \
              WHERE k.a <> l.b"
            .to_owned(),
        7 => added(|kind| {
            format!(
                "SELECT count(*) AS n FROM {kind}_hastag_tag h JOIN {kind}_hascreator_person c ON c.a = h.a \
                 LEFT JOIN person_likes_{kind} l ON l.b = h.a LEFT JOIN comment_replyof_{kind} r ON r.b = h.a"
            )
        }),
        8 => added(|kind| {
            format!(
                "SELECT count(*) AS n FROM {kind}_hastag_tag h JOIN comment_replyof_{kind} r ON r.b = h.a \
                 JOIN comment_hastag_tag t ON t.a = r.a WHERE h.b <> t.b AND NOT EXISTS \
                 (SELECT FROM comment_hastag_tag o WHERE o.a = r.a AND o.b = h.b)"
            )
        }),
        _ => "SELECT count(*) FROM person_knows_person k JOIN person_knows_person l ON l.a = k.b JOIN person_hasinterest_tag i ON i.a = l.b \
              WHERE k.a <> l.b AND NOT EXISTS (SELECT FROM person_knows_person o WHERE o.a = k.a AND o.b = l.b)"
            .to_owned(),
    }
}
