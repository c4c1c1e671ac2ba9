//! Goldens taken from a PostgreSQL 15 server, and properties over random input.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use arrow::array::{Array, ArrayRef, Int64Array, NullArray, StringArray, StringViewArray, TimestampMillisecondArray, UInt64Array};
use engine::SqlType::{self, Bool, Bytea, Date, Float4, Float8, Int2, Int4, Int8, Text, Timestamp, Timestamptz, Varchar};
use std::sync::Arc;

mod composite;

const fn numeric(precision: u8, scale: u8) -> SqlType {
    SqlType::Numeric { precision, scale }
}

fn binary_hex(array: &ArrayRef, sql_type: SqlType) -> String {
    let mut out = Vec::new();
    assert!(encode_binary(array, 0, sql_type, &mut out).unwrap());
    out.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn printed(sql_type: SqlType, text: &str) -> String {
    text_of(&parse_text(sql_type, text).unwrap_or_else(|error| panic!("{text}: {error}")), 0, sql_type).unwrap().unwrap()
}

/// SQLSTATE, message, and hint or detail if there is one.
fn refused(sql_type: SqlType, text: &str) -> String {
    let error = parse_text(sql_type, text).err().unwrap_or_else(|| panic!("{text:?} was taken as {}", sql_type.name()));
    let rest: String = error.fields().map(|(_, field)| format!(" | {field}")).collect();
    format!("{} {}{rest}", error.state().0, error.message())
}

#[test]
fn text_in_gives_postgres_text_out() {
    let goldens: &[(SqlType, &[(&str, &str)])] = &[
        (Bool, &[("ye", "t"), ("N", "f"), ("of", "f"), ("\n1 ", "t"), ("on", "t"), ("TRUE", "t")]),
        (Int2, &[("+5", "5"), ("-32768", "-32768"), ("00012", "12")]),
        (Int4, &[(" 12 ", "12"), ("-2147483648", "-2147483648"), ("2147483647", "2147483647")]),
        (Int8, &[("\t-12\n", "-12"), ("-9223372036854775808", "-9223372036854775808"), ("100", "100")]),
        (
            Float8,
            &[
                (" 1.5e3 ", "1500"),
                (".5", "0.5"),
                ("5.", "5"),
                ("Inf", "Infinity"),
                ("nan", "NaN"),
                ("-0", "-0"),
                ("1e14", "100000000000000"),
                ("1e15", "1e+15"),
                ("1234567890123456", "1.234567890123456e+15"),
                ("0.0001", "0.0001"),
                ("0.00001", "1e-05"),
                ("1e100", "1e+100"),
                ("9007199254740993", "9.007199254740992e+15"),
                ("1.7976931348623157e308", "1.7976931348623157e+308"),
                ("5e-324", "5e-324"),
                ("123.456", "123.456"),
                ("88228773165455.125", "88228773165455.12"),
                ("2.98023223876953125e-08", "2.9802322387695312e-08"),
            ],
        ),
        (
            Float4,
            &[
                ("-infinity", "-Infinity"),
                ("1e5", "100000"),
                ("1e6", "1e+06"),
                ("1234567", "1.234567e+06"),
                ("16777216", "1.6777216e+07"),
                ("1e-45", "1e-45"),
                ("57594.8125", "57594.812"),
            ],
        ),
        (
            numeric(10, 3),
            &[
                (" 1.50 ", "1.500"),
                ("-.5", "-0.500"),
                ("5.", "5.000"),
                ("1e3", "1000.000"),
                ("1.5E-2", "0.015"),
                ("0.0005", "0.001"),
                ("-0.0005", "-0.001"),
                ("0.00049999", "0.000"),
                ("+1", "1.000"),
                ("-0", "0.000"),
            ],
        ),
        (numeric(2, 2), &[("0.994", "0.99")]),
        (numeric(38, 10), &[("1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789")]),
        (Text, &[("", ""), (" a\n", " a\n"), ("Straße 猫", "Straße 猫")]),
        (Varchar(Some(5)), &[("abcde   ", "abcde"), ("äöüßé ", "äöüßé"), ("ab", "ab")]),
        (Bytea, &[("\\x 01 ff", "\\x01ff"), ("a\\\\b\\001", "\\x615c6201"), ("", "\\x"), ("\\xDEADbeef", "\\xdeadbeef"), ("ä", "\\xc3a4")]),
    ];
    for (sql_type, cases) in goldens {
        for (input, output) in *cases {
            assert_eq!(printed(*sql_type, input), *output, "{} {input:?}", sql_type.name());
        }
    }
}

#[test]
fn dates_and_times_in_every_spelling() {
    let goldens: &[(SqlType, &[(&str, &str)])] = &[
        (
            Date,
            &[
                ("2024-02-29", "2024-02-29"),
                ("2024-1-2", "2024-01-02"),
                ("2024/1/2", "2024-01-02"),
                ("1.2.2024", "2024-01-02"),
                ("01/02/99", "1999-01-02"),
                ("01-02-69", "2069-01-02"),
                ("2024-Jan-02", "2024-01-02"),
                ("02-Jan-24", "2024-01-02"),
                ("Jan-02-2024", "2024-01-02"),
                ("2 January 2024", "2024-01-02"),
                ("J2460312", "2024-01-02"),
                ("20240102", "2024-01-02"),
                ("240102", "2024-01-02"),
                ("2024.002", "2024-01-02"),
                ("2024-002", "2024-01-02"),
                ("0044-03-15 BC", "0044-03-15 BC"),
                ("0001-01-01 BC", "0001-01-01 BC"),
                ("5874897-12-31", "5874897-12-31"),
                ("4714-11-24 BC", "4714-11-24 BC"),
                ("infinity", "infinity"),
                ("-Infinity", "-infinity"),
                ("2024-01-02 03:04:05", "2024-01-02"),
            ],
        ),
        (
            Timestamp,
            &[
                ("2024-01-02 03:04:05.678", "2024-01-02 03:04:05.678"),
                ("20240102T030405", "2024-01-02 03:04:05"),
                ("2024-01-02 3:04 PM", "2024-01-02 15:04:00"),
                ("2024-01-02 12:30 am", "2024-01-02 00:30:00"),
                ("Jan 2, 2024", "2024-01-02 00:00:00"),
                ("10:20 Jan 2 2024", "2024-01-02 10:20:00"),
                ("2024-01-02 03:04:05 BC", "2024-01-02 03:04:05 BC"),
                ("Sat Mar 15 00:00:00 0044 BC", "0044-03-15 00:00:00 BC"),
                ("2024-01-01 24:00:00", "2024-01-02 00:00:00"),
                ("2024-01-01 23:59:60", "2024-01-02 00:00:00"),
                ("2024-01-01 00:00:00.0000005", "2024-01-01 00:00:00"),
                ("2024-01-01 00:00:00.0000015", "2024-01-01 00:00:00.000002"),
                ("2024-01-01 23:59:59.9999999", "2024-01-02 00:00:00"),
                ("2024-01-02 03:04:05+08", "2024-01-02 03:04:05"),
                ("12024-01-01", "12024-01-01 00:00:00"),
                ("0099-01-01", "0099-01-01 00:00:00"),
                ("epoch", "1970-01-01 00:00:00"),
                ("4714-11-24 00:00:00 BC", "4714-11-24 00:00:00 BC"),
            ],
        ),
        (
            Timestamptz,
            &[
                ("2024-01-02T03:04:05.678Z", "2024-01-02 03:04:05.678+00"),
                ("2024-01-02 03:04:05-08", "2024-01-02 11:04:05+00"),
                ("2024-01-02 03:04:05-0830", "2024-01-02 11:34:05+00"),
                ("2024-01-02 03:04:05+08:30:15", "2024-01-01 18:33:50+00"),
                ("2024-01-02 03:04:05 PST", "2024-01-02 11:04:05+00"),
                ("Tue Jan 02 03:04:05 2024 UTC", "2024-01-02 03:04:05+00"),
                ("2 Jan 2024 04:05:06 PST", "2024-01-02 12:05:06+00"),
                ("20240102T030405-08", "2024-01-02 11:04:05+00"),
                ("2024-01-02 +05", "2024-01-01 19:00:00+00"),
                ("0044-03-15 BC", "0044-03-15 00:00:00+00 BC"),
                ("1999-12-31 23:59:59.9", "1999-12-31 23:59:59.9+00"),
                ("-infinity", "-infinity"),
            ],
        ),
    ];
    for (sql_type, cases) in goldens {
        for (input, output) in *cases {
            assert_eq!(printed(*sql_type, input), *output, "{} {input:?}", sql_type.name());
        }
    }
}

#[test]
fn binary_is_postgres_binary_both_ways() {
    let goldens = [
        (Bool, "t", "01"),
        (Int2, "-2", "fffe"),
        (Int4, "258", "00000102"),
        (Int8, "258", "0000000000000102"),
        (Float8, "1.5", "3ff8000000000000"),
        (Float4, "-2.25", "c0100000"),
        (Date, "2024-02-29", "00002279"),
        (Date, "infinity", "7fffffff"),
        (Date, "0044-03-15 BC", "fff49d7b"),
        (Timestamp, "2024-02-29 12:34:56.789", "0002b58341728608"),
        (Timestamptz, "1969-12-31 23:59:59.999999+00", "fffca2fec4c81fff"),
        (Timestamp, "-infinity", "8000000000000000"),
        (numeric(38, 10), "0", "000000000000000a"),
        (numeric(38, 10), "1", "000100000000000a0001"),
        (numeric(38, 10), "-1.5", "000200004000000a00011388"),
        (numeric(38, 10), "12345678.9", "000300010000000a04d2162e2328"),
        (numeric(38, 10), "0.00001", "0001fffe0000000a03e8"),
        (numeric(38, 10), "-99990000", "000100014000000a270f"),
        (numeric(38, 10), "1234567890123456789012345678.0123456789", "000a00060000000a04d2162e23340d801ed204d2162e007b11d722c4"),
        (numeric(38, 10), "10000", "000100010000000a0001"),
        (numeric(38, 10), "0.5", "0001ffff0000000a1388"),
        (SqlType::AnyNumeric(None), "1.50", "000200000000000200011388"),
        (SqlType::AnyNumeric(None), "NaN", "00000000c0000000"),
        (SqlType::AnyNumeric(None), "Infinity", "00000000d0000020"),
        (SqlType::AnyNumeric(None), "-Infinity", "00000000f0000020"),
        (SqlType::AnyNumeric(None), "-100000000", "00010002400000000001"),
        (numeric(7, 3), "1.234", "000200000000000300010924"),
        (numeric(7, 3), "-0.001", "0001ffff40000003000a"),
        (numeric(7, 3), "9999.999", "0002000000000003270f2706"),
        (Text, "aä", "61c3a4"),
        (Bytea, "\\x00ff", "00ff"),
    ];
    for (sql_type, text, hex) in goldens {
        let array = parse_text(sql_type, text).unwrap();
        assert_eq!(binary_hex(&array, sql_type), hex, "{} {text}", sql_type.name());
        let bytes: Vec<u8> = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
        let mut builder = ColumnBuilder::new(sql_type, 1);
        builder.append_binary(&bytes).unwrap();
        assert_eq!(&builder.finish(), &array, "{} {text}", sql_type.name());
        if !matches!(sql_type, Text | Bytea | Bool) {
            let error = builder.append_binary(&bytes[1..]).unwrap_err();
            assert_eq!(error.state().0, "22P03");
        }
        assert_eq!(builder.len(), 0);
    }
}

#[test]
fn refusals_are_postgres_refusals() {
    let goldens = [
        (Int4, "abc", "22P02 invalid input syntax for type integer: \"abc\""),
        (Int4, "", "22P02 invalid input syntax for type integer: \"\""),
        (Int4, "1 2", "22P02 invalid input syntax for type integer: \"1 2\""),
        (Int4, "99999999999", "22003 value \"99999999999\" is out of range for type integer"),
        (Int2, "32768", "22003 value \"32768\" is out of range for type smallint"),
        (Int8, "9223372036854775808", "22003 value \"9223372036854775808\" is out of range for type bigint"),
        (Bool, "o", "22P02 invalid input syntax for type boolean: \"o\""),
        (Float8, "1e400", "22003 \"1e400\" is out of range for type double precision"),
        (Float8, "1e-400", "22003 \"1e-400\" is out of range for type double precision"),
        (Float8, "1e5e", "22P02 invalid input syntax for type double precision: \"1e5e\""),
        (Float4, "1e50", "22003 \"1e50\" is out of range for type real"),
        (numeric(5, 2), "1.2.3", "22P02 invalid input syntax for type numeric: \"1.2.3\""),
        (numeric(5, 2), ".", "22P02 invalid input syntax for type numeric: \".\""),
        (
            numeric(5, 2),
            "123456",
            "22003 numeric field overflow | A field with precision 5, scale 2 must round to an absolute value less than 10^3.",
        ),
        (
            numeric(2, 2),
            "0.995",
            "22003 numeric field overflow | A field with precision 2, scale 2 must round to an absolute value less than 1.",
        ),
        (numeric(10, 2), "inf", "22003 numeric field overflow | A field with precision 10, scale 2 cannot hold an infinite value."),
        (numeric(10, 2), "1e200000", "22003 value overflows numeric format"),
        (Varchar(Some(5)), "abcdef", "22001 value too long for type character varying(5)"),
        (Text, "a\0b", "22021 invalid byte sequence for encoding \"UTF8\": 0x00"),
        (Bytea, "\\xzz", "22023 invalid hexadecimal digit: \"z\""),
        (Bytea, "\\x123", "22023 invalid hexadecimal data: odd number of digits"),
        (Bytea, "a\\b", "22P02 invalid input syntax for type bytea"),
        (Date, "abc", "22007 invalid input syntax for type date: \"abc\""),
        (Date, "2024-01", "22007 invalid input syntax for type date: \"2024-01\""),
        (Date, "2024-02-30", "22008 date/time field value out of range: \"2024-02-30\""),
        (
            Date,
            "2024-13-30",
            "22008 date/time field value out of range: \"2024-13-30\" | Perhaps you need a different \"datestyle\" setting.",
        ),
        (Date, "0000-01-01", "22008 date/time field value out of range: \"0000-01-01\""),
        (Date, "5874898-01-01", "22008 date out of range: \"5874898-01-01\""),
        (Date, "4714-11-23 BC", "22008 date out of range: \"4714-11-23 BC\""),
        (Timestamp, "294277-01-01", "22008 timestamp out of range: \"294277-01-01\""),
        (Timestamp, "10:20:30 2024-01-02", "22007 invalid input syntax for type timestamp: \"10:20:30 2024-01-02\""),
        (Timestamp, "2024-01-01 23:59:60.1", "22008 date/time field value out of range: \"2024-01-01 23:59:60.1\""),
        (Date, "Tue 2024-01-02", "22007 invalid input syntax for type date: \"Tue 2024-01-02\""),
        (Timestamp, "2024-01-01 25:00:00", "22008 date/time field value out of range: \"2024-01-01 25:00:00\""),
        (Timestamptz, "2024-01-01 00:00:00 +16", "22009 time zone displacement out of range: \"2024-01-01 00:00:00 +16\""),
        (Timestamptz, "2024-01-01 foo", "22007 invalid input syntax for type timestamp with time zone: \"2024-01-01 foo\""),
    ];
    for (sql_type, input, error) in goldens {
        assert_eq!(refused(sql_type, input), error);
    }
    assert!(refused(numeric(5, 2), "NaN").starts_with("0A000"));
    assert!(refused(Date, "today").starts_with("0A000"));
    assert!(refused(Timestamptz, "2024-01-01 Mars/Phobos").starts_with("22023 time zone \"mars/phobos\" not recognized"));
    for (bytes, shown) in [(&b"\xe9 a"[..], "0xe9 0x20 0x61"), (b"a\xff", "0xff"), (b"\xe9 ", "0xe9 0x20")] {
        let error = ColumnBuilder::new(Text, 1).append_text(bytes).unwrap_err();
        assert_eq!((error.state().0, error.message()), ("22021", format!("invalid byte sequence for encoding \"UTF8\": {shown}").as_str()));
    }
}

/// What a text means at 2024-03-10 23:30:15.25 UTC, which is the eleventh in Berlin.
#[test]
fn words_of_the_clock_mean_the_session_s_moment() {
    let zone = relational::values::zone::Zone::known("europe/berlin").unwrap();
    let reading = Reading { manner: Manner { zone, ..Manner::default() }, now_us: Some(1_710_113_415_250_000) };
    let read = |sql_type: SqlType, text: &str| {
        let mut builder = ColumnBuilder::in_manner(sql_type, 1, reading);
        let read = builder.append_text(text.as_bytes()).map(|()| text_of(&builder.finish(), 0, sql_type).unwrap().unwrap());
        read.map_err(|error| error.state().0.to_owned())
    };
    for (sql_type, text, shown) in [
        (Timestamptz, "now", "2024-03-10 23:30:15.25+00"),
        (Timestamptz, "today", "2024-03-10 23:00:00+00"),
        (Timestamptz, "tomorrow 12:00", "2024-03-12 11:00:00+00"),
        (Timestamp, "NOW", "2024-03-11 00:30:15.25"),
        (Timestamp, "08:30 yesterday", "2024-03-10 08:30:00"),
        (Date, " Today ", "2024-03-11"),
        (Date, "now", "2024-03-11"),
        (SqlType::Time, "now", "00:30:15.25"),
        (Text, "now", "now"),
    ] {
        assert_eq!(read(sql_type, text).as_deref(), Ok(shown), "{sql_type:?} {text}");
    }
    assert_eq!(read(Date, "nowadays"), Err("22007".to_owned()));
    let array = Date.array().unwrap();
    assert_eq!(read(array, "{today,2024-01-01,yesterday}").as_deref(), Ok("{2024-03-11,2024-01-01,2024-03-10}"));
}

fn assign(array: &ArrayRef, from: SqlType, to: SqlType) -> Result<String, String> {
    let assignment = Assignment { column: "x", from, to, from_unknown_literal: false, reading: Reading::default() };
    match coerce(array, &assignment) {
        Ok(array) => {
            assert_eq!(array.data_type(), &to.arrow(), "V3");
            Ok(text_of(&array, 0, to).unwrap().unwrap())
        }
        Err(error) => Err(format!("{} {}", error.state().0, error.message())),
    }
}

#[test]
fn assignment_casts_compute_what_postgres_computes() {
    let goldens: &[(SqlType, &str, SqlType, Result<&str, &str>)] = &[
        (Int4, "7", Int8, Ok("7")),
        (Int8, "99999", Int2, Err("22003 smallint out of range")),
        (Float8, "2.5", Int4, Ok("2")),
        (Float8, "3.5", Int4, Ok("4")),
        (Float8, "NaN", Int4, Err("22003 integer out of range")),
        (Float8, "1e30", Int8, Err("22003 bigint out of range")),
        (Float8, "1e50", Float4, Err("22003 value out of range: overflow")),
        (Float8, "1e-60", Float4, Err("22003 value out of range: underflow")),
        (Float8, "123456789.123456789", numeric(38, 10), Ok("123456789.1234570000")),
        (Float4, "0.1", numeric(38, 10), Ok("0.1000000000")),
        (numeric(10, 2), "2.50", Int4, Ok("3")),
        (numeric(10, 2), "-2.50", Int4, Ok("-3")),
        (numeric(10, 2), "99999.50", Int2, Err("22003 smallint out of range")),
        (numeric(10, 3), "123.456", numeric(4, 2), Err("22003 numeric field overflow")),
        (numeric(10, 3), "12.345", numeric(4, 2), Ok("12.35")),
        (numeric(10, 3), "0.100", Float8, Ok("0.1")),
        (numeric(10, 3), "0.100", SqlType::AnyNumeric(None), Ok("0.100")),
        (SqlType::AnyNumeric(None), "1.005", numeric(4, 2), Ok("1.01")),
        (SqlType::AnyNumeric(None), "NaN", numeric(4, 2), Err("0A000 NaN in a numeric(4,2) is not supported")),
        (SqlType::AnyNumeric(None), "12345", SqlType::numeric(5, -2).unwrap(), Ok("12300")),
        (SqlType::AnyNumeric(None), "1e10", Int4, Err("22003 integer out of range")),
        (Float4, "0.1", SqlType::AnyNumeric(None), Ok("0.1")),
        (Bool, "t", Text, Ok("true")),
        (Bytea, "\\x01", Text, Ok("\\x01")),
        (Int4, "12345", Varchar(Some(3)), Err("22001 value too long for type character varying(3)")),
        (Text, "abc   ", Varchar(Some(3)), Ok("abc")),
        (Date, "infinity", Timestamp, Ok("infinity")),
        (Date, "5874897-12-31", Timestamp, Err("22008 date out of range for timestamp")),
        (Timestamp, "1969-12-31 23:00:00", Date, Ok("1969-12-31")),
        (Timestamp, "2024-01-02 03:04:05", Timestamptz, Ok("2024-01-02 03:04:05+00")),
        (Text, "x", Int4, Err("42804 column \"x\" is of type integer but expression is of type text")),
        (Int4, "1", Bool, Err("42804 column \"x\" is of type boolean but expression is of type integer")),
        (Varchar(Some(3)), "abc", Date, Err("42804 column \"x\" is of type date but expression is of type character varying")),
    ];
    for (from, text, to, expected) in goldens {
        let got = assign(&parse_text(*from, text).unwrap(), *from, *to);
        assert_eq!(got.as_deref().map_err(String::as_str), *expected, "{} {text} to {}", from.name(), to.name());
    }
}

#[test]
fn literals_and_nulls_take_the_target_type() {
    let literals: ArrayRef = Arc::new(StringViewArray::from(vec![Some(" 42"), None]));
    let assignment = Assignment { column: "x", from: Text, to: Int4, from_unknown_literal: true, reading: Reading::default() };
    let read = coerce(&literals, &assignment).unwrap();
    assert_eq!((read.data_type(), read.is_null(1)), (&Int4.arrow(), true));
    let wrong: ArrayRef = Arc::new(StringArray::from(vec!["abc"]));
    assert_eq!(coerce(&wrong, &assignment).unwrap_err().state().0, "22P02");
    let nulls: ArrayRef = Arc::new(NullArray::new(2));
    let typed = coerce(&nulls, &Assignment { from_unknown_literal: false, ..assignment }).unwrap();
    assert_eq!((typed.data_type(), typed.null_count()), (&Int4.arrow(), 2));
}

#[test]
fn foreign_layouts_are_laid_out_anew() {
    let big: ArrayRef = Arc::new(UInt64Array::from(vec![7, u64::MAX]));
    assert_eq!(canonical(&big, Int8).unwrap_err().state().0, "22003");
    assert_eq!(canonical(&big.slice(0, 1), Int8).unwrap().as_ref(), &Int64Array::from(vec![7]) as &dyn Array);
    let millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1500]).with_timezone("Europe/Berlin"));
    assert_eq!(text_of(&millis, 0, Timestamptz).unwrap().unwrap(), "1970-01-01 00:00:01.5+00");
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    assert_eq!(canonical(&texts, Date).unwrap_err().state().0, "XX000");
}

#[test]
fn encoder_writes_message_fields() {
    let mut builder = ColumnBuilder::new(Int4, 3);
    builder.append(Format::Text, Some(b"-7")).unwrap();
    builder.append(Format::Binary, None).unwrap();
    builder.append(Format::Binary, Some(&[0, 0, 0, 9])).unwrap();
    assert!(builder.append_text(b"x").is_err());
    assert_eq!(builder.len(), 3, "B1: a failed append left a row");
    let array = builder.finish();
    let mut out = b"kept".to_vec();
    let encoder = ColumnEncoder::new(&array, Int4, Format::Text).unwrap();
    (0..encoder.len()).for_each(|row| encoder.write(row, &mut out));
    assert_eq!(out, b"kept\0\0\0\x02-7\xff\xff\xff\xff\0\0\0\x019");
    assert_eq!(Format::from_code(2).unwrap_err().message(), "unsupported format code: 2");
}

const TYPES: [SqlType; 17] = [
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    numeric(10, 3),
    numeric(38, 38),
    numeric(38, 0),
    SqlType::AnyNumeric(None),
    Text,
    Varchar(Some(3)),
    Varchar(None),
    Bytea,
    Date,
    Timestamp,
    Timestamptz,
];

/// A small generator with a fixed seed (xorshift64), so that a failure repeats.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[test]
fn random_input_never_panics_and_reads_back() {
    const ALPHABET: &[u8] = b"0123456789-+:./ eExXtfTZnNaAbBcCjJ\\\xc3\xa4\xff\0\t";
    let mut random = Random(0x5eed);
    for round in 0..200_000 {
        let sql_type = TYPES[random.below(TYPES.len())];
        let bytes: Vec<u8> = (0..random.below(24)).map(|_| ALPHABET[random.below(ALPHABET.len())]).collect();
        let mut builder = ColumnBuilder::new(sql_type, 1);
        let appended = if round % 4 == 0 { builder.append_binary(&bytes) } else { builder.append_text(&bytes) };
        if appended.is_err() {
            assert!(builder.is_empty(), "B1: a failed append left a row");
            continue;
        }
        let array = builder.finish();
        for format in [Format::Text, Format::Binary] {
            let mut out = Vec::new();
            assert!(ColumnEncoder::new(&array, sql_type, format).unwrap().write_value(0, &mut out));
            builder.append(format, Some(&out)).unwrap_or_else(|error| panic!("V1: {bytes:?} as {}: {error}", sql_type.name()));
            let again = builder.finish();
            // Debug text, because NaN differs from itself.
            assert_eq!(format!("{again:?}"), format!("{array:?}"), "V1: {bytes:?} as {}", sql_type.name());
        }
    }
}

#[test]
fn random_bits_print_and_read_back() {
    let mut random = Random(0xdecaf);
    for _ in 0..100_000 {
        let bits = random.next();
        for (sql_type, bytes) in [
            (Float8, bits.to_be_bytes().to_vec()),
            (Float8, ((bits >> 11) as f64 * 2f64.powi((bits % 60) as i32)).to_be_bytes().to_vec()),
            (Float4, (bits as u32).to_be_bytes().to_vec()),
            (Int8, bits.to_be_bytes().to_vec()),
            (Timestamp, (bits as i64 >> 4).to_be_bytes().to_vec()),
            (Date, (bits as i32).to_be_bytes().to_vec()),
        ] {
            let mut builder = ColumnBuilder::new(sql_type, 1);
            if builder.append_binary(&bytes).is_err() {
                continue;
            }
            let array = builder.finish();
            let text = text_of(&array, 0, sql_type).unwrap().unwrap();
            builder.append_str(&text).unwrap_or_else(|error| panic!("V1: {error}"));
            assert_eq!(format!("{:?}", builder.finish()), format!("{array:?}"), "V1: {text}");
        }
    }
}
