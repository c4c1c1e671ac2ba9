//! Goldens taken from a PostgreSQL 15 server, every way of cutting a sample, and random input.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::types::text_of;
use arrow::array::{ArrayRef, RecordBatch};
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType::{self, Int4, Text};

const COLUMNS: [(&str, SqlType); 2] = [("i", Int4), ("t", Text)];

fn columns() -> Vec<(String, SqlType)> {
    COLUMNS.iter().map(|(name, sql_type)| ((*name).to_owned(), *sql_type)).collect()
}

type Cells = Vec<Vec<Option<String>>>;

/// The rows that the parser makes of the chunks.
fn parse<'a>(options: &CopyOptions, chunks: impl IntoIterator<Item = &'a [u8]>, batch_rows: usize) -> SqlResult<Cells> {
    let mut parser = CopyParser::new(options.clone(), "c", columns(), batch_rows);
    let mut cells = Cells::new();
    let mut sink = |arrays: Vec<ArrayRef>, rows: usize| {
        assert!(rows <= batch_rows, "S2");
        for row in 0..rows {
            let cell = |(array, (_, sql_type)): (&ArrayRef, &(&str, SqlType))| text_of(array, row, *sql_type);
            cells.push(arrays.iter().zip(&COLUMNS).map(cell).collect::<SqlResult<_>>()?);
        }
        Ok(())
    };
    for chunk in chunks {
        parser.push(chunk, &mut sink)?;
    }
    let rows = parser.finish(&mut sink)?;
    assert_eq!(rows, cells.len() as u64);
    Ok(cells)
}

fn show(result: &SqlResult<Cells>) -> String {
    match result {
        Ok(cells) => {
            let row = |row: &Vec<Option<String>>| row.iter().map(|cell| cell.as_deref().unwrap_or("<null>")).collect::<Vec<_>>().join("|");
            cells.iter().map(row).collect::<Vec<_>>().join(" / ")
        }
        Err(error) => describe(error),
    }
}

fn describe(error: &SqlError) -> String {
    let fields: String = error.fields().map(|(_, text)| format!(" # {text}")).collect();
    format!("{} {}{fields}", error.state().0, error.message())
}

fn options(list: &[(&str, Option<&str>)]) -> CopyOptions {
    options_for(CopyDirection::From, list)
}

fn options_for(direction: CopyDirection, list: &[(&str, Option<&str>)]) -> CopyOptions {
    CopyOptions::from_list(direction, list).unwrap()
}

#[test]
fn text_rows() {
    let goldens: &[(&str, &str)] = &[
        ("1\ta\n2\tb\n", "1|a / 2|b"),
        ("1\ta\n2\tb", "1|a / 2|b"),
        ("1\ta\r\n2\tb\r\n", "1|a / 2|b"),
        ("1\ta\r2\tb\r", "1|a / 2|b"),
        ("\\N\t\\N\n", "<null>|<null>"),
        ("1\t\n", "1|"),
        ("1\t\\\\N\n", "1|\\N"),
        ("1\ta\\tb\\nc\\\\\\x41\\101\\q\n", "1|a\tb\nc\\AAq"),
        ("1\ta\\\nb\n", "1|a\nb"),
        ("1\ta\\\tb\n", "1|a\tb"),
        ("1\t\\303\\244\\xg\n", "1|äxg"),
        ("1\ta\n\\.\nrubbish", "1|a"),
        ("1\ta\n2\tb\\.\n", "1|a / 2|b"),
        ("", ""),
    ];
    for (input, output) in goldens {
        assert_eq!(show(&parse(&CopyOptions::text(), [input.as_bytes()], 100)), *output, "{input:?}");
    }
}

#[test]
fn csv_rows() {
    let goldens: &[(&str, &str)] = &[
        ("1,a\n2,b\n", "1|a / 2|b"),
        ("1,\n2,\"\"\n", "1|<null> / 2|"),
        ("1,\"a,\"\"b\"\"\nc\"\n", "1|a,\"b\"\nc"),
        ("1,a\"b,c\"d\n", "1|ab,cd"),
        ("1,\" a\\N\"\r\n", "1| a\\N"),
        ("\\.\n1,a\n", ""),
        ("1,\\.\n2,b\n", "1|\\. / 2|b"),
    ];
    for (input, output) in goldens {
        assert_eq!(show(&parse(&CopyOptions::csv(), [input.as_bytes()], 100)), *output, "{input:?}");
    }
    let escaped = options(&[("format", Some("csv")), ("quote", Some("'")), ("escape", Some("\\")), ("null", Some("nil"))]);
    assert_eq!(show(&parse(&escaped, [&b"1,'it\\'s \\\\ \\n'\n2,nil\n3,'nil'\n"[..]], 100)), "1|it's \\ \\n / 2|<null> / 3|nil");
}

#[test]
fn headers() {
    let skip = options(&[("format", Some("csv")), ("header", None)]);
    assert_eq!(show(&parse(&skip, [&b"\"any\nthing\"\n1,a\n"[..]], 100)), "1|a");
    let check = options(&[("format", Some("csv")), ("header", Some("match"))]);
    let goldens = [
        ("i,t\n1,a\n", "1|a"),
        ("i\n1,a\n", "22P04 wrong number of fields in header line: got 1, expected 2 # COPY c, line 1: \"i\""),
        ("i,u\n", "22P04 column name mismatch in header line field 2: got \"u\", expected \"t\" # COPY c, line 1: \"i,u\""),
        ("\\.\n", "22P04 wrong number of fields in header line: got 1, expected 2 # COPY c, line 1: \"\""),
        ("", "22P04 wrong number of fields in header line: got 1, expected 2 # COPY c, line 1: \"\""),
        (",t\n", "22P04 column name mismatch in header line field 1: got null value (\"\"), expected \"i\" # COPY c, line 1: \",t\""),
    ];
    for (input, output) in goldens {
        assert_eq!(show(&parse(&check, [input.as_bytes()], 100)), output);
    }
}

#[test]
fn errors_name_line_and_column() {
    let text = CopyOptions::text();
    let csv = CopyOptions::csv();
    let long = format!("1\ta\n{}\tb\n", "x".repeat(99) + "äz");
    let goldens: Vec<(&CopyOptions, &[u8], String)> = vec![
        (&text, b"1\ta\n2\n", "22P04 missing data for column \"t\" # COPY c, line 2: \"2\"".into()),
        (&text, b"1\ta\tb\n", "22P04 extra data after last expected column # COPY c, line 1: \"1\ta\tb\"".into()),
        (&text, b"x\ta\tb\n", "22P04 extra data after last expected column # COPY c, line 1: \"x\ta\tb\"".into()),
        (&text, b"1\ta\nx\tb\n", "22P02 invalid input syntax for type integer: \"x\" # COPY c, line 2, column i: \"x\"".into()),
        (&text, b"\n", "22P02 invalid input syntax for type integer: \"\" # COPY c, line 1, column i: \"\"".into()),
        (
            &text,
            b"1\ta\n2\tb\r\n",
            "22P04 literal carriage return found in data # COPY c, line 2 # Use \"\\r\" to represent carriage return.".into(),
        ),
        (&text, b"1\ta\r\n2\tb\n", "22P04 literal newline found in data # COPY c, line 2 # Use \"\\n\" to represent newline.".into()),
        (
            &csv,
            b"1,a\n2,b\r\n",
            "22P04 unquoted carriage return found in data # COPY c, line 2 # Use quoted CSV field to represent carriage return.".into(),
        ),
        (&csv, b"1,\"a\n2,b\n", "22P04 unterminated CSV quoted field # COPY c, line 3: \"1,\"a\n2,b\n\"".into()),
        (&text, b"1\ta\n\\.x\n", "22P04 end-of-copy marker corrupt # COPY c, line 2".into()),
        (&text, b"1\ta\n\\.", "22P04 end-of-copy marker corrupt # COPY c, line 2".into()),
        (&text, b"1\ta\n\\.\r\n", "22P04 end-of-copy marker does not match previous newline style # COPY c, line 2".into()),
        (&text, b"1\ta\n2\t\xff\n", "22021 invalid byte sequence for encoding \"UTF8\": 0xff # COPY c, line 2".into()),
        (&text, b"1\ta\n2\t\xe4\n", "22021 invalid byte sequence for encoding \"UTF8\": 0xe4 0x0a # COPY c, line 2".into()),
        (&text, b"x\t\\377\n", "22021 invalid byte sequence for encoding \"UTF8\": 0xff # COPY c, line 1: \"x\t\\377\"".into()),
        (&text, b"1\ta\n2\ta\0\n", "22021 invalid byte sequence for encoding \"UTF8\": 0x00 # COPY c, line 2".into()),
        (&text, b"1\t\\377\n", "22021 invalid byte sequence for encoding \"UTF8\": 0xff # COPY c, line 1: \"1\t\\377\"".into()),
        (
            &text,
            long.as_bytes(),
            format!("22P02 invalid input syntax for type integer: \"{0}äz\" # COPY c, line 2, column i: \"{0}...\"", "x".repeat(99)),
        ),
    ];
    for (options, input, output) in &goldens {
        assert_eq!(show(&parse(options, [*input], 100)), *output);
    }
}

#[test]
fn options_are_checked_as_postgres_checks_them() {
    type List<'a> = &'a [(&'a str, Option<&'a str>)];
    let goldens: &[(List<'_>, &str)] = &[
        (&[("format", Some("xml"))], "22023 COPY format \"xml\" not recognized"),
        (&[("format", Some("binary")), ("null", Some(""))], "42601 cannot specify NULL in BINARY mode"),
        (&[("format", Some("binary")), ("header", None)], "0A000 cannot specify HEADER in BINARY mode"),
        (&[("delimiter", Some("ab"))], "0A000 COPY delimiter must be a single one-byte character"),
        (&[("delimiter", Some("ä"))], "0A000 COPY delimiter must be a single one-byte character"),
        (&[("delimiter", Some("\n"))], "22023 COPY delimiter cannot be newline or carriage return"),
        (&[("delimiter", Some("x"))], "22023 COPY delimiter cannot be \"x\""),
        (&[("null", Some("a\nb"))], "22023 COPY null representation cannot use newline or carriage return"),
        (&[("null", Some("a\tb"))], "0A000 COPY delimiter must not appear in the NULL specification"),
        (&[("quote", Some("'"))], "0A000 COPY quote available only in CSV mode"),
        (&[("escape", Some("'"))], "0A000 COPY escape available only in CSV mode"),
        (&[("format", Some("csv")), ("quote", Some(","))], "22023 COPY delimiter and quote must be different"),
        (&[("format", Some("csv")), ("null", Some("\""))], "0A000 CSV quote character must not appear in the NULL specification"),
        (&[("header", Some("perhaps"))], "42601 header requires a Boolean value or \"match\""),
        (&[("colour", None)], "42601 option \"colour\" not recognized"),
        (&[("delimiter", None)], "42601 delimiter requires a parameter"),
        (&[("null", Some("a")), ("NULL", Some("a"))], "42601 conflicting or redundant options"),
        (&[("force_null", Some("a"))], "0A000 COPY force null available only in CSV mode"),
        (&[("force_null", None)], "42601 argument to option \"force_null\" must be a list of column names"),
        (&[("format", Some("csv")), ("force_quote", Some("*"))], "0A000 COPY force quote only available using COPY TO"),
        (&[("encoding", Some("LATIN1"))], "0A000 COPY encoding \"LATIN1\" is not supported # Convert the data to UTF-8."),
    ];
    for (list, error) in goldens {
        assert_eq!(describe(&CopyOptions::from_list(CopyDirection::From, list).unwrap_err()), *error);
    }
    let to = CopyOptions::from_list(CopyDirection::To, &[("header", Some("match"))]).unwrap_err();
    assert_eq!(describe(&to), "22023 cannot use \"match\" with HEADER in COPY TO");
    assert_eq!(options(&[("encoding", Some("UTF-8")), ("freeze", Some("off"))]), CopyOptions::text());
    assert_eq!(options(&[("FORMAT", Some("csv")), ("quote", Some("'"))]).escape, b'\'');
}

/// A sample with every construct at which a chunk can end badly.
fn samples() -> Vec<(CopyOptions, &'static [u8])> {
    let csv = |list: &[(&'static str, Option<&'static str>)]| options(&[&[("format", Some("csv"))], list].concat());
    vec![
        (CopyOptions::text(), "1\ta\\\\b\\x41\\101\n\\N\t\\N\n22\tä猫\\\n!\n3\t\\303\\244\n\\.\n9\tz".as_bytes()),
        (CopyOptions::text(), b"1\ta\\\r\n\r\n2\tb\r\n\\.\r\n"),
        (CopyOptions::text(), b"1\ta\r2\tb\rx\tc\r"),
        (csv(&[]), "1,\"ä\"\"猫\n\r,\"\n,\n\\.x,\"\"\n".as_bytes()),
        (csv(&[]), b"1,\"a\r\nb\"\r\n2,\"\"\"\"\r\n\\.\r\n3,c"),
        (csv(&[("escape", Some("\\"))]), b"1,\"\\\"\\\\\"\n2,\"a\\b\\\\\",\n"),
        (csv(&[("header", Some("match"))]), b"\"i\",t\n1,2\n3,4\n5,\xff\n"),
        (CopyOptions::text(), b"1\ta\n2\tb\r\n"),
    ]
}

#[test]
fn any_cut_gives_the_same_rows_and_the_same_error() {
    for (options, input) in samples() {
        let whole = show(&parse(&options, [input], 2));
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let chunks = [&input[..first], &input[first..second], &input[second..]];
                assert_eq!(show(&parse(&options, chunks, 2)), whole, "Y1: cut at {first} and {second}");
            }
        }
        assert_eq!(show(&parse(&options, input.chunks(1), 1)), whole, "Y1: byte by byte");
    }
}

#[test]
fn random_bytes_never_panic_and_cuts_do_not_matter() {
    let alphabets: [&[u8]; 3] = [b"12\t\n\\.N", b"1,\"\n\r\\.a", b"1\t,\"\n\r\\.x4\xc3\xa4\0"];
    let mut state = 0x00c0_ffee_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    let all = [CopyOptions::text(), CopyOptions::csv(), options(&[("format", Some("csv")), ("escape", Some("\\")), ("header", None)])];
    for _ in 0..30_000 {
        let alphabet = alphabets[below(3)];
        let input: Vec<u8> = (0..below(20)).map(|_| alphabet[below(alphabet.len())]).collect();
        let options = &all[below(3)];
        let whole = show(&parse(options, [&input[..]], 100));
        assert_eq!(show(&parse(options, input.chunks(1 + below(4)), 100)), whole, "Y1: {input:?}");
    }
}

#[test]
fn a_row_that_is_too_long_is_refused_before_it_ends() {
    let mut parser = CopyParser::new(CopyOptions::text(), "c", columns(), 10);
    let piece = vec![b'x'; 1 << 20];
    let mut sink = |_: Vec<ArrayRef>, _: usize| Ok(());
    parser.push(b"1\t", &mut sink).unwrap();
    let refused = (0..65).find_map(|_| parser.push(&piece, &mut sink).err());
    assert_eq!(describe(&refused.unwrap()), "54000 COPY row exceeds 67108864 bytes # COPY c, line 1");
}

#[test]
fn batches_end_at_their_row_limit() {
    let input: Vec<u8> = (0..10).flat_map(|i| format!("{i}\tx\n").into_bytes()).collect();
    let mut parser = CopyParser::new(CopyOptions::text(), "c", columns(), 4);
    let mut sizes = Vec::new();
    parser
        .push(&input, &mut |_, rows| {
            sizes.push(rows);
            Ok(())
        })
        .unwrap();
    assert_eq!(parser.rows(), 10);
    assert_eq!(
        parser
            .finish(&mut |_, rows| {
                sizes.push(rows);
                Ok(())
            })
            .unwrap(),
        10
    );
    assert_eq!(sizes, [4, 4, 2]);
}

#[test]
fn what_is_written_is_what_postgres_writes_and_reads_back() {
    let input = "1\ta\\tb\\\\c\\nd,\"e\n2\t\\N\n\\N\t\n3\t\\\\.\n";
    let cells = parse(&CopyOptions::text(), [input.as_bytes()], 100).unwrap();
    let csv_header = options(&[("format", Some("csv")), ("header", None)]);
    let goldens = [(CopyOptions::text(), input), (csv_header, "i,t\n1,\"a\tb\\c\nd,\"\"e\"\n2,\n,\"\"\n3,\\.\n")];
    for (options, output) in goldens {
        let mut written = Vec::new();
        let writer = CopyWriter::new(options.clone(), &["i", "t"], vec![Int4, Text]).unwrap();
        writer.header(&["i", "t"], &mut written);
        let mut parser = CopyParser::new(CopyOptions::text(), "c", columns(), 100);
        let mut sink = |arrays: Vec<ArrayRef>, _: usize| {
            let [i, t] = arrays.try_into().unwrap();
            writer.write_batch(&RecordBatch::try_from_iter_with_nullable([("i", i, true), ("t", t, true)]).unwrap(), &mut written).map(drop)
        };
        parser.push(input.as_bytes(), &mut sink).unwrap();
        parser.finish(&mut sink).unwrap();
        assert_eq!(str::from_utf8(&written).unwrap(), output);
        assert_eq!(parse(&options, [&written[..]], 100).unwrap(), cells);
    }
    let alone = CopyWriter::new(CopyOptions::csv(), &["t"], vec![Text]).unwrap();
    let mut written = Vec::new();
    let lone: ArrayRef = std::sync::Arc::new(arrow::array::StringArray::from(vec![Some("\\."), Some(""), None]));
    alone.write_batch(&RecordBatch::try_from_iter_with_nullable([("t", lone, true)]).unwrap(), &mut written).unwrap();
    assert_eq!(str::from_utf8(&written).unwrap(), "\"\\.\"\n\"\"\n\n");
}

/// Written by `COPY (VALUES (1, 'a'), (NULL, 'ä')) TO STDOUT (FORMAT binary)` of PostgreSQL 15.
const BINARY: &[u8] =
    b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x01a\0\x02\xff\xff\xff\xff\0\0\0\x02\xc3\xa4\xff\xff";

#[test]
fn the_binary_format_is_read_however_it_is_cut_and_written_again() {
    let cells = parse(&CopyOptions::text(), [&b"1\ta\n\\N\t\xc3\xa4\n"[..]], 100).unwrap();
    for size in [1, 2, 3, 7, 1_000] {
        assert_eq!(parse(&CopyOptions::binary(), BINARY.chunks(size), 100).unwrap(), cells, "{size}");
    }
    // The trailer may be missing.
    assert_eq!(parse(&CopyOptions::binary(), [&BINARY[..BINARY.len() - 2]], 100).unwrap(), cells);
    let writer = CopyWriter::new(CopyOptions::binary(), &["i", "t"], vec![Int4, Text]).unwrap();
    let mut written = Vec::new();
    writer.header(&["i", "t"], &mut written);
    let mut parser = CopyParser::new(CopyOptions::binary(), "c", columns(), 100);
    let mut sink = |arrays: Vec<ArrayRef>, _: usize| {
        let [i, t] = arrays.try_into().unwrap();
        writer.write_batch(&RecordBatch::try_from_iter_with_nullable([("i", i, true), ("t", t, true)]).unwrap(), &mut written).map(drop)
    };
    parser.push(BINARY, &mut sink).unwrap();
    parser.finish(&mut sink).unwrap();
    writer.trailer(&mut written);
    assert_eq!(written, BINARY);
}

/// Every shortened and every altered input is rows or an error of the format, never a panic.
#[test]
fn damaged_binary_input_is_refused() {
    for length in 0..BINARY.len() {
        drop(parse(&CopyOptions::binary(), [&BINARY[..length]], 100));
        for bit in 0..8 {
            let mut damaged = BINARY.to_vec();
            damaged[length] ^= 1 << bit;
            drop(parse(&CopyOptions::binary(), [&damaged[..]], 100));
        }
    }
    let goldens: [(&[u8], &str); 4] = [
        (b"1\ta\n", "22P04 COPY file signature not recognized"),
        (&BINARY[..25], "22P04 unexpected EOF in COPY data # COPY c, line 1"),
        (b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x03", "22P04 row field count is 3, expected 2 # COPY c, line 1"),
        (
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x02\0\x01\0\0\0\x01a",
            "22P03 invalid binary representation of type integer # COPY c, line 1, column i",
        ),
    ];
    for (input, error) in goldens {
        assert_eq!(show(&parse(&CopyOptions::binary(), [input], 100)), error);
    }
}

#[test]
fn forced_columns_are_quoted_null_or_not() {
    let input = "1,\n2,\"\"\n";
    let shown = |options: &CopyOptions| show(&parse(options, [input.as_bytes()], 100));
    assert_eq!(shown(&options(&[("format", Some("csv"))])), "1|<null> / 2|");
    assert_eq!(shown(&options(&[("format", Some("csv")), ("force_not_null", Some("t"))])), "1| / 2|");
    assert_eq!(shown(&options(&[("format", Some("csv")), ("force_null", Some("t"))])), "1|<null> / 2|<null>");
    let options = options_for(CopyDirection::To, &[("format", Some("csv")), ("force_quote", Some("t"))]);
    assert_eq!(CopyWriter::new(options.clone(), &["i"], vec![Int4]).err().unwrap().state(), SqlState::INVALID_COLUMN_REFERENCE);
    let writer = CopyWriter::new(options, &["i", "t"], vec![Int4, Text]).unwrap();
    let mut written = Vec::new();
    let (i, t): (ArrayRef, ArrayRef) = (
        std::sync::Arc::new(arrow::array::Int32Array::from(vec![1, 2])),
        std::sync::Arc::new(arrow::array::StringArray::from(vec![Some("a"), None])),
    );
    writer.write_batch(&RecordBatch::try_from_iter_with_nullable([("i", i, true), ("t", t, true)]).unwrap(), &mut written).unwrap();
    assert_eq!(str::from_utf8(&written).unwrap(), "1,\"a\"\n2,\n");
}
