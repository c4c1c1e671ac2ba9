//! The real psql against the server.

use std::process::{Command, Stdio};

use crate::server::{TestServer, start};

/// psql's standard output and standard error for a script; `None` if psql is not installed.
async fn psql(server: &TestServer, script: &str) -> Option<(String, String)> {
    let port = server.address.port().to_string();
    let script = script.to_owned();
    let run = move || {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", &port, "-U", "shockwave", "-d", "shockwave"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
        std::io::Write::write_all(&mut child.stdin.take()?, script.as_bytes()).ok()?;
        child.wait_with_output().ok()
    };
    let Some(output) = tokio::task::spawn_blocking(run).await.unwrap() else {
        eprintln!("skipped: psql is not installed");
        return None;
    };
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[tokio::test]
async fn a_session_of_a_user() {
    let server = start().await;
    let script = "\
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL);
COPY people FROM STDIN WITH (FORMAT csv);
1,Ada
2,\"Grace, Admiral\"
\\.
UPDATE people SET name = 'Ada Lovelace' WHERE id = 1;
SELECT id, name FROM people ORDER BY id;
SELEC 1;
SELECT count(*) FROM people;
";
    let Some((out, err)) = psql(&server, script).await else { return };
    assert_eq!(out, "1|Ada Lovelace\n2|Grace, Admiral\n2\n", "{err}");
    assert!(err.contains("syntax error at or near \"SELEC\"") && err.contains("LINE 1: SELEC 1;") && err.contains('^'), "{err}");
}

#[tokio::test]
async fn prepared_statements_and_errors_in_a_block() {
    let server = start().await;
    let script = "\
CREATE TABLE t (id int PRIMARY KEY);
BEGIN;
INSERT INTO t VALUES (1);
SELECT * FROM missing;
INSERT INTO t VALUES (2);
ROLLBACK;
SELECT count(*) FROM t;
";
    let Some((out, err)) = psql(&server, script).await else { return };
    assert_eq!(out, "0\n");
    assert!(err.contains("relation \"missing\" does not exist") && err.contains("current transaction is aborted"), "{err}");
}

/// What psql prints for a backslash command, formatted as for a person; `None` if psql is not installed.
pub(crate) async fn shown(server: &TestServer, command: &str) -> Option<String> {
    let port = server.address.port().to_string();
    let command = command.to_owned();
    let run = move || {
        let connection = ["-X", "-h", "127.0.0.1", "-p", &port, "-U", "shockwave", "-d", "shockwave", "-P", "pager=off", "-c"];
        Command::new("psql").args(connection).arg(command).env("LC_ALL", "C.UTF-8").output().ok()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap()?;
    Some(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// Runs each command and compares literally.
async fn compare(server: &TestServer, commands: &[(&str, &str)]) {
    for (command, expected) in commands {
        let Some(printed) = shown(server, command).await else {
            eprintln!("skipped: psql is not installed");
            return;
        };
        assert_eq!(printed, *expected, "{command}\n{printed}");
    }
}

/// Tables as the commands describe them.
const TABLES: &str = "\
CREATE TABLE person (id bigint PRIMARY KEY, name text NOT NULL, city varchar(20), born date);
CREATE TABLE item (a int, b text, price numeric(10,2), at timestamptz, ts timestamp, ok boolean, raw bytea, f8 double precision, f4 real,
    i2 smallint, vc varchar, PRIMARY KEY (b, a));
CREATE TABLE nokey (x int);
CREATE SCHEMA app;
CREATE TABLE app.t (k int PRIMARY KEY);";

/// The answers are what PostgreSQL 15 printed for the same tables of a role and a database of the same name.
#[tokio::test]
async fn backslash_commands_describe_tables_as_postgres_does() {
    let server = start().await;
    server.connect().await.batch_execute(TABLES).await.unwrap();
    compare(&server, &AS_POSTGRES).await;
}

/// What differs from Postgres: one schema more, one database, one role, sizes of what is sealed.
#[tokio::test]
async fn backslash_commands_describe_the_server() {
    let server = start().await;
    server.connect().await.batch_execute(TABLES).await.unwrap();
    compare(&server, &OF_OUR_OWN).await;
}

const AS_POSTGRES: [(&str, &str); 18] = [
    (
        r"\dt",
        r#"          List of relations
 Schema |  Name  | Type  |   Owner   
--------+--------+-------+-----------
 public | item   | table | shockwave
 public | nokey  | table | shockwave
 public | person | table | shockwave
(3 rows)

"#,
    ),
    (
        r"\d",
        r#"          List of relations
 Schema |  Name  | Type  |   Owner   
--------+--------+-------+-----------
 public | item   | table | shockwave
 public | nokey  | table | shockwave
 public | person | table | shockwave
(3 rows)

"#,
    ),
    (
        r"\dt app.*",
        r#"         List of relations
 Schema | Name | Type  |   Owner   
--------+------+-------+-----------
 app    | t    | table | shockwave
(1 row)

"#,
    ),
    (
        r"\dt pers*",
        r#"          List of relations
 Schema |  Name  | Type  |   Owner   
--------+--------+-------+-----------
 public | person | table | shockwave
(1 row)

"#,
    ),
    (
        r"\d person",
        r#"                      Table "public.person"
 Column |         Type          | Collation | Nullable | Default 
--------+-----------------------+-----------+----------+---------
 id     | bigint                |           | not null | 
 name   | text                  |           | not null | 
 city   | character varying(20) |           |          | 
 born   | date                  |           |          | 
Indexes:
    "person_pkey" PRIMARY KEY, btree (id)

"#,
    ),
    (
        r"\d+ person",
        r#"                                                 Table "public.person"
 Column |         Type          | Collation | Nullable | Default | Storage  | Compression | Stats target | Description 
--------+-----------------------+-----------+----------+---------+----------+-------------+--------------+-------------
 id     | bigint                |           | not null |         | plain    |             |              | 
 name   | text                  |           | not null |         | extended |             |              | 
 city   | character varying(20) |           |          |         | extended |             |              | 
 born   | date                  |           |          |         | plain    |             |              | 
Indexes:
    "person_pkey" PRIMARY KEY, btree (id)
Access method: heap

"#,
    ),
    (
        r"\d item",
        r#"                          Table "public.item"
 Column |            Type             | Collation | Nullable | Default 
--------+-----------------------------+-----------+----------+---------
 a      | integer                     |           | not null | 
 b      | text                        |           | not null | 
 price  | numeric(10,2)               |           |          | 
 at     | timestamp with time zone    |           |          | 
 ts     | timestamp without time zone |           |          | 
 ok     | boolean                     |           |          | 
 raw    | bytea                       |           |          | 
 f8     | double precision            |           |          | 
 f4     | real                        |           |          | 
 i2     | smallint                    |           |          | 
 vc     | character varying           |           |          | 
Indexes:
    "item_pkey" PRIMARY KEY, btree (b, a)

"#,
    ),
    (
        r"\d nokey",
        r#"               Table "public.nokey"
 Column |  Type   | Collation | Nullable | Default 
--------+---------+-----------+----------+---------
 x      | integer |           |          | 

"#,
    ),
    (
        r"\d+ app.t",
        r#"                                             Table "app.t"
 Column |  Type   | Collation | Nullable | Default | Storage | Compression | Stats target | Description 
--------+---------+-----------+----------+---------+---------+-------------+--------------+-------------
 k      | integer |           | not null |         | plain   |             |              | 
Indexes:
    "t_pkey" PRIMARY KEY, btree (k)
Access method: heap

"#,
    ),
    (
        r"\d person_pkey",
        r#"     Index "public.person_pkey"
 Column |  Type  | Key? | Definition 
--------+--------+------+------------
 id     | bigint | yes  | id
primary key, btree, for table "public.person"

"#,
    ),
    (
        r"\di",
        r#"                 List of relations
 Schema |    Name     | Type  |   Owner   | Table  
--------+-------------+-------+-----------+--------
 public | item_pkey   | index | shockwave | item
 public | person_pkey | index | shockwave | person
(2 rows)

"#,
    ),
    (
        r"\dv",
        r#"Did not find any relations.
"#,
    ),
    (
        r"\ds",
        r#"Did not find any relations.
"#,
    ),
    (
        r"\df",
        r#"                       List of functions
 Schema | Name | Result data type | Argument data types | Type 
--------+------+------------------+---------------------+------
(0 rows)

"#,
    ),
    (
        r"\d nosuch",
        r#"Did not find any relation named "nosuch".
"#,
    ),
    (
        r"\dp",
        r#"                             Access privileges
 Schema |  Name  | Type  | Access privileges | Column privileges | Policies 
--------+--------+-------+-------------------+-------------------+----------
 public | item   | table |                   |                   | 
 public | nokey  | table |                   |                   | 
 public | person | table |                   |                   | 
(3 rows)

"#,
    ),
    (
        r"\dT",
        r#"     List of data types
 Schema | Name | Description 
--------+------+-------------
(0 rows)

"#,
    ),
    (
        r"\dD",
        r#"                        List of domains
 Schema | Name | Type | Collation | Nullable | Default | Check 
--------+------+------+-----------+----------+---------+-------
(0 rows)

"#,
    ),
];

const OF_OUR_OWN: [(&str, &str); 5] = [
    (
        r"\dn",
        r#"  List of schemas
  Name  |   Owner   
--------+-----------
 app    | shockwave
 ledger | shockwave
 public | shockwave
(3 rows)

"#,
    ),
    (
        r"\l",
        r#"                                            List of databases
   Name    |   Owner   | Encoding | Collate |  Ctype  | ICU Locale | Locale Provider | Access privileges 
-----------+-----------+----------+---------+---------+------------+-----------------+-------------------
 shockwave | shockwave | UTF8     | C       | C.UTF-8 |            | libc            | 
(1 row)

"#,
    ),
    (
        r"\du",
        r#"                            List of roles
      Role name      |            Attributes             | Member of 
---------------------+-----------------------------------+-----------
 shockwave           | Superuser, Create role, Create DB | {}
 shockwave_auditor   | Cannot login                      | {}
 shockwave_custodian | Cannot login                      | {}
 shockwave_reader    | Cannot login                      | {}
 shockwave_writer    | Cannot login                      | {}

"#,
    ),
    (
        r"\dt+",
        r#"                                     List of relations
 Schema |  Name  | Type  |   Owner   | Persistence | Access method |  Size   | Description 
--------+--------+-------+-----------+-------------+---------------+---------+-------------
 public | item   | table | shockwave | permanent   | heap          | 0 bytes | 
 public | nokey  | table | shockwave | permanent   | heap          | 0 bytes | 
 public | person | table | shockwave | permanent   | heap          | 0 bytes | 
(3 rows)

"#,
    ),
    (
        r"\db",
        r#"        List of tablespaces
    Name    |   Owner   | Location 
------------+-----------+----------
 pg_default | shockwave | 
(1 row)

"#,
    ),
];

/// What psql 19 sends for `\\dG+`, which the psql of these tests does not know.
const LIST_GRAPHS: &str = r#"SELECT n.nspname as "Schema", c.relname as "Name",
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence'
    WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' WHEN 'g' THEN 'property graph' END as "Type",
  pg_catalog.pg_get_userbyid(c.relowner) as "Owner",
  CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 't' THEN 'temporary' WHEN 'u' THEN 'unlogged' END as "Persistence",
  pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) as "Size", pg_catalog.obj_description(c.oid, 'pg_class') as "Description"
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('g','')
      AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema'
  AND pg_catalog.pg_table_is_visible(c.oid)
ORDER BY 1,2;
"#;

#[tokio::test]
async fn a_graph_is_listed_as_psql_19_asks_for_it() {
    let server = start().await;
    let script = format!(
        "CREATE TABLE person (id int PRIMARY KEY); CREATE PROPERTY GRAPH social VERTEX TABLES (person);
CREATE SCHEMA hidden; CREATE PROPERTY GRAPH hidden.other VERTEX TABLES (person); COMMENT ON PROPERTY GRAPH social IS 'who knows whom';
{LIST_GRAPHS}"
    );
    let Some((out, err)) = psql(&server, &script).await else { return };
    assert_eq!(out, "public|social|property graph|shockwave|permanent|0 bytes|who knows whom\n", "{err}");
}

#[tokio::test]
async fn a_graph_over_ordinary_tables() {
    let server = start().await;
    let script = "\
CREATE TABLE person (id int PRIMARY KEY, name text);
CREATE TABLE knows (a int REFERENCES person, b int REFERENCES person, since int, PRIMARY KEY (a, b));
INSERT INTO person VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Cyd');
INSERT INTO knows VALUES (1, 2, 2001), (2, 3, 2002);
CREATE PROPERTY GRAPH social VERTEX TABLES (person)
    EDGE TABLES (knows SOURCE KEY (a) REFERENCES person (id) DESTINATION KEY (b) REFERENCES person (id));
SELECT * FROM GRAPH_TABLE (social MATCH p = (a IS person)-[IS knows]->{1,2}(b) WHERE a.name = 'Ada'
    COLUMNS (b.name, path_length(p) AS steps)) ORDER BY steps;
PREPARE of (text) AS SELECT name FROM GRAPH_TABLE (social MATCH (a WHERE a.name = $1)-(b) COLUMNS (b.name)) ORDER BY 1;
EXECUTE of('Bob');
COPY (SELECT * FROM GRAPH_TABLE (social MATCH (a)-[k]->(b) COLUMNS (a.name, b.name AS other, k.since)) ORDER BY since) TO STDOUT WITH (FORMAT csv);
\\d social
\\dt
SELECT pg_get_propgraphdef('social'::regclass);
SELECT * FROM GRAPH_TABLE (social MATCH (a IS robot) COLUMNS (a.name));
SELECT * FROM GRAPH_TABLE (social MATCH p = ANY SHORTEST (a WHERE a.id = 1)->*(b) COLUMNS (b.name, path_length(p) AS n)) ORDER BY n;
SELECT * FROM GRAPH_TABLE (social MATCH SHORTEST 2 GROUPS (a)->*(b) COLUMNS (a.name)) ORDER BY 1;
DROP TABLE person;
DROP PROPERTY GRAPH social;
";
    let Some((out, err)) = psql(&server, script).await else { return };
    let expected = "Bob|1\nCyd|2\nAda\nCyd\nAda,Bob,2001\nBob,Cyd,2002\npublic|knows|table|shockwave\npublic|person|table|shockwave\n\
CREATE PROPERTY GRAPH public.social
    VERTEX TABLES (
        person KEY (id) PROPERTIES (id, name)
    )
    EDGE TABLES (
        knows KEY (a, b) SOURCE KEY (a) REFERENCES person (id) DESTINATION KEY (b) REFERENCES person (id) PROPERTIES (a, b, since)
    )
Ada|0
Bob|1
Cyd|2
Ada
Ada
Ada
Bob
Bob
Cyd
";
    assert_eq!(out, expected, "{err}");
    for part in [
        "label \"robot\" does not exist in property graph \"social\"",
        "HINT:  Vertices of the graph have: person.",
        "vertex person of property graph social depends on table person",
    ] {
        assert!(err.contains(part), "{part}\n{err}");
    }
    assert_eq!(err.matches("ERROR:").count(), 2, "{err}");
}
