//! Foreign keys: messages and actions are PostgreSQL 15's; no order of commits leaves a reference to nothing.

use crate::fixture::{Client, Fixture};

async fn fails(client: &mut Client, sql: &str) -> String {
    let error = client.error(sql).await;
    let fields: Vec<String> = error.fields().map(|(letter, text)| format!("{}={text}", letter as char)).collect();
    format!("{} {} | {}", error.state().0, error.message(), fields.join(" | "))
}

#[tokio::test]
async fn both_sides_are_checked() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE)").await;
    client.run("CREATE TABLE c (id int PRIMARY KEY, pid int REFERENCES p, code text REFERENCES p (code))").await;
    client.run("INSERT INTO p VALUES (1, 'a'), (2, 'b')").await;
    client.run("INSERT INTO c VALUES (1, 1, 'a'), (2, NULL, NULL)").await;
    assert_eq!(
        fails(&mut client, "INSERT INTO c VALUES (3, 9, NULL)").await,
        "23503 insert or update on table \"c\" violates foreign key constraint \"c_pid_fkey\" | D=Key (pid)=(9) is not present in table \"p\". | \
         s=public | t=c | n=c_pid_fkey"
    );
    assert!(fails(&mut client, "UPDATE c SET code = 'z' WHERE id = 1").await.contains("c_code_fkey"));
    assert_eq!(
        fails(&mut client, "DELETE FROM p WHERE id = 1").await,
        "23503 update or delete on table \"p\" violates foreign key constraint \"c_pid_fkey\" on table \"c\" | \
         D=Key (id)=(1) is still referenced from table \"c\". | s=public | t=c | n=c_pid_fkey"
    );
    assert!(fails(&mut client, "UPDATE p SET id = 7 WHERE id = 1").await.starts_with("23503"));
    client.run("UPDATE p SET id = 8 WHERE id = 2").await;
    client.run("UPDATE p SET code = 'bb' WHERE id = 8").await;
    client.run("DELETE FROM p WHERE id = 8").await;
    client.run("BEGIN; DELETE FROM c WHERE id = 1; DELETE FROM p WHERE id = 1; COMMIT").await;
    assert!(client.lines("SELECT * FROM p").await.is_empty());
    assert_eq!(client.copy("COPY c FROM STDIN", "7\t9\t\\N\n").await.unwrap_err().state().0, "23503");
    assert_eq!(client.error("CREATE TABLE d (x int REFERENCES nothing)").await.state().0, "42P01");
    assert_eq!(client.error("CREATE TABLE d (x int REFERENCES c (pid))").await.state().0, "42830");
    assert_eq!(client.error("CREATE TABLE d (x text REFERENCES p)").await.state().0, "42804");
    assert_eq!(
        fails(&mut client, "DROP TABLE p").await,
        "2BP01 cannot drop table p because other objects depend on it | \
         D=constraint c_pid_fkey on table c depends on table p\nconstraint c_code_fkey on table c depends on table p | \
         H=Use DROP ... CASCADE to drop the dependent objects too."
    );
    client.run("DROP TABLE p CASCADE").await;
    client.run("INSERT INTO c VALUES (3, 9, 'free')").await;
}

#[tokio::test]
async fn rows_may_reference_their_own_statement() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t)").await;
    client.run("INSERT INTO t VALUES (1, 2), (2, NULL), (3, 3)").await;
    assert!(fails(&mut client, "DELETE FROM t WHERE id = 2").await.starts_with("23503"));
    client.run("DELETE FROM t").await;
    assert!(client.lines("SELECT * FROM t").await.is_empty());
}

#[tokio::test]
async fn actions_follow() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE p (id int PRIMARY KEY)").await;
    client.run("CREATE TABLE c (id int PRIMARY KEY, pid int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE)").await;
    client.run("CREATE TABLE g (id int PRIMARY KEY, cid int REFERENCES c ON DELETE SET NULL)").await;
    client.run("CREATE TABLE d (id int PRIMARY KEY, pid int DEFAULT 3 REFERENCES p ON DELETE SET DEFAULT)").await;
    client.run("INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (10, 1), (11, 1), (12, 2)").await;
    client.run("INSERT INTO g VALUES (100, 10), (101, 12); INSERT INTO d VALUES (1, 1)").await;
    client.run("UPDATE p SET id = 5 WHERE id = 2").await;
    assert_eq!(client.lines("SELECT id, pid FROM c ORDER BY id").await, ["10|1", "11|1", "12|5"]);
    client.run("DELETE FROM p WHERE id = 1").await;
    assert_eq!(client.lines("SELECT id, pid FROM c ORDER BY id").await, ["12|5"]);
    assert_eq!(client.lines("SELECT id, cid FROM g ORDER BY id").await, ["100|∅", "101|12"]);
    assert_eq!(client.lines("SELECT id, pid FROM d").await, ["1|3"]);
}

#[tokio::test]
async fn no_order_of_commits_leaves_a_reference_to_nothing() {
    let fixture = Fixture::new();
    let (mut a, mut b) = (fixture.session(), fixture.session());
    a.run("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, pid int REFERENCES p)").await;
    a.run("INSERT INTO p VALUES (1), (2), (3)").await;
    b.run("SET lock_timeout = '50ms'").await;
    // The parent's end waits for the child's, and then meets it.
    a.run("BEGIN; INSERT INTO c VALUES (1, 1)").await;
    assert_eq!(b.error("DELETE FROM p WHERE id = 1").await.state().0, "55P03");
    a.run("COMMIT").await;
    assert_eq!(b.error("DELETE FROM p WHERE id = 1").await.state().0, "23503");
    // The child waits for the parent's end.
    a.run("BEGIN; DELETE FROM p WHERE id = 2").await;
    assert_eq!(b.error("INSERT INTO c VALUES (2, 2)").await.state().0, "55P03");
    a.run("COMMIT").await;
    assert_eq!(b.error("INSERT INTO c VALUES (2, 2)").await.state().0, "23503");
    // The foreign key is made while the parent goes.
    a.run("CREATE TABLE d (pid int); INSERT INTO d VALUES (3)").await;
    a.run("BEGIN; DELETE FROM p WHERE id = 3").await;
    b.run("ALTER TABLE d ADD FOREIGN KEY (pid) REFERENCES p").await;
    assert!(["23503", "40001"].contains(&a.error("COMMIT").await.state().0));
    assert_eq!(a.lines("SELECT pid FROM c EXCEPT SELECT id FROM p").await, Vec::<String>::new());
    assert_eq!(a.lines("SELECT pid FROM d EXCEPT SELECT id FROM p").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_transaction_may_drop_what_references_and_then_what_is_referenced() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (pid int REFERENCES p); CREATE TABLE d (pid int REFERENCES p)").await;
    client.run("INSERT INTO p VALUES (1); INSERT INTO c VALUES (1); INSERT INTO d VALUES (1)").await;
    let error = client.error("TRUNCATE p").await;
    assert_eq!((error.state().0, error.message()), ("0A000", "cannot truncate a table referenced in a foreign key constraint"));
    client.run("BEGIN; DROP TABLE c; ALTER TABLE d DROP CONSTRAINT d_pid_fkey; DELETE FROM p; COMMIT").await;
    assert!(client.lines("SELECT * FROM p").await.is_empty());
    assert_eq!(client.lines("SELECT * FROM d").await, ["1"]);
}
