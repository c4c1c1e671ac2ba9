//! Rows of the past by key and by index: what each question answered when its commit was the newest, and EXPLAIN shows that no table is read for it.

use crate::fixture::Fixture;

/// A question of a table's place in a query, and what EXPLAIN of it shows.
const QUESTIONS: [(&str, &str); 7] = [
    ("SELECT id, city, age FROM ? WHERE id = 77", "KeyLookup: table="),
    ("SELECT city FROM ? WHERE id IN (5, 6, 19999) ORDER BY id", "Index Scan using person_pkey"),
    ("SELECT id, age FROM ? WHERE email = 'mail 42'", "Index Scan using person_email_key"),
    ("SELECT id FROM ? WHERE city = 'city 7' AND age > 50 ORDER BY id", "Index Scan using by_city"),
    ("SELECT id FROM ? ORDER BY city DESC, age DESC, id DESC LIMIT 3", "Index Scan Backward using by_city"),
    ("SELECT age FROM ? WHERE age BETWEEN 3 AND 4 AND city = 'city 3' ORDER BY age", "Index Scan using by_city"),
    ("SELECT min(id), max(id) FROM ? WHERE city = 'city 9'", "Index Scan Backward using person_pkey"),
];

/// Changes, one after the other: values go and come again, keys too, and so do columns and indexes.
const CHANGES: [&str; 9] = [
    "UPDATE person SET age = age + 1 WHERE city = 'city 7'",
    "DELETE FROM person WHERE id IN (5, 77)",
    "INSERT INTO person VALUES (77, 'city 9', 3, 'mail 42b')",
    "UPDATE person SET email = 'gone' WHERE id = 42; UPDATE person SET email = 'mail 42' WHERE id = 43",
    "UPDATE person SET email = NULL WHERE id = 43; UPDATE person SET email = 'mail 42' WHERE id = 44",
    "ALTER TABLE person ADD COLUMN note text DEFAULT 'x'",
    "UPDATE person SET city = 'city 7' WHERE id % 1000 = 1",
    "ALTER TABLE person RENAME COLUMN note TO remark",
    "DELETE FROM person WHERE city = 'city 3'",
];

#[tokio::test]
async fn the_past_is_found_by_its_indexes() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE person (id int PRIMARY KEY, city text, age int NOT NULL, email text UNIQUE)").await;
    client.run("INSERT INTO person SELECT n, 'city ' || n % 400, n % 97, 'mail ' || n FROM generate_series(1, 20000) AS g(n)").await;
    client.run("CREATE INDEX by_city ON person (city, age, id)").await;
    let mut answered = Vec::new();
    for change in CHANGES {
        let commit = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
        let mut answers = Vec::new();
        for (question, _) in QUESTIONS {
            answers.push(client.lines(&question.replace('?', "person")).await);
        }
        answered.push((commit, answers));
        client.run(change).await;
    }
    let different = answered.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    assert!(different >= 6, "changes change what is answered: {different}");
    client.run("DROP INDEX by_city; ALTER TABLE person DROP CONSTRAINT person_email_key").await;
    for (commit, answers) in &answered {
        for ((question, shown), then) in QUESTIONS.iter().zip(answers) {
            let sql = question.replace('?', &format!("person FOR SYSTEM_TIME AS OF COMMIT {commit}"));
            assert_eq!(client.lines(&sql).await, *then, "{sql}");
            let plan = client.lines(&format!("EXPLAIN {sql}")).await;
            assert!(plan.iter().any(|line| line.contains(shown)), "{sql}: {plan:#?}");
        }
        // The same for a whole session, with plans that are kept.
        client.run(&format!("SET shockwave.as_of = 'commit {commit}'")).await;
        for ((question, shown), then) in QUESTIONS.iter().zip(answers) {
            let sql = question.replace('?', "person");
            assert_eq!(client.lines(&sql).await, *then, "{sql} as of {commit}");
            let plan = client.lines(&format!("EXPLAIN {sql}")).await;
            assert!(plan.iter().any(|line| line.contains(shown)), "{sql}: {plan:#?}");
        }
        client.run("RESET shockwave.as_of").await;
    }
}
