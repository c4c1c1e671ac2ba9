//! Rows with a value of every type, and values that are not the one encoding of their type, signed by a ledger that lies.

use super::{Attack, receipt};
use crate::sample::{LEDGER, Row, Sample, insert};

const RELATION: u32 = 1003;

/// Array type, its oid, and the oid of its elements.
const ARRAYS: [(&str, u32, u32); 19] = [
    ("json[]", 199, 114),
    ("boolean[]", 1000, 16),
    ("bytea[]", 1001, 17),
    ("smallint[]", 1005, 21),
    ("integer[]", 1007, 23),
    ("text[]", 1009, 25),
    ("character[]", 1014, 1042),
    ("character varying[]", 1015, 1043),
    ("bigint[]", 1016, 20),
    ("real[]", 1021, 700),
    ("double precision[]", 1022, 701),
    ("timestamp without time zone[]", 1115, 1114),
    ("date[]", 1182, 1082),
    ("time without time zone[]", 1183, 1083),
    ("timestamp with time zone[]", 1185, 1184),
    ("interval[]", 1187, 1186),
    ("numeric[]", 1231, 1700),
    ("uuid[]", 2951, 2950),
    ("jsonb[]", 3807, 3802),
];

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    let mut all =
        vec![rows(sample, "valid-row-of-every-type", &every_type()), nulls(sample), floats(sample), numbers(sample), texts(sample)];
    all.extend([times(sample), arrays(sample)]);
    all.extend(encodings(sample));
    all
}

/// Column type, oid, value.
type Column = (&'static str, u32, Option<Vec<u8>>);

fn value(of: &'static str, oid: u32, bytes: impl AsRef<[u8]>) -> Column {
    (of, oid, Some(bytes.as_ref().to_vec()))
}

/// A ledger of one row with these columns, named `c1`, `c2` …
fn ledger(columns: &[Column]) -> Sample {
    let mut sample = Sample::empty("shop", LEDGER, 0x41);
    let listed: Vec<String> = (1..)
        .zip(columns)
        .map(|(id, (of, oid, _))| format!(r#"{{"id":{id},"name":"c{id}","type":"{of}","oid":{oid},"typmod":-1,"not_null":false}}"#))
        .collect();
    let definition = format!(
        r#"{{"kind":"table","id":{RELATION},"schema":"public","name":"types","version":1,"columns":[{}],"primary_key":[]}}"#,
        listed.join(",")
    );
    sample.objects = vec![(RELATION, definition)];
    let row = Row {
        header: insert(RELATION),
        salt: [9; 16],
        columns: (1..).zip(columns).map(|(id, (_, oid, _))| (id, *oid)).collect(),
        values: columns.iter().map(|(_, _, value)| value.clone()).collect(),
    };
    sample.commit(&[(RELATION, 0, 1)], vec![row]);
    sample
}

/// The ledger of one row with a value of every type.
pub(super) fn sample_of_every_type() -> Sample {
    ledger(&every_type())
}

fn rows(sample: &Sample, name: &'static str, columns: &[Column]) -> Attack {
    receipt(sample, name, &ledger(columns).receipt(0, Some(0), 1), "valid", "row 0 of public.types")
}

fn numeric(unscaled: i128, scale: u8) -> Vec<u8> {
    [&unscaled.to_le_bytes()[..], &[scale]].concat()
}

fn interval(months: i32, days: i32, micros: i64) -> Vec<u8> {
    [&months.to_le_bytes()[..], &days.to_le_bytes(), &micros.to_le_bytes()].concat()
}

fn array(elements: &[Option<&[u8]>]) -> Vec<u8> {
    let mut bytes = (elements.len() as u32).to_le_bytes().to_vec();
    for element in elements {
        match element {
            None => bytes.push(1),
            Some(value) => {
                bytes.push(0);
                bytes.extend((value.len() as u32).to_le_bytes());
                bytes.extend(*value);
            }
        }
    }
    bytes
}

/// One value of every type that is no array.
fn plain() -> Vec<Column> {
    vec![
        value("boolean", 16, [0]),
        value("smallint", 21, (-5i16).to_le_bytes()),
        value("integer", 23, i32::MIN.to_le_bytes()),
        value("bigint", 20, i64::MIN.to_le_bytes()),
        value("real", 700, 1.1f32.to_le_bytes()),
        value("double precision", 701, 0.1f64.to_le_bytes()),
        value("numeric(10,2)", 1700, numeric(-123_456, 2)),
        value("text", 25, "Émilie"),
        value("character varying(20)", 1043, ""),
        value("bytea", 17, [0, 255]),
        value("date", 1082, 20_455i32.to_le_bytes()),
        value("timestamp without time zone", 1114, 1_767_323_045_678_900i64.to_le_bytes()),
        value("timestamp with time zone", 1184, (-1i64).to_le_bytes()),
        value("character(5)", 1042, "ab"),
        value("time without time zone", 1083, 14_706_789_000i64.to_le_bytes()),
        value("interval", 1186, interval(14, -3, 14_706_789_000)),
        value("uuid", 2950, (0u8..16).collect::<Vec<_>>()),
        value("json", 114, "[1 ]"),
        value("jsonb", 3802, r#"{"b": 1.0}"#),
    ]
}

fn every_type() -> Vec<Column> {
    let plain = plain();
    let element = |oid: u32| plain.iter().find(|(_, of, _)| *of == oid).and_then(|(_, _, value)| value.as_deref());
    let arrays = ARRAYS.iter().map(|(of, oid, element_oid)| value(of, *oid, array(&[element(*element_oid), None])));
    let all = plain.iter().cloned().chain(arrays).collect();
    [all, vec![value("point", 600, [1, 2, 3])]].concat()
}

fn nulls(sample: &Sample) -> Attack {
    let columns: Vec<Column> = every_type().into_iter().map(|(of, oid, _)| (of, oid, None)).collect();
    rows(sample, "valid-row-null-of-every-type", &columns)
}

fn floats(sample: &Sample) -> Attack {
    let doubles = [
        0.0,
        5e-324,
        f64::MIN_POSITIVE,
        1e-5,
        9.9e-5,
        1e-4,
        0.3,
        1.0,
        -3.0,
        123_456_789.125,
        9_007_199_254_740_993.0,
        9_999_999_999_999_998.0,
        1e16,
        1.5e16,
        -1e22,
        1e23,
        f64::MAX,
        2f64.powi(-44),
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::from_bits(0x7ff8_0000_0000_0000),
    ];
    let singles = [
        0.0,
        1e-45,
        f32::MIN_POSITIVE,
        1e-5,
        9.9e-5,
        1e-4,
        0.3,
        1.0,
        -3.0,
        16_777_216.0,
        1e15,
        1e16,
        -1.5e16,
        9.8e-45,
        f32::MAX,
        2f32.powi(-44),
        2f32.powi(87),
        2f32.powi(-96),
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::from_bits(0x7fc0_0000),
    ];
    let doubles = doubles.map(|number: f64| value("double precision", 701, number.to_le_bytes()));
    let singles = singles.map(|number: f32| value("real", 700, number.to_le_bytes()));
    rows(sample, "valid-row-of-floats", &[doubles, singles].concat())
}

fn numbers(sample: &Sample) -> Attack {
    let numerics = [(0, 0), (1200, 0), (-5, 3), (123_456, 2), (i128::MIN, 0), (i128::MAX, 38), (-1, 38), (1, 1)];
    let mut columns: Vec<Column> = numerics.iter().map(|(unscaled, scale)| value("numeric", 1700, numeric(*unscaled, *scale))).collect();
    columns.push(value("bigint", 20, i64::MAX.to_le_bytes()));
    columns.push(value("smallint", 21, i16::MIN.to_le_bytes()));
    rows(sample, "valid-row-of-numbers", &columns)
}

fn texts(sample: &Sample) -> Attack {
    let texts = [
        "NULL",
        "a \"b\" 'c' \\ d",
        "line\nline\r\n\tend\0",
        "\x1b[31mred\x7f\u{85}\u{9b}",
        "\u{202e}backwards\u{2066}\u{200b}\u{feff}\u{ad}\u{e0041}\u{2028}",
        "e\u{301} \u{a0}\u{3000}日本 \u{1f469}\u{200d}\u{1f680} \u{378}\u{e000}\u{10ffff}",
        "\u{7ff}\u{800}\u{ffff}\u{10000}",
    ];
    let columns: Vec<Column> = texts.iter().map(|text| value("text", 25, text)).collect();
    rows(sample, "valid-row-of-texts", &columns)
}

fn times(sample: &Sample) -> Attack {
    let day = 86_400_000_000i64;
    let mut columns = Vec::new();
    for days in [0, 11_016, -719_528, -719_162, -719_163, 2_932_896, 2_932_897, i32::MAX, i32::MIN, i32::MAX - 1, i32::MIN + 1] {
        columns.push(value("date", 1082, days.to_le_bytes()));
    }
    for micros in [0, day - 1, -1, 1_500_000, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1, -62_135_596_800_000_001] {
        columns.push(value("timestamp without time zone", 1114, micros.to_le_bytes()));
        columns.push(value("timestamp with time zone", 1184, micros.to_le_bytes()));
    }
    for micros in [0, 1, 100_000, day - 1, day] {
        columns.push(value("time without time zone", 1083, micros.to_le_bytes()));
    }
    let intervals = [
        (0, 0, 0),
        (12, 1, 0),
        (-14, 3, -1),
        (-1, 0, 0),
        (0, -1, 3_600_000_000),
        (0, 0, -1),
        (25, -30, i64::MIN),
        (i32::MIN, i32::MIN, i64::MIN),
        (i32::MAX, i32::MAX, i64::MAX),
        (-12, 0, 1),
    ];
    columns.extend(intervals.map(|(months, days, micros)| value("interval", 1186, interval(months, days, micros))));
    rows(sample, "valid-row-of-times", &columns)
}

fn arrays(sample: &Sample) -> Attack {
    let columns = [
        value("integer[]", 1007, array(&[])),
        value("integer[]", 1007, array(&[None])),
        value("text[]", 1009, array(&[Some(b"NULL"), None, Some(b""), Some(b"{,}\"")])),
    ];
    rows(sample, "valid-row-of-arrays", &columns)
}

/// A receipt for a row of one column of this type and value.
pub fn of_column(sample: &Sample, oid: u32, bytes: &[u8]) -> Attack {
    let lie = ledger(&[value("some type", oid, bytes)]);
    receipt(sample, "", &lie.receipt(0, Some(0), 1), "", "")
}

/// Values in a second spelling.
fn encodings(sample: &Sample) -> Vec<Attack> {
    let odd = |name, of, oid, bytes: &[u8], reason| {
        let lie = ledger(&[value(of, oid, bytes)]);
        receipt(sample, name, &lie.receipt(0, Some(0), 1), "malformed", reason)
    };
    let float = "value of column c1: is a float that is not canonical";
    let numeric_odd = "value of column c1: is a numeric that is not canonical";
    let day_after = 86_400_000_001i64.to_le_bytes();
    let nested = array(&[Some(&[1, 2, 3])]);
    vec![
        odd("lie-bool-of-no-byte", "boolean", 16, &[], "value of column c1: has 0 bytes, its type 1"),
        odd("lie-smallint-of-four-bytes", "smallint", 21, &[0; 4], "value of column c1: has 4 bytes, its type 2"),
        odd("lie-integer-of-eight-bytes", "integer", 23, &[0; 8], "value of column c1: has 8 bytes, its type 4"),
        odd("lie-real-negative-zero", "real", 700, &(-0f32).to_le_bytes(), float),
        odd("lie-real-another-nan", "real", 700, &0xffc0_0000u32.to_le_bytes(), float),
        odd("lie-double-negative-zero", "double precision", 701, &(-0f64).to_le_bytes(), float),
        odd("lie-double-another-nan", "double precision", 701, &0x7ff8_0000_0000_0001u64.to_le_bytes(), float),
        odd("lie-numeric-trailing-zero", "numeric", 1700, &numeric(10, 1), numeric_odd),
        odd("lie-numeric-zero-of-scale-1", "numeric", 1700, &numeric(0, 1), numeric_odd),
        odd("lie-numeric-of-scale-39", "numeric", 1700, &numeric(1, 39), numeric_odd),
        odd("lie-numeric-of-16-bytes", "numeric", 1700, &[0; 16], "value of column c1: is a numeric of no known length"),
        odd("lie-text-surrogate", "text", 25, b"\xed\xa0\x80", "value of column c1: is text that is not UTF-8"),
        odd("lie-text-overlong", "text", 25, b"\xc0\xaf", "value of column c1: is text that is not UTF-8"),
        odd("lie-jsonb-not-utf8", "jsonb", 3802, b"\"\xff\"", "value of column c1: is text that is not UTF-8"),
        odd("lie-character-with-blanks", "character(5)", 1042, b"ab ", "is a character value with blanks at its end"),
        odd("lie-time-before-midnight", "time", 1083, &(-1i64).to_le_bytes(), "is a time that no day has"),
        odd("lie-time-after-the-day", "time", 1083, &day_after, "is a time that no day has"),
        odd("lie-interval-of-15-bytes", "interval", 1186, &[0; 15], "has 15 bytes, its type 16"),
        odd("lie-uuid-of-17-bytes", "uuid", 2950, &[0; 17], "has 17 bytes, its type 16"),
        odd("lie-array-cut", "integer[]", 1007, &[2, 0, 0, 0, 1], "value of column c1: ends 1 bytes early"),
        odd("lie-array-of-four-billion", "integer[]", 1007, &[255; 4], "value of column c1: ends 1 bytes early"),
        odd("lie-array-too-long", "integer[]", 1007, &[0, 0, 0, 0, 1], "value of column c1: 1 bytes too long"),
        odd("lie-array-of-another-tag", "integer[]", 1007, &[1, 0, 0, 0, 2], "an array element that is neither NULL nor a value"),
        odd("lie-array-element-short", "integer[]", 1007, &nested, "value of column c1: has 3 bytes, its type 4"),
    ]
}
