//! Canonical value bytes, as a verifier prints them, and the encodings it refuses.

use receipts::value::{format_name, format_time, format_value};

fn numeric(unscaled: i128, scale: u8) -> Vec<u8> {
    let mut bytes = unscaled.to_le_bytes().to_vec();
    bytes.push(scale);
    bytes
}

/// Months, days, µs.
fn interval(months: i32, days: i32, micros: i64) -> Vec<u8> {
    [&months.to_le_bytes()[..], &days.to_le_bytes(), &micros.to_le_bytes()].concat()
}

/// An array of values of four bytes.
fn array(elements: &[Option<i32>]) -> Vec<u8> {
    let mut bytes = (elements.len() as u32).to_le_bytes().to_vec();
    for element in elements {
        match element {
            None => bytes.push(1),
            Some(value) => bytes.extend([&[0, 4, 0, 0, 0][..], &value.to_le_bytes()].concat()),
        }
    }
    bytes
}

/// A numeric beyond 128 bits.
fn long(unscaled: &[u8], scale: u16) -> Vec<u8> {
    [unscaled, &scale.to_le_bytes()].concat()
}

#[test]
fn values_print_as_sql_spells_them() {
    let day = 86_400_000_000i64;
    let cases: Vec<(u32, Vec<u8>, &str)> = vec![
        (16, vec![0], "false"),
        (16, vec![1], "true"),
        (21, (-5i16).to_le_bytes().into(), "-5"),
        (23, i32::MIN.to_le_bytes().into(), "-2147483648"),
        (20, i64::MAX.to_le_bytes().into(), "9223372036854775807"),
        (700, 1.5f32.to_le_bytes().into(), "1.5"),
        (700, 0x7fc0_0000u32.to_le_bytes().into(), "NaN"),
        (701, 3f64.to_le_bytes().into(), "3"),
        (701, 1e300f64.to_le_bytes().into(), "1e300"),
        (701, f64::NEG_INFINITY.to_le_bytes().into(), "-Infinity"),
        (701, 0x7ff8_0000_0000_0000u64.to_le_bytes().into(), "NaN"),
        (1700, numeric(0, 0), "0"),
        (1700, numeric(1200, 0), "1200"),
        (1700, numeric(-5, 3), "-0.005"),
        (1700, numeric(123_456, 2), "1234.56"),
        (1700, numeric(i128::MIN, 0), "-170141183460469231731687303715884105728"),
        (1700, vec![0], "-Infinity"),
        (1700, vec![1], "Infinity"),
        (1700, vec![2], "NaN"),
        (1700, long(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0], 0), "170141183460469231731687303715884105728"),
        (
            1700,
            long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff], 0),
            "-170141183460469231731687303715884105729",
        ),
        (1700, long(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 40), "0.0000000000000000000000000000000000000001"),
        (1700, long(&[0xff; 17], 40), "-0.0000000000000000000000000000000000000001"),
        (25, b"a \"b\"\n\x1b[31m".into(), r#""a \"b\"\n\u{1b}[31m""#),
        (25, "NULL".into(), "\"NULL\""),
        (25, "\u{202e}x".into(), "\"\\u{202e}x\""),
        (1043, vec![], "\"\""),
        (17, vec![0, 255], "\\x00ff"),
        (9999, vec![1], "\\x01"),
        (1082, 0i32.to_le_bytes().into(), "1970-01-01"),
        (1082, 11_016i32.to_le_bytes().into(), "2000-02-29"),
        (1082, (-719_528i32).to_le_bytes().into(), "0001-01-01 BC"),
        (1082, (-719_162i32).to_le_bytes().into(), "0001-01-01"),
        (1082, i32::MAX.to_le_bytes().into(), "infinity"),
        (1082, i32::MIN.to_le_bytes().into(), "-infinity"),
        (1114, (day - 1).to_le_bytes().into(), "1970-01-01 23:59:59.999999"),
        (1114, (-1i64).to_le_bytes().into(), "1969-12-31 23:59:59.999999"),
        (1184, 1_500_000i64.to_le_bytes().into(), "1970-01-01 00:00:01.5+00"),
        (1184, i64::MAX.to_le_bytes().into(), "infinity"),
        (1042, "ab".into(), "\"ab\""),
        (1083, 0i64.to_le_bytes().into(), "00:00:00"),
        (1083, day.to_le_bytes().into(), "24:00:00"),
        (1083, 14_706_789_000i64.to_le_bytes().into(), "04:05:06.789"),
        (1186, interval(0, 0, 0), "00:00:00"),
        (1186, interval(14, 3, 14_706_789_000), "1 year 2 mons 3 days 04:05:06.789"),
        (1186, interval(-14, 3, -1), "-1 years -2 mons +3 days -00:00:00.000001"),
        (1186, interval(0, -1, 3_600_000_000), "-1 days +01:00:00"),
        (2950, (0u8..16).collect(), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (114, "{ }".into(), "\"{ }\""),
        (3802, "{\"a\": 1}".into(), r#""{\"a\": 1}""#),
        (1007, array(&[]), "{}"),
        (1007, array(&[Some(1), None, Some(-3)]), "{1, NULL, -3}"),
        (1009, b"\x01\0\0\0\0\x04\0\0\0NULL".to_vec(), "{\"NULL\"}"),
    ];
    for (oid, bytes, text) in cases {
        assert_eq!(format_value(oid, &bytes).as_deref(), Ok(text), "type {oid}");
    }
    assert_eq!(format_time(crate::sample::TIME_US), "2026-01-02 03:04:05.678901+00");
}

#[test]
fn other_encodings_are_refused() {
    let cases: Vec<(u32, Vec<u8>)> = vec![
        (16, vec![2]),
        (16, vec![]),
        (23, vec![0; 8]),
        (20, vec![0; 4]),
        (700, (-0f32).to_le_bytes().into()),
        (700, 0x7fc0_0001u32.to_le_bytes().into()),
        (700, 0xffc0_0000u32.to_le_bytes().into()),
        (701, (-0f64).to_le_bytes().into()),
        (701, 0xfff8_0000_0000_0000u64.to_le_bytes().into()),
        (1700, numeric(10, 1)),
        (1700, numeric(0, 1)),
        (1700, numeric(1, 39)),
        (1700, vec![0; 16]),
        (1700, vec![]),
        (1700, vec![3]),
        (1700, vec![0; 18]),
        (1700, long(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 38)),
        (1700, long(&[0xff; 17], 38)),
        (1700, long(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 40)),
        (1700, long(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 40)),
        (1700, long(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 16_384)),
        (25, vec![0xff]),
        (1043, vec![0xc3]),
        (1184, vec![0; 7]),
        (1042, b"ab ".to_vec()),
        (1083, (-1i64).to_le_bytes().into()),
        (1083, 86_400_000_001i64.to_le_bytes().into()),
        (1186, vec![0; 15]),
        (2950, vec![0; 15]),
        (3802, vec![0xff]),
        (1007, vec![]),
        (1007, [array(&[Some(1)]), vec![0]].concat()),
        (1007, vec![2, 0, 0, 0, 1]),
        (1007, vec![1, 0, 0, 0, 2]),
        (1007, vec![1, 0, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3]),
        (1000, vec![1, 0, 0, 0, 0, 1, 0, 0, 0, 2]),
    ];
    for (oid, bytes) in cases {
        assert!(format_value(oid, &bytes).is_err(), "type {oid}, {bytes:?}");
    }
}

#[test]
fn every_day_of_eight_centuries_follows_the_one_before() {
    let date = |days: i32| format_value(1082, &days.to_le_bytes()).unwrap();
    let (mut year, mut month, mut day) = (1600, 1, 1);
    for days in -135_140..157_054 {
        assert_eq!(date(days), format!("{year:04}-{month:02}-{day:02}"));
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
        day += 1;
        if day > length {
            (day, month) = (1, month + 1);
        }
        if month > 12 {
            (month, year) = (1, year + 1);
        }
    }
}

#[test]
fn names_cannot_draw_on_a_terminal() {
    assert_eq!(format_name("customer"), "customer");
    assert_eq!(format_name("a\u{1b}[2J"), r#""a\u{1b}[2J""#);
    assert_eq!(format_name(""), "\"\"");
}
