//! DEFAULT, CHECK, UNIQUE, NOT NULL and identity: messages, codes, details and fields are PostgreSQL 15's.

use crate::fixture::{Client, Fixture};

async fn fails(client: &mut Client, sql: &str) -> String {
    let error = client.error(sql).await;
    let fields: Vec<String> = error.fields().map(|(letter, text)| format!("{}={text}", letter as char)).collect();
    format!("{} {} | {}", error.state().0, error.message(), fields.join(" | "))
}

#[tokio::test]
async fn defaults_fill_what_is_not_given() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client
        .run("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 7, b text DEFAULT 'x' || 'y', c boolean DEFAULT true, d numeric(6,2) DEFAULT 1.5, e timestamptz DEFAULT now(), f date DEFAULT '2020-02-03', g text)")
        .await;
    client.run("INSERT INTO t (id) VALUES (1)").await;
    client.run("INSERT INTO t (id, a, b) VALUES (2, DEFAULT, 'given'), (3, 5, DEFAULT)").await;
    client.run("INSERT INTO t VALUES (4)").await;
    client.run("INSERT INTO t (id, g) SELECT 5, 'from a query'").await;
    assert_eq!(
        client.lines("SELECT id, a, b, c, d, f, g FROM t ORDER BY id").await,
        [
            "1|7|xy|t|1.50|2020-02-03|∅",
            "2|7|given|t|1.50|2020-02-03|∅",
            "3|5|xy|t|1.50|2020-02-03|∅",
            "4|7|xy|t|1.50|2020-02-03|∅",
            "5|7|xy|t|1.50|2020-02-03|from a query",
        ]
    );
    assert_eq!(client.value("SELECT count(*) FROM t WHERE e IS NULL").await, "0");
    client.run("UPDATE t SET a = DEFAULT, g = DEFAULT WHERE id = 3").await;
    assert_eq!(client.lines("SELECT a, g FROM t WHERE id = 3").await, ["7|∅"]);
    assert_eq!(client.copy("COPY t (id, g) FROM STDIN", "6\tcopied\n").await.unwrap().to_string(), "COPY 1");
    assert_eq!(client.lines("SELECT a, b, g FROM t WHERE id = 6").await, ["7|xy|copied"]);
    client.run("CREATE TABLE u (a int DEFAULT 1, b text)").await;
    assert_eq!(client.tag("INSERT INTO u DEFAULT VALUES").await, "INSERT 0 1");
    assert_eq!(client.lines("INSERT INTO u (b) VALUES ('z') RETURNING a, b").await, ["1|z"]);
    client.run("BEGIN").await;
    let same = client.value("INSERT INTO t (id) VALUES (7) RETURNING e = now()").await.to_owned();
    assert_eq!(same, "t", "now() of a default is the transaction's");
    client.run("ROLLBACK").await;
}

#[tokio::test]
async fn a_default_must_fit_its_column() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    assert_eq!(client.error("CREATE TABLE t (a int DEFAULT 'x')").await.state().0, "22P02");
    assert_eq!(
        fails(&mut client, "CREATE TABLE t (a int DEFAULT true)").await,
        "42804 column \"a\" is of type integer but default expression is of type boolean | H=You will need to rewrite or cast the expression."
    );
    assert_eq!(
        fails(&mut client, "CREATE TABLE t (a int, b int DEFAULT a)").await,
        "0A000 cannot use column reference in DEFAULT expression | "
    );
    assert_eq!(client.error("CREATE TABLE t (a int DEFAULT nothing())").await.state().0, "42883");
}

#[tokio::test]
async fn checks_are_named_and_kept() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client
        .run("CREATE TABLE t (id int PRIMARY KEY, x int CHECK (x > 0), y int, CHECK (x < y), CONSTRAINT named CHECK (y <> 5), CHECK (y < 100))")
        .await;
    client.run("INSERT INTO t VALUES (1, 1, 2), (2, NULL, NULL)").await;
    assert_eq!(
        fails(&mut client, "INSERT INTO t VALUES (3, 0, 2)").await,
        "23514 new row for relation \"t\" violates check constraint \"t_x_check\" | D=Failing row contains (3, 0, 2). | s=public | t=t | n=t_x_check"
    );
    assert_eq!(
        fails(&mut client, "INSERT INTO t VALUES (4, 3, 2)").await,
        "23514 new row for relation \"t\" violates check constraint \"t_check\" | D=Failing row contains (4, 3, 2). | s=public | t=t | n=t_check"
    );
    assert!(fails(&mut client, "UPDATE t SET y = 5 WHERE id = 1").await.contains("\"named\""));
    assert!(fails(&mut client, "UPDATE t SET y = y + 100").await.contains("\"t_y_check\""));
    assert!(fails(&mut client, "INSERT INTO t VALUES (1, 1, 2) ON CONFLICT (id) DO UPDATE SET x = -1").await.contains("t_x_check"));
    assert_eq!(client.copy("COPY t FROM STDIN", "9\t-1\t3\n").await.unwrap_err().state().0, "23514");
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|1|2", "2|∅|∅"], "nothing of a refused statement stays");
    assert_eq!(client.error("CREATE TABLE u (a int CHECK (b > 0))").await.state().0, "42703");
    assert_eq!(
        client.error("CREATE TABLE u (a int CHECK (a + 1))").await.message(),
        "argument of CHECK must be type boolean, not type integer"
    );
    assert_eq!(client.error("CREATE TABLE u (a int, CONSTRAINT c CHECK (a > 0), CONSTRAINT c CHECK (a > 1))").await.state().0, "42710");
}

#[tokio::test]
async fn unique_keys_are_kept_by_every_way_to_write() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, a int, b int, UNIQUE (a, b), CONSTRAINT ab2 UNIQUE (b, code))").await;
    client.run("INSERT INTO t VALUES (1, 'one', 1, 1), (2, NULL, 1, NULL), (3, NULL, 1, NULL)").await;
    assert_eq!(
        fails(&mut client, "INSERT INTO t VALUES (4, 'one', 2, 2)").await,
        "23505 duplicate key value violates unique constraint \"t_code_key\" | D=Key (code)=(one) already exists. | s=public | t=t | n=t_code_key"
    );
    assert_eq!(
        fails(&mut client, "INSERT INTO t VALUES (4, 'four', 1, 1)").await,
        "23505 duplicate key value violates unique constraint \"t_a_b_key\" | D=Key (a, b)=(1, 1) already exists. | s=public | t=t | n=t_a_b_key"
    );
    assert!(fails(&mut client, "UPDATE t SET code = 'one' WHERE id = 2").await.starts_with("23505"));
    assert!(fails(&mut client, "INSERT INTO t (id, code) VALUES (5, 'x'), (6, 'x')").await.contains("t_code_key"));
    assert_eq!(client.copy("COPY t (id, code) FROM STDIN", "7\tone\n").await.unwrap_err().state().0, "23505");
    // A value that was given up is free again, in the same statement and in later ones.
    client.run("UPDATE t SET code = 'uno' WHERE id = 1").await;
    client.run("INSERT INTO t (id, code) VALUES (8, 'one')").await;
    client.run("BEGIN; DELETE FROM t WHERE id = 8; INSERT INTO t (id, code) VALUES (9, 'one'); COMMIT").await;
    assert_eq!(client.lines("SELECT id FROM t WHERE code = 'one'").await, ["9"]);
    client.run("INSERT INTO t (id, code) VALUES (10, 'one') ON CONFLICT DO NOTHING").await;
    client.run("INSERT INTO t (id, code, a) VALUES (10, 'one', 77) ON CONFLICT (code) DO UPDATE SET a = excluded.a").await;
    client.run("INSERT INTO t (id, a, b) VALUES (11, 1, 1) ON CONFLICT ON CONSTRAINT t_a_b_key DO UPDATE SET code = 'met'").await;
    assert_eq!(client.lines("SELECT id, code, a FROM t WHERE a = 77 OR code = 'met' ORDER BY id").await, ["1|met|1", "9|one|77"]);
    assert_eq!(client.error("INSERT INTO t (id) VALUES (12) ON CONFLICT (a) DO NOTHING").await.state().0, "42P10");
    assert_eq!(client.error("INSERT INTO t (id) VALUES (12) ON CONFLICT ON CONSTRAINT nope DO NOTHING").await.state().0, "42704");
}

#[tokio::test]
async fn unique_keys_hold_between_transactions() {
    let fixture = Fixture::new();
    let (mut a, mut b) = (fixture.session(), fixture.session());
    a.run("CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE)").await;
    a.run("BEGIN; INSERT INTO t VALUES (1, 'x')").await;
    let (late, _) = tokio::join!(b.error("INSERT INTO t VALUES (2, 'x')"), a.run("COMMIT"));
    assert_eq!(late.state().0, "23505", "who came later waited for who came first");
    a.run("BEGIN; INSERT INTO t VALUES (3, 'y')").await;
    let (_, _) = tokio::join!(b.run("INSERT INTO t VALUES (4, 'y')"), a.run("ROLLBACK"));
    assert_eq!(b.lines("SELECT * FROM t ORDER BY id").await, ["1|x", "4|y"]);
}

#[tokio::test]
async fn identity_columns_give_their_own_values() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x text)").await;
    client.run("INSERT INTO t (x) VALUES ('a'), ('b')").await;
    client.run("INSERT INTO t VALUES (DEFAULT, 'c')").await;
    assert_eq!(
        fails(&mut client, "INSERT INTO t VALUES (10, 'd')").await,
        "428C9 cannot insert a non-DEFAULT value into column \"id\" | D=Column \"id\" is an identity column defined as GENERATED ALWAYS. | \
         H=Use OVERRIDING SYSTEM VALUE to override."
    );
    client.run("INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (10, 'd')").await;
    assert_eq!(
        fails(&mut client, "UPDATE t SET id = 5 WHERE x = 'a'").await,
        "428C9 column \"id\" can only be updated to DEFAULT | D=Column \"id\" is an identity column defined as GENERATED ALWAYS."
    );
    client.run("INSERT INTO t OVERRIDING USER VALUE VALUES (77, 'e')").await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|a", "2|b", "3|c", "4|e", "10|d"]);
    client.run("CREATE TABLE u (id int GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 10), x text)").await;
    client.run("INSERT INTO u (x) VALUES ('a'), ('b'); INSERT INTO u VALUES (5, 'c')").await;
    assert_eq!(client.lines("SELECT id FROM u ORDER BY id").await, ["5", "100", "110"]);
    assert_eq!(client.error("CREATE TABLE w (id text GENERATED ALWAYS AS IDENTITY)").await.state().0, "22023");
    client.run("DROP TABLE t").await;
    assert_eq!(client.error("SELECT nextval('t_id_seq')").await.state().0, "42P01", "a sequence goes with the table that owns it");
}
