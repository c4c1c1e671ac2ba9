//! A PostgreSQL cluster of our own: initdb's defaults, durable, on loopback, in the scratch folder.
//!
//! G1: the only settings are where it listens, and what `configure` is told; fsync, synchronous_commit and the rest stay as the package has them.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::client::{self, Client};
use crate::process::{self, Daemon};
use crate::system::{self, LIMIT, System};

/// The cluster.
pub struct Postgres {
    client: Client,
    data: PathBuf,
    log: PathBuf,
    /// User and group to run as, if we are root: PostgreSQL refuses that.
    account: Option<(u32, u32)>,
    settings: Vec<String>,
    daemon: Option<Daemon>,
}

impl Postgres {
    /// Makes a cluster in `scratch` and starts it.
    ///
    /// # Errors
    /// The programs', with the end of their output.
    pub fn create(bin: &Path, scratch: &Path) -> Outcome<Postgres> {
        let client = Client { bin: bin.to_path_buf(), folder: scratch.to_path_buf(), port: client::free_port()? };
        let data = scratch.join("postgres");
        let account = account()?;
        std::fs::create_dir(&data).map_err(|e| format!("{}: {e}", data.display()))?;
        if let Some((user, group)) = account {
            std::os::unix::fs::chown(&data, Some(user), Some(group)).map_err(|e| format!("{}: {e}", data.display()))?;
        }
        let mut postgres = Postgres { client, data, log: scratch.join("postgres.log"), account, settings: Vec::new(), daemon: None };
        let mut initdb = postgres.command("initdb");
        initdb.args(["-U", client::NAME, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D"]).arg(&postgres.data);
        process::run(&mut initdb, scratch, LIMIT)?;
        postgres.start()?;
        postgres.wait_for_maintenance()?;
        postgres.client.psql_in("postgres", &["CREATE DATABASE shockwave"], LIMIT)?;
        Ok(postgres)
    }

    /// Settings, as `name=value`, from the next start on.
    pub fn configure(&mut self, settings: &[&str]) {
        self.settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
    }

    /// `15.18 (Debian 15.18-0+deb12u1)`, as the program says.
    pub fn version(bin: &Path, scratch: &Path) -> Outcome<String> {
        let printed = process::run(Command::new(bin.join("postgres")).arg("--version"), scratch, LIMIT)?.stdout;
        Ok(printed.trim().trim_start_matches("postgres (PostgreSQL) ").to_owned())
    }

    fn wait_for_maintenance(&mut self) -> Outcome<()> {
        for _ in 0..LIMIT.as_secs() * 10 {
            self.check_alive()?;
            if self.client.psql_in("postgres", &["SELECT 1"], LIMIT).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("PostgreSQL did not come up".to_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.client.bin.join(program));
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command.env("LC_ALL", "C.UTF-8").current_dir(&self.data);
        command
    }
}

impl System for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn fresh(&mut self) -> Outcome<()> {
        if self.daemon.is_none() {
            self.start()?;
        }
        system::wait_for(self, "SELECT 1")?;
        // The checkpoint belongs to the round before, not to what is measured next.
        self.client.psql(&["DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "CHECKPOINT"], LIMIT).map(drop)
    }

    fn start(&mut self) -> Outcome<()> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(&self.data);
        for setting in
            [format!("port={}", self.client.port), "listen_addresses=127.0.0.1".to_owned(), "unix_socket_directories=".to_owned()]
                .into_iter()
                .chain(self.settings.iter().cloned())
        {
            command.arg("-c").arg(setting);
        }
        self.daemon = Some(Daemon::start(&mut command, &self.log, "QUIT")?);
        Ok(())
    }

    fn stop(&mut self) -> Outcome<()> {
        // SIGINT is PostgreSQL's «fast» shutdown: sessions are ended, a checkpoint is written.
        self.daemon.take().map_or(Ok(()), |daemon| daemon.end("INT", LIMIT))
    }

    fn crash(&mut self) -> Outcome<()> {
        // «Immediate» shutdown: no checkpoint, recovery at the next start, and the backends are gone when it returns.
        // After SIGKILL of the postmaster the backends would still hold the shared memory for a moment.
        self.daemon.take().map_or(Ok(()), |daemon| daemon.end("QUIT", LIMIT))
    }

    fn check_alive(&mut self) -> Outcome<()> {
        self.daemon.as_mut().map_or(Ok(()), Daemon::check_alive)
    }

    fn memory(&self) -> Outcome<u64> {
        self.daemon.as_ref().map_or_else(|| Err("not running".to_owned()), Daemon::memory)
    }

    fn memory_peak(&self) -> Outcome<u64> {
        self.daemon.as_ref().map_or_else(|| Err("not running".to_owned()), Daemon::memory_peak)
    }

    fn written(&self) -> Outcome<u64> {
        self.daemon.as_ref().map_or_else(|| Err("not running".to_owned()), Daemon::written)
    }

    fn data(&self) -> &Path {
        &self.data
    }

    fn sessions_max(&self) -> usize {
        // 100 by default, less those that come and go beside the bench.
        90
    }

    fn check_all(&mut self) -> Outcome<Option<Duration>> {
        Ok(None)
    }
}

/// User and group of the `postgres` account if we are root, else nothing.
fn account() -> Outcome<Option<(u32, u32)>> {
    let id =
        |args: &[&str]| -> Option<u32> { String::from_utf8(Command::new("id").args(args).output().ok()?.stdout).ok()?.trim().parse().ok() };
    if id(&["-u"]) != Some(0) {
        return Ok(None);
    }
    match (id(&["-u", "postgres"]), id(&["-g", "postgres"])) {
        (Some(user), Some(group)) => Ok(Some((user, group))),
        _ => Err("PostgreSQL refuses to run as root, and there is no account `postgres` to run it as".to_owned()),
    }
}
