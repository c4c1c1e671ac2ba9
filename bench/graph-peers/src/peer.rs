//! A peer in a process of its own, asked a line at a time: a Python script that loads a folder's files and answers with counts and times.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What is installed from PyPI: DuckDB, Ladybug, NetworKit, and a client for PostgreSQL.
const PACKAGES: [(&str, &str); 4] =
    [("duckdb", "duckdb"), ("ladybug", "ladybug"), ("networkit", "networkit"), ("psycopg", "psycopg[binary]")];
/// Where Debian keeps the programs of PostgreSQL 15.
const POSTGRES: &str = "/usr/lib/postgresql/15/bin";

/// Which peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    DuckDb,
    Ladybug,
    NetworKit,
    Postgres,
}

/// What a peer said of a query.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub count: u64,
    /// Milliseconds of its CPU time.
    pub cpu_ms: f64,
    /// Milliseconds that passed, the query's way into the peer's library or server and back included.
    pub wall_ms: f64,
}

/// A peer with one folder's tables.
pub struct Peer {
    child: Child,
    /// Closed before it is waited for.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub kind: Kind,
    pub version: String,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDB",
            Self::Ladybug => "Ladybug",
            Self::NetworKit => "NetworKit",
            Self::Postgres => "PostgreSQL",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb_peer.py",
            Self::Ladybug => "ladybug_peer.py",
            Self::NetworKit => "networkit_peer.py",
            Self::Postgres => "postgres_peer.py",
        }
    }
}

/// A Python environment below the build folder that has the peers; made if it is not there.
pub fn python(target: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let python = target.join("venv/bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(target.join("venv")))?;
    }
    for (module, package) in PACKAGES {
        if run(Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null())).is_err() {
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]))?;
        }
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    if command.status()?.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
}

impl Peer {
    /// Starts it and has it load the folder.
    pub fn start(kind: Kind, python: &Path, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind.script());
        let mut command = Command::new(python);
        command.args(["-B", "-W", "ignore"]).arg(script).arg(folder).arg(POSTGRES);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take().ok_or("no stdout")?);
        let mut peer = Self { child, input, output: BufReader::new(output), kind, version: String::new() };
        peer.version = peer.line()?.trim_start_matches("ready ").to_owned();
        Ok(peer)
    }

    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() { Err(format!("{} ended", self.kind.name()).into()) } else { Ok(line.trim().to_owned()) }
    }

    /// The count a query gives.
    pub fn ask(&mut self, query: &str) -> Result<Answer, Box<dyn Error>> {
        writeln!(self.input.as_mut().ok_or("no stdin")?, "{query}")?;
        let line = self.line()?;
        let [count, cpu_ms, wall_ms] = line.split(' ').collect::<Vec<_>>()[..] else { return Err(format!("no answer: {line}").into()) };
        Ok(Answer { count: count.parse()?, cpu_ms: cpu_ms.parse()?, wall_ms: wall_ms.parse()? })
    }
}

impl Drop for Peer {
    /// It ends by itself when nobody asks any more, and takes its folders along.
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
