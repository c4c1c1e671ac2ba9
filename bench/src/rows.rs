//! The rows of the COPY: id, name, age, city, the same on every machine.
//!
//! R1: row `i` depends on `i` alone. Ids count from 0 without a gap.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::Outcome;

/// The table both servers make.
pub const TABLE: &str = "CREATE TABLE people (id bigint PRIMARY KEY, name text, age int, city text)";

const FIRST: &[&str] = &["Ada", "Alan", "Barbara", "Donald", "Edgar", "Frances", "Grace", "Jim", "Leslie", "Margaret", "Niklaus", "Tony"];
const LAST: &[&str] =
    &["Allen", "Codd", "Gray", "Hamilton", "Hoare", "Hopper", "Knuth", "Lamport", "Liskov", "Lovelace", "Turing", "Wirth"];
const CITY: &[&str] = &["Aarhus", "Basel", "Cork", "Dakar", "Essen", "Fukuoka", "Genoa", "Haifa", "Izmir", "Jaipur", "Kyiv", "Lima"];

/// Writes `rows` rows in COPY's text format.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, rows: u64) -> Outcome<()> {
    let error = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).map_err(error)?);
    for id in 0..rows {
        let (name, last, age, city) = row(id);
        writeln!(file, "{id}\t{name} {last}\t{age}\t{city}").map_err(error)?;
    }
    file.flush().map_err(error)
}

fn row(id: u64) -> (&'static str, &'static str, u64, &'static str) {
    let mixed = mix(id);
    let pick = |list: &[&'static str], shift: u32| list[(mixed >> shift) as usize % list.len()];
    (pick(FIRST, 0), pick(LAST, 16), 18 + (mixed >> 32) % 80, pick(CITY, 48))
}

/// The finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn rows_are_the_same_every_time_and_of_the_expected_size() {
        let scratch = Scratch::create(&std::env::temp_dir(), false).unwrap();
        let path = scratch.path().join("people.tsv");
        write(&path, 1000).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        write(&path, 1000).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
        assert_eq!(first.lines().count(), 1000);
        assert!(first.lines().enumerate().all(|(id, line)| line.starts_with(&format!("{id}\t")) && line.split('\t').count() == 4));
        assert!((24_000..32_000).contains(&first.len()), "{} bytes", first.len());
    }
}
