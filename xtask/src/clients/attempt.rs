//! Runs a client's program and reads what it says.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Places;
use super::programs::Client;

/// What a program said.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its first line: the client and its version.
    pub version: String,
    /// Names of the checks that passed.
    pub passed: Vec<String>,
    /// Names of the checks that failed, with the reason.
    pub failed: Vec<(String, String)>,
    /// It said at its end that all is well.
    pub well: bool,
}

impl Said {
    fn take(&mut self, line: &str) {
        if line == "ok" {
            self.well = true;
        } else if let Some(name) = line.strip_prefix("ok ") {
            self.passed.push(name.to_owned());
        } else if let Some(failure) = line.strip_prefix("failed ") {
            let (name, reason) = failure.split_once(": ").unwrap_or((failure, ""));
            self.failed.push((name.to_owned(), reason.to_owned()));
        } else if self.version.is_empty() {
            line.clone_into(&mut self.version);
        }
    }
}

/// Runs the program with `variables` in its environment and no other PG* variable.
///
/// # Errors
/// A program that could not be started, said nothing of a check, or did not end in time or by itself.
pub fn run(client: &Client, places: &Places, variables: &[(String, String)]) -> Result<Said, String> {
    let mut command = (client.command)(places);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    // A group of its own, so that what it starts can be ended with it (L3).
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    println!("\n--- {}", client.name);
    let mut child = command.spawn().map_err(|e| format!("cannot run `{}`: {e}", crate::process::line(&command)))?;
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut said = Said::default();
        for line in output.into_iter().flat_map(|output| BufReader::new(output).split(b'\n')).map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            said.take(line.trim_end());
        }
        said
    });
    let ended = wait(&mut child, client.limit);
    end_group(&child);
    let said = reader.join().map_err(|_| "reading its output panicked".to_owned())?;
    let status = ended?.ok_or_else(|| format!("no end after {} s", client.limit.as_secs()))?;
    match (said.well, said.failed.is_empty(), said.passed.is_empty()) {
        (true, true, false) if status.success() => Ok(said),
        (false, false, _) if !status.success() => Ok(said),
        _ => Err(format!("it ended with {status} after {} checks and does not say why", said.passed.len() + said.failed.len())),
    }
}

/// The exit status, or nothing if the limit was reached first.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<std::process::ExitStatus>, String> {
    let start = Instant::now();
    loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => return Ok(Some(status)),
            None if start.elapsed() > limit => return Ok(None),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Ends what is left of the program's group.
fn end_group(child: &Child) {
    let group = format!("-{}", child.id());
    crate::process::succeeds(Command::new("kill").args(["-KILL", "--", &group]));
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn lines_are_taken_apart() {
        let mut said = Said::default();
        for line in ["driver 1.2", "a word between", "ok type text", "failed copy: no: such thing", "ok"] {
            said.take(line);
        }
        let expected = Said {
            version: "driver 1.2".to_owned(),
            passed: vec!["type text".to_owned()],
            failed: vec![("copy".to_owned(), "no: such thing".to_owned())],
            well: true,
        };
        assert_eq!(said, expected);
    }
}
