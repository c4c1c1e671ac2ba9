//! `FOR SYSTEM_TIME AS OF` on a graph: what a question answered when a commit was the newest, it answers of that commit for ever after.

use base::{Rng, SeededRng};

use crate::fixture::{Client, Fixture};

/// Questions, with `@` where the past is named; the function takes it as an argument.
const QUESTIONS: [&str; 6] = [
    "SELECT a, b FROM GRAPH_TABLE (g @ MATCH (x)-[IS knows]->(y) COLUMNS (x.name AS a, y.name AS b)) ORDER BY 1, 2",
    "SELECT a, count(*) FROM GRAPH_TABLE (public.g @ MATCH (x)-[]-{1,2}(y) COLUMNS (x.id AS a)) GROUP BY 1 ORDER BY 1",
    "SELECT a, b, n, e FROM GRAPH_TABLE (g @ MATCH p = ANY SHORTEST (x)-[]->*(y) COLUMNS (x.id AS a, y.id AS b, path_length(p) AS n, element_id(y) AS e)) ORDER BY 1, 2",
    "SELECT v, e FROM GRAPH_TABLE (g @ MATCH p = ALL SHORTEST (x WHERE x.id = 1)-[]->+(y) COLUMNS (vertices(p) AS v, edges(p) AS e)) ORDER BY 1, 2",
    "SELECT id, component FROM graph_wcc('g'#) ORDER BY 1",
    "SELECT id, distance FROM graph_sssp('g', 2, 'cost'#) ORDER BY 1",
];

fn asked(question: &str, commit: Option<&str>) -> String {
    let clause = commit.map_or(String::new(), |commit| format!("FOR SYSTEM_TIME AS OF COMMIT {commit}"));
    let argument = commit.map_or(String::new(), |commit| format!(", as_of => 'commit {commit}'"));
    question.replace('@', &clause).replace('#', &argument)
}

async fn newest(client: &mut Client) -> String {
    client.value("SELECT max(commit_seq) FROM ledger.commits").await
}

const TABLES: &str = "CREATE TABLE person (id int PRIMARY KEY, name text);
    CREATE TABLE knows (id int PRIMARY KEY, a int REFERENCES person, b int REFERENCES person, cost int NOT NULL);
    CREATE PROPERTY GRAPH g VERTEX TABLES (person) EDGE TABLES
        (knows SOURCE KEY (a) REFERENCES person DESTINATION KEY (b) REFERENCES person);
    INSERT INTO person VALUES (1, 'p1'), (2, 'p2'), (3, 'p3'), (4, 'p4')";

#[tokio::test]
async fn the_past_answers_as_it_answered() {
    let fixture = Fixture::new();
    let (mut client, rng) = (fixture.session(), SeededRng::new(29));
    client.run(TABLES).await;
    let below = |n: u64| rng.next_u64() % n;
    let mut told: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for round in 0..10_u64 {
        let (id, a, b, cost) = (below(5), 1 + below(4), 1 + below(4), below(4));
        client.run(&format!("DELETE FROM knows WHERE id = {id}; INSERT INTO knows VALUES ({id}, {a}, {b}, {cost})")).await;
        client
            .run(&format!("UPDATE person SET name = name || '{round}' WHERE id = {a}; DELETE FROM knows WHERE id = {}", 10 + round))
            .await;
        // What is asked then must not be the first search of all: the graph is searched for the first time when it has a past.
        let mut answers = Vec::new();
        if round > 3 {
            for question in QUESTIONS {
                answers.push(client.lines(&asked(question, None)).await);
            }
        }
        told.push((newest(&mut client).await, answers));
        if round == 5 {
            client.run("ALTER TABLE person ADD COLUMN born int; ALTER TABLE knows ADD COLUMN note text DEFAULT 'x'").await;
        }
    }
    for (commit, answers) in &told {
        for (question, answer) in QUESTIONS.iter().zip(answers) {
            assert_eq!(client.lines(&asked(question, Some(commit))).await, *answer, "commit {commit}: {question}");
        }
        client.run(&format!("SET shockwave.as_of = 'COMMIT {commit}'")).await;
        for (question, answer) in QUESTIONS.iter().zip(answers) {
            assert_eq!(client.lines(&asked(question, None)).await, *answer, "session at {commit}: {question}");
        }
        client.run("RESET shockwave.as_of").await;
    }
    // Names, definitions and the graph itself may be others by now, or gone.
    client
        .run("ALTER TABLE person RENAME TO human; ALTER TABLE human RENAME COLUMN name TO called; ALTER PROPERTY GRAPH g RENAME TO h")
        .await;
    client
        .run("CREATE TABLE robot (id int PRIMARY KEY); ALTER PROPERTY GRAPH h ADD VERTEX TABLES (robot); INSERT INTO robot VALUES (1)")
        .await;
    assert_eq!(client.value("SELECT count(*) FROM GRAPH_TABLE (h MATCH ANY (x)-[]->*(y) COLUMNS (1 AS one)) WHERE false").await, "0");
    for (commit, answers) in told.iter().skip(6) {
        for (question, answer) in QUESTIONS.iter().zip(answers) {
            assert_eq!(client.lines(&asked(question, Some(commit))).await, *answer, "renamed since commit {commit}: {question}");
        }
    }
    client.run("DROP PROPERTY GRAPH h").await;
    let (commit, answers) = &told[8];
    for (question, answer) in QUESTIONS.iter().zip(answers) {
        assert_eq!(client.lines(&asked(question, Some(commit))).await, *answer, "dropped since commit {commit}: {question}");
    }
}

#[tokio::test]
async fn a_past_stands_where_a_graph_does() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run(TABLES).await;
    client.run("INSERT INTO knows VALUES (1, 1, 2, 0), (2, 2, 3, 0)").await;
    let then = newest(&mut client).await;
    let time = client.value(&format!("SELECT committed_at FROM ledger.commits WHERE commit_seq = {then}")).await;
    client.run("DELETE FROM knows WHERE id = 2").await;
    let count = |version: &str| format!("SELECT count(*) FROM GRAPH_TABLE (g {version} MATCH ()-[k IS knows]->() COLUMNS (k.id))");
    assert_eq!(client.value(&count("")).await, "1");
    assert_eq!(client.value(&count(&format!("FOR SYSTEM_TIME AS OF COMMIT {then}"))).await, "2");
    assert_eq!(client.value(&count(&format!("FOR SYSTEM_TIME AS OF timestamptz '{time}' + interval '0'"))).await, "2");
    let prepared = client.prepare(&count("FOR SYSTEM_TIME AS OF COMMIT $1"), &[]).await.unwrap();
    assert_eq!(client.execute(&prepared, &[Some(&then)]).await.unwrap().lines(), ["2"]);
    client.run("INSERT INTO knows VALUES (3, 1, 4, 0), (4, 1, 1, 0)").await;
    let later = newest(&mut client).await;
    assert_eq!(client.execute(&prepared, &[Some(&later)]).await.unwrap().lines(), ["3"]);
    assert_eq!(client.execute(&prepared, &[Some(&then)]).await.unwrap().lines(), ["2"]);
    // Then beside now.
    let gone = format!(
        "SELECT id FROM GRAPH_TABLE (g FOR SYSTEM_TIME AS OF COMMIT {then} MATCH ()-[k IS knows]->() COLUMNS (k.id)) \
         EXCEPT SELECT id FROM GRAPH_TABLE (g MATCH ()-[k IS knows]->() COLUMNS (k.id))"
    );
    assert_eq!(client.lines(&gone).await, ["2"]);
    // In a transaction that has written, the past is searched, and what it wrote is not in it.
    let search = format!(
        "SELECT n FROM GRAPH_TABLE (g FOR SYSTEM_TIME AS OF COMMIT {then} MATCH p = ANY SHORTEST (x WHERE x.id = 1)-[]->+(y WHERE y.id = 3) \
         COLUMNS (path_length(p) AS n))"
    );
    client.run("BEGIN; INSERT INTO knows VALUES (9, 1, 3, 0)").await;
    assert_eq!(client.lines(&search).await, ["2"]);
    client.run("ROLLBACK; BEGIN ISOLATION LEVEL SERIALIZABLE").await;
    assert_eq!(client.lines(&search).await, ["2"]);
    client.run("COMMIT").await;
    let view = format!("CREATE VIEW v AS {search}");
    assert_eq!(client.error(&view).await.message(), "FOR SYSTEM_TIME in a view is not supported");
    // A view that searches, as of then.
    client.run(&format!("CREATE VIEW v AS {}", search.replace(&format!("FOR SYSTEM_TIME AS OF COMMIT {then} "), ""))).await;
    assert_eq!(client.lines("SELECT * FROM v").await, [""; 0]);
    assert_eq!(
        client.error(&format!("SELECT * FROM v FOR SYSTEM_TIME AS OF COMMIT {then}")).await.state().0,
        "42P01",
        "the view came later"
    );
    let with_view = newest(&mut client).await;
    client.run("INSERT INTO knows VALUES (5, 2, 3, 0)").await;
    assert_eq!(client.lines("SELECT * FROM v").await, ["2"]);
    assert_eq!(client.lines(&format!("SELECT * FROM v FOR SYSTEM_TIME AS OF COMMIT {with_view}")).await, [""; 0]);
}

#[tokio::test]
async fn the_past_needs_the_rights_of_today() {
    let fixture = Fixture::new();
    let mut root = fixture.session();
    root.run(TABLES).await;
    root.run("CREATE ROLE ada LOGIN; GRANT SELECT ON person TO ada").await;
    let then = newest(&mut root).await;
    let mut ada = Client(planner::Session::new(std::sync::Arc::clone(&fixture.database), "ada", "tests"));
    let clause = format!("SELECT count(*) FROM GRAPH_TABLE (g FOR SYSTEM_TIME AS OF COMMIT {then} MATCH (x) COLUMNS (x.id))");
    let call = format!("SELECT count(*) FROM graph_wcc('g', edges => '!knows', as_of => 'commit {then}')");
    for sql in [&clause, &call] {
        assert_eq!(ada.error(sql).await.message(), "permission denied for property graph g");
    }
    root.run("GRANT SELECT ON PROPERTY GRAPH g TO ada").await;
    for sql in [&clause, &call] {
        assert_eq!(ada.value(sql).await, "4");
    }
    root.run("REVOKE SELECT ON person FROM ada").await;
    for sql in [&clause, &call] {
        assert_eq!(ada.error(sql).await.message(), "permission denied for table person");
    }
}
