//! `pg_catalog` and `information_schema`: what tools and drivers ask, and what nobody may do to them.

use crate::fixture::{Client, Fixture};

async fn client(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    for sql in [
        "CREATE TABLE person (id bigint PRIMARY KEY, name text NOT NULL, city varchar(20))",
        "CREATE TABLE item (a int, b text, price numeric(10,2), PRIMARY KEY (b, a))",
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (k int PRIMARY KEY)",
    ] {
        client.run(sql).await;
    }
    client
}

#[tokio::test]
async fn reflection_finds_tables_columns_and_keys() {
    let fixture = Fixture::new();
    let mut client = client(&fixture).await;
    for (sql, expected) in [
        (
            "SELECT relname FROM pg_catalog.pg_class c WHERE relkind = ANY (ARRAY['r', 'p', 'v']) AND pg_catalog.pg_table_is_visible(c.oid) \
             AND relnamespace = 'public'::regnamespace ORDER BY 1",
            vec!["item", "person"],
        ),
        (
            "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = 'person'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            vec!["id|bigint|t", "name|text|t", "city|character varying(20)|f"],
        ),
        (
            "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) \
             WHERE i.indrelid = 'item'::regclass AND i.indisprimary ORDER BY 1",
            vec!["a", "b"],
        ),
        ("SELECT conname, contype, conkey FROM pg_constraint WHERE conrelid = 'item'::regclass", vec!["item_pkey|p|{2,1}"]),
        (
            "SELECT a.attname, k.ord FROM (SELECT conrelid, unnest(conkey) AS attnum, generate_subscripts(conkey, 1) AS ord FROM pg_constraint \
             WHERE conrelid = 'item'::regclass) AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.attnum ORDER BY k.ord",
            vec!["b|1", "a|2"],
        ),
        (
            "SELECT unnest(indkey) AS attnum, generate_subscripts(indkey, 1) AS ord FROM pg_index WHERE indrelid = 'item'::regclass ORDER BY ord",
            vec!["2|0", "1|1"],
        ),
        ("SELECT conkey[1], 2 = ANY(conkey) FROM pg_constraint WHERE conrelid = 'item'::regclass", vec!["2|t"]),
        (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1 LIMIT 1",
            vec!["item_pkey|CREATE UNIQUE INDEX item_pkey ON public.item USING btree (b, a)"],
        ),
        ("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1", vec!["app", "information_schema", "ledger", "public"]),
        ("SELECT typname, typarray FROM pg_type WHERE typname IN ('int4', 'hstore')", vec!["int4|1007"]),
    ] {
        assert_eq!(client.lines(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn information_schema_says_what_postgres_says() {
    let fixture = Fixture::new();
    let mut client = client(&fixture).await;
    for (sql, expected) in [
        (
            "SELECT table_schema, table_name, table_type FROM information_schema.tables \
             WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'ledger') ORDER BY 1, 2",
            vec!["app|t|BASE TABLE", "public|item|BASE TABLE", "public|person|BASE TABLE"],
        ),
        (
            "SELECT column_name, ordinal_position, is_nullable, data_type, udt_name, numeric_precision, character_maximum_length \
             FROM information_schema.columns WHERE table_name IN ('item', 'person') ORDER BY table_name, ordinal_position",
            vec![
                "a|1|NO|integer|int4|32|∅",
                "b|2|NO|text|text|∅|∅",
                "price|3|YES|numeric|numeric|10|∅",
                "id|1|NO|bigint|int8|64|∅",
                "name|2|NO|text|text|∅|∅",
                "city|3|YES|character varying|varchar|∅|20",
            ],
        ),
        (
            "SELECT k.column_name FROM information_schema.table_constraints c JOIN information_schema.key_column_usage k \
             ON c.constraint_name = k.constraint_name AND c.table_schema = k.table_schema \
             WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_name = 'item' ORDER BY k.ordinal_position",
            vec!["b", "a"],
        ),
        ("SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'app'", vec!["app"]),
        ("SELECT EXISTS (SELECT FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'person')", vec!["t"]),
    ] {
        assert_eq!(client.lines(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn names_become_oids_and_oids_names() {
    let fixture = Fixture::new();
    let mut client = client(&fixture).await;
    for (sql, expected) in [
        ("SELECT 'public.person'::regclass", "person"),
        ("SELECT 'app.t'::regclass", "app.t"),
        ("SELECT c.oid::pg_catalog.regclass::pg_catalog.text FROM pg_class c WHERE relname = 't_pkey'", "app.t_pkey"),
        ("SELECT 'person'::regclass::oid = (SELECT oid FROM pg_class WHERE relname = 'person')", "t"),
        ("SELECT relname FROM pg_class WHERE oid = 'pg_class'::regclass", "pg_class"),
        ("SELECT 'timestamp with time zone'::regtype::oid", "1184"),
        ("SELECT 23::regtype", "integer"),
        ("SELECT to_regclass('nosuch')", "∅"),
        ("SELECT quote_ident('Mixed') || quote_ident('select') || quote_ident('plain')", "\"Mixed\"\"select\"plain"),
        ("SELECT format_type(1700, 655366)", "numeric(10,2)"),
        ("SELECT 'abc' OPERATOR(pg_catalog.~) '^(abc)$' COLLATE pg_catalog.default AND 'abc' !~* 'X'", "t"),
        ("SELECT count(*) FROM pg_class c WHERE c.oid = '1259'", "1"),
        ("SELECT (SELECT n.nspname FROM pg_namespace n WHERE n.oid = c.relnamespace) FROM pg_class c WHERE relname = 't'", "app"),
        ("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg/_' || '%' ESCAPE '/'", "1"),
        ("SELECT ARRAY(SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid) FROM pg_class c WHERE c.relname = 't'", "{k}"),
        (
            "SELECT ARRAY(SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 9) FROM pg_class c WHERE c.relname = 't'",
            "{}",
        ),
        ("SELECT ARRAY(SELECT x FROM (VALUES ('a b'), ('null'), ('')) AS v (x))", "{\"a b\",\"null\",\"\"}"),
        ("SELECT current_schemas(true)", "{pg_catalog,public}"),
        ("SELECT count(*) FROM pg_namespace WHERE nspname = ANY (current_schemas(false))", "1"),
        ("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'person'", "shockwave"),
    ] {
        assert_eq!(client.value(sql).await, expected, "{sql}");
    }
    assert_eq!(client.error("SELECT 'nosuch'::regclass").await.state().0, "42P01");
    let oid = "SELECT indexrelid FROM pg_index WHERE indrelid = 'person'::regclass";
    let before = client.value(oid).await;
    client.run("DROP TABLE item").await;
    client.run("CREATE TABLE another (x int PRIMARY KEY)").await;
    assert_eq!(client.value(oid).await, before, "an index keeps its oid whatever comes and goes around it");
}

#[tokio::test]
async fn a_transaction_sees_its_own_tables() {
    let fixture = Fixture::new();
    let (mut client, mut other) = (fixture.session(), fixture.session());
    client.run("BEGIN").await;
    client.run("CREATE TABLE mine (id int PRIMARY KEY)").await;
    let sql = "SELECT relname, pg_table_is_visible(oid) FROM pg_class WHERE relname LIKE 'mine%' ORDER BY 1";
    assert_eq!(client.lines(sql).await, ["mine|t", "mine_pkey|t"]);
    assert!(other.lines(sql).await.is_empty());
    client.run("SET search_path TO app").await;
    assert_eq!(client.lines(sql).await, ["mine|f", "mine_pkey|f"]);
}

/// Over tables that can have no row even what this version cannot compute has an answer.
#[tokio::test]
async fn tables_that_are_always_empty() {
    let fixture = Fixture::new();
    let mut client = client(&fixture).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM pg_trigger", vec!["0"]),
        ("SELECT * FROM pg_attrdef", vec![]),
        ("SELECT tgname, array_upper(tgattr, 1) FROM pg_trigger ORDER BY array_upper(tgattr, 1)", vec![]),
        ("SELECT EXISTS (SELECT 1 FROM pg_trigger), (SELECT tgname FROM pg_trigger)", vec!["f|∅"]),
        ("SELECT ARRAY(SELECT polname FROM pg_policy)", vec!["{}"]),
        ("SELECT c.relname, t.tgname FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid WHERE relname = 'item'", vec!["item|∅"]),
        ("WITH pg_trigger AS (SELECT 1 AS tgname) SELECT tgname FROM pg_trigger", vec!["1"]),
    ] {
        assert_eq!(client.lines(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn nobody_writes_the_catalog() {
    let fixture = Fixture::new();
    let mut client = client(&fixture).await;
    for (sql, state) in [
        ("INSERT INTO pg_class VALUES (1)", "42501"),
        ("UPDATE pg_catalog.pg_class SET relname = 'x'", "42501"),
        ("DELETE FROM information_schema.tables", "42501"),
        ("DROP TABLE pg_class", "42501"),
        ("CREATE TABLE pg_catalog.x (a int)", "42501"),
        ("CREATE SCHEMA pg_mine", "42939"),
        ("SELECT * FROM pg_nosuch", "42P01"),
        ("SELECT * FROM tables", "42P01"),
    ] {
        assert_eq!(client.error(sql).await.state().0, state, "{sql}");
    }
    client.run("CREATE TABLE public.pg_class (a int)").await;
    assert!(client.value("SELECT count(*) FROM pg_class").await.parse::<u64>().unwrap() > 50, "pg_catalog comes first");
    assert_eq!(client.value("SELECT count(*) FROM public.pg_class").await, "0");
}
