//! Results that must be Postgres's, where an ordinary analytical engine would answer something else.

use arrow::datatypes::DataType;

use crate::memory::{Database, numbers};

#[test]
fn integers_are_integers() {
    let database = Database::new();
    let integer = [DataType::Int32];
    for sql in ["SELECT 1", "SELECT -1", "SELECT 1 + 1", "SELECT (2) * 3", "SELECT age + 1 FROM person", "SELECT age % 2 FROM person"] {
        assert_eq!(database.types(sql), integer, "{sql}");
    }
    assert_eq!(
        database.types("SELECT coalesce(age, 0), CASE WHEN age > 1 THEN 1 ELSE 0 END FROM person"),
        [DataType::Int32, DataType::Int32]
    );
    assert_eq!(database.types("SELECT 3000000000"), [DataType::Int64]);
    assert_eq!(database.types("SELECT id + 1 FROM person"), [DataType::Int64]);
    assert_eq!(database.rows("SELECT 7 / 2, -7 / 2, 7 % -3"), ["3|-3|1"]);
}

#[test]
fn numbers_with_a_point_are_numeric() {
    let database = Database::new();
    assert!(matches!(database.types("SELECT 1.5")[..], [DataType::Decimal128(2, 1)]));
    assert_eq!(database.rows("SELECT 0.1 + 0.2 = 0.3"), ["true"]);
}

#[test]
fn quotients_of_numerics_have_sixteen_digits_that_count() {
    let database = Database::new();
    assert_eq!(
        database.rows("SELECT 1 / 3.0, 10.0 / 4, 2 / 3::numeric(5,2)"),
        ["0.33333333333333333333|2.5000000000000000|0.66666666666666666667"]
    );
    assert_eq!(database.rows("SELECT sum(id) / count(*) FROM person"), ["5.5000000000000000"]);
    assert_eq!(database.rows("SELECT avg(age) / avg(id) FROM person WHERE id < 3"), ["14.3333333333333333"]);
    assert_eq!(
        database.rows("SELECT (-2)::numeric(9,2) / 3, 99999999999999999999.5 / 0.01, 1e20 / avg(id) FROM person"),
        ["-0.66666666666666666667|9999999999999999999950.00|18181818181818181818.1818181818181818"]
    );
    assert_eq!(database.rows("SELECT 99999999999999999999.5 / 0.0001"), ["999999999999999999995000.0000"]);
    assert_eq!(database.rows("SELECT id / 3.0 > 0.33334, id / 3.0 > 0.33333 FROM person WHERE id = 1"), ["false|true"]);
    assert_eq!(database.error("SELECT 1.5 / 0").state().0, "22012");
}

#[test]
fn round_follows_the_type() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT round(0.5::float8), round(1.5::float8), round(2.5::float8)"), ["0.0|2.0|2.0"]);
    assert_eq!(database.rows("SELECT round(2.5), round(-2.5), round(2.345, 2), round(1.5, 3)"), ["3|-3|2.35|1.500"]);
}

#[test]
fn other_spellings() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT mod(7, 3), mod(-7, 3), mod(2 + 3, 1 + 1)"), ["1|-1|1"]);
    assert_eq!(database.names("SELECT mod(7, 3)"), ["mod"]);
    assert_eq!(database.rows("SELECT id FROM person WHERE id = ANY (ARRAY[2, 3]) ORDER BY id"), ["2", "3"]);
    assert_eq!(database.rows("SELECT count(*) FROM person WHERE id <> ALL (ARRAY[2, 3])"), ["8"]);
    assert_eq!(database.rows("SELECT id FROM person ORDER BY id OFFSET 1 FETCH FIRST 2 ROWS ONLY"), ["2", "3"]);
    assert_eq!(database.rows("SELECT id FROM person ORDER BY id FETCH FIRST ROW ONLY"), ["1"]);
    assert_eq!(database.rows("SELECT max(name COLLATE \"C\") FROM person"), ["p9"]);
    assert_eq!(
        database.rows("SELECT every(id > 0), sign(-2.5::float8), ceiling(1.2::float8), variance(id) FROM person WHERE id < 4"),
        ["true|-1.0|2.0|1.00000000000000000000"]
    );
    assert_eq!(database.names("SELECT * FROM generate_series(1, 2)"), ["generate_series"]);
    assert_eq!(database.names("SELECT * FROM generate_series(1, 2) AS g"), ["g"]);
    assert_eq!(database.names("SELECT * FROM generate_series(1, 2) AS g(i)"), ["i"]);
}

#[test]
fn casts_to_integers_round() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT 1.5::int, 2.5::int, -1.5::int, 1.4::bigint, 0.5::smallint"), ["2|3|-2|1|1"]);
    assert_eq!(database.rows("SELECT 1.5::float8::int, 2.5::float8::int, (-1.5)::float8::int"), ["2|2|-2"]);
    assert_eq!(database.error("SELECT 3e10::float8::int").state().0, "22003");
    assert_eq!(database.error("SELECT 40000.2::smallint").state().0, "22003");
    assert_eq!(database.rows("SELECT NULL::float8::int"), ["-"]);
}

#[test]
fn sums_do_not_wrap() {
    let mut database = Database::new();
    database.add("public", "n", numbers(4));
    assert_eq!(database.rows("SELECT sum(v + 9223372036854775800) FROM n"), ["36893488147419103206"]);
    assert_eq!(database.types("SELECT sum(id), sum(age) FROM person"), [DataType::Decimal128(30, 0), DataType::Int64]);
    assert_eq!(database.types("SELECT sum(CASE WHEN paid THEN 1 ELSE 0 END) FROM sale"), [DataType::Int64]);
    assert_eq!(database.rows("SELECT sum(CASE WHEN paid THEN 1 ELSE 0 END), sum(1) FROM sale"), ["15|30"]);
    let nested =
        "SELECT g, sum(s), sum(sum(s)) OVER (ORDER BY g) FROM (SELECT id % 2 AS g, sum(id) AS s FROM person GROUP BY 1) x GROUP BY g";
    assert_eq!(database.sorted(nested), ["0|30|30", "1|25|55"]);
    assert_eq!(database.rows("SELECT sum(id) OVER (ORDER BY id) FROM person WHERE id < 3 ORDER BY id"), ["1", "3"]);
    assert_eq!(database.sorted("SELECT sum(id) FROM person UNION ALL SELECT 1"), ["1", "55"]);
    assert_eq!(database.rows("SELECT city FROM person GROUP BY city HAVING sum(id) > 17 ORDER BY sum(id)"), ["-"]);
    assert_eq!(database.error("SELECT max(id * 9223372036854775807) FROM person").state().0, "22003");
}

#[test]
fn averages_of_integers_are_numeric() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT avg(age), avg(id) FROM person WHERE id < 3"), ["21.5000000000000000|1.5000000000000000"]);
    assert_eq!(database.rows("SELECT avg(v) FROM empty"), ["-"]);
    assert_eq!(database.rows("SELECT avg(id), avg(id::float8), sum(id), sum(id::int) FROM person"), ["5.5000000000000000|5.5|55|55"]);
    assert_eq!(database.rows("SELECT avg(x) FROM pair"), ["1.875"]);
    assert_eq!(
        database.rows("SELECT avg(age) OVER (ORDER BY id ROWS 1 PRECEDING) FROM person WHERE id < 3 ORDER BY id"),
        ["21.0000000000000000", "21.5000000000000000"]
    );
}

#[test]
fn varchar_casts_cut() {
    assert_eq!(
        Database::new().rows("SELECT 'abcdef'::varchar(3), 'ab'::varchar(3), name::varchar(1) FROM person WHERE id = 1"),
        ["abc|ab|p"]
    );
}

#[test]
fn text_of_values() {
    let database = Database::new();
    assert_eq!(
        database.rows("SELECT 1::float8::text, 0.1::float8::text, 1e20::float8::text, 1e-7::float8::text, 123456.5::float8::text"),
        ["1|0.1|1e+20|1e-07|123456.5"]
    );
    assert_eq!(
        database.rows("SELECT '2024-01-02 03:04:05.5'::timestamp::text, '2024-01-02 03:04:05'::timestamptz::text"),
        ["2024-01-02 03:04:05.5|2024-01-02 03:04:05+00"]
    );
    assert_eq!(database.rows("SELECT '\\x00ff'::bytea::text, 'a\\\\b\\001'::bytea::text"), ["\\x00ff|\\x615c6201"]);
    assert_eq!(database.rows("SELECT true::text, 12::text, '2024-01-02'::date::text"), ["true|12|2024-01-02"]);
}

#[test]
fn strings_compare_by_bytes_and_case_counts() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT 'a' < 'B', 'a' = 'A', 'é' > 'z'"), ["false|false|true"]);
    assert_eq!(database.rows("SELECT 'abc' LIKE 'A%', 'abc' ILIKE 'A%'"), ["false|true"]);
}

#[test]
fn nulls_are_unknown() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT NULL = NULL, NULL AND false, NULL OR true, 1 IN (2, NULL)"), ["-|false|true|-"]);
    assert_eq!(database.rows("SELECT count(*) FROM person WHERE id NOT IN (1, NULL)"), ["0"]);
}

#[test]
fn quoted_names_keep_their_case() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT ID, \"name\" FROM PERSON WHERE Id = 1"), ["1|p1"]);
    assert_eq!(database.error("SELECT \"ID\" FROM person").state().0, "42703");
}
