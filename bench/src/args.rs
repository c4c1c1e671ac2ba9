//! What to measure, from the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::work::Kind;

/// The text of `--help`.
pub const USAGE: &str = "\
Usage: cargo xtask bench [WORK…] [options]      compare with PostgreSQL
       cargo xtask bench storage [options]      many rows under a bound of memory: latencies, bytes written, starts, a steady load
       cargo xtask bench proofs [options]       what proofs take of a COPY, and an export checked by all four verifiers
       cargo xtask bench pieces [args]          Criterion benches of log, hashing, trees and segments
       cargo xtask bench pieces --copy [args]   … of COPY parsing; builds the planner first

WORK is any of: copy insert fsck restart select index tpcb analytic idle   (default: all)

Options:
  --rounds N       rounds; the median is shown (default 3)
  --rows N         rows of the COPY (default 1000000)
  --seconds N      time of each pgbench run (default 5)
  --quick          50000 rows, 1 second, 1 round: shows that everything runs, not how fast
  --dir DIR        where the scratch folder goes (default: the system's folder for temporary files)
  --pg-bin DIR     folder of initdb, postgres, psql and pgbench (default: Debian's PostgreSQL 15, else the newest there)
  --server FILE    the shockwave binary (cargo xtask bench builds it and passes it)
  --only-ours      leave PostgreSQL out
  --python FILE    an interpreter with matplotlib, for the picture of `storage` (cargo xtask bench makes one and passes it)
  --unproven FILE  a shockwave binary without proofs, for `proofs` (cargo xtask bench builds it and passes it)
  --verifier NAME=COMMAND  a verifier for `proofs`, its words parted by blanks (cargo xtask bench makes them and passes them)
  --keep           keep the scratch folder, with the servers' logs
  --write          also write the table to bench/report.md (storage: bench/storage.md and bench/storage.png; proofs: bench/proofs.md)

`storage` takes 10000000 rows and 180 seconds of the steady load where it is not told, and runs once.

Exit status: 0 measured, 1 something failed, 2 not understood.";

/// One run of the bench.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Kinds of work, in the order in which they are done.
    pub kinds: Vec<Kind>,
    /// Rounds, at least one.
    pub rounds: usize,
    /// Rows of the COPY, at least one.
    pub rows: u64,
    /// Time of each pgbench run.
    pub time: Duration,
    /// Parent of the scratch folder.
    pub dir: PathBuf,
    /// Where PostgreSQL's programs are, if told.
    pub pg_bin: Option<PathBuf>,
    /// Our server's binary.
    pub server: PathBuf,
    /// An interpreter with matplotlib.
    pub python: Option<PathBuf>,
    /// A binary of our server that proves nothing.
    pub unproven: Option<PathBuf>,
    /// Verifiers, by name, each with the words of its command.
    pub verifiers: Vec<(String, Vec<String>)>,
    /// Leave PostgreSQL out.
    pub only_ours: bool,
    /// Keep the scratch folder.
    pub keep: bool,
    /// Write `bench/report.md`.
    pub write: bool,
}

/// Reads the arguments; `None` asks for help.
///
/// # Errors
/// An argument that is not known or has no value that can be read.
pub fn parse(args: impl Iterator<Item = String>) -> Result<Option<Plan>, String> {
    parse_over(start(), args)
}

/// Reads the arguments of `storage`.
///
/// # Errors
/// As for [`parse`], and a kind of work.
pub fn parse_storage(args: impl Iterator<Item = String>) -> Result<Option<Plan>, String> {
    let plan = parse_over(Plan { rounds: 1, rows: 10_000_000, time: Duration::from_secs(180), ..start() }, args)?;
    match plan {
        Some(plan) if plan.kinds != Kind::ALL || plan.rounds != 1 => Err("`storage` is one work and runs once".to_owned()),
        plan => Ok(plan),
    }
}

fn start() -> Plan {
    Plan {
        kinds: Vec::new(),
        rounds: 3,
        rows: 1_000_000,
        time: Duration::from_secs(5),
        dir: std::env::temp_dir(),
        pg_bin: None,
        server: PathBuf::from("target/release/shockwave"),
        python: None,
        unproven: None,
        verifiers: Vec::new(),
        only_ours: false,
        keep: false,
        write: false,
    }
}

fn parse_over(mut plan: Plan, mut args: impl Iterator<Item = String>) -> Result<Option<Plan>, String> {
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--rounds" => plan.rounds = number(&arg, &value()?)? as usize,
            "--rows" => plan.rows = number(&arg, &value()?)?,
            "--seconds" => plan.time = Duration::from_secs(number(&arg, &value()?)?),
            "--quick" => (plan.rounds, plan.rows, plan.time) = (1, 50_000, Duration::from_secs(1)),
            "--dir" => plan.dir = PathBuf::from(value()?),
            "--pg-bin" => plan.pg_bin = Some(PathBuf::from(value()?)),
            "--server" => plan.server = PathBuf::from(value()?),
            "--python" => plan.python = Some(PathBuf::from(value()?)),
            "--unproven" => plan.unproven = Some(PathBuf::from(value()?)),
            "--verifier" => plan.verifiers.push(verifier(&value()?)?),
            "--only-ours" => plan.only_ours = true,
            "--keep" => plan.keep = true,
            "--write" => plan.write = true,
            name => plan.kinds.push(Kind::named(name).ok_or_else(|| format!("`{name}` is neither an option nor a kind of work"))?),
        }
    }
    if plan.kinds.is_empty() {
        plan.kinds = Kind::ALL.to_vec();
    }
    plan.kinds.sort();
    plan.kinds.dedup();
    Ok(Some(plan))
}

/// Reads the arguments of `proofs`.
///
/// # Errors
/// As for [`parse`], and a kind of work.
pub fn parse_proofs(args: impl Iterator<Item = String>) -> Result<Option<Plan>, String> {
    match parse_over(start(), args)? {
        Some(plan) if plan.kinds != Kind::ALL => Err("`proofs` is one work".to_owned()),
        plan => Ok(plan),
    }
}

fn verifier(value: &str) -> Result<(String, Vec<String>), String> {
    let (name, command) = value.split_once('=').ok_or_else(|| format!("--verifier needs NAME=COMMAND, not `{value}`"))?;
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() { Err(format!("--verifier {name} has no command")) } else { Ok((name.to_owned(), words)) }
}

fn number(option: &str, value: &str) -> Result<u64, String> {
    value.replace('_', "").parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("{option} needs a whole number from 1, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Plan>, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn works_are_done_in_their_order_whatever_order_they_are_named_in() {
        let plan = parsed("select copy select --rounds 2 --rows 10_000").unwrap().unwrap();
        assert_eq!((plan.kinds, plan.rounds, plan.rows), (vec![Kind::Copy, Kind::Select], 2, 10_000));
        assert_eq!(parsed("").unwrap().unwrap().kinds, Kind::ALL);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, wanted) in [("--rows", "needs a value"), ("--rows 0", "from 1"), ("--rows x", "`x`"), ("vacuum", "`vacuum`")] {
            assert!(parsed(line).is_err_and(|e| e.contains(wanted)), "{line}");
        }
        assert_eq!(parsed("copy --help"), Ok(None));
    }

    #[test]
    fn verifiers_are_names_with_commands() {
        let words = ["--verifier", "Python=env A=b python -m v", "--rows", "5"].map(str::to_owned);
        let plan = parse_proofs(words.into_iter()).unwrap().unwrap();
        assert_eq!(plan.verifiers, [("Python".to_owned(), ["env", "A=b", "python", "-m", "v"].map(str::to_owned).to_vec())]);
        assert!(parse_proofs(["--verifier", "Go"].map(str::to_owned).into_iter()).is_err());
        assert!(parse_proofs(["copy".to_owned()].into_iter()).is_err());
    }

    #[test]
    fn storage_has_sizes_of_its_own() {
        let parsed = |line: &str| parse_storage(line.split_whitespace().map(str::to_owned));
        let plan = parsed("--seconds 9").unwrap().unwrap();
        assert_eq!((plan.rows, plan.time, plan.rounds), (10_000_000, Duration::from_secs(9), 1));
        assert!(parsed("copy").is_err() && parsed("--rounds 2").is_err());
    }
}
