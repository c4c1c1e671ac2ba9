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
    /// Standard error.
    pub stderr: String,
    /// From start to end, within a millisecond.
    pub time: Duration,
    /// The most memory that it was seen to have had, in bytes; 0 where it ended before anyone looked.
    pub memory_peak: u64,
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
    let mut memory_peak = 0;
    let proc_status = format!("/proc/{}/status", child.id());
    let status = wait(&mut child, limit, || memory_peak = told(&proc_status, "VmHWM:").map_or(memory_peak, |kib| kib * 1024));
    let time = start.elapsed();
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{name} did not end within {} s", limit.as_secs()));
    };
    if !status.success() {
        return Err(format!("{name} ended with {status}: {}{}", tail(&err), tail(&out)));
    }
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    Ok(Finished { stdout: read(&out), stderr: read(&err), time, memory_peak })
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
        match wait(&mut self.child, limit, || ()) {
            Some(_) => Ok(()),
            None => Err(format!("{} did not end within {} s of SIG{signal}: {}", self.name, limit.as_secs(), tail(&self.log))),
        }
    }

    /// Bytes of memory of the process and its children, what several share counted once (proportional set size).
    ///
    /// # Errors
    /// The system does not tell.
    pub fn memory(&self) -> Outcome<u64> {
        self.family().iter().map(|id| Ok(1024 * told(&format!("/proc/{id}/smaps_rollup"), "Pss:")?)).sum()
    }

    /// The most memory that the process itself has had so far, in bytes (peak resident set).
    ///
    /// # Errors
    /// The system does not tell.
    pub fn memory_peak(&self) -> Outcome<u64> {
        Ok(1024 * told(&format!("/proc/{}/status", self.child.id()), "VmHWM:")?)
    }

    /// Bytes that it and its children have caused to be written to the disk; those of a child that has ended count as its parent's.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn written(&self) -> Outcome<u64> {
        self.family().iter().map(|id| told(&format!("/proc/{id}/io"), "write_bytes:")).sum()
    }

    /// The ids of the process and its children.
    fn family(&self) -> Vec<String> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        std::iter::once(id.to_string()).chain(children.split_whitespace().map(str::to_owned)).collect()
    }

    fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(self.quit);
            if wait(&mut self.child, Duration::from_secs(10), || ()).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

/// The number behind `key` in a file of the system's.
fn told(path: &str, key: &str) -> Outcome<u64> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let number = text.lines().find_map(|line| line.strip_prefix(key)?.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or_else(|| format!("{path} has no {key}"))
}

/// Waits for the end of `child`, at most `limit`, and calls `look` now and then.
fn wait(child: &mut Child, limit: Duration, mut look: impl FnMut()) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        look();
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
