//! Levels of isolation on the real server: the table of anomalies in docs/isolation.md, many sessions over few rows, and histories without a cycle.

use std::path::{Path, PathBuf};

use jepsen::isolation::appends::{Level, Plan, judge, record};
use jepsen::isolation::{LEVELS, table, transfers};
use jepsen::server::{Server, free_address};

/// Set to write the table anew.
const REWRITE: &str = "SHOCKWAVE_RECORD";
const BEGIN: &str = "<!-- the table: written by the tests -->\n";
const END: &str = "<!-- the table ends -->\n";

/// The server's binary beside the tests, where the whole workspace has been built.
fn binary() -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(Path::parent).unwrap().join("shockwave");
    if !binary.exists() {
        eprintln!("skipped: {} is not there; build the whole workspace", binary.display());
        return None;
    }
    Some(binary)
}

#[test]
fn anomalies_are_those_of_the_page() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().unwrap();
    let address = free_address().unwrap();
    let _server = Server::start(&binary, folder.path(), address).unwrap();
    let seen = table(address, false).unwrap();
    assert_eq!(table(address, true).unwrap(), seen, "an index changes what is seen");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/isolation.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&page, format!("{before}{BEGIN}{seen}{END}{after}")).unwrap();
    } else {
        assert_eq!(kept, seen, "docs/isolation.md is not what happens; {REWRITE}=1 writes it anew");
    }
    let column = |line: &str, at: usize| line.split('|').nth(at).unwrap_or_default().trim().to_owned();
    for line in seen.lines().skip(2) {
        let name = column(line, 1);
        assert!(column(line, 5).starts_with("prevented"), "{name} is possible at SERIALIZABLE");
        assert!(column(line, 4).starts_with("prevented") || name.starts_with("G2"), "{name} is possible at REPEATABLE READ");
        assert!(
            column(line, 3).starts_with("prevented") || !(name.starts_with("G0") || name.starts_with("G1")),
            "{name} is possible at READ COMMITTED"
        );
    }
}

#[test]
fn many_sessions_over_few_rows_end_and_keep_the_sum() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().unwrap();
    let address = free_address().unwrap();
    let _server = Server::start(&binary, folder.path(), address).unwrap();
    for level in LEVELS {
        let outcome = transfers(address, level, 12, 25).unwrap();
        println!("{level}: {outcome:?}");
        assert_eq!(outcome.done, 300);
    }
}

/// The history of each level over two kills. That of READ COMMITTED shows that the sessions do meet: it is no serial one.
#[test]
fn lists_that_grow_amid_kills_have_no_cycle_that_their_level_excludes() {
    let Some(binary) = binary() else { return };
    for level in Level::ALL {
        let plan = Plan { binary: binary.clone(), level, sessions: 8, transactions: 1_200, kills: 2, seed: 1 };
        let history = record(&plan).unwrap();
        let verdict = judge(&history, level).unwrap_or_else(|why| panic!("{why}"));
        println!("{}: {verdict}", level.sql());
        assert!(verdict.committed > 300, "{}: {verdict}", level.sql());
        if level == Level::ReadCommitted {
            assert!(judge(&history, Level::Serializable).is_err(), "the sessions did not meet: {verdict}");
        }
    }
}
