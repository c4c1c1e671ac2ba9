//! Lists as arrays, comparisons of rows and patterns of a run, by an index: the same rows as from a table without any, and the conditions that EXPLAIN shows.

use base::{Rng, SeededRng};

use crate::fixture::{Client, Fixture};

const COLUMNS: &str = "id int, a int, b bigint, s smallint, t text, c char(3), n numeric, v interval, f float8, d date";

/// `i` with indexes and a primary key, `o` without any.
async fn tables(client: &mut Client, rng: &SeededRng, rows: u64) {
    client.run(&format!("CREATE TABLE o ({COLUMNS}); CREATE TABLE i ({COLUMNS}, PRIMARY KEY (id))")).await;
    for columns in ["a, b", "b", "s, a, b", "t, id", "c", "n, a", "v", "f", "d, a", "lower(t), a"] {
        client.run(&format!("CREATE INDEX ON i ({columns})")).await;
    }
    let mut values = Vec::new();
    for id in 0..rows {
        let or_null = |value: String| if rng.next_u64().is_multiple_of(8) { "NULL".to_owned() } else { value };
        let row = [
            or_null(number(rng)),
            or_null(number(rng)),
            or_null(number(rng)),
            or_null(format!("'{}'", text(rng))),
            or_null(format!("'{}'", ["", "a", "ab", "b"][draw(rng, 4) as usize])),
            or_null(format!("{}.{}", draw(rng, 6), ["5", "50", "0"][draw(rng, 3) as usize])),
            or_null(format!("'{} days {} hours'", draw(rng, 3), draw(rng, 3) * 24)),
            or_null(["'NaN'", "0", "'-0'", "1.5", "'-Infinity'"][draw(rng, 5) as usize].to_owned()),
            or_null(format!("'2024-01-0{}'", 1 + draw(rng, 9))),
        ];
        values.push(format!("({id}, {})", row.join(", ")));
    }
    for table in ["i", "o"] {
        client.run(&format!("INSERT INTO {table} VALUES {}", values.join(", "))).await;
        client.run(&format!("DELETE FROM {table} WHERE id % 13 = 5; UPDATE {table} SET a = a + 1 WHERE id % 11 = 2")).await;
    }
}

fn draw(rng: &SeededRng, below: u64) -> u64 {
    rng.next_u64() % below
}

fn number(rng: &SeededRng) -> String {
    (draw(rng, 12) as i64 - 4).to_string()
}

fn text(rng: &SeededRng) -> &'static str {
    ["", "a", "ab", "abc", "a%", "a_c", "A", "b", "é", "\u{10ffff}", "\u{10ffff}x", "a\u{d7ff}"][draw(rng, 12) as usize]
}

/// A condition with parameters from a given one on, and their values.
struct Drawn {
    sql: String,
    values: Vec<Option<String>>,
}

/// The text of an array of drawn elements, some of them NULL.
fn array(rng: &SeededRng, element: &dyn Fn() -> String) -> Option<String> {
    let elements: Vec<String> = (0..draw(rng, 5)).map(|_| if draw(rng, 6) == 0 { "NULL".to_owned() } else { element() }).collect();
    (draw(rng, 12) != 0).then(|| format!("{{{}}}", elements.join(",")))
}

fn one(rng: &SeededRng, from: usize) -> Drawn {
    let given = |at: usize| format!("${}", from + at);
    let or_null = |value: String| (draw(rng, 15) != 0).then_some(value);
    let quoted = || format!("\"{}\"", text(rng));
    let drawn = |sql: String, values: Vec<Option<String>>| Drawn { sql, values };
    let compare = ["<", "<=", ">", ">="][draw(rng, 4) as usize];
    let (p, q, r) = (given(0), given(1), given(2));
    match draw(rng, 22) {
        0 => drawn(format!("a = ANY({p})"), vec![array(rng, &|| number(rng))]),
        1 => drawn(format!("id = ANY({p}::int[])"), vec![array(rng, &|| draw(rng, 300).to_string())]),
        2 => drawn(format!("b = ANY({p}::int[])"), vec![array(rng, &|| number(rng))]),
        3 => drawn(format!("s = ANY({p}::bigint[])"), vec![array(rng, &|| ["1", "2", "99999", "-3"][draw(rng, 4) as usize].to_owned())]),
        4 => drawn(format!("t = ANY({p})"), vec![array(rng, &quoted)]),
        5 => drawn(format!("n = ANY({p})"), vec![array(rng, &|| format!("{}.50", draw(rng, 6)))]),
        6 => drawn(format!("v = ANY({p})"), vec![array(rng, &|| format!("{} days", draw(rng, 5)))]),
        7 => drawn(format!("f = ANY({p})"), vec![array(rng, &|| ["NaN", "0", "1.5", "-0"][draw(rng, 4) as usize].to_owned())]),
        8 => drawn(format!("c = ANY({p})"), vec![array(rng, &|| ["a", "ab", "b"][draw(rng, 3) as usize].to_owned())]),
        9 => drawn(format!("a = ANY(ARRAY[{p}::int, NULL, {q}])"), vec![or_null(number(rng)), or_null(number(rng))]),
        10 => drawn(format!("s = {p} AND a = ANY({q})"), vec![or_null(number(rng)), array(rng, &|| number(rng))]),
        11 => drawn(format!("d = ANY('{{2024-01-03,NULL,2024-01-0{}}}')", 1 + draw(rng, 9)), vec![]),
        12 => drawn(format!("(a, b) {compare} ({p}, {q})"), vec![or_null(number(rng)), or_null(number(rng))]),
        13 => drawn(format!("(s, a, b) {compare} ({p}, {q}, {r})"), vec![or_null(number(rng)), or_null(number(rng)), or_null(number(rng))]),
        14 => drawn(format!("s = {p} AND ROW(a, b) {compare} ROW({q}, {r})"), (0..3).map(|_| or_null(number(rng))).collect()),
        15 => drawn(format!("(n, a) {compare} ({p}, {q})"), vec![or_null(format!("{}.5", draw(rng, 6))), or_null(number(rng))]),
        16 => drawn(format!("(t, id) {compare} ({p}, {q})"), vec![or_null(text(rng).into()), or_null(draw(rng, 300).to_string())]),
        17 => drawn(format!("(a, b) IN (({p}, {q}), ({r}, 3), (1, NULL), (2, 2))"), (0..3).map(|_| or_null(number(rng))).collect()),
        18 => drawn(format!("(a, b) = ({p}, {q})"), vec![or_null(number(rng)), or_null(number(rng))]),
        19 => drawn(format!("(a = {p} AND b > {q}) OR (b = 1 AND a = {r} AND s <> 2)"), (0..3).map(|_| or_null(number(rng))).collect()),
        20 => {
            let pattern = ["a%", "ab_", "%", "", "a\\%%", "\u{10ffff}%", "a\u{d7ff}%", "é", "_b%", "a_c%"][draw(rng, 10) as usize];
            drawn(format!("t LIKE {p}"), vec![or_null(pattern.into())])
        }
        _ => drawn(format!("lower(t) LIKE {p} || '%'"), vec![or_null(text(rng).replace(['%', '_'], "").to_lowercase())]),
    }
}

fn query(rng: &SeededRng) -> Drawn {
    let mut drawn = one(rng, 1);
    if draw(rng, 3) == 0 {
        let other = one(rng, 1 + drawn.values.len());
        drawn.sql = format!("({}) AND ({})", drawn.sql, other.sql);
        drawn.values.extend(other.values);
    }
    let (list, order) = [
        ("*", "id"),
        ("a, b, id", "a, b, id"),
        ("id", "a DESC, b DESC, id LIMIT 7"),
        ("id", "s, a, b, id LIMIT 5"),
        ("t, id", "t, id LIMIT 6"),
        ("count(*), min(b)", "1"),
    ][draw(rng, 6) as usize];
    drawn.sql = format!("SELECT {list} FROM ? WHERE {} ORDER BY {order}", drawn.sql);
    drawn
}

#[tokio::test]
async fn lists_rows_and_patterns_answer_as_without_an_index() {
    let mut by_index = 0;
    for seed in 0..2 {
        let (fixture, rng) = (Fixture::new(), SeededRng::new(seed));
        let mut client = fixture.session();
        tables(&mut client, &rng, 220).await;
        for turn in 0..250 {
            if turn == 125 {
                client.run("BEGIN; INSERT INTO i SELECT id + 1000, a, b, s, t, c, n, v, f, d FROM i WHERE id < 40").await;
                client.run("INSERT INTO o SELECT id + 1000, a, b, s, t, c, n, v, f, d FROM o WHERE id < 40").await;
            }
            let Drawn { sql, values } = query(&rng);
            let given: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
            let mut answers = Vec::new();
            for table in ["i", "o"] {
                let sql = sql.replace('?', table);
                let prepared = match client.prepare(&sql, &[]).await {
                    Ok(prepared) => prepared,
                    Err(error) => panic!("{sql}\n{error}"),
                };
                // Once more with the plan that is kept.
                for _ in 0..2 {
                    answers.push(client.execute(&prepared, &given).await.map(|answer| answer.lines()).map_err(|error| error.to_string()));
                }
            }
            assert!(answers.iter().all(|answer| *answer == answers[2]), "seed {seed}: {sql} with {values:?}: {answers:#?}");
            client.run(&format!("PREPARE p AS {}", sql.replace('?', "i"))).await;
            let literals: Vec<String> =
                values.iter().map(|value| value.as_ref().map_or("NULL".into(), |value| format!("'{value}'"))).collect();
            let arguments = if literals.is_empty() { String::new() } else { format!("({})", literals.join(", ")) };
            let plan = client.lines(&format!("EXPLAIN EXECUTE p{arguments}")).await;
            by_index += usize::from(plan.iter().any(|line| line.contains("Index Scan") || line.contains("Index Only Scan")));
            client.run("DEALLOCATE p").await;
        }
    }
    assert!(by_index > 150, "{by_index} of 500 plans read an index");
}

#[tokio::test]
async fn explain_shows_arrays_rows_and_patterns() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE person (id int PRIMARY KEY, city text, age int NOT NULL, name text)").await;
    client.run("INSERT INTO person SELECT n, 'city ' || n % 400, n % 97, 'name ' || n FROM generate_series(1, 20000) AS g(n)").await;
    client.run("CREATE INDEX by_city ON person (city, age, id)").await;
    for (condition, expected) in [
        ("id = ANY('{3,NULL,5}')", "Index Cond: (id = ANY ({3,NULL,5}))"),
        ("id = ANY(ARRAY[3, 5, 70000])", "Index Cond: (id IN (3, 5, 70000))"),
        ("city = 'city 7' AND age = ANY(ARRAY[10, 13])", "Index Cond: ((city = city 7) AND (age IN (10, 13)))"),
        ("(city, age) > ('city 98', 90)", "Index Cond: (ROW(city, age) >= ROW(city 98, 90))"),
        ("city = 'city 7' AND (age, id) > (90, 17)", "Index Cond: ((city = city 7) AND (ROW(age, id) >= ROW(90, 17)))"),
        ("(city, age) IN (('city 7', 10), ('city 8', 11))", "Index Cond: (ROW(city, age) IN ROW((city 7, city 8), (10, 11)))"),
        ("(city, age) = ('city 7', 10)", "Index Cond: ((city = city 7) AND (age = 10))"),
        ("city LIKE lower('CITY 399') || '%'", "Index Cond: ((city >= city 399) AND (city < city 39:))"),
    ] {
        let plan = client.lines(&format!("EXPLAIN SELECT name FROM person WHERE {condition}")).await.join("\n");
        assert!(plan.contains(expected), "{condition}: {plan}");
    }
    for (sql, arguments, expected) in [
        ("SELECT name FROM person WHERE id = ANY($1)", "'{3,5}'", "Index Cond: (id = ANY ([3, 5]))"),
        ("SELECT name FROM person WHERE city LIKE $1", "'city 399%'", "Index Cond: ((city >= city 399) AND (city < city 39:))"),
        (
            "SELECT name FROM person WHERE (city, age, id) > ($1, $2, $3) ORDER BY city, age, id LIMIT 3",
            "'city 7', 10, 6407",
            "Index Cond: (ROW(city, age, id) >= ROW(city 7, 10, 6407))",
        ),
    ] {
        client.run(&format!("PREPARE p AS {sql}")).await;
        let plan = client.lines(&format!("EXPLAIN EXECUTE p({arguments})")).await.join("\n");
        assert!(plan.contains("Index Scan using") && plan.contains(expected), "{sql}: {plan}");
        client.run("DEALLOCATE p").await;
    }
    // A page begins where the last one ended: what is before it in the index is not read.
    let page = "SELECT id FROM person WHERE (city, age, id) > ('city 7', 48, 10) ORDER BY city, age, id LIMIT 3";
    let analyzed = client.lines(&format!("EXPLAIN ANALYZE {page}")).await.join("\n");
    assert!(analyzed.contains("by_city on person: columns=[id, city, age] (actual rows=16 "), "{analyzed}");
    // Nothing is within no value, whatever the table has.
    for condition in ["id = ANY('{}')", "id = ANY(ARRAY[NULL]::int[])", "id = ANY(NULL::int[])"] {
        let analyzed = client.lines(&format!("EXPLAIN ANALYZE SELECT name FROM person WHERE {condition}")).await.join("\n");
        assert!(!analyzed.contains("actual rows=8192") && !analyzed.contains("actual rows=20000"), "{condition}: {analyzed}");
    }
}

#[tokio::test]
async fn rows_of_a_list_are_changed_by_an_index() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX ON t (a, b)").await;
    client.run("INSERT INTO t SELECT n, n % 50, n % 7 FROM generate_series(1, 1000) AS g(n)").await;
    assert_eq!(client.tag("UPDATE t SET b = b + 1 WHERE id = ANY('{1,2,NULL,2,5000}')").await, "UPDATE 2");
    assert_eq!(client.tag("DELETE FROM t WHERE (a, b) IN ((3, 1), (4, 9), (5, NULL))").await, "DELETE 3");
    client.run("BEGIN").await;
    assert_eq!(client.lines("SELECT id FROM t WHERE id = ANY('{7,9}') ORDER BY id FOR UPDATE").await, ["7", "9"]);
    client.run("COMMIT").await;
    // A role that may not read the column learns nothing from an empty list either.
    client.run("CREATE ROLE clerk; GRANT SELECT (id) ON t TO clerk; SET ROLE clerk").await;
    for condition in ["a = ANY('{1}')", "a = ANY('{}')", "(a, b) > (1, 2)", "(a, b) IN ((1, 2), (3, 4))"] {
        assert_eq!(client.error(&format!("SELECT id FROM t WHERE {condition}")).await.state().0, "42501", "{condition}");
    }
}
