//! Queries that indexes answer: which plans EXPLAIN shows, and the same rows as from a table without any.

use base::{Rng, SeededRng};

use crate::fixture::{Client, Fixture};

/// Columns of the two tables: name, type, and a value for a number.
type Make = fn(u64) -> String;
const COLUMNS: [(&str, &str, Make); 12] = [
    ("a", "int", |n| (n as i64 - 8).to_string()),
    ("s", "smallint", |n| (8 - n as i64).to_string()),
    ("t", "text", |n| format!("'{}'", ["", "a", "ab", "b", "aa", "Z", "é", "~"][(n % 8) as usize])),
    ("c", "char(4)", |n| format!("'{}'", ["", "a", "ab", "b", "a c", "Z"][(n % 6) as usize])),
    ("m", "numeric(8,2)", |n| format!("{}.{:02}", n as i64 - 8, n * 37 % 100)),
    ("n", "numeric", |n| format!("{}e{}", n as i64 - 8, n % 5)),
    ("f", "float8", |n| ["'NaN'", "'-Infinity'", "0", "-0.5", "1e300", "2", "3"][(n % 7) as usize].to_owned()),
    ("d", "date", |n| format!("'2024-01-{:02}'", n + 1)),
    ("w", "timestamptz", |n| format!("'1999-12-31 {:02}:00:00+00'", n)),
    ("v", "interval", |n| format!("'{} days {} hours'", n % 4, n)),
    ("u", "uuid", |n| format!("'00000000-0000-0000-0000-0000000000{n:02}'")),
    ("y", "bytea", |n| format!("'\\x{:02x}00'", n * 16)),
];

const INDEXES: [&str; 24] = [
    "(a)",
    "(s, a)",
    "(t)",
    "(c)",
    "(m)",
    "(n)",
    "(f)",
    "(d, id)",
    "(w)",
    "(v)",
    "(u)",
    "(y)",
    "(a, t, id)",
    "(a DESC, s)",
    "(lower(t))",
    "((a + s))",
    "(abs(a), id)",
    "((m * 2))",
    "(upper(t), d) WHERE a >= -2",
    "(t, id) WHERE a > 0",
    "(d) WHERE t IS NOT NULL AND s <> 3",
    "(id) WHERE f IS NULL",
    "((n * 2)) INCLUDE (t) WHERE t = 'ab' OR a = 1",
    "(id) WHERE (a + s) > 4",
];

/// `i` with indexes and a primary key, `o` without any.
async fn tables(client: &mut Client) {
    let columns: Vec<String> = COLUMNS.iter().map(|(name, sql_type, _)| format!("{name} {sql_type}")).collect();
    let columns = columns.join(", ");
    client.run(&format!("CREATE TABLE i (id int PRIMARY KEY, {columns}); CREATE TABLE o (id int NOT NULL, {columns})")).await;
    for index in INDEXES {
        client.run(&format!("CREATE INDEX ON i {index}")).await;
    }
}

fn value(rng: &SeededRng, make: Make) -> String {
    if rng.next_u64().is_multiple_of(7) { "NULL".into() } else { make(rng.next_u64() % 16) }
}

/// The same change of both tables.
async fn change(client: &mut Client, rng: &SeededRng, next: &mut u64) {
    let sql = match rng.next_u64() % 8 {
        0 => format!("DELETE FROM ? WHERE id = {}", rng.next_u64() % *next),
        1 => {
            let (name, _, make) = COLUMNS[(rng.next_u64() % 12) as usize];
            format!("UPDATE ? SET {name} = {} WHERE id % 11 = {}", value(rng, make), rng.next_u64() % 11)
        }
        2 => format!("UPDATE ? SET id = id + 100000 WHERE id = {}", rng.next_u64() % *next),
        3 => format!("UPDATE ? SET s = s - 1 WHERE lower(t) = 'ab' AND a > {}", rng.next_u64() % 9),
        4 => format!("DELETE FROM ? WHERE a + s = {} AND id % 3 = 0", rng.next_u64() % 6),
        _ => {
            let mut rows = Vec::new();
            for _ in 0..1 + rng.next_u64() % 30 {
                let values: Vec<String> = COLUMNS.iter().map(|(_, _, make)| value(rng, *make)).collect();
                rows.push(format!("({next}, {})", values.join(", ")));
                *next += 1;
            }
            format!("INSERT INTO ? VALUES {}", rows.join(", "))
        }
    };
    for table in ["i", "o"] {
        client.run(&sql.replace('?', table)).await;
    }
}

fn condition(rng: &SeededRng) -> String {
    let one = || {
        let (name, sql_type, make) = COLUMNS[(rng.next_u64() % 12) as usize];
        let other = || format!("{}::{sql_type}", make(rng.next_u64() % 16));
        let number = || COLUMNS[0].2(rng.next_u64() % 16);
        match rng.next_u64() % 19 {
            0 => format!("{name} BETWEEN {} AND {}", other(), other()),
            1 => format!("{name} > {} AND {name} <= {}", other(), other()),
            2 => format!("{} > {name}", other()),
            3 => format!("{name} = {}", other()),
            4 => format!("{name} IS NULL"),
            5 => format!("id >= {} AND id < {}", rng.next_u64() % 60, rng.next_u64() % 200),
            6 => format!("a = {} AND t >= {}", COLUMNS[0].2(rng.next_u64() % 16), COLUMNS[2].2(rng.next_u64() % 16)),
            7 => format!("{name} < {}", other()),
            8 => format!("lower(t) = {}", COLUMNS[2].2(rng.next_u64() % 16)),
            9 => format!("a + s > {} AND a + s <= {}", number(), number()),
            10 => format!("abs(a) = {} AND id > {}", number(), rng.next_u64() % 60),
            11 => format!("t = 'ab' AND a > {}", number()),
            12 => format!("d >= {}::date AND t IS NOT NULL AND s <> 3", COLUMNS[7].2(rng.next_u64() % 16)),
            13 => [
                "f IS NULL",
                "t LIKE 'a%'",
                "c LIKE 'a %'",
                "lower(t) LIKE 'a_%' AND s IS NULL",
                "a IN (1, -2, NULL, 5) AND t >= 'a'",
                "(t = 'ab' OR t = 'b' OR 'é' = t) AND id > 7",
                "s = 2 AND a IN (3, 4, 5, 6, 3)",
            ][(rng.next_u64() % 7) as usize]
                .to_owned(),
            14 => format!("m * 2 >= {}", number()),
            15 => format!("upper(t) = 'AB' AND a = {}", number()),
            16 => format!("n * 2 < {} AND (t = 'ab' OR a = 1)", number()),
            17 => format!("a + s = {} AND id < {}", number(), rng.next_u64() % 200),
            _ => format!("{name} >= {}", other()),
        }
    };
    match rng.next_u64() % 4 {
        0 => "true".into(),
        1 => format!("{} AND {}", one(), one()),
        2 => format!("{} AND id % 3 <> 1", one()),
        _ => one(),
    }
}

fn query(rng: &SeededRng) -> String {
    let condition = condition(rng);
    let (name, ..) = COLUMNS[(rng.next_u64() % 12) as usize];
    let (limit, skipped) = (1 + rng.next_u64() % 12, rng.next_u64() % 3);
    match rng.next_u64() % 14 {
        0 => format!("SELECT * FROM ? WHERE {condition} ORDER BY id"),
        1 => format!("SELECT count(*), sum(id) FROM ? WHERE {condition}"),
        // Which of equal rows come first is not said.
        2 => format!("SELECT {name} FROM ? WHERE {condition} ORDER BY {name} LIMIT {limit} OFFSET {skipped}"),
        3 => format!("SELECT {name} FROM ? WHERE {condition} ORDER BY {name} DESC LIMIT {limit}"),
        4 => format!("SELECT {name} FROM ? WHERE {condition} ORDER BY {name} DESC NULLS LAST LIMIT {limit}"),
        5 => format!("SELECT a, t, id FROM ? WHERE {condition} ORDER BY a, t, id LIMIT {limit}"),
        6 => format!("SELECT id, d FROM ? WHERE {condition} ORDER BY d DESC, id DESC LIMIT {limit} OFFSET {skipped}"),
        7 => format!("SELECT min({name}), max({name}) FROM ? WHERE {condition}"),
        8 => format!("SELECT lower(t) FROM ? WHERE {condition} ORDER BY lower(t) LIMIT {limit}"),
        9 => format!("SELECT a + s AS both FROM ? WHERE {condition} ORDER BY a + s DESC LIMIT {limit} OFFSET {skipped}"),
        10 => format!("SELECT min(a + s), max(lower(t)) FROM ? WHERE {condition}"),
        11 => format!("SELECT id FROM ? WHERE {condition} ORDER BY abs(a), id LIMIT {limit}"),
        12 => format!("SELECT t, id FROM ? WHERE {condition} AND a > 0 ORDER BY t, id LIMIT {limit}"),
        _ => format!("SELECT id + 1, t FROM ? WHERE {condition} ORDER BY id DESC LIMIT {limit}"),
    }
    .replace("min(u), max(u)", "min(id), max(id)")
    .replace("min(y), max(y)", "min(w), max(a)")
}

async fn compare(client: &mut Client, rng: &SeededRng, count: usize, suffix: &str) -> usize {
    let mut by_index = 0;
    for _ in 0..count {
        let sql = query(rng);
        let of = |table: &str| sql.replace('?', &format!("{table}{suffix}"));
        let (mut found, mut wanted) = (client.lines(&of("i")).await, client.lines(&of("o")).await);
        if !sql.contains("ORDER BY") {
            found.sort();
            wanted.sort();
        }
        assert_eq!(found, wanted, "{sql}");
        let plan = client.lines(&format!("EXPLAIN {}", of("i"))).await;
        by_index += usize::from(plan.iter().any(|line| line.contains("Index Scan") || line.contains("Index Only Scan")));
    }
    by_index
}

#[tokio::test]
async fn tables_with_and_without_indexes_answer_alike() {
    for seed in 0..3 {
        let (fixture, rng, mut next) = (Fixture::new(), SeededRng::new(seed), 0);
        let mut client = fixture.session();
        tables(&mut client).await;
        let mut by_index = 0;
        for turn in 0..25 {
            next = next.max(1);
            let in_block = turn % 5 == 4;
            if in_block {
                client.run(if turn % 2 == 0 { "BEGIN" } else { "BEGIN ISOLATION LEVEL SERIALIZABLE" }).await;
            }
            for _ in 0..3 {
                change(&mut client, &rng, &mut next).await;
            }
            by_index += compare(&mut client, &rng, 20, "").await;
            if in_block {
                client.run(if turn % 10 == 4 { "COMMIT" } else { "ROLLBACK" }).await;
            }
        }
        assert!(by_index > 150, "seed {seed}: {by_index} of 500 plans read an index");
        let seq = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
        change(&mut client, &rng, &mut next).await;
        client.run(&format!("SET shockwave.as_of = 'commit {seq}'")).await;
        let of_then = compare(&mut client, &rng, 30, "").await;
        assert!(of_then > 10, "seed {seed}: {of_then} of 30 plans read an index of the past");
    }
}

async fn people(client: &mut Client) {
    client.run("CREATE TABLE person (id int PRIMARY KEY, city text, age int NOT NULL, name text)").await;
    client.run("INSERT INTO person SELECT n, 'city ' || n % 400, n % 97, 'name ' || n FROM generate_series(1, 20000) AS g(n)").await;
    client.run("CREATE INDEX by_city ON person (city, age); CREATE INDEX by_age ON person (age)").await;
}

#[tokio::test]
async fn explain_names_the_index() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    people(&mut client).await;
    let (mut plans, mut wanted) = (Vec::new(), Vec::new());
    for (sql, expected) in [
        (
            "SELECT name FROM person WHERE city = 'city 7' AND age > 50",
            "FilterExec: city@0 = city 7 AND age@1 > 50, projection=[name@2]\
             \n  RepartitionExec: partitioning=RoundRobinBatch(2), input_partitions=1\
             \n    Index Scan using by_city on person: columns=[city, age, name]\
             \n      Index Cond: ((city = city 7) AND (age > 50))",
        ),
        (
            "SELECT id FROM person WHERE id >= 10 AND id < 20",
            "FilterExec: id@0 >= 10 AND id@0 < 20\
             \n  RepartitionExec: partitioning=RoundRobinBatch(2), input_partitions=1\
             \n    Index Only Scan using person_pkey on person: columns=[id]\
             \n      Index Cond: ((id >= 10) AND (id < 20))",
        ),
        (
            "SELECT id, name FROM person ORDER BY id DESC LIMIT 3",
            "GlobalLimitExec: skip=0, fetch=3\
             \n  Index Scan Backward using person_pkey on person: columns=[id, name]",
        ),
        (
            "SELECT id FROM person WHERE city = 'city 7' ORDER BY age LIMIT 2",
            "ProjectionExec: expr=[id@0 as id]\
             \n  GlobalLimitExec: skip=0, fetch=2\
             \n    FilterExec: city@1 = city 7, projection=[id@0, age@2], fetch=2\
             \n      Index Scan using by_city on person: columns=[id, city, age]\
             \n        Index Cond: (city = city 7)",
        ),
        (
            "SELECT max(age) FROM person",
            "ProjectionExec: expr=[max(person.age)@0 as max]\
             \n  AggregateExec: mode=Single, gby=[], aggr=[max(person.age)]\
             \n    Sequence\
             \n      GlobalLimitExec: skip=0, fetch=1\
             \n        Index Scan Backward using by_age on person: columns=[age]",
        ),
    ] {
        plans.push((sql, client.lines(&format!("EXPLAIN {sql}")).await.join("\n")));
        wanted.push((sql, expected.to_owned()));
    }
    assert_eq!(plans, wanted);
    client.run("CREATE TABLE price (n numeric, v interval, w timestamptz); CREATE INDEX ON price (n); CREATE INDEX ON price (v); CREATE INDEX ON price (w)").await;
    client
        .run("INSERT INTO price SELECT g * 0.50, g * interval '1 hour', now() - g * interval '1 minute' FROM generate_series(1, 5000) AS s(g)")
        .await;
    for (condition, expected) in [
        ("n > 2490", "Index Cond: (n > 2490)"),
        ("n = 10", "Index Cond: (n = 10)"),
        ("v < '1 day'", "Index Cond: (v < "),
        ("w > now() - interval '10 minutes'", "Index Cond: (w > "),
    ] {
        let plan = client.lines(&format!("EXPLAIN SELECT * FROM price WHERE {condition}")).await.join("\n");
        assert!(plan.contains(expected), "{plan}");
    }
    assert_eq!(client.value("SELECT count(*) FROM price WHERE n > 2490").await, "20");
    assert_eq!(client.value("SELECT count(*) FROM price WHERE n = 10.0").await, "1");
    assert_eq!(client.value("SELECT count(*) FROM price WHERE v < '1 day'").await, "23");
    // Every second row is read quicker without.
    let half = client.lines("EXPLAIN SELECT name FROM person WHERE age > 48").await.join("\n");
    assert!(half.contains("SegmentScan: table=person") && !half.contains("Index"), "{half}");
    let json = client.value("EXPLAIN (FORMAT JSON) SELECT id FROM person WHERE id > 19990").await.replace(['\n', ' '], "");
    for member in
        [r#""NodeType":"IndexOnlyScan""#, r#""IndexName":"person_pkey""#, r#""RelationName":"person""#, r#""IndexCond":"(id>19990)""#]
    {
        assert!(json.contains(member), "{member} in {json}");
    }
    let analyzed = client.lines("EXPLAIN ANALYZE SELECT id FROM person ORDER BY id LIMIT 3").await.join("\n");
    assert!(analyzed.contains("Index Scan using person_pkey on person: columns=[id] (actual rows=16 "), "{analyzed}");
    // A filter between them does not gather a batch first.
    let analyzed = client.lines("EXPLAIN ANALYZE SELECT id, name FROM person WHERE age >= 50 ORDER BY age LIMIT 3").await.join("\n");
    assert!(analyzed.contains("Index Scan using by_age on person: columns=[id, age, name] (actual rows=16 "), "{analyzed}");
    let one = client.lines("EXPLAIN ANALYZE SELECT min(age) FROM person WHERE age >= 50").await.join("\n");
    assert!(one.contains("by_age on person: columns=[age] (actual rows=16 "), "{one}");
    // It is not in the index's first thousands of rows.
    let late = "SELECT id FROM person WHERE name = 'name 19999' ORDER BY id LIMIT 1";
    assert_eq!(client.lines(late).await, ["19999"]);
    let analyzed = client.lines(&format!("EXPLAIN ANALYZE {late}")).await.join("\n");
    assert!(analyzed.contains("SegmentScan") && !analyzed.contains("Index Scan"), "{analyzed}");
}

#[tokio::test]
async fn a_kept_plan_takes_the_index_or_the_table_as_the_values_are() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    people(&mut client).await;
    let prepared = client.prepare("SELECT count(*) FROM person WHERE age >= $1 AND age < $2", &[]).await.unwrap();
    for (low, high, expected) in [("5", "6", "207"), ("0", "97", "20000"), ("96", "200", "206"), ("50", "40", "0"), ("5", "6", "207")] {
        assert_eq!(client.execute(&prepared, &[Some(low), Some(high)]).await.unwrap().value(), expected, "{low} to {high}");
    }
    assert_eq!(client.execute(&prepared, &[None, Some("5")]).await.unwrap().value(), "0");
    // What a run computes is a bound too, and an error of it is the query's.
    let around = client.prepare("SELECT count(*) FROM person WHERE age >= $1::int AND age < $1::int + 1", &[]).await.unwrap();
    assert_eq!(client.execute(&around, &[Some("5")]).await.unwrap().value(), "207");
    let below = client.prepare("SELECT count(*) FROM person WHERE age < $1::int + 1", &[]).await.unwrap();
    assert_eq!(client.execute(&below, &[Some("-1")]).await.unwrap().value(), "0");
    assert_eq!(client.execute(&below, &[Some("2147483647")]).await.unwrap_err().state().0, "22003");
    let plan = client.lines("EXPLAIN SELECT id FROM person WHERE id BETWEEN 5 AND abs(-5) + 4").await.join("\n");
    assert!(plan.contains("Index Cond: ((id >= 5) AND (id <= 9))"), "{plan}");
    let first = client.prepare("SELECT id FROM person WHERE city = $1 ORDER BY age, id LIMIT $2", &[]).await.unwrap();
    assert_eq!(client.execute(&first, &[Some("city 7"), Some("2")]).await.unwrap().lines().len(), 2);
    assert_eq!(client.execute(&first, &[None, Some("2")]).await.unwrap().lines().len(), 0);
    assert_eq!(client.execute(&first, &[Some("city 7"), Some("2000")]).await.unwrap().lines().len(), 50);
}

#[tokio::test]
async fn an_index_tells_nothing_to_who_may_not_read_the_column() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    people(&mut client).await;
    client.run("CREATE ROLE clerk; GRANT SELECT (id, age) ON person TO clerk; SET ROLE clerk").await;
    assert_eq!(client.lines("SELECT id FROM person WHERE age = 5 AND id < 100").await, ["5"]);
    assert_eq!(client.lines("SELECT id FROM person ORDER BY id LIMIT 1").await, ["1"]);
    for sql in [
        "SELECT name FROM person WHERE age = 5",
        "SELECT id FROM person WHERE city = 'city 7'",
        "SELECT id FROM person WHERE city > 'city 7' AND city < 'city 70'",
        "SELECT id FROM person ORDER BY city LIMIT 1",
        "SELECT max(city) FROM person",
    ] {
        assert_eq!(client.error(sql).await.state().0, "42501", "{sql}");
    }
}

/// A row that comes into a range that another transaction has read by an index.
#[tokio::test]
async fn serializable_transactions_meet_phantoms_in_index_ranges() {
    let fixture = Fixture::new();
    let (mut a, mut b) = (fixture.session(), fixture.session());
    people(&mut a).await;
    let read = |city: u32| format!("SELECT count(*) FROM person WHERE city = 'city {city}' AND age BETWEEN 200 AND 300");
    let first = |city: u32| format!("SELECT age FROM person WHERE city = 'city {city}' AND age > 200 ORDER BY age LIMIT 1");
    let mut id = 30_000;
    for (read_a, read_b, meets) in [(read(1), read(2), true), (first(1), first(2), true), (read(1), read(1), false)] {
        for client in [&mut a, &mut b] {
            client.run("BEGIN ISOLATION LEVEL SERIALIZABLE").await;
        }
        let plan = a.lines(&format!("EXPLAIN {read_a}")).await.join("\n");
        assert!(plan.contains("Index Scan using by_city"), "{plan}");
        a.run(&read_a).await;
        b.run(&read_b).await;
        // Each writes what the other has read, or neither does.
        let (city_a, city_b) = if meets { (2, 1) } else { (3, 4) };
        a.run(&format!("INSERT INTO person VALUES ({id}, 'city {city_a}', 250)")).await;
        b.run(&format!("INSERT INTO person VALUES ({}, 'city {city_b}', 250)", id + 1)).await;
        id += 2;
        a.run("COMMIT").await;
        match meets {
            true => assert_eq!(b.error("COMMIT").await.state().0, "40001", "{read_b}"),
            false => assert_eq!(b.tag("COMMIT").await, "COMMIT", "{read_b}"),
        }
        b.try_run("ROLLBACK").await.ok();
    }
}

#[tokio::test]
async fn rows_that_others_have_locked_are_passed_over_in_an_index_s_order() {
    let fixture = Fixture::new();
    let (mut a, mut b) = (fixture.session(), fixture.session());
    a.run("CREATE TABLE job (id int PRIMARY KEY, state text); CREATE INDEX ON job (state, id)").await;
    a.run("INSERT INTO job SELECT n, 'new' FROM generate_series(1, 1000) AS g(n)").await;
    let next = "SELECT id FROM job WHERE state = 'new' ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED";
    a.run("BEGIN").await;
    b.run("BEGIN").await;
    let (of_a, of_b) = (a.lines(next).await, b.lines(next).await);
    assert_eq!((of_a, of_b), (vec!["1".to_owned(), "2".into()], vec!["3".to_owned(), "4".into()]));
    a.run("UPDATE job SET state = 'done' WHERE id <= 2; COMMIT").await;
    b.run("COMMIT").await;
    assert_eq!(b.lines("SELECT id FROM job WHERE state = 'new' ORDER BY id LIMIT 1").await, ["3"]);
}
