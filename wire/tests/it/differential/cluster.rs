//! A PostgreSQL 15 of our own: on loopback, in a temporary folder, gone with the value.
//!
//! Never: touches a cluster that was there before; syncs, for nothing here must survive.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::session::Session;

/// Where Debian keeps the programs of a version, and where others link them.
const FOLDERS: [&str; 3] = ["/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin", "/usr/local/pgsql/bin"];

/// The name both servers know us by.
pub const USER: &str = "shockwave";

pub struct Cluster {
    server: Child,
    pub port: u16,
    /// The folder of its programs.
    pub bin: PathBuf,
    databases: u32,
    _folder: TempDir,
}

impl Cluster {
    /// A running cluster; `None` if PostgreSQL 15 is not installed.
    pub fn start() -> Option<Self> {
        let bin = FOLDERS.iter().map(PathBuf::from).find(|folder| is_15(folder))?;
        let folder = TempDir::new().unwrap();
        let account = account();
        if let Some((user, group)) = account {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let command = |program: &str| {
            let mut command = Command::new(bin.join(program));
            if let Some((user, group)) = account {
                command.uid(user).gid(group);
            }
            command.current_dir(folder.path()).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
            command
        };
        let made = command("initdb")
            .args(["--no-sync", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut postgres = command("postgres");
        postgres.arg("-D").arg(&data);
        for setting in [
            &format!("port={port}"),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "full_page_writes=off",
            "autovacuum=off",
            "timezone=UTC",
        ] {
            postgres.arg("-c").arg(setting);
        }
        let mut server = postgres.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until_ready(&mut server);
        Some(Self { server, port, bin, databases: 0, _folder: folder })
    }

    /// A session in a database that was empty a moment ago, and the database's name.
    pub fn fresh_database(&mut self) -> String {
        self.databases += 1;
        let name = format!("fresh{}", self.databases);
        let mut session = Session::open(self.port, "postgres", USER).unwrap();
        let made = session.ask(&format!("CREATE DATABASE {name}"));
        assert_eq!(made.lines(false), ["CREATE DATABASE"]);
        name
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGQUIT: at once, taking its children along, as SIGKILL would not.
        let _ = Command::new("kill").args(["-s", "QUIT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

fn is_15(folder: &Path) -> bool {
    let version = Command::new(folder.join("postgres")).arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("PostgreSQL) 15."))
}

/// Reads the server's log up to the line that says so, and goes on reading it, so that it never waits for a reader.
fn wait_until_ready(server: &mut Child) {
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.by_ref().any(|line| line.contains("ready to accept connections"));
    assert!(ready, "PostgreSQL ended while it started");
    std::thread::spawn(move || lines.for_each(drop));
}

/// User and group of `postgres` if we are root, whom PostgreSQL refuses.
fn account() -> Option<(u32, u32)> {
    let id =
        |args: &[&str]| -> Option<u32> { String::from_utf8(Command::new("id").args(args).output().ok()?.stdout).ok()?.trim().parse().ok() };
    (id(&["-u"]) == Some(0)).then(|| (id(&["-u", "postgres"]).unwrap(), id(&["-g", "postgres"]).unwrap()))
}
