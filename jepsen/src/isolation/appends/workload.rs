//! Makes a history: sessions on the real server, which is killed and started again amid their work.
//!
//! L1: keys are used in groups of a few and left behind after so many transactions, so that sessions meet, lists stay short and rows keep coming to be.
//! L2: lists are read by key, by a range of keys and by a column that is no key; whoever reads a group has read the lists that are not there as empty.
//! L3: a refusal must be one that the level allows; a connection may be lost only while the server is killed.
//! Never: reads at the end what it has remembered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::{Clock, RealClock};

use super::history::{Element, End, History, Key, Step, Transaction};
use super::judge::Level;
use crate::client::{Client, Failure, Rows};
use crate::dice::Dice;
use crate::server::{Server, connect, free_address};

/// Lists in use at a time.
const GROUP: u64 = 5;
/// Transactions after which the next group is taken.
const GROUP_TRANSACTIONS: u64 = 60;
/// Statements of one transaction at most.
const STEPS_MAX: u64 = 5;
/// A session that cannot connect for so long gives up.
const AWAY_MS_MAX: u64 = 60_000;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The `shockwave` binary.
    pub binary: PathBuf,
    /// Level of every transaction.
    pub level: Level,
    /// Sessions at once.
    pub sessions: u64,
    /// Transactions in all, begun.
    pub transactions: u64,
    /// Kills, spread evenly over the transactions.
    pub kills: u64,
    /// What the sessions draw from; how they meet is the machine's affair.
    pub seed: u64,
}

/// What sessions share.
#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    begun: AtomicU64,
    element: AtomicU64,
    is_killing: AtomicBool,
    is_over: AtomicBool,
}

/// Runs the plan in a folder of its own. Errors: what no level allows, or why it could not be run.
pub fn record(plan: &Plan) -> Result<History, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("temporary folder: {error}"))?;
    let address = free_address()?;
    let (mut server, _) = Server::start(&plan.binary, folder.path(), address)?;
    let create = "CREATE TABLE lists (k bigint PRIMARY KEY, g bigint NOT NULL, v bigint[] NOT NULL)";
    connect(address, &mut server)?.query(create).map_err(|failure| failure.to_string())?;
    let shared = Shared {
        address,
        begun: AtomicU64::new(0),
        element: AtomicU64::new(1),
        is_killing: AtomicBool::new(false),
        is_over: AtomicBool::new(false),
    };
    let mut history = History::default();
    std::thread::scope(|scope| {
        let mut sessions = Vec::new();
        for session in 0..plan.sessions {
            let shared = &shared;
            let named = std::thread::Builder::new().name(format!("appends {session}"));
            let work = move || Session { shared, plan, dice: Dice::new(plan.seed, session), client: None }.run();
            sessions.push(named.spawn_scoped(scope, work).map_err(|error| error.to_string())?);
        }
        let killed = kill_amid(plan, &shared, &mut server, folder.path());
        shared.is_over.store(killed.is_err(), Ordering::SeqCst);
        for session in sessions {
            history.transactions.extend(session.join().unwrap_or_else(|_| Err("a session met a defect".to_owned()))?);
        }
        killed
    })?;
    let rows = connect(address, &mut server)?.query("SELECT k, v FROM lists").map_err(|failure| failure.to_string())?;
    history.last = lists(rows)?;
    Ok(history)
}

/// Kills the server and starts it again, as often as planned.
fn kill_amid(plan: &Plan, shared: &Shared, server: &mut Server, folder: &Path) -> Result<(), String> {
    for kill in 1..=plan.kills {
        while shared.begun.load(Ordering::SeqCst) < kill * plan.transactions / (plan.kills + 1) {
            server.wait(5).map_err(|status| format!("the server ended by itself: {status}"))?;
            if shared.is_over.load(Ordering::SeqCst) {
                return Ok(());
            }
        }
        shared.is_killing.store(true, Ordering::SeqCst);
        server.kill();
        *server = Server::start(&plan.binary, folder, shared.address)?.0;
    }
    Ok(())
}

struct Session<'a> {
    shared: &'a Shared,
    plan: &'a Plan,
    dice: Dice,
    client: Option<Client>,
}

/// Why a transaction has no next statement.
enum Stop {
    Refused,
    Lost,
    Broken(String),
}

impl Session<'_> {
    fn run(mut self) -> Result<Vec<Transaction>, String> {
        let mut done = Vec::new();
        while !self.shared.is_over.load(Ordering::SeqCst) {
            let nth = self.shared.begun.fetch_add(1, Ordering::SeqCst);
            if nth >= self.plan.transactions {
                break;
            }
            let transaction = self.transaction(nth / GROUP_TRANSACTIONS);
            // What one session cannot go on with ends the others too.
            done.push(transaction.inspect_err(|_| self.shared.is_over.store(true, Ordering::SeqCst))?);
        }
        Ok(done)
    }

    fn transaction(&mut self, group: u64) -> Result<Transaction, String> {
        self.connect()?;
        let mut transaction = Transaction { steps: Vec::new(), end: End::Aborted, began_ns: RealClock.monotonic_ns(), ended_ns: 0 };
        match self.steps(group, &mut transaction.steps) {
            Ok(()) => match self.ask("COMMIT") {
                Ok(_) => transaction.end = End::Committed,
                Err(Stop::Lost) => transaction.end = End::Unknown,
                Err(Stop::Refused) => {}
                Err(Stop::Broken(why)) => return Err(why),
            },
            Err(Stop::Refused) => match self.ask("ROLLBACK") {
                Ok(_) | Err(Stop::Lost) => {}
                Err(Stop::Refused) => return Err("ROLLBACK was refused".to_owned()),
                Err(Stop::Broken(why)) => return Err(why),
            },
            Err(Stop::Lost) => {}
            Err(Stop::Broken(why)) => return Err(why),
        }
        transaction.ended_ns = RealClock.monotonic_ns();
        Ok(transaction)
    }

    fn connect(&mut self) -> Result<(), String> {
        let deadline = RealClock.monotonic_ns() + AWAY_MS_MAX * 1_000_000;
        while self.client.is_none() {
            match Client::connect(self.shared.address) {
                Ok(client) => self.client = Some(client),
                Err(failure) if RealClock.monotonic_ns() > deadline => return Err(format!("no connection: {failure}")),
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
            }
        }
        Ok(())
    }

    fn steps(&mut self, group: u64, steps: &mut Vec<Step>) -> Result<(), Stop> {
        self.ask(&format!("BEGIN ISOLATION LEVEL {}", self.plan.level.sql()))?;
        for _ in 0..1 + self.dice.below(STEPS_MAX) {
            let keys = group * GROUP..(group + 1) * GROUP;
            let key = keys.start + self.dice.below(GROUP);
            match self.dice.below(10) {
                0..5 => steps.push(self.append(key, group)?),
                5..8 => steps.extend(self.read(&format!("k = {key}"), key..key + 1)?),
                8 => steps.extend(self.read(&format!("k BETWEEN {key} AND {}", keys.end - 1), key..keys.end)?),
                _ => steps.extend(self.read(&format!("g = {group}"), keys)?),
            }
        }
        Ok(())
    }

    fn append(&mut self, key: Key, group: u64) -> Result<Step, Stop> {
        let element: Element = self.shared.element.fetch_add(1, Ordering::SeqCst);
        self.ask(&format!(
            "INSERT INTO lists VALUES ({key}, {group}, ARRAY[{element}]::bigint[]) ON CONFLICT (k) DO UPDATE SET v = lists.v || excluded.v"
        ))?;
        Ok(Step::Append(key, element))
    }

    fn read(&mut self, condition: &str, keys: std::ops::Range<Key>) -> Result<Vec<Step>, Stop> {
        let rows = self.ask(&format!("SELECT k, v FROM lists WHERE {condition}"))?;
        let mut found = lists(rows).map_err(Stop::Broken)?;
        let steps = keys.map(|key| Step::Read(key, found.remove(&key).unwrap_or_default())).collect();
        match found.first_key_value() {
            Some((key, _)) => Err(Stop::Broken(format!("WHERE {condition} answered list {key}"))),
            None => Ok(steps),
        }
    }

    fn ask(&mut self, sql: &str) -> Result<Rows, Stop> {
        let Some(client) = &mut self.client else { return Err(Stop::Lost) };
        match client.query(sql) {
            Ok(rows) => Ok(rows),
            Err(Failure::Refused(state, _)) if state == "40P01" => Err(Stop::Refused),
            Err(Failure::Refused(state, _)) if state == "40001" && self.plan.level != Level::ReadCommitted => Err(Stop::Refused),
            Err(Failure::Lost(_)) if self.shared.is_killing.load(Ordering::SeqCst) => {
                self.client = None;
                Err(Stop::Lost)
            }
            Err(other) => Err(Stop::Broken(format!("{sql}: {other}"))),
        }
    }
}

/// Rows of a key and an array of numbers.
fn lists(rows: Rows) -> Result<BTreeMap<Key, Vec<Element>>, String> {
    let list = |text: &str| {
        let inside = text.strip_prefix('{')?.strip_suffix('}')?;
        inside.split(',').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect::<Option<Vec<Element>>>()
    };
    let mut lists = BTreeMap::new();
    for row in rows {
        let [Some(key), Some(value)] = row.as_slice() else { return Err(format!("{row:?} is no list")) };
        let (Ok(key), Some(value)) = (key.parse(), list(value)) else { return Err(format!("{row:?} is no list")) };
        if lists.insert(key, value).is_some() {
            return Err(format!("list {key} is there twice"));
        }
    }
    Ok(lists)
}
