//! Every type there and back, in text and binary, NULL included.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::server::start;

/// (type, literal, what `SimpleQueryMessage` shows)
const VALUES: &[(&str, &str, &str)] = &[
    ("boolean", "true", "t"),
    ("smallint", "-32768", "-32768"),
    ("integer", "2147483647", "2147483647"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("real", "1.5", "1.5"),
    ("double precision", "0.1", "0.1"),
    ("numeric(10,3)", "12.3", "12.300"),
    ("text", "'Grüße, 世界'", "Grüße, 世界"),
    ("varchar(3)", "'abc'", "abc"),
    ("bytea", "'\\x00ff'", "\\x00ff"),
    ("date", "'2024-02-29'", "2024-02-29"),
    ("timestamp", "'2024-02-29 12:34:56.789'", "2024-02-29 12:34:56.789"),
    ("timestamptz", "'2024-02-29 12:34:56+02'", "2024-02-29 10:34:56+00"),
    ("char(5)", "'ab'", "ab   "),
    ("time", "'04:05:06.789'", "04:05:06.789"),
    ("interval", "'1 year 2 mons -3 days'", "1 year 2 mons -3 days"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", "'{\"b\":1,  \"a\": 2}'", "{\"b\":1,  \"a\": 2}"),
    ("jsonb", "'{\"bb\":1,  \"a\": 2.50}'", "{\"a\": 2.50, \"bb\": 1}"),
    ("int[]", "'{1, NULL, 3}'", "{1,NULL,3}"),
    ("varchar(3)[]", "'{a b,\"\"}'", "{\"a b\",\"\"}"),
    ("numeric(5,2)[]", "'{1.5}'", "{1.50}"),
    ("timestamptz[]", "'{2024-02-29 12:34:56+02}'", "{\"2024-02-29 10:34:56+00\"}"),
    ("jsonb[]", r#"'{"{\"a\":1}"}'"#, r#"{"{\"a\": 1}"}"#),
];

#[tokio::test]
async fn text_values_come_back_as_postgres_prints_them() {
    let server = start().await;
    let client = server.connect().await;
    for (index, (name, literal, shown)) in VALUES.iter().enumerate() {
        let table = format!("t{index}");
        client.batch_execute(&format!("CREATE TABLE {table} (id int PRIMARY KEY, v {name})")).await.unwrap();
        client.batch_execute(&format!("INSERT INTO {table} VALUES (1, {literal}), (2, NULL)")).await.unwrap();
        let rows = client.simple_query(&format!("SELECT v FROM {table} ORDER BY id")).await.unwrap();
        let values: Vec<Option<String>> = rows
            .iter()
            .filter_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
                _ => None,
            })
            .collect();
        assert_eq!(values, [Some((*shown).to_owned()), None], "{name}");
    }
}

#[tokio::test]
async fn binary_parameters_and_results_round_trip() {
    let server = start().await;
    let client = server.connect().await;
    client
        .batch_execute("CREATE TABLE t (id int PRIMARY KEY, b boolean, s smallint, l bigint, r real, d double precision, t text, y bytea)")
        .await
        .unwrap();
    let text = "zwölf".to_owned();
    client
        .execute(
            "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[&1_i32, &true, &-5_i16, &i64::MAX, &1.25_f32, &-0.1_f64, &text, &vec![0_u8, 255]],
        )
        .await
        .unwrap();
    client.execute("INSERT INTO t (id, t) VALUES ($1, $2)", &[&2_i32, &None::<String>]).await.unwrap();
    let row = client.query_one("SELECT b, s, l, r, d, t, y FROM t WHERE id = 1", &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!(row.get::<_, i16>(1), -5);
    assert_eq!(row.get::<_, i64>(2), i64::MAX);
    assert!((row.get::<_, f32>(3) - 1.25).abs() < f32::EPSILON);
    assert!((row.get::<_, f64>(4) + 0.1).abs() < f64::EPSILON);
    assert_eq!(row.get::<_, String>(5), text);
    assert_eq!(row.get::<_, Vec<u8>>(6), [0, 255]);
    let row = client.query_one("SELECT t, b FROM t WHERE id = 2", &[]).await.unwrap();
    assert_eq!((row.get::<_, Option<String>>(0), row.get::<_, Option<bool>>(1)), (None, None));
}

#[tokio::test]
async fn declared_parameter_types_win() {
    let server = start().await;
    let client = server.connect().await;
    let statement = client.prepare_typed("SELECT $1 AS v", &[Type::INT8]).await.unwrap();
    assert_eq!(statement.params(), [Type::INT8]);
    assert_eq!(client.query_one(&statement, &[&42_i64]).await.unwrap().get::<_, i64>(0), 42);
}

/// The binary form of any type, as it is.
#[derive(Debug, PartialEq, Clone)]
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[tokio::test]
async fn described_types_are_postgres_types_and_binary_values_come_back() {
    let server = start().await;
    let client = server.connect().await;
    client
        .batch_execute(
            "CREATE TABLE t (id int PRIMARY KEY, u uuid, m time, i interval, j json, b jsonb, c char(3), v varchar(9), a int[], s text[])",
        )
        .await
        .unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)").await.unwrap();
    let types = [
        Type::INT4,
        Type::UUID,
        Type::TIME,
        Type::INTERVAL,
        Type::JSON,
        Type::JSONB,
        Type::BPCHAR,
        Type::VARCHAR,
        Type::INT4_ARRAY,
        Type::TEXT_ARRAY,
    ];
    assert_eq!(insert.params(), types);
    let uuid = Raw((0..16).collect());
    let time = Raw(14_706_789_000_i64.to_be_bytes().to_vec());
    let interval = Raw([&7_i64.to_be_bytes()[..], &(-3_i32).to_be_bytes(), &14_i32.to_be_bytes()].concat());
    let (json, jsonb) = (Raw(b"[1 ]".to_vec()), Raw(b"\x01{\"a\": 1}".to_vec()));
    let (numbers, texts) = (vec![Some(1), None, Some(-3)], vec!["a".to_owned(), String::new()]);
    client.execute(&insert, &[&1, &uuid, &time, &interval, &json, &jsonb, &"x", &"vv", &numbers, &texts]).await.unwrap();
    for sql in ["SELECT * FROM t WHERE id = 1", "SELECT * FROM t ORDER BY id", "SELECT x.* FROM (SELECT * FROM t) x JOIN t y USING (id)"] {
        let select = client.prepare(sql).await.unwrap();
        let described: Vec<Type> = select.columns().iter().map(|column| column.type_().clone()).collect();
        assert_eq!(described, types, "{sql}");
        let row = client.query_one(&select, &[]).await.unwrap();
        let raw: Vec<Raw> = (1..6).map(|at| row.get(at)).collect();
        assert_eq!(raw, [uuid.clone(), time.clone(), interval.clone(), json.clone(), jsonb.clone()], "{sql}");
        assert_eq!((row.get::<_, &str>(6), row.get::<_, &str>(7)), ("x  ", "vv"), "{sql}");
        assert_eq!((row.get::<_, Vec<Option<i32>>>(8), row.get::<_, Vec<String>>(9)), (numbers.clone(), texts.clone()), "{sql}");
    }
    let any = client.prepare("SELECT id FROM t WHERE id = ANY ($1)").await.unwrap();
    assert_eq!(any.params(), [Type::INT4_ARRAY]);
    assert_eq!(client.query(&any, &[&vec![5, 1]]).await.unwrap().len(), 1);
    let contains = client.prepare("SELECT id FROM t WHERE b @> $1 AND a && $2").await.unwrap();
    assert_eq!(contains.params(), [Type::JSONB, Type::INT4_ARRAY]);
    assert_eq!(client.query(&contains, &[&jsonb, &vec![-3]]).await.unwrap().len(), 1);
}
