//! `jepsen sim …` replays simulated faults from seeds; `jepsen kill …` kills a real server again and again; `jepsen appends …` searches a history for cycles.
//!
//! Exit codes: 0 every promise held, 1 one was broken, 2 wrong usage.

use std::path::PathBuf;
use std::process::ExitCode;

use jepsen::isolation::appends::{self, Level};
use jepsen::kill::{self, Plan};
use jepsen::sim::campaign::{Count, Effort, Point, replay, seed};

const USAGE: &str = "\
jepsen sim --seed N [--crash-at STEP | --error-at STEP | --disk-bytes N | --flip N]
    replays one seed: without a fault, or with one; prints every operation with the I/O step it begins at
jepsen sim --seeds A..B [--all]
    runs seeds A to B-1 with a sample of faults each, or with a crash and an error at every step
jepsen kill --binary PATH [--rounds N] [--writers N]
    starts the server, kills it with SIGKILL while clients write, starts it again, checks; N rounds (default 10)
jepsen appends --binary PATH [--transactions N] [--kills N] [--sessions N] [--seed N]
    random transactions that append to lists and read them, at each level, over N kills (default 2); their history is searched for what the level
    excludes (N transactions a level, default 3000)";

/// Arguments as pairs of an option and its value; `--all` has none.
struct Arguments(Vec<String>);

impl Arguments {
    fn value(&self, option: &str) -> Option<&str> {
        let at = self.0.iter().position(|argument| argument == option)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn number(&self, option: &str) -> Result<Option<u64>, String> {
        let parse = |value: &str| value.parse().map_err(|_| format!("{option} needs a number, not \"{value}\""));
        self.value(option).map(parse).transpose()
    }

    fn check(&self, known: &[&str]) -> Result<(), String> {
        let unknown = self.0.iter().find(|argument| argument.starts_with("--") && !known.contains(&argument.as_str()));
        unknown.map_or(Ok(()), |argument| Err(format!("unknown option {argument}")))
    }
}

fn sim(arguments: &Arguments) -> Result<bool, String> {
    arguments.check(&["--seed", "--seeds", "--crash-at", "--error-at", "--disk-bytes", "--flip", "--all"])?;
    let mut count = Count::default();
    if let Some(one) = arguments.number("--seed")? {
        let crash = arguments.number("--crash-at")?.map(Point::Crash);
        let error = arguments.number("--error-at")?.map(Point::Error);
        let full = arguments.number("--disk-bytes")?.map(Point::Full);
        replay(one, crash.or(error).or(full), arguments.number("--flip")?, &mut count);
    } else {
        let range = arguments.value("--seeds").ok_or("sim needs --seed N or --seeds A..B")?;
        let ends = range.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        let (from, to): (u64, u64) = ends.ok_or_else(|| format!("--seeds needs A..B, not \"{range}\""))?;
        let effort = if arguments.0.iter().any(|argument| argument == "--all") { Effort::ALL } else { Effort::SAMPLE };
        (from..to).for_each(|at| seed(at, effort, &mut count));
    }
    println!("{count}");
    Ok(count.violations.is_empty())
}

fn appends(arguments: &Arguments) -> Result<bool, String> {
    arguments.check(&["--binary", "--transactions", "--kills", "--sessions", "--seed"])?;
    let binary = PathBuf::from(arguments.value("--binary").ok_or("appends needs --binary PATH")?);
    let sessions = arguments.number("--sessions")?.unwrap_or(8);
    let transactions = arguments.number("--transactions")?.unwrap_or(3_000);
    let kills = arguments.number("--kills")?.unwrap_or(2);
    let seed = arguments.number("--seed")?.unwrap_or(1);
    for level in Level::ALL {
        let plan = appends::Plan { binary: binary.clone(), level, sessions, transactions, kills, seed };
        match appends::record(&plan).and_then(|history| appends::judge(&history, level)) {
            Ok(verdict) => println!("{}, {kills} kills: {verdict}: 0 violations", level.sql()),
            Err(what) => {
                println!("VIOLATION at {}: {what}", level.sql());
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn run(mut words: impl Iterator<Item = String>) -> Result<bool, String> {
    let command = words.next();
    let arguments = Arguments(words.collect());
    match command.as_deref() {
        Some("sim") => sim(&arguments),
        Some("appends") => appends(&arguments),
        Some("kill") => {
            arguments.check(&["--binary", "--rounds", "--writers"])?;
            let binary = PathBuf::from(arguments.value("--binary").ok_or("kill needs --binary PATH")?);
            let rounds = arguments.number("--rounds")?.unwrap_or(10);
            let writers = arguments.number("--writers")?.unwrap_or(4);
            match kill::run(&Plan { binary, rounds, writers }) {
                Ok(count) => println!("{count}: 0 violations"),
                Err(what) => {
                    println!("VIOLATION {what}");
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Err("which one?".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(what) => {
            eprintln!("jepsen: {what}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
