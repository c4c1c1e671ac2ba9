//! A server of ours over the wire, asked a line at a time through psql; with the CPU time that it took.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// What stands behind an answer.
const END: &str = "-- end";

/// A server with a folder of its own, and a session on it.
pub struct Server {
    server: Child,
    psql: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    data: std::path::PathBuf,
    /// Where it listens, on loopback.
    pub port: u16,
}

impl Server {
    /// Starts `program` on a fresh folder.
    pub fn start(program: &Path, data: &Path, memory: &str) -> Result<Self, Box<dyn Error>> {
        if data.exists() {
            std::fs::remove_dir_all(data)?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let listen = format!("127.0.0.1:{port}");
        let mut server = Command::new(program);
        server.args(["serve", "--auth", "trust", "--listen", &listen, "--memory", memory, "--data-dir"]).arg(data);
        let server = server.stdout(Stdio::null()).spawn()?;
        for _ in 0..200 {
            if std::net::TcpStream::connect(&listen).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", "shockwave", "shockwave"]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (psql.stdin.take().ok_or("no stdin")?, psql.stdout.take().ok_or("no stdout")?);
        Ok(Self { server, psql, input, output: BufReader::new(output), data: data.to_owned(), port })
    }

    /// What a statement answers, a line a row.
    pub fn ask(&mut self, sql: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let last = if sql.starts_with('\\') { "" } else { ";" };
        writeln!(self.input, "{sql}{last}\n\\echo {END}")?;
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err(format!("psql ended at: {sql}").into());
            }
            match line.trim_end() {
                END => return Ok(lines),
                line => lines.push(line.to_owned()),
            }
        }
    }

    /// What a statement answers, and milliseconds of the server's CPU time.
    pub fn timed(&mut self, sql: &str) -> Result<(Vec<String>, f64), Box<dyn Error>> {
        let before = self.cpu_ms()?;
        let lines = self.ask(sql)?;
        Ok((lines, self.cpu_ms()? - before))
    }

    /// A count, and milliseconds of the server's CPU time.
    pub fn count(&mut self, sql: &str) -> Result<(u64, f64), Box<dyn Error>> {
        let (lines, ms) = self.timed(sql)?;
        let count = lines.first().and_then(|line| line.parse().ok()).ok_or_else(|| format!("no count: {sql}"))?;
        Ok((count, ms))
    }

    /// Of all its threads since they began; those that ended are forgotten, so that a query should not end any.
    fn cpu_ms(&self) -> Result<f64, Box<dyn Error>> {
        let mut ns = 0_u64;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.server.id()))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            ns += text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(ns as f64 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
