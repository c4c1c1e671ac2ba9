//! The verifiers of `verifiers/`: other languages' programs that share no line with the server, over the same vectors, in `cargo xtask test` and `ci`.
//!
//! E1: every test of a verifier counts as one in the summary; a run that ends badly without a failed test counts as a failure.
//! E2: a language that is not there, and may not be installed, is skipped and says so.
//! Never: knows what a verifier checks; writes below the sources.

mod count;
mod languages;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{self, Outcome};
use crate::summary::Summary;
use count::Ended;
use languages::{LANGUAGES, Language};

/// Where things are.
struct Places {
    /// `verifiers/`.
    sources: PathBuf,
    /// Where packages and builds go: below the build folder.
    installed: PathBuf,
    /// The shared vectors.
    vectors: PathBuf,
    /// Changed vectors that the tests of `receipts` have written, if they ran.
    mutations: Option<PathBuf>,
}

impl Places {
    fn new(root: &Path) -> Places {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let mutations = Some(target.join("tmp/mutations.jsonl")).filter(|path| path.is_file());
        Places {
            sources: root.join("verifiers"),
            installed: target.join("verifiers"),
            vectors: root.join("receipts/tests/vectors"),
            mutations,
        }
    }

    /// `command` with what a verifier's tests read from the environment.
    fn told<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SHOCKWAVE_VECTORS", &self.vectors).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("HYPOTHESIS_STORAGE_DIRECTORY", self.installed.join("hypothesis"));
        match &self.mutations {
            Some(file) => command.env("SHOCKWAVE_MUTATIONS", file),
            None => command.env_remove("SHOCKWAVE_MUTATIONS"),
        }
    }
}

/// How one language fared.
struct Row {
    language: &'static str,
    version: String,
    summary: Summary,
    time: Duration,
    /// Failed tests, and why it could not be tried.
    remarks: Vec<String>,
}

/// Runs all verifiers' tests and prints a table.
///
/// # Errors
/// A build folder that cannot be made.
pub fn tested(root: &Path) -> Result<Summary, String> {
    let places = Places::new(root);
    std::fs::create_dir_all(&places.installed).map_err(|e| format!("{}: {e}", places.installed.display()))?;
    let rows: Vec<Row> = LANGUAGES.iter().map(|language| try_out(&places, language)).collect();
    print!("{}", table(&rows));
    if places.mutations.is_none() {
        println!("changed vectors were skipped: the tests of receipts have not written them");
    }
    let mut total = Summary::default();
    rows.iter().for_each(|row| total.add(row.summary));
    Ok(total)
}

/// `cargo xtask verifiers`.
pub fn run(root: &Path) -> Outcome {
    let summary = tested(root)?;
    println!("{summary}");
    if summary.failed == 0 { Ok(()) } else { Err(String::new()) }
}

/// The programs of the verifiers, by the names of their languages, each as the words that begin its command line.
///
/// # Errors
/// One that cannot be installed or built.
pub fn programs(root: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let places = Places::new(root);
    std::fs::create_dir_all(&places.installed).map_err(|e| format!("{}: {e}", places.installed.display()))?;
    let program = |language: &Language| {
        (language.install)(&places).map_err(|reason| format!("the verifier in {}: {reason}", language.name))?;
        Ok((language.name, (language.program)(&places)?))
    };
    LANGUAGES.iter().map(program).collect()
}

fn try_out(places: &Places, language: &Language) -> Row {
    println!("\n--- verifier in {}", language.name);
    let start = Instant::now();
    let mut row =
        Row { language: language.name, version: String::new(), summary: Summary::default(), time: Duration::ZERO, remarks: Vec::new() };
    match (language.install)(places) {
        Err(reason) => {
            row.remarks.push(format!("skipped verifier in {}: {reason}", language.name));
            row.summary.ignored = 1;
        }
        Ok(()) => {
            row.version = version(&mut (language.version)(places));
            row.summary.binaries = 1;
            for mut check in (language.checks)(places) {
                let result = process::run(&mut check);
                count(&mut row, if result.is_ok() { Ended::Passed } else { Ended::Failed }, &process::line(&check));
            }
            tests(&mut row, language, places.told(&mut (language.tests)(places)));
        }
    }
    row.time = start.elapsed();
    row
}

/// The first line that a program says of itself.
fn version(command: &mut Command) -> String {
    let said = command.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.lines().next().unwrap_or_default().to_owned()
}

fn count(row: &mut Row, ended: Ended, name: &str) {
    match ended {
        Ended::Passed => row.summary.passed += 1,
        Ended::Skipped => row.remarks.push(format!("skipped test of the verifier in {}: {name}", row.language)),
        Ended::Failed => {
            row.summary.failed += 1;
            row.remarks.push(format!("FAILED verifier in {}: {name}", row.language));
        }
    }
}

/// Runs the tests and counts them; what they print is shown when one fails.
fn tests(row: &mut Row, language: &Language, command: &mut Command) {
    eprintln!("$ {}", process::line(command));
    let mut said = String::new();
    let succeeded = match output(command, |line| {
        if let Some((ended, name)) = (language.count)(line) {
            count(row, ended, name);
        }
        said.push_str(line);
        said.push('\n');
    }) {
        Ok(succeeded) => succeeded,
        Err(reason) => {
            said.push_str(&reason);
            false
        }
    };
    // A file that does not compile, or a run that was ended, names no test (E1).
    if !succeeded && row.summary.failed == 0 {
        count(row, Ended::Failed, "its tests did not end well");
    }
    if row.summary.failed > 0 {
        println!("{said}");
    }
}

/// Gives each line of standard output and standard error, and whether the program succeeded.
fn output(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool, String> {
    let (reader, writer) = std::io::pipe().map_err(|e| e.to_string())?;
    let errors = writer.try_clone().map_err(|e| e.to_string())?;
    command.stdin(Stdio::null()).stdout(writer).stderr(errors);
    let mut child = command.spawn().map_err(|e| format!("cannot run `{}`: {e}", process::line(command)))?;
    // The command keeps its ends of the pipe open until they are replaced.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for bytes in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        line(String::from_utf8_lossy(&bytes).trim_end());
    }
    Ok(child.wait().map_err(|e| e.to_string())?.success())
}

/// The remarks, then the table.
fn table(rows: &[Row]) -> String {
    let mut text: String = rows.iter().flat_map(|row| &row.remarks).map(|remark| format!("{remark}\n")).collect();
    let width = rows.iter().map(|row| row.version.chars().count()).max().unwrap_or_default().max("version".len());
    text.push_str(&format!("\n{:<10}  {:<width$}  passed  failed    time\n", "verifier", "version"));
    for row in rows {
        let Summary { passed, failed, .. } = row.summary;
        let seconds = row.time.as_secs_f64();
        text.push_str(&format!("{:<10}  {:<width$}  {passed:>6}  {failed:>6}  {seconds:>5.1} s\n", row.language, row.version));
    }
    text
}
