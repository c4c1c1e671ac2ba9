//! The differential suite: the same statements to Shockwave and to PostgreSQL 15, the answers compared.
//!
//! The files `tests/differential/*.slt` carry PostgreSQL's answers. A run compares them with a PostgreSQL started for it, so that no answer is
//! made up, and with Shockwave. `SHOCKWAVE_RECORD=1 cargo test --workspace --test it -- differential` writes PostgreSQL's answers into the files, and
//! takes away the marks `not yet` of statements that are answered by now.
//!
//! `SHOCKWAVE_FILES=joins,sets` runs these files alone.
//!
//! `random.rs` adds statements made out of seeds, `graphs.rs` patterns in property graphs and what they are without one.
//!
//! V1: every statement of every file runs on Shockwave, marked ones too: one that is `not yet` answered and is by now is counted and named.
//! V2: without PostgreSQL the recorded answers alone are compared with, and the run says so on standard error.

mod answer;
pub mod cluster;
mod generator;
mod graphs;
mod random;
mod script;
mod session;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use answer::Answer;
use cluster::{Cluster, USER};
use script::{Mark, Script, Step};
use session::Session;

use crate::server::{TestServer, start};

/// What came of one file.
#[derive(Default)]
struct Tally {
    statements: usize,
    not_yet: usize,
    differs: usize,
    /// Marked `not yet`, and answered as by PostgreSQL by now.
    stale: Vec<String>,
    failures: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_answered_as_by_postgresql() {
    let record = std::env::var_os("SHOCKWAVE_RECORD").is_some();
    let mut cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    assert!(cluster.is_some() || !record, "PostgreSQL 15 is needed to record its answers");
    if cluster.is_none() {
        say("PostgreSQL 15 is NOT installed: Shockwave was compared with recorded answers only (V2)");
    }
    let mut total = Tally::default();
    for path in files() {
        let server = start().await;
        let run = move || {
            let tally = run_file(&path, &server, cluster.as_mut(), record);
            (tally, cluster, server)
        };
        let (tally, back, server) = tokio::task::spawn_blocking(run).await.unwrap();
        cluster = back;
        server.shutdown.request();
        total.statements += tally.statements;
        total.not_yet += tally.not_yet;
        total.differs += tally.differs;
        total.failures.extend(tally.failures);
        total.stale.extend(tally.stale);
    }
    say(&format!(
        "{} statements compared with PostgreSQL's answers: {} differ by design, {} not yet",
        total.statements, total.differs, total.not_yet
    ));
    if !total.stale.is_empty() {
        say(&format!(
            "{} marked `not yet` are answered; SHOCKWAVE_RECORD=1 takes the marks away: {}",
            total.stale.len(),
            total.stale.join(" ")
        ));
    }
    assert!(total.failures.is_empty(), "{} failures\n\n{}", total.failures.len(), total.failures.join("\n\n"));
}

/// Past the test harness, which keeps what a passing test prints.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "differential: {text}");
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    let only = std::env::var("SHOCKWAVE_FILES").ok();
    let is_meant = |path: &PathBuf| {
        let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        only.as_ref().is_none_or(|only| only.split(',').any(|name| name == stem))
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_meant).collect();
    files.sort();
    files
}

/// The sessions of one file in one server, opened as they are named.
struct Sessions<'a> {
    open: HashMap<String, Session>,
    connect: Box<dyn Fn() -> Session + 'a>,
}

impl<'a> Sessions<'a> {
    fn new(connect: impl Fn() -> Session + 'a) -> Self {
        Self { open: HashMap::new(), connect: Box::new(connect) }
    }

    fn of(&mut self, name: &str) -> &mut Session {
        // One that was lost is a failure of its statement, not of all that follow.
        if self.open.get(name).is_some_and(|session| session.is_lost) {
            self.open.remove(name);
        }
        self.open.entry(name.to_owned()).or_insert_with(&self.connect)
    }
}

fn run_file(path: &Path, server: &TestServer, cluster: Option<&mut Cluster>, record: bool) -> Tally {
    let mut script = Script::read(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let port = server.address.port();
    let mut ours = Sessions::new(move || Session::open(port, USER, USER).unwrap());
    let mut theirs = cluster.map(|cluster| {
        let (port, database) = (cluster.port, cluster.fresh_database());
        Sessions::new(move || Session::open(port, &database, USER).unwrap())
    });
    let mut tally = Tally::default();
    let (mut recorded, mut answered) = (Vec::new(), Vec::new());
    for (index, step) in script.steps.iter().enumerate() {
        tally.statements += usize::from(step.mark != Mark::Ours);
        tally.not_yet += usize::from(step.mark == Mark::NotYet);
        tally.differs += usize::from(step.mark == Mark::Differs);
        if let Some(theirs) = theirs.as_mut().filter(|_| step.mark != Mark::Ours) {
            let answer = theirs.of(&step.session).ask(&step.sql);
            if record {
                recorded.push((index, answer));
            } else if !agrees(step, &answer) {
                let shown = answer.shown(step.sorted);
                tally
                    .failures
                    .push(format!("{name}:{}: {}\n  PostgreSQL answers otherwise than recorded:\n    {shown}", step.line, step.sql));
            }
        }
        let answer = ours.of(&step.session).ask(&step.sql);
        if step.mark == Mark::NotYet && agrees(step, &answer) {
            tally.stale.push(format!("{name}:{}", step.line));
            answered.push(index);
        } else if !record {
            tally.failures.extend(judge(&name, step, &answer));
        }
    }
    if record {
        recorded.iter().for_each(|(index, answer)| script.record(*index, answer));
        answered.into_iter().for_each(|index| script.unmark(index));
        script.write(path);
    }
    tally
}

/// Whether the answer is the recorded one.
fn agrees(step: &Step, answer: &Answer) -> bool {
    match &step.expected {
        Some(expected) => answer.lines(step.sorted) == *expected,
        None => !matches!(answer, Answer::Failed { .. }),
    }
}

/// V1.
fn judge(file: &str, step: &Step, answer: &Answer) -> Option<String> {
    let place = format!("{file}:{}: {}", step.line, step.sql);
    match (step.mark, agrees(step, answer)) {
        (Mark::Both | Mark::Ours, false) => {
            let expected = step.expected.as_ref().map_or_else(|| "success".to_owned(), |lines| lines.join("\n    "));
            Some(format!("{place}\n  expected\n    {expected}\n  Shockwave\n    {}", answer.shown(step.sorted)))
        }
        (Mark::Differs, true) => Some(format!("{place}\n  is marked, but Shockwave answers as PostgreSQL: take the mark away")),
        _ => None,
    }
}
