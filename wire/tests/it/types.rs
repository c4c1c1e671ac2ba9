//! Every type there and back, in text and binary, NULL included.

use tokio_postgres::types::Type;

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
