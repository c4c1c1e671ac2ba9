//! Every type: written by a binary parameter, read back in binary and as text.

use std::fmt::Debug;

use serde_json::json;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};
use tokio_postgres::types::{FromSqlOwned, ToSql};
use uuid::Uuid;

use crate::{Report, equal};

struct Types<'a> {
    report: &'a mut Report,
    count: usize,
}

impl Types<'_> {
    async fn of<T: ToSql + FromSqlOwned + PartialEq + Debug + Sync>(&mut self, name: &str, value: T, text: &str) {
        let table = format!("t{}", self.count);
        self.count += 1;
        let check = async |client: tokio_postgres::Client| {
            client.batch_execute(&format!("CREATE TABLE {table} (id integer PRIMARY KEY, v {name})")).await?;
            client.execute(&format!("INSERT INTO {table} VALUES (1, $1), (2, NULL)"), &[&value]).await?;
            let rows = client.query(&format!("SELECT v, v::text FROM {table} ORDER BY id"), &[]).await?;
            equal(rows[0].try_get::<_, Option<T>>(0)?.as_ref(), Some(&value))?;
            equal(rows[0].try_get::<_, String>(1)?.as_str(), text)?;
            equal(rows[1].try_get::<_, Option<T>>(0)?, None)?;
            equal(rows[1].try_get::<_, Option<String>>(1)?, None)?;
            client.batch_execute(&format!("DROP TABLE {table}")).await?;
            Ok(())
        };
        self.report.check(&format!("type {name}"), check).await;
    }
}

/// A check for each type.
pub async fn all(report: &mut Report) {
    let mut types = Types { report, count: 0 };
    let date = Date::from_calendar_date(2024, Month::February, 29).unwrap();
    let time = Time::from_hms_micro(12, 34, 56, 789_012).unwrap();
    let at = PrimitiveDateTime::new(date, time);
    let uuid = Uuid::parse_str("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
    types.of("boolean", true, "true").await;
    types.of("smallint", i16::MIN, "-32768").await;
    types.of("integer", i32::MAX, "2147483647").await;
    types.of("bigint", i64::MIN, "-9223372036854775808").await;
    types.of("real", 1.5_f32, "1.5").await;
    types.of("double precision", -1e300_f64, "-1e+300").await;
    types.of("text", "żółw 🦀 'x' \\".to_owned(), "żółw 🦀 'x' \\").await;
    types.of("varchar(20)", "varchar".to_owned(), "varchar").await;
    types.of("char(5)", "ab   ".to_owned(), "ab").await;
    types.of("bytea", vec![0_u8, 255, 92], "\\x00ff5c").await;
    types.of("date", date, "2024-02-29").await;
    types.of("time", time, "12:34:56.789012").await;
    types.of("timestamp", at, "2024-02-29 12:34:56.789012").await;
    types.of("timestamptz", at.assume_utc(), "2024-02-29 12:34:56.789012+00").await;
    types.of("uuid", uuid, "6f9619ff-8b86-d011-b42d-00cf4fc964ff").await;
    types.of("json", json!({"a": [1, null]}), r#"{"a":[1,null]}"#).await;
    types.of("jsonb", json!({"b": 1, "a": {}}), r#"{"a": {}, "b": 1}"#).await;
    types.of("integer[]", vec![Some(1), None, Some(3)], "{1,NULL,3}").await;
    types.of("text[]", vec!["a b".to_owned(), "q\"q".to_owned(), String::new()], r#"{"a b","q\"q",""}"#).await;
    types.of("boolean[]", vec![true, false], "{t,f}").await;
    types.of("double precision[]", vec![0.5], "{0.5}").await;
    types.of("bytea[]", vec![vec![0_u8, 255]], r#"{"\\x00ff"}"#).await;
    types.of("uuid[]", vec![uuid], "{6f9619ff-8b86-d011-b42d-00cf4fc964ff}").await;
    types.of("timestamptz[]", Vec::<OffsetDateTime>::from([at.assume_utc()]), r#"{"2024-02-29 12:34:56.789012+00"}"#).await;
    types.of("jsonb[]", vec![json!({"a": 1})], r#"{"{\"a\": 1}"}"#).await;
}
