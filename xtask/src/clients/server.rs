//! The servers that clients are run against: for each client a fresh Shockwave, or a fresh database of one PostgreSQL.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Places;
use super::postgres::Postgres;

/// The superuser's password; one that a URL must quote.
pub const PASSWORD: &str = "of the tests: ?&";

/// Longest time in which a server must be up.
pub const START_MAX: Duration = Duration::from_secs(60);

/// What is tested.
pub enum Kind {
    /// The binary at this path.
    Shockwave(PathBuf),
    /// PostgreSQL 15 as Debian has it, to prove the programs themselves.
    Postgres,
}

/// Starts what a client connects to.
pub struct Servers {
    folder: PathBuf,
    shockwave: Option<PathBuf>,
    postgres: Option<Postgres>,
}

/// A server, or a database of one, that one client has for itself.
pub struct Open {
    /// The PG* variables of a client's environment.
    pub variables: Vec<(String, String)>,
    child: Option<(Child, PathBuf)>,
}

impl Servers {
    /// Makes ready what all clients share.
    ///
    /// # Errors
    /// A PostgreSQL that does not start.
    pub fn new(places: &Places, kind: &Kind) -> Result<Servers, String> {
        let folder = places.installed.join("servers");
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(match kind {
            Kind::Shockwave(binary) => Servers { folder, shockwave: Some(binary.clone()), postgres: None },
            Kind::Postgres => Servers { postgres: Some(Postgres::start()?), folder, shockwave: None },
        })
    }

    /// A server with an empty database for the client `name`.
    ///
    /// # Errors
    /// The server's last words.
    pub fn open(&mut self, name: &str) -> Result<Open, String> {
        match (&self.shockwave, &self.postgres) {
            (Some(binary), _) => shockwave(binary, &self.folder, name),
            (None, Some(postgres)) => Ok(Open { variables: postgres.database(name)?, child: None }),
            (None, None) => Err("there is no server".to_owned()),
        }
    }
}

impl Open {
    /// Ends the server and drops its data.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some((child, data)) = &mut self.child {
            // It has proven elsewhere that it can be killed.
            let _ = child.kill();
            let _ = child.wait();
            let _ = std::fs::remove_dir_all(data);
        }
    }
}

fn shockwave(binary: &Path, folder: &Path, name: &str) -> Result<Open, String> {
    let (data, log) = (folder.join(name), folder.join(format!("{name}.log")));
    let _ = std::fs::remove_dir_all(&data);
    let output = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let errors = output.try_clone().map_err(|e| e.to_string())?;
    let mut command = Command::new(binary);
    command.arg("serve").arg("--data-dir").arg(&data).args(["--listen", "127.0.0.1:0", "--ssl", "required"]);
    command.env("SHOCKWAVE_PASSWORD", PASSWORD);
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let child = command.spawn().map_err(|e| format!("cannot run {}: {e}", binary.display()))?;
    let mut open = Open { variables: Vec::new(), child: Some((child, data.clone())) };
    let start = Instant::now();
    let port = loop {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        // Only a line that has ended counts.
        if let Some(port) = said.split_inclusive('\n').find_map(listening) {
            break port;
        }
        let ended = open.child.as_mut().is_some_and(|(child, _)| !matches!(child.try_wait(), Ok(None)));
        if ended || start.elapsed() > START_MAX {
            return Err(format!("the server does not listen: {said}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // Clients that check the certificate take it from the file that the server names.
    let certificate = data.join("server.crt").display().to_string();
    open.variables = variables(&port, "shockwave", PASSWORD, "verify-full");
    open.variables.push(("PGSSLROOTCERT".to_owned(), certificate));
    Ok(open)
}

/// The port in the line that says where the server listens.
fn listening(line: &str) -> Option<String> {
    let port = line.strip_prefix("listening on 127.0.0.1:")?.strip_suffix('\n')?;
    Some(port.to_owned())
}

/// What libpq and its kin read from the environment.
pub fn variables(port: &str, database: &str, password: &str, sslmode: &str) -> Vec<(String, String)> {
    let all = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", port),
        ("PGUSER", "shockwave"),
        ("PGDATABASE", database),
        ("PGPASSWORD", password),
        ("PGSSLMODE", sslmode),
    ];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
