//! A server process of the real binary over a folder, without passwords, on loopback.
//!
//! Never: kills a process it did not start.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use base::{Clock, RealClock};

use crate::client::Client;

/// A start, recovery included, takes no longer than this.
const START_MS_MAX: u64 = 60_000;

/// A port of loopback that nobody has just now.
pub fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map_err(|error| format!("no free port: {error}"))
}

/// Connects once the server listens.
pub fn connect(address: SocketAddr, server: &mut Server) -> Result<Client, String> {
    let deadline = RealClock.monotonic_ns() + START_MS_MAX * 1_000_000;
    loop {
        match Client::connect(address) {
            Ok(client) => return Ok(client),
            Err(error) if RealClock.monotonic_ns() > deadline => return Err(format!("no connection: {error}")),
            Err(_) => server.wait(20).map_err(|status| format!("the server ended at its start: {status}"))?,
        }
    }
}

/// A server process; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Held open: a server whose standard output is closed cannot print.
    stdout: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts the server on the folder; it, and the verifier keys it printed by the time it listened.
    pub fn start(binary: &Path, folder: &Path, address: SocketAddr) -> Result<(Self, Vec<String>), String> {
        let mut command = Command::new(binary);
        command.arg("serve").arg("--data-dir").arg(folder.join("data")).arg("--listen").arg(address.to_string()).args(["--auth", "trust"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = child.map_err(|error| format!("could not start {}: {error}", binary.display()))?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut server = Self { child, stdout: None };
        let mut stdout = BufReader::new(stdout);
        let mut keys = Vec::new();
        loop {
            let mut line = String::new();
            let bytes = stdout.read_line(&mut line).map_err(|error| format!("standard output of the server: {error}"))?;
            if bytes == 0 {
                return Err("the server ended before it listened".to_owned());
            }
            if let Some(key) = line.strip_prefix("verifier key") {
                keys.push(key.trim().to_owned());
            }
            if line.starts_with("listening on") {
                server.stdout = Some(stdout);
                return Ok((server, keys));
            }
        }
    }

    /// Waits so long; an error where the process has ended by itself.
    pub fn wait(&mut self, ms: u64) -> Result<(), String> {
        let deadline = RealClock.monotonic_ns() + ms * 1_000_000;
        while RealClock.monotonic_ns() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(status.to_string());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// SIGKILL, and waits until the process is gone.
    pub fn kill(&mut self) {
        // Both fail only where the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
