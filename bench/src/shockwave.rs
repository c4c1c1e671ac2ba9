//! Our server: the release binary, on a fresh folder of the scratch folder each round.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::client::{self, Client};
use crate::process::{self, Daemon};
use crate::system::{self, LIMIT, System};

/// The server.
pub struct Shockwave {
    client: Client,
    program: PathBuf,
    data: PathBuf,
    log: PathBuf,
    options: Vec<String>,
    daemon: Option<Daemon>,
}

impl Shockwave {
    /// A server that is not started yet. `bin` is the folder of PostgreSQL's clients.
    ///
    /// # Errors
    /// The program is not there, or there is no free port.
    pub fn create(program: &Path, bin: &Path, scratch: &Path) -> Outcome<Shockwave> {
        let program =
            program.canonicalize().map_err(|e| format!("{}: {e}; build it with: cargo build --release -p wire", program.display()))?;
        let client = Client { bin: bin.to_path_buf(), folder: scratch.to_path_buf(), port: client::free_port()? };
        let (data, log) = (scratch.join("shockwave"), scratch.join("shockwave.log"));
        Ok(Shockwave { client, program, data, log, options: Vec::new(), daemon: None })
    }

    /// Options of `serve` from the next start on.
    pub fn configure(&mut self, options: &[&str]) {
        self.options = options.iter().map(|option| (*option).to_owned()).collect();
    }

    /// The version, as the program says.
    pub fn version(&self) -> String {
        let printed = process::run(Command::new(&self.program).arg("--version"), &self.client.folder, LIMIT);
        printed.map_or_else(|_| "unknown version".to_owned(), |finished| finished.stdout.trim().trim_start_matches("shockwave ").to_owned())
    }

    /// The program with arguments, in the scratch folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.client.folder);
        command
    }

    /// The public keys of the ledger, as `keys show` prints them: `name+hash+base64`.
    pub fn verifier_keys(&self) -> Outcome<Vec<String>> {
        let mut command = self.command(&["keys", "show", "--data-dir"]);
        let printed = process::run(command.arg(&self.data), &self.client.folder, LIMIT)?.stdout;
        let keys: Vec<String> = printed.split_whitespace().filter(|word| is_verifier_key(word)).map(str::to_owned).collect();
        if keys.is_empty() { Err(format!("`keys show` printed no verifier key: {printed}")) } else { Ok(keys) }
    }
}

impl System for Shockwave {
    fn name(&self) -> &'static str {
        "Shockwave"
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn fresh(&mut self) -> Outcome<()> {
        self.stop()?;
        if self.data.exists() {
            // Sealed files are read-only; their folders are not, so they can be removed.
            std::fs::remove_dir_all(&self.data).map_err(|e| format!("{}: {e}", self.data.display()))?;
        }
        self.start()?;
        system::wait_for(self, "SELECT 1").map(drop)
    }

    fn start(&mut self) -> Outcome<()> {
        let mut command = self.command(&["serve", "--auth", "trust", "--listen", &format!("127.0.0.1:{}", self.client.port), "--data-dir"]);
        self.daemon = Some(Daemon::start(command.arg(&self.data).args(&self.options), &self.log, "TERM")?);
        Ok(())
    }

    fn stop(&mut self) -> Outcome<()> {
        self.daemon.take().map_or(Ok(()), |daemon| daemon.end("TERM", LIMIT))
    }

    fn crash(&mut self) -> Outcome<()> {
        self.daemon.take().map_or(Ok(()), |daemon| daemon.end("KILL", LIMIT))
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
        1_000
    }

    fn check_all(&mut self) -> Outcome<Option<Duration>> {
        self.stop()?;
        let keys = self.verifier_keys()?;
        let mut command = self.command(&["verify", "fsck"]);
        command.arg(&self.data);
        for key in &keys {
            command.args(["--key", key]);
        }
        let time = process::run(&mut command, &self.client.folder, LIMIT)?.time;
        self.start()?;
        system::wait_for(self, "SELECT 1")?;
        Ok(Some(time))
    }
}

fn is_verifier_key(word: &str) -> bool {
    let mut parts = word.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return false };
    !name.is_empty() && id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit()) && key.len() > 40
}

#[cfg(test)]
mod tests {
    use super::is_verifier_key;

    #[test]
    fn a_verifier_key_is_told_from_other_words() {
        assert!(is_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
        assert!(!is_verifier_key("a+b+c") && !is_verifier_key("key"));
    }
}
