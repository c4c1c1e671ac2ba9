//! uuid, time, interval, json, jsonb, arrays and character(n): goldens of PostgreSQL 15.

use super::*;
use engine::SqlType::{Bpchar, Interval, Json, Jsonb, Time, Uuid};

fn array(element: SqlType) -> SqlType {
    element.array().unwrap()
}

#[test]
fn text_goes_in_and_out() {
    let goldens: Vec<(SqlType, &[(&str, &str)])> = vec![
        (
            Uuid,
            &[
                ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                ("{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                ("a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ],
        ),
        (
            Time,
            &[
                ("04:05:06.789", "04:05:06.789"),
                ("04:05 PM", "16:05:00"),
                ("040506", "04:05:06"),
                ("0405", "04:05:00"),
                ("24:00", "24:00:00"),
                ("04:05:06+02", "04:05:06"),
                ("2003-04-12 04:05:06", "04:05:06"),
                ("12:00 am", "00:00:00"),
                ("23:59:60", "24:00:00"),
                ("allballs", "00:00:00"),
                ("T040506", "04:05:06"),
                ("05:06.7", "00:05:06.7"),
            ],
        ),
        (
            Interval,
            &[
                ("1 year 2 mons 3 days 04:05:06.789", "1 year 2 mons 3 days 04:05:06.789"),
                ("1-2", "1 year 2 mons"),
                ("1.5 hours", "01:30:00"),
                ("P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"),
                ("@ 1 minute ago", "-00:01:00"),
                ("100", "00:01:40"),
                ("3 4:05", "3 days 04:05:00"),
                ("1.5 months", "1 mon 15 days"),
                ("-1 day 02:03", "-1 days +02:03:00"),
                ("1 week", "7 days"),
                ("0.5 years", "6 mons"),
                ("1.2 years", "1 year 2 mons"),
                ("3 4:05:06.7", "3 days 04:05:06.7"),
                ("-1-2 +3 -4:05:06", "-1 years -2 mons +3 days -04:05:06"),
                ("1 day -00:00:01", "1 day -00:00:01"),
                ("2 centuries 1 decade", "210 years"),
                ("1.1 weeks", "7 days 16:48:00"),
                ("1y2mon3d4h5m6s", "1 year 2 mons 3 days 04:05:06"),
                ("5 ms 3 us", "00:00:00.005003"),
                ("-1.5 days", "-1 days -12:00:00"),
                ("0 days", "00:00:00"),
                ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"),
                ("P1W", "7 days"),
                ("PT-5H", "-05:00:00"),
                ("1 mon -1 days", "1 mon -1 days"),
            ],
        ),
        (Json, &[("{\"b\": 1.50}", "{\"b\": 1.50}"), ("  [1,  2]  ", "  [1,  2]  "), ("\"\\ud800\"", "\"\\ud800\"")]),
        (
            Jsonb,
            &[
                (
                    r#"{"b": 1.50, "a":[1, 2e3 , {}], "bb":null, "a":"\u00e9\n", "c" : -0.0, "d":1e-3, "e":12.0e1}"#,
                    r#"{"a": "é\n", "b": 1.50, "c": 0.0, "d": 0.001, "e": 120, "bb": null}"#,
                ),
                (r#""\ud83d\ude00""#, "\"😀\""),
            ],
        ),
        (array(Text), &[(r#"{1,NULL,"NULL",  a b ,"q\"\\"}"#, r#"{1,NULL,"NULL","a b","q\"\\"}"#)]),
        (array(Int4), &[("{}", "{}"), ("{1, 2}", "{1,2}"), ("[1:2]={1,2}", "{1,2}")]),
        (array(Bool), &[("{t,f}", "{t,f}")]),
        (array(numeric(5, 2)), &[("{1.5,2}", "{1.50,2.00}")]),
        (array(Interval), &[("{1 day}", "{\"1 day\"}")]),
        (array(Timestamp), &[("{2024-01-01 00:00:00}", "{\"2024-01-01 00:00:00\"}")]),
        (Bpchar(Some(4)), &[("ab", "ab  "), ("ab      ", "ab  "), ("", "    ")]),
    ];
    for (sql_type, cases) in goldens {
        for (text, shown) in cases {
            assert_eq!(printed(sql_type, text), *shown, "{} {text}", sql_type.name());
            assert_eq!(printed(sql_type, shown), *shown, "V1");
        }
    }
}

#[test]
fn what_postgres_refuses_is_refused() {
    let cases: Vec<(SqlType, &[&str], &str)> = vec![
        (Uuid, &["a0eebc99", "", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-", "{a0eebc999c0b4ef8bb6d6bb9bd380a11"], "22P02"),
        (Time, &["x", "", "4"], "22007"),
        (Time, &["25:00", "24:00:01"], "22008"),
        (Interval, &["1 day 1 day", "", "abc", "1 foo"], "22007"),
        (Interval, &["99999999999 years"], "22015"),
        (Jsonb, &["\"\\u0000\""], "22P05"),
        (Jsonb, &["\"\\ud800\"", "{a:1}", "01", "[1,]", "", "1 2", "{\"a\":1", "nul"], "22P02"),
        (Json, &["{a:1}", "[", "'a'", "\"\\x\"", "\"\t\""], "22P02"),
        (array(Int4), &["{1,2", "1,2", "{1,,2}", "{1,x}", "{1}}", "", "{1"], "22P02"),
        (array(Int4), &["{{1}}", "[0:0]={1}"], "0A000"),
        (Bpchar(Some(2)), &["abc"], "22001"),
    ];
    for (sql_type, texts, state) in cases {
        for text in texts {
            assert_eq!(&refused(sql_type, text)[..5], state, "{} {text:?}", sql_type.name());
        }
    }
    let deep = "[".repeat(2_000) + &"]".repeat(2_000);
    assert_eq!(&refused(Jsonb, &deep)[..5], "54001");
}

#[test]
fn binary_goldens_hold_both_ways() {
    let cases: Vec<(SqlType, &str, &str)> = vec![
        (Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a11"),
        (Time, "04:05:06.789", "000000036c97ca88"),
        (Interval, "1 year 2 mons -3 days 04:05:06.789", "000000036c97ca88fffffffd0000000e"),
        (Json, "[1 ]", "5b31205d"),
        (Jsonb, "[1]", "015b315d"),
        (Bpchar(Some(3)), "a", "612020"),
        (array(Int4), "{1,NULL,3}", "0000000100000001000000170000000300000001000000040000000 1ffffffff0000000400000003"),
        (array(Int4), "{}", "000000000000000000000017"),
        (array(Text), "{a}", "000000010000000000000019000000010000000100000001 61"),
    ];
    for (sql_type, text, hex) in cases {
        let hex = hex.replace(' ', "");
        let array = parse_text(sql_type, text).unwrap();
        assert_eq!(binary_hex(&array, sql_type), hex, "{text}");
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let mut builder = ColumnBuilder::new(sql_type, 1);
        builder.append_binary(&bytes).unwrap();
        assert_eq!(builder.finish().as_ref(), array.as_ref(), "{text}");
        for end in 0..bytes.len() {
            // Any cut is an error or another value, never a panic.
            let _ = builder.append_binary(&bytes[..end]);
        }
    }
}

#[test]
fn a_refused_array_leaves_nothing_behind() {
    let mut builder = ColumnBuilder::new(array(Int4), 4);
    builder.append_str("{1,2}").unwrap();
    builder.append_str("{3,x}").unwrap_err();
    builder.append_null();
    builder.append_str("{4,2147483648}").unwrap_err();
    builder.append_str("{}").unwrap();
    builder.append_str("{5}").unwrap();
    let column = builder.finish();
    let shown: Vec<_> = (0..column.len()).map(|row| text_of(&column, row, array(Int4)).unwrap()).collect();
    assert_eq!(shown, [Some("{1,2}".to_owned()), None, Some("{}".to_owned()), Some("{5}".to_owned())]);
    assert_eq!(builder.len(), 0);
}

#[test]
fn both_sides_of_the_query_engine_have_the_same_layouts() {
    for (sql_type, text) in
        [(Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), (Time, "00:00"), (Interval, "1 day"), (Json, "1"), (Jsonb, "1")]
    {
        for sql_type in [sql_type, array(sql_type)] {
            let text = if sql_type.element().is_some() { format!("{{{text}}}") } else { text.to_owned() };
            let texts: ArrayRef = Arc::new(StringArray::from(vec![text.as_str()]));
            let read = relational::convert(&texts, &sql_type.arrow()).unwrap();
            assert_eq!(read.as_ref(), parse_text(sql_type, &text).unwrap().as_ref(), "{}", sql_type.name());
        }
    }
}
