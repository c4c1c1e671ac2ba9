//! GRAPH_TABLE: what patterns match, where the clause may stand, and what is refused with which words.

use base::SqlError;

use crate::fixture::{Client, Fixture};

/// People, towns and companies: two kinds of vertices share a label, one kind of edge leads to two kinds of vertices, and there is a loop.
pub const SOCIAL: [&str; 13] = [
    "CREATE TABLE person (id int PRIMARY KEY, name text, age int, tags text[])",
    "CREATE TABLE company (id int PRIMARY KEY, title text)",
    "CREATE TABLE town (code text PRIMARY KEY, name text)",
    "CREATE TABLE knows (id int PRIMARY KEY, a int REFERENCES person, b int REFERENCES person, since int)",
    "CREATE TABLE works (who int REFERENCES person, at int REFERENCES company, PRIMARY KEY (who, at))",
    "CREATE TABLE lives (who int PRIMARY KEY REFERENCES person, town text REFERENCES town)",
    "INSERT INTO person VALUES (1, 'Ada', 36, '{x,y}'), (2, 'Bob', 25, '{}'), (3, 'Cyd', 51, '{z}'), (4, 'Dee', NULL, NULL)",
    "INSERT INTO company VALUES (1, 'Acme'), (2, 'Bits')",
    "INSERT INTO town VALUES ('T', 'Turin'), ('L', 'London')",
    "INSERT INTO knows VALUES (10, 1, 2, 2001), (11, 2, 3, 2002), (12, 3, 1, 2003), (13, 1, 3, 2004), (14, 4, 4, 2005)",
    "INSERT INTO works VALUES (1, 1), (2, 1), (3, 2)",
    "INSERT INTO lives VALUES (1, 'T'), (2, 'L'), (3, 'T')",
    "CREATE PROPERTY GRAPH social \
        VERTEX TABLES (person LABEL person LABEL named PROPERTIES (name), \
            company DEFAULT LABEL LABEL named PROPERTIES (title AS name), town LABEL town) \
        EDGE TABLES (knows SOURCE KEY (a) REFERENCES person (id) DESTINATION KEY (b) REFERENCES person (id), \
            works SOURCE person DESTINATION company DEFAULT LABEL LABEL of NO PROPERTIES, \
            lives SOURCE person DESTINATION town DEFAULT LABEL LABEL of NO PROPERTIES)",
];

/// A session beside that graph.
pub async fn social() -> (Fixture, Client) {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for sql in SOCIAL {
        client.run(sql).await;
    }
    (fixture, client)
}

/// The DETAIL of an error.
pub fn detail(error: &SqlError) -> Option<&str> {
    error.fields().find(|(field, _)| *field == b'D').map(|(_, text)| text)
}

/// An error as goldens have it: SQLSTATE, message, position, DETAIL, HINT.
pub fn shown(error: &SqlError) -> String {
    let at = error.position().map_or_else(String::new, |at| format!(" (at {at})"));
    let mut lines = vec![format!("-- {}: {}{at}", error.state().0, error.message().replace('\n', " / "))];
    for (field, name) in [(b'D', "DETAIL"), (b'H', "HINT")] {
        if let Some((_, text)) = error.fields().find(|(known, _)| *known == field) {
            lines.push(format!("-- {name}: {}", text.replace('\n', " / ")));
        }
    }
    lines.join("\n")
}

/// Compares with a golden file, or writes it.
pub fn compare_golden(file: &str, kept: &str, found: &str) {
    if std::env::var_os("SHOCKWAVE_RECORD").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
        #[expect(clippy::disallowed_methods, reason = "writes a golden when asked to")]
        std::fs::write(path, found.trim_end().to_owned() + "\n").unwrap();
        return;
    }
    let cases = kept.trim_end().split("\n\n").zip(found.trim_end().split("\n\n"));
    for (kept, found) in cases {
        assert_eq!(kept.trim(), found.trim(), "golden {file}; SHOCKWAVE_RECORD=1 writes it");
    }
    assert_eq!(kept.trim_end().split("\n\n").count(), found.trim_end().split("\n\n").count());
}

#[tokio::test]
async fn errors_name_what_would_work() {
    let (_fixture, mut client) = social().await;
    let cases = include_str!("../golden/graph_table_errors.txt");
    let mut found = String::new();
    for case in cases.split("\n\n").filter(|case| !case.trim().is_empty()) {
        let sql = case.lines().take_while(|line| !line.starts_with("-- ")).collect::<Vec<_>>().join("\n");
        let error = client.error(&sql).await;
        found.push_str(&format!("{sql}\n{}\n\n", shown(&error)));
    }
    compare_golden("graph_table_errors.txt", cases, &found);
}

/// Rows of a pattern's columns, sorted as text.
pub async fn matches(client: &mut Client, pattern: &str) -> Vec<String> {
    let mut lines = client.lines(&format!("SELECT * FROM GRAPH_TABLE (social MATCH {pattern})")).await;
    lines.sort();
    lines
}

#[tokio::test]
async fn patterns_match() {
    let (_fixture, mut client) = social().await;
    let cases: [(&str, &[&str]); 46] = [
        ("(p IS person WHERE p.age > 30) COLUMNS (p.name)", &["Ada", "Cyd"]),
        (
            "(p IS person)-[k IS knows]->(q) COLUMNS (p.name, q.name AS other, k.since)",
            &["Ada|Bob|2001", "Ada|Cyd|2004", "Bob|Cyd|2002", "Cyd|Ada|2003", "Dee|Dee|2005"],
        ),
        ("(p)<-[k IS knows]-(q) WHERE q.name = 'Ada' COLUMNS (p.name)", &["Bob", "Cyd"]),
        // Both ways, and the loop once.
        ("(p)-[IS knows]-(q) WHERE p.id IN (1, 4) COLUMNS (p.name AS a, q.name AS b)", &["Ada|Bob", "Ada|Cyd", "Ada|Cyd", "Dee|Dee"]),
        ("(p)-(p) COLUMNS (p.name)", &["Dee"]),
        // A label of two tables, a property that only one of them has, and one edge label of two tables.
        ("(n IS named) COLUMNS (n.name)", &["Acme", "Ada", "Bits", "Bob", "Cyd", "Dee"]),
        ("(n IS company|town) COLUMNS (n.title, n.name)", &["Acme|Acme", "Bits|Bits", "∅|London", "∅|Turin"]),
        ("(p IS person)-[IS of]->(x) WHERE p.id = 1 COLUMNS (x.name, x.title, x.code)", &["Acme|Acme|∅", "Turin|∅|T"]),
        ("(x)-[]->(y) COLUMNS (1 AS one)", &["1"; 11]),
        ("()->() COLUMNS (1 AS one)", &["1"; 11]),
        ("(n IS named & !company) COLUMNS (n.name)", &["Ada", "Bob", "Cyd", "Dee"]),
        ("(n IS !person) COLUMNS (n.name, n.code)", &["Acme|∅", "Bits|∅", "London|L", "Turin|T"]),
        ("(n IS %) COLUMNS (n.id)", &["1", "1", "2", "2", "3", "4", "∅", "∅"]),
        // Repeated variables.
        (
            "(a)-[IS knows]->(b)-[IS knows]->(c)-[IS knows]->(a) COLUMNS (a.name, b.name, c.name)",
            &["Ada|Bob|Cyd", "Bob|Cyd|Ada", "Cyd|Ada|Bob", "Dee|Dee|Dee"],
        ),
        ("(a WHERE a.id < 3)->(b)->(a WHERE a.id > 0) COLUMNS (a.name, b.name)", &["Ada|Cyd"]),
        (
            "(a IS person)->(b)<-(a IS named) COLUMNS (a.name, b.name)",
            &[
                "Ada|Acme",
                "Ada|Bob",
                "Ada|Cyd",
                "Ada|Turin",
                "Bob|Acme",
                "Bob|Cyd",
                "Bob|London",
                "Cyd|Ada",
                "Cyd|Bits",
                "Cyd|Turin",
                "Dee|Dee",
            ],
        ),
        ("(a)-[k IS knows]->(b)<-[k]-(c) WHERE a.id = 1 COLUMNS (a.name, b.name, c.name)", &["Ada|Bob|Ada", "Ada|Cyd|Ada"]),
        ("(a)-[k]->(c)-[k]->(d) COLUMNS (a.name, d.name)", &["Dee|Dee"]),
        // Several patterns.
        ("(a)-[IS knows]->(b), (b)-[IS lives]->(t) WHERE a.id = 1 COLUMNS (b.name, t.name AS town)", &["Bob|London", "Cyd|Turin"]),
        ("(a IS company), (b IS town) COLUMNS (a.title, b.code)", &["Acme|L", "Acme|T", "Bits|L", "Bits|T"]),
        ("(a)-[k IS knows]->(b), (c)-[k]->(d) WHERE a.id = 2 COLUMNS (c.name, d.name)", &["Bob|Cyd"]),
        // Bounded repetition.
        ("(a)-[IS knows]->{2}(b) WHERE a.id = 1 COLUMNS (b.name)", &["Ada", "Cyd"]),
        ("(a WHERE a.id = 1)-[IS knows]->{1,3}(b) COLUMNS (b.name)", &["Ada", "Ada", "Bob", "Bob", "Cyd", "Cyd", "Cyd"]),
        ("(a IS person WHERE a.id = 1)-[IS knows]->{,1}(b) COLUMNS (b.name)", &["Ada", "Bob", "Cyd"]),
        ("(a WHERE a.id = 1)-[k IS knows WHERE k.since < 2004]->{1,2}(b) COLUMNS (b.name)", &["Bob", "Cyd"]),
        ("(a IS person WHERE a.id = 1)-[IS knows]->?(b) COLUMNS (b.name)", &["Ada", "Bob", "Cyd"]),
        ("(a IS person WHERE a.id = 1)-[k IS knows]->?(b) COLUMNS (k.since, b.name)", &["2001|Bob", "2004|Cyd", "∅|Ada"]),
        ("(a WHERE a.id = 1) ((x)-[IS knows]->(y) WHERE x.age > y.age){1,3} (b) COLUMNS (b.name)", &["Bob"]),
        ("((x)-[k IS knows]->(y WHERE y.id <> 1)){2} COLUMNS (1 AS one)", &["1"; 2]),
        (
            "(a WHERE a.id = 1) ((x)-[IS knows]->(y)){1} ((y2)-[IS lives]->(t)){0,1} (z) COLUMNS (z.name)",
            &["Bob", "Cyd", "London", "Turin"],
        ),
        ("p = (a WHERE a.id = 2)-[IS knows]->{1,3}(b) COLUMNS (b.name, path_length(p) AS n)", &["Ada|2", "Bob|3", "Cyd|1", "Cyd|3"]),
        (
            "p = (a)->(b), q = (a)-[IS knows]->{2}(c) WHERE path_length(p) < path_length(q) AND a.id = 4 COLUMNS (path_length(q) AS n)",
            &["2"],
        ),
        // Modes.
        ("TRAIL (a WHERE a.id = 1)-[IS knows]->{3}(b) COLUMNS (b.name)", &["Ada", "Bob"]),
        ("ACYCLIC (a WHERE a.id = 1)-[IS knows]->{1,3}(b) COLUMNS (b.name)", &["Bob", "Cyd", "Cyd"]),
        ("SIMPLE (a WHERE a.id = 1)-[IS knows]->{1,3}(b) COLUMNS (b.name)", &["Ada", "Ada", "Bob", "Cyd", "Cyd"]),
        ("WALK (a WHERE a.id = 4)-[IS knows]->{2}(b) COLUMNS (b.name)", &["Dee"]),
        ("TRAIL (a WHERE a.id = 4)-[IS knows]->{2}(b) COLUMNS (b.name)", &[]),
        ("(a WHERE a.id = 1)-[IS knows]->{3}(b) KEEP ACYCLIC COLUMNS (b.name)", &[]),
        ("(a WHERE a.id = 1) (ACYCLIC (x)-[IS knows]->(y)-[IS knows]->(z)) (b) COLUMNS (b.name)", &["Cyd"]),
        ("(TRAIL (x)-[IS knows]->(y)-[IS knows]->(z)){2} COLUMNS (1 AS one)", &["1"; 9]),
        // Alternatives that are counted.
        ("(a WHERE a.id = 1) ((x)-[IS knows]->(y) |+| (x2)-[IS works]->(y2)) (b) COLUMNS (b.name)", &["Acme", "Bob", "Cyd"]),
        (
            "(a WHERE a.id = 1) ((x)-[k IS knows]->(y) |+| (x2)-[IS works]->(c)) (b) COLUMNS (k.since, c.title)",
            &["2001|∅", "2004|∅", "∅|Acme"],
        ),
        // A label in one alternative says nothing of the other.
        ("(a IS person WHERE a.id = 1) ((x IS company)-[]->(a IS town) |+| (y)-[IS works]->(z)) (b) COLUMNS (b.name)", &["Acme"]),
        // Nothing can match, and the columns are there all the same.
        ("(t IS town)-[]->(p) COLUMNS (t.code, p.id, 'x' AS x)", &[]),
        ("(p IS person & town) COLUMNS (p.id)", &[]),
        ("(p IS person WHERE p.id = 1) COLUMNS (p.*)", &["1|Ada|36|{x,y}"]),
    ];
    for (pattern, rows) in cases {
        assert_eq!(matches(&mut client, pattern).await, rows, "{pattern}");
    }
    assert_eq!(matches(&mut client, "(p WHERE p.id = 1 AND p.tags[2] = 'y') COLUMNS (p.tags[1] AS t)").await, ["x"]);
}

#[tokio::test]
async fn a_clause_is_a_relation_like_any_other() {
    let (_fixture, mut client) = social().await;
    let g = "GRAPH_TABLE (social MATCH (p IS person)-[IS works]->(c) COLUMNS (p.id, p.name, c.title))";
    let cases: [(String, &[&str]); 20] = [
        (format!("SELECT graph_table.name FROM {g} WHERE title = 'Acme' ORDER BY name DESC"), &["Bob", "Ada"]),
        (format!("SELECT w.who, what FROM {g} AS w (key, who, what) ORDER BY w.key"), &["Ada|Acme", "Bob|Acme", "Cyd|Bits"]),
        (format!("SELECT title, count(*), max(name) FROM {g} GROUP BY title ORDER BY 1"), &["Acme|2|Bob", "Bits|1|Cyd"]),
        (format!("SELECT n.age, title FROM person n JOIN {g} g ON g.id = n.id ORDER BY 1"), &["25|Acme", "36|Acme", "51|Bits"]),
        (format!("SELECT n.name, g.title FROM person n LEFT JOIN {g} g ON g.id = n.id ORDER BY 1"), &["Ada|Acme", "Bob|Acme", "Cyd|Bits", "Dee|∅"]),
        (format!("WITH w AS (SELECT * FROM {g}) SELECT count(*) FROM w a JOIN w b ON a.title = b.title"), &["5"]),
        (format!("SELECT name FROM person WHERE id NOT IN (SELECT id FROM {g})"), &["Dee"]),
        (format!("SELECT name, (SELECT min(title) FROM {g} q WHERE q.id = person.id) FROM person ORDER BY id"), &["Ada|Acme", "Bob|Acme", "Cyd|Bits", "Dee|∅"]),
        (format!("SELECT name FROM {g} UNION SELECT code FROM town ORDER BY 1"), &["Ada", "Bob", "Cyd", "L", "T"]),
        (format!("SELECT a.name, b.name FROM {g} a JOIN {g} b ON a.title = b.title AND a.id < b.id"), &["Ada|Bob"]),
        // What stands to the left may be mentioned.
        (
            "SELECT t.code, q.name FROM town t, GRAPH_TABLE (social MATCH (p IS person)-[IS lives]->(x WHERE x.code = t.code) COLUMNS (p.name)) q ORDER BY 1, 2".to_owned(),
            &["L|Bob", "T|Ada", "T|Cyd"],
        ),
        (
            "SELECT t.code, q.* FROM town t, GRAPH_TABLE (social MATCH (p IS person)-[IS lives]->(x) WHERE x.code = t.code COLUMNS (p.name || '@' || t.name AS at)) q ORDER BY 1, 2".to_owned(),
            &["L|Bob@London", "T|Ada@Turin", "T|Cyd@Turin"],
        ),
        // A name without a qualifier is never an element's column, not even where one is called so.
        (
            "SELECT q.* FROM (VALUES (2, 'x')) AS v (id, name), GRAPH_TABLE (social MATCH (p IS person) WHERE p.id = id COLUMNS (p.name AS person, name AS given)) q".to_owned(),
            &["Bob|x"],
        ),
        // A variable hides a relation around of the same name.
        (
            "SELECT p.n, q.name FROM (VALUES (1)) AS p (n), GRAPH_TABLE (social MATCH (p IS person WHERE p.id = 3) COLUMNS (p.name)) q".to_owned(),
            &["1|Cyd"],
        ),
        (
            "SELECT n, count(q.x) FROM generate_series(1, 3) AS s (n) LEFT JOIN LATERAL (SELECT * FROM GRAPH_TABLE (social MATCH (a WHERE a.id = s.n)-[IS knows]->(b) COLUMNS (b.id AS x)) r) q ON true GROUP BY n ORDER BY n".to_owned(),
            &["1|2", "2|1", "3|1"],
        ),
        (
            "SELECT t.name, q.n FROM town t, GRAPH_TABLE (social MATCH (x IS named|town WHERE x.name = t.name) COLUMNS (x.name AS n)) q ORDER BY 1".to_owned(),
            &["London|London", "Turin|Turin"],
        ),
        ("SELECT val, val_1.val FROM GRAPH_TABLE (social MATCH (p IS person WHERE p.id = 1) COLUMNS (p.id AS val)) a, GRAPH_TABLE (social MATCH (p IS company WHERE p.id = 2) COLUMNS (p.id AS val)) val_1 WHERE a.val = 1 AND val_1.val = 2".replace("SELECT val,", "SELECT a.val,"), &["1|2"]),
        ("SELECT * FROM GRAPH_TABLE (social MATCH (p IS person WHERE p.id = 1) COLUMNS ('unknown' AS u, NULL AS n, p.age / 2.0 AS half))".to_owned(), &["unknown|∅|18.0000000000000000"]),
        ("SELECT count(*) FROM GRAPH_TABLE (social MATCH (a IS person)->{1,2}(b) COLUMNS (1 AS one))".to_owned(), &["25"]),
        ("TABLE person".replace("TABLE person", "SELECT x FROM GRAPH_TABLE (social MATCH (graph_table IS town) COLUMNS (graph_table.code AS x)) ORDER BY x"), &["L", "T"]),
    ];
    for (sql, rows) in cases {
        assert_eq!(client.lines(&sql).await, rows, "{sql}");
    }
    // Writes take their rows from it.
    client.run("CREATE TABLE staff (name text, title text)").await;
    assert_eq!(client.tag(&format!("INSERT INTO staff SELECT name, title FROM {g}")).await, "INSERT 0 3");
    assert_eq!(
        client.tag(&format!("UPDATE staff SET title = q.title || '!' FROM {g} q WHERE q.name = staff.name AND q.id = 3")).await,
        "UPDATE 1"
    );
    assert_eq!(client.tag(&format!("DELETE FROM staff USING {g} q WHERE q.name = staff.name AND q.title = 'Acme'")).await, "DELETE 2");
    assert_eq!(client.lines("SELECT * FROM staff").await, ["Cyd|Bits!"]);
    client.run(&format!("CREATE TABLE copied AS SELECT * FROM {g}")).await;
    assert_eq!(client.value("SELECT count(*) FROM copied").await, "3");
    client.run("BEGIN").await;
    client.run(&format!("DECLARE c CURSOR FOR SELECT name FROM {g} ORDER BY 1")).await;
    assert_eq!(client.lines("FETCH 2 FROM c").await, ["Ada", "Bob"]);
    // A transaction sees its own rows in the graph, and so does nobody else.
    client.run("INSERT INTO works VALUES (4, 2)").await;
    assert_eq!(client.value(&format!("SELECT count(*) FROM {g}")).await, "4");
    client.run("ROLLBACK").await;
    assert_eq!(client.value(&format!("SELECT count(*) FROM {g}")).await, "3");
}

#[tokio::test]
async fn plans_are_prepared_kept_and_made_anew() {
    let (_fixture, mut client) = social().await;
    let by_age = "SELECT * FROM GRAPH_TABLE (social MATCH (p WHERE p.age > $1)-[k IS knows WHERE k.since < $2]->(q) COLUMNS (p.name, q.name AS other)) ORDER BY 1, 2";
    client.run(&format!("PREPARE by_age (int, int) AS {by_age}")).await;
    assert_eq!(client.lines("EXECUTE by_age(30, 2004)").await, ["Ada|Bob", "Cyd|Ada"]);
    assert_eq!(client.lines("EXECUTE by_age(30, 3000)").await, ["Ada|Bob", "Ada|Cyd", "Cyd|Ada"]);
    client.run("INSERT INTO knows VALUES (15, 3, 2, 1999)").await;
    assert_eq!(client.lines("EXECUTE by_age(40, 2004)").await, ["Cyd|Ada", "Cyd|Bob"]);
    let prepared = client.prepare(by_age, &[]).await.unwrap();
    assert_eq!(prepared.parameters.len(), 2);
    // What the graph becomes is what prepared statements see.
    client.run("PREPARE far AS SELECT count(*) FROM GRAPH_TABLE (social MATCH (p IS person)-[IS of]->(x) COLUMNS (x.name))").await;
    assert_eq!(client.value("EXECUTE far").await, "6");
    client.run("ALTER PROPERTY GRAPH social DROP EDGE TABLES (lives)").await;
    assert_eq!(client.value("EXECUTE far").await, "3");
    client.run("ALTER PROPERTY GRAPH social ALTER EDGE TABLE works ADD LABEL other").await;
    client.run("ALTER PROPERTY GRAPH social ALTER EDGE TABLE works DROP LABEL of").await;
    let error = client.error("EXECUTE far").await;
    assert_eq!((error.state().0, error.message()), ("42704", "label \"of\" does not exist in property graph \"social\""));
    // A query string is planned once for all constants that fit its places.
    let of = |age: i32| format!("SELECT count(*) FROM GRAPH_TABLE (social MATCH (p IS person) COLUMNS (p.age)) WHERE age > {age}");
    for (age, count) in [(20, "3"), (30, "2"), (50, "1"), (20, "3")] {
        assert_eq!(client.value(&of(age)).await, count);
    }
}

#[tokio::test]
async fn views_keep_their_pattern() {
    let (_fixture, mut client) = social().await;
    client
        .run(
            "CREATE VIEW friends AS SELECT g.*, t.code FROM town t, GRAPH_TABLE (social MATCH (a IS person WHERE a.age > 20)-[k IS knows]->{1,2}(b IS person)-[IS lives]->(x) \
             WHERE x.code = t.code COLUMNS (a.name AS who, b.*)) g",
        )
        .await;
    let rows = client.lines("SELECT who, name, code FROM friends ORDER BY 1, 2, 3").await;
    assert_eq!(rows, ["Ada|Ada|T", "Ada|Bob|L", "Ada|Cyd|T", "Ada|Cyd|T", "Bob|Ada|T", "Bob|Cyd|T", "Cyd|Ada|T", "Cyd|Bob|L", "Cyd|Cyd|T"]);
    let text = client.value("SELECT pg_get_viewdef('friends'::regclass)").await;
    assert!(
        text.contains(
            "GRAPH_TABLE (\"public\".\"social\" MATCH (a IS person WHERE a.age > 20)-[k IS knows]->{1,2}(b IS person)-[IS lives]->(x)"
        ),
        "{text}"
    );
    client.run("DROP VIEW friends").await;
    client.run(&format!("CREATE VIEW friends AS {text}")).await;
    assert_eq!(client.lines("SELECT who, name, code FROM friends ORDER BY 1, 2, 3").await, rows);
    // A graph over views, and a view over that graph.
    client.run("CREATE VIEW elders AS SELECT id, name || '!' AS called FROM person WHERE age > 30").await;
    client
        .run("CREATE PROPERTY GRAPH old VERTEX TABLES (elders KEY (id)) EDGE TABLES (knows SOURCE KEY (a) REFERENCES elders (id) DESTINATION KEY (b) REFERENCES elders (id))")
        .await;
    client.run("CREATE VIEW old_friends AS SELECT * FROM GRAPH_TABLE (old MATCH (a)->(b) COLUMNS (a.called, b.called AS other))").await;
    assert_eq!(client.lines("SELECT * FROM old_friends ORDER BY 1").await, ["Ada!|Cyd!", "Cyd!|Ada!"]);
    assert_eq!(client.error("DROP VIEW elders").await.state().0, "2BP01");
    client.run("DROP VIEW elders CASCADE").await;
    assert_eq!(client.error("SELECT * FROM old_friends").await.state().0, "42P01");
}
