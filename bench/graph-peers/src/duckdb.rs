//! DuckDB in a process of its own, asked a line at a time.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The version that is installed.
const PACKAGE: &str = "duckdb";

/// A DuckDB with one folder's tables.
pub struct DuckDb {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Its version.
    pub version: String,
}

/// A Python environment below the build folder that has DuckDB; made if it is not there.
pub fn python(target: &Path) -> Result<std::path::PathBuf, Box<dyn Error>> {
    let python = target.join("venv/bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(target.join("venv")))?;
    }
    if run(Command::new(&python).args(["-c", "import duckdb"])).is_err() {
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    if command.status()?.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
}

impl DuckDb {
    /// Starts it and has it load the folder.
    pub fn start(python: &Path, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("duckdb_peer.py");
        let mut child = Command::new(python).arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take().ok_or("no stdin")?, child.stdout.take().ok_or("no stdout")?);
        let mut duckdb = Self { child, input, output: BufReader::new(output), version: String::new() };
        duckdb.version = duckdb.line()?.trim_start_matches("ready ").to_owned();
        Ok(duckdb)
    }

    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() { Err("DuckDB ended".into()) } else { Ok(line.trim().to_owned()) }
    }

    /// The count a query gives, and milliseconds.
    pub fn ask(&mut self, query: &str) -> Result<(u64, f64), Box<dyn Error>> {
        writeln!(self.input, "{query}")?;
        let line = self.line()?;
        let (count, ms) = line.split_once(' ').ok_or("no answer")?;
        Ok((count.parse()?, ms.parse()?))
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
