//! PostgreSQL's own clients, psql and pgbench, pointed at either server.
//!
//! N1: both servers see the same bytes: nothing here asks which one it talks to.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::process::{self, Finished};

/// User and database on both sides.
pub const NAME: &str = "shockwave";

/// A server on loopback, and the clients to talk to it with.
#[derive(Debug, Clone)]
pub struct Client {
    /// Folder of psql and pgbench.
    pub bin: PathBuf,
    /// Folder for scripts and output.
    pub folder: PathBuf,
    /// The server's port.
    pub port: u16,
}

/// What one pgbench run found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// Transactions per second, without the time of connecting.
    pub per_second: f64,
    /// Transactions done.
    pub done: u64,
}

impl Client {
    /// Runs statements in one session and returns what psql prints, unaligned and without headers.
    ///
    /// # Errors
    /// psql's own, also if a statement fails.
    pub fn psql(&self, statements: &[&str], limit: Duration) -> Outcome<String> {
        self.psql_in(NAME, statements, limit)
    }

    /// The same in another database.
    ///
    /// # Errors
    /// As for [`Client::psql`].
    pub fn psql_in(&self, database: &str, statements: &[&str], limit: Duration) -> Outcome<String> {
        let mut command = self.command("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database]);
        for statement in statements {
            command.args(["-c", statement]);
        }
        Ok(process::run(&mut command, &self.folder, limit)?.stdout)
    }

    /// Runs one command and returns how long psql says it took.
    ///
    /// # Errors
    /// As for [`Client::psql`].
    pub fn timed(&self, statement: &str, limit: Duration) -> Outcome<Duration> {
        let printed = self.psql(&["\\timing on", statement], limit)?;
        psql_time(&printed).ok_or_else(|| format!("psql printed no time: {printed}"))
    }

    /// Runs one query and returns how long psql says it took, and the answer.
    ///
    /// # Errors
    /// As for [`Client::psql`].
    pub fn timed_answer(&self, query: &str, limit: Duration) -> Outcome<(Duration, String)> {
        let printed = self.psql(&["\\timing on", query], limit)?;
        let time = psql_time(&printed).ok_or_else(|| format!("psql printed no time: {printed}"))?;
        let answer = printed.lines().filter(|line| !line.starts_with("Time: ")).fold(String::new(), |answer, line| answer + line + "\n");
        Ok((time, answer))
    }

    /// Runs `script` again and again from `clients` connections, prepared, for `time`.
    ///
    /// # Errors
    /// pgbench's own, and any failed transaction.
    pub fn pgbench(&self, script: &str, clients: u32, time: Duration, seed: u64) -> Outcome<Throughput> {
        let printed = self.pgbench_of(&[(script, 1)], clients, time, seed, &[])?.stdout;
        throughput(&printed).ok_or_else(|| format!("pgbench did not finish its work: {printed}"))
    }

    /// Runs scripts, each as often as its weight says, with further options; what pgbench printed.
    ///
    /// # Errors
    /// pgbench's own.
    pub fn pgbench_of(&self, scripts: &[(&str, u32)], clients: u32, time: Duration, seed: u64, options: &[&str]) -> Outcome<Finished> {
        let mut command = self.command("pgbench");
        command.args(["-n", "-M", "prepared", "-j", "1", "-c", &clients.to_string(), "-T", &time.as_secs().to_string()]);
        command.arg(format!("--random-seed={seed}")).args(options);
        for (nth, (script, weight)) in scripts.iter().enumerate() {
            let path = self.folder.join(format!("script-{nth}.sql"));
            std::fs::write(&path, script).map_err(|e| format!("{}: {e}", path.display()))?;
            command.arg("-f").arg(format!("{}@{weight}", path.display()));
        }
        process::run(command.arg(NAME), &self.folder, time + Duration::from_secs(60))
    }

    /// True once something listens on the port.
    pub fn listens(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", NAME]);
        for variable in ["PGOPTIONS", "PGDATABASE", "PGPASSWORD", "PGSERVICE", "PGAPPNAME"] {
            command.env_remove(variable);
        }
        // A fresh PostgreSQL offers no encryption and ours does: both are asked in the clear, or one would pay for what the other leaves out.
        command.env("PGSSLMODE", "disable").env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", "10").current_dir(&self.folder);
        command
    }
}

/// A port of loopback on which nobody listens at the moment.
///
/// # Errors
/// There is none.
pub fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| format!("no free port: {e}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|e| format!("no free port: {e}"))
}

/// The folder with the programs of PostgreSQL: the one told, else Debian's version 15, else the newest version there.
///
/// # Errors
/// There is none, with the command that installs it.
pub fn find_bin(told: Option<&Path>) -> Outcome<PathBuf> {
    let complete = |folder: &PathBuf| ["initdb", "postgres", "psql", "pgbench"].iter().all(|program| folder.join(program).is_file());
    if let Some(folder) = told {
        let folder = folder.to_path_buf();
        return if complete(&folder) { Ok(folder) } else { Err(format!("{} lacks initdb, postgres, psql or pgbench", folder.display())) };
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| complete(folder))
        .collect();
    found.sort_by_key(|(version, _)| (*version == 15, *version));
    found
        .pop()
        .map(|(_, folder)| folder)
        .ok_or_else(|| "no PostgreSQL found; install with: sudo apt-get install -y postgresql-15".to_owned())
}

/// The time in psql's last line `Time: 1312.345 ms (00:01.312)`.
fn psql_time(printed: &str) -> Option<Duration> {
    let line = printed.lines().rev().find_map(|line| line.strip_prefix("Time: "))?;
    let milliseconds: f64 = line.split(' ').next()?.parse().ok()?;
    Some(Duration::from_secs_f64(milliseconds / 1000.0))
}

/// pgbench's figures, if every transaction went through.
fn throughput(printed: &str) -> Option<Throughput> {
    let value = |key: &str| printed.lines().find_map(|line| line.strip_prefix(key))?.trim().split([' ', '/']).next();
    let done = value("number of transactions actually processed:")?.parse().ok()?;
    let failed: u64 = value("number of failed transactions:")?.parse().ok()?;
    let per_second = value("tps =")?.parse().ok()?;
    (failed == 0 && done > 0).then_some(Throughput { per_second, done })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_from_what_psql_prints() {
        assert_eq!(psql_time("COPY 3\nTime: 1312.500 ms (00:01.313)\n"), Some(Duration::from_micros(1_312_500)));
        assert_eq!(psql_time("COPY 3\n"), None);
    }

    #[test]
    fn a_run_with_failed_transactions_counts_for_nothing() {
        let printed = |failed: u32| {
            format!(
                "number of transactions actually processed: 17804\nnumber of failed transactions: {failed} (0.000%)\n\
                 latency average = 0.281 ms\ntps = 3560.725 (without initial connection time)\n"
            )
        };
        assert_eq!(throughput(&printed(0)), Some(Throughput { per_second: 3560.725, done: 17_804 }));
        assert_eq!(throughput(&printed(1)), None);
        assert_eq!(throughput("pgbench: error"), None);
    }
}
