//! COPY in text and CSV, in any chunks: the same rows or the same error however the bytes are cut.
#![no_main]

use base::SqlResult;
use engine::SqlType;
use libfuzzer_sys::fuzz_target;
use planner::copy::{CopyOptions, CopyParser};

fuzz_target!(|input: (u16, bool, &[u8])| {
    let (cut, csv, bytes) = input;
    let options = if csv { CopyOptions::csv() } else { CopyOptions::text() };
    let whole = rows(&options, &[bytes]);
    let (left, right) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    let parts = rows(&options, &[left, right]);
    match (whole, parts) {
        (Ok(whole), Ok(parts)) => assert_eq!(whole, parts, "Y1: the number of rows does not depend on the chunks"),
        (Err(whole), Err(parts)) => assert_eq!(whole.message(), parts.message(), "Y1: the error does not depend on the chunks"),
        (whole, parts) => panic!("Y1: {whole:?} in one chunk, {parts:?} in two"),
    }
});

/// Rows that came out; checked against what the parser counts.
fn rows(options: &CopyOptions, chunks: &[&[u8]]) -> SqlResult<u64> {
    let columns = [("id", SqlType::Int8), ("name", SqlType::Text), ("day", SqlType::Date), ("price", SqlType::Float8)];
    let columns = columns.map(|(name, sql_type)| (name.to_owned(), sql_type)).to_vec();
    let mut parser = CopyParser::new(options.clone(), "t", columns, 16);
    let mut seen = 0;
    let mut sink = |arrays: Vec<_>, rows: usize| {
        assert_eq!(arrays.len(), 4, "one array a column");
        seen += rows as u64;
        Ok(())
    };
    for chunk in chunks {
        parser.push(chunk, &mut sink)?;
    }
    let counted = parser.finish(&mut sink)?;
    assert_eq!(counted, seen, "every row is handed over once");
    Ok(counted)
}
