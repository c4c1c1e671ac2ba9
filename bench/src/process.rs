//! Child processes that cannot outlive us by accident or hang us for ever.
//!
//! P1: a [`Daemon`] that goes out of scope is ended, politely first.
//! P2: [`run`] returns by its deadline; what still runs then is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// How long we sleep between looks at a child; also the resolution of times taken from outside.
const LOOK: Duration = Duration::from_millis(1);

/// What a finished command said, and how long it ran.
pub struct Finished {
    /// Standard output.
    pub stdout: String,
    /// From start to end, within a millisecond.
    pub time: Duration,
}

/// Runs `command` to its end or to the `limit`, its output caught in files of `folder`.
///
/// # Errors
/// It could not start, did not end in time, or ended with a failure; the text carries the end of its standard error.
pub fn run(command: &mut Command, folder: &Path, limit: Duration) -> Outcome<Finished> {
    let name = name_of(command);
    let (out, err) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
    command.stdin(Stdio::null()).stdout(create(&out)?).stderr(create(&err)?);
    let start = Instant::now();
    let mut child = command.spawn().map_err(|e| format!("cannot start {name}: {e}"))?;
    let status = wait(&mut child, limit);
    let time = start.elapsed();
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{name} did not end within {} s", limit.as_secs()));
    };
    if !status.success() {
        return Err(format!("{name} ended with {status}: {}{}", tail(&err), tail(&out)));
    }
    Ok(Finished { stdout: std::fs::read_to_string(&out).unwrap_or_default(), time })
}

/// A server of ours: started, then ended by signal.
pub struct Daemon {
    child: Child,
    name: String,
    log: PathBuf,
    /// The signal that asks it to end at once, without waiting for anybody.
    quit: &'static str,
}

impl Daemon {
    /// Starts `command`, its output appended to `log`.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(command: &mut Command, log: &Path, quit: &'static str) -> Outcome<Daemon> {
        let name = name_of(command);
        let file = File::options().create(true).append(true).open(log).map_err(|e| format!("{}: {e}", log.display()))?;
        let second = file.try_clone().map_err(|e| format!("{}: {e}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file).stderr(second);
        let child = command.spawn().map_err(|e| format!("cannot start {name}: {e}"))?;
        Ok(Daemon { child, name, log: log.to_path_buf(), quit })
    }

    /// An error that says what the server's log ends with, if the server has ended by itself.
    pub fn check_alive(&mut self) -> Outcome<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("{} ended with {status}: {}", self.name, tail(&self.log))),
            Err(e) => Err(format!("{}: {e}", self.name)),
        }
    }

    /// Sends `signal` and waits for the end.
    ///
    /// # Errors
    /// It still runs after `limit`; it is killed then.
    pub fn end(mut self, signal: &str, limit: Duration) -> Outcome<()> {
        self.signal(signal);
        match wait(&mut self.child, limit) {
            Some(_) => Ok(()),
            None => Err(format!("{} did not end within {} s of SIG{signal}: {}", self.name, limit.as_secs(), tail(&self.log))),
        }
    }

    /// Bytes of memory of the process and its children, what several share counted once (proportional set size).
    ///
    /// # Errors
    /// The system does not tell.
    pub fn memory(&self) -> Outcome<u64> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let ids = std::iter::once(id.to_string()).chain(children.split_whitespace().map(str::to_owned));
        ids.map(|id| proportional_set(&id)).sum()
    }

    fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(self.quit);
            if wait(&mut self.child, Duration::from_secs(10)).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

fn proportional_set(id: &str) -> Outcome<u64> {
    let path = format!("/proc/{id}/smaps_rollup");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let kib = text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| format!("{path} has no Pss"))
}

/// Waits for the end of `child`, at most `limit`.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(LOOK);
    }
    None
}

fn name_of(command: &Command) -> String {
    Path::new(command.get_program()).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn create(path: &Path) -> Outcome<File> {
    File::create(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The last lines of a file, as one text.
fn tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_command_that_hangs_is_killed_and_one_that_fails_says_why() {
        let scratch = Scratch::create(&std::env::temp_dir(), false).unwrap();
        let start = Instant::now();
        let hung = run(Command::new("sleep").arg("30"), scratch.path(), Duration::from_millis(50));
        assert!(hung.is_err_and(|e| e.contains("did not end")));
        assert!(start.elapsed() < Duration::from_secs(10), "P2: the deadline must hold");
        let failed = run(Command::new("ls").arg("/no-such-folder"), scratch.path(), Duration::from_secs(10));
        assert!(failed.is_err_and(|e| e.contains("no-such-folder")));
    }

    #[test]
    fn a_daemon_ends_when_it_is_dropped() {
        let scratch = Scratch::create(&std::env::temp_dir(), false).unwrap();
        let daemon = Daemon::start(Command::new("sleep").arg("60"), &scratch.path().join("log"), "TERM").unwrap();
        let folder = PathBuf::from(format!("/proc/{}", daemon.child.id()));
        assert!(folder.exists() || !Path::new("/proc").exists());
        drop(daemon);
        assert!(!folder.exists(), "P1: the child must be gone");
    }
}
