//! A PostgreSQL cluster of our own for `cargo xtask clients --postgres`: SCRAM, loopback, in a temporary folder.
//!
//! Never: touches a cluster that was there before.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::server::{PASSWORD, START_MAX, variables};
use crate::packages;
use crate::process;

/// A running cluster.
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    port: String,
    child: Child,
}

impl Postgres {
    /// Makes and starts a cluster.
    ///
    /// # Errors
    /// A program that is missing or fails.
    pub fn start() -> Result<Postgres, String> {
        packages::ensure(packages::FOR_BENCH)?;
        let bin = PathBuf::from("/usr/lib/postgresql/15/bin");
        // Not below the build folder: the account that PostgreSQL runs as may not enter it.
        let folder = std::env::temp_dir().join(format!("shockwave-clients-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD).map_err(|e| e.to_string())?;
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).map_err(|e| e.to_string())?;
        let data = folder.join("data");
        let mut initdb = as_nobody_special(&bin.join("initdb"));
        initdb.args(["-U", "shockwave", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--pwfile"]);
        process::run(initdb.arg(&password).arg("-D").arg(&data).stdout(Stdio::null()))?;
        let port = free_port()?;
        let mut server = as_nobody_special(&bin.join("postgres"));
        server.arg("-D").arg(&data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for setting in [&format!("port={port}"), "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
            server.arg("-c").arg(setting);
        }
        let child = server.spawn().map_err(|e| format!("cannot run postgres: {e}"))?;
        let postgres = Postgres { bin, folder, port, child };
        postgres.wait()?;
        Ok(postgres)
    }

    fn wait(&self) -> Result<(), String> {
        let start = Instant::now();
        while !process::succeeds(self.psql("postgres").args(["-c", "SELECT 1"])) {
            if start.elapsed() > START_MAX {
                return Err("PostgreSQL did not come up".to_owned());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.bin.join("psql"));
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]).envs(variables(&self.port, database, PASSWORD, "prefer"));
        command
    }

    /// An empty database, and how a client reaches it.
    ///
    /// # Errors
    /// psql's.
    pub fn database(&self, name: &str) -> Result<Vec<(String, String)>, String> {
        process::run(self.psql("postgres").args(["-c", &format!("CREATE DATABASE \"{name}\"")]))?;
        Ok(variables(&self.port, name, PASSWORD, "prefer"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT is PostgreSQL's immediate shutdown; the server is waited for as the child it is.
        process::succeeds(Command::new("kill").args(["-QUIT", &server_process(&self.folder)]));
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The server's process as its folder names it: the child may be the program that changed the account.
fn server_process(folder: &Path) -> String {
    let named = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    named.lines().next().unwrap_or_default().to_owned()
}

/// PostgreSQL refuses to run as root; root runs it as the account its package made.
fn as_nobody_special(program: &Path) -> Command {
    if !packages::is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

fn free_port() -> Result<String, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port().to_string())
}
