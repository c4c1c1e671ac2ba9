//! Plays a script: a thread a session, one statement at a time.
//!
//! Never: gives a session a second statement before the first is answered.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::scripts::Script;
use crate::client::{Client, Failure, Rows};

/// A statement that is not answered within this waits for another session. Long, since a loaded machine is slow too.
const PROMPT: Duration = Duration::from_millis(1_500);
/// A wait that takes longer is a hang.
const HANG: Duration = Duration::from_secs(20);

/// What a step was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Rows, each value as text.
    Rows(Rows),
    /// An error, by SQLSTATE.
    Refused(String),
}

/// The answers to a script's steps, and the rows at the end.
#[derive(Debug)]
pub struct Answers {
    steps: Vec<(usize, &'static str, Answer)>,
    waited: bool,
    /// `id:value` of every row at the end.
    pub end: Vec<String>,
}

impl Answers {
    /// What a session's `nth` SELECT answered, rows joined by blanks; empty where it was refused.
    pub fn read(&self, session: usize, nth: usize) -> String {
        let mut reads = self.steps.iter().filter(|(of, sql, _)| *of == session && sql.starts_with("SELECT"));
        match reads.nth(nth) {
            Some((_, _, Answer::Rows(rows))) => {
                let row =
                    |row: &Vec<Option<String>>| row.iter().map(|value| value.clone().unwrap_or_default()).collect::<Vec<_>>().join(":");
                rows.iter().map(row).collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        }
    }

    /// Whether a session's transaction committed: nothing it asked was refused, COMMIT included.
    pub fn committed(&self, session: usize) -> bool {
        self.steps.iter().filter(|(of, ..)| *of == session).all(|(_, _, answer)| matches!(answer, Answer::Rows(_)))
    }

    /// The first refusal that is no consequence of another.
    pub fn refusal(&self) -> Option<&str> {
        self.steps.iter().find_map(|(_, _, answer)| match answer {
            Answer::Refused(state) => Some(state.as_str()),
            Answer::Rows(_) => None,
        })
    }

    /// Whether a session had to wait for another.
    pub fn waited(&self) -> bool {
        self.waited
    }
}

struct Session {
    ask: Sender<&'static str>,
    answers: Receiver<Answer>,
    /// The step it has not answered yet.
    pending: Option<usize>,
}

/// Plays one script at one level, over a table made anew, with an index over its values or without. Errors: a lost connection, a hang.
pub fn play(address: SocketAddr, script: &Script, level: &str, is_indexed: bool) -> Result<Answers, String> {
    let mut keeper = Client::connect(address).map_err(|failure| failure.to_string())?;
    let setup = "DROP TABLE IF EXISTS test; CREATE TABLE test (id int PRIMARY KEY, value int); INSERT INTO test VALUES (1, 10), (2, 20)";
    let index = if is_indexed { "CREATE INDEX ON test (value)" } else { "" };
    keeper.query(&format!("{setup}; {index}")).map_err(|failure| failure.to_string())?;
    let count = script.steps.iter().map(|(session, _)| *session).max().unwrap_or(0);
    let mut answers = Answers { steps: Vec::new(), waited: false, end: Vec::new() };
    std::thread::scope(|scope| {
        let mut sessions = Vec::new();
        for number in 0..count {
            let mut client = Client::connect(address).map_err(|failure| failure.to_string())?;
            client.query(&format!("BEGIN ISOLATION LEVEL {level}")).map_err(|failure| failure.to_string())?;
            let ((ask, asked), (answer, answers)) = (channel::<&'static str>(), channel());
            let work = move || {
                for sql in asked {
                    let answered = match client.query(sql) {
                        Ok(rows) => Answer::Rows(rows),
                        Err(Failure::Refused(state, _)) => Answer::Refused(state),
                        Err(Failure::Lost(error)) => Answer::Refused(format!("lost: {error}")),
                    };
                    if answer.send(answered).is_err() {
                        return;
                    }
                }
            };
            let named = std::thread::Builder::new().name(format!("session {}", number + 1));
            named.spawn_scoped(scope, work).map_err(|error| error.to_string())?;
            sessions.push(Session { ask, answers, pending: None });
        }
        for (at, (session, sql)) in script.steps.iter().enumerate() {
            answers.steps.push((*session, sql, Answer::Refused("no answer".to_owned())));
            let session = &mut sessions[session - 1];
            session.settle(&mut answers, HANG)?;
            session.ask.send(sql).map_err(|error| error.to_string())?;
            session.pending = Some(at);
            answers.waited |= session.settle(&mut answers, PROMPT).is_err();
        }
        sessions.iter_mut().try_for_each(|session| session.settle(&mut answers, HANG))
    })?;
    let rows = keeper.query("SELECT id, value FROM test ORDER BY id").map_err(|failure| failure.to_string())?;
    answers.end = rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(":")).collect();
    Ok(answers)
}

impl Session {
    /// Takes the answer that is due. Errors: there is none within that time.
    fn settle(&mut self, answers: &mut Answers, within: Duration) -> Result<(), String> {
        let Some(step) = self.pending else { return Ok(()) };
        match self.answers.recv_timeout(within) {
            Ok(answer) => {
                answers.steps[step].2 = answer;
                self.pending = None;
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Err(format!("no answer to «{}»", answers.steps[step].1)),
            Err(RecvTimeoutError::Disconnected) => Err("a session is gone".to_owned()),
        }
    }
}
