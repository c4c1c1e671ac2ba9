//! The real loop: a server process, clients that write, SIGKILL at a random moment, a new start, a count.
//!
//! K1: every number whose insert was acknowledged is there after the restart, once; every other one at most once, and only if it was sent.
//! K2: a receipt taken before the kill, and the one the new process makes for the same commit, verify under the key that the first process
//!     printed, and are of the same leaf.
//! Never: kills a process it did not start.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use base::{OsRng, Rng};
use receipts::{Policy, Receipt, verify_receipt};

use crate::client::{Client, Failure, Rows};
use crate::server::{Server, connect, free_address};

/// A server lives at most this long under load before it is killed.
const LIFE_MS_MAX: u64 = 1_200;
/// Inserts of one writer between two receipts it takes.
const RECEIPT_EVERY: u64 = 5;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The `shockwave` binary.
    pub binary: PathBuf,
    /// Kills.
    pub rounds: u64,
    /// Clients that write at once.
    pub writers: u64,
}

/// What was run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Kills.
    pub rounds: u64,
    /// Inserts acknowledged.
    pub acknowledged: u64,
    /// Inserts sent and never answered that were there all the same.
    pub unanswered_there: u64,
    /// Receipts compared across a kill.
    pub receipts: u64,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, acknowledged, unanswered_there, receipts } = self;
        write!(
            f,
            "{rounds} kills, {acknowledged} acknowledged inserts, {unanswered_there} unanswered ones found, {receipts} receipts compared"
        )
    }
}

/// What the clients know.
#[derive(Debug, Default)]
struct Known {
    next: AtomicI64,
    acknowledged: Mutex<BTreeSet<i64>>,
    /// The newest receipt of each round's writers and the number it is of.
    receipt: Mutex<Option<(i64, String)>>,
    /// An answer that no client may get.
    refused: Mutex<Option<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the loop. Errors: the promise broken, or why it could not be run.
pub fn run(plan: &Plan) -> Result<Count, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("temporary folder: {error}"))?;
    let address = free_address()?;
    let known = Known::default();
    let mut count = Count::default();
    let (mut server, keys) = Server::start(&plan.binary, folder.path(), address)?;
    let key = keys.first().ok_or("the server printed no verifier key")?.clone();
    let policy = Policy::parse(format!("log {key}\nquorum none\n").as_bytes()).map_err(|error| error.to_string())?;
    let mut client = connect(address, &mut server)?;
    let create = "CREATE TABLE numbers (n bigint PRIMARY KEY, writer text)";
    client.query(create).map_err(|error| format!("create table: {error}"))?;
    for round in 1..=plan.rounds {
        let life_ms = 50 + OsRng.next_u64() % LIFE_MS_MAX;
        let died = std::thread::scope(|scope| {
            (0..plan.writers).for_each(|writer| write(scope, address, &known, writer));
            let alive = server.wait(life_ms);
            server.kill();
            alive
        });
        died.map_err(|status| format!("round {round}: the server ended by itself: {status}"))?;
        if let Some(what) = locked(&known.refused).take() {
            return Err(format!("round {round}: {what}"));
        }
        let (next, keys) = Server::start(&plan.binary, folder.path(), address).map_err(|what| format!("round {round}: {what}"))?;
        server = next;
        if keys.first() != Some(&key) {
            return Err(format!("round {round}: the ledger's key changed"));
        }
        let mut client = connect(address, &mut server)?;
        count.rounds += 1;
        check(&mut client, &known, &mut count).map_err(|what| format!("round {round}, killed after {life_ms} ms: {what}"))?;
        count.receipts += check_receipt(&mut client, &known, &policy).map_err(|what| format!("round {round}: {what}"))?;
        println!("round {round}: killed after {life_ms} ms, {} acknowledged, all there", count.acknowledged);
    }
    Ok(count)
}

/// Inserts numbers until the connection is lost.
fn write<'scope>(scope: &'scope Scope<'scope, '_>, address: SocketAddr, known: &'scope Known, writer: u64) {
    let work = move || {
        let Ok(mut client) = Client::connect(address) else { return };
        for turn in 0.. {
            let n = known.next.fetch_add(1, Ordering::Relaxed);
            match client.query(&format!("INSERT INTO numbers VALUES ({n}, 'writer {writer}')")) {
                Ok(_) => locked(&known.acknowledged).insert(n),
                Err(Failure::Lost(_)) => return,
                // A server that is being killed has no time to refuse.
                Err(refused) => {
                    *locked(&known.refused) = Some(format!("insert of {n}: {refused}"));
                    return;
                }
            };
            if turn % RECEIPT_EVERY == 0
                && let Ok(rows) = client.query("SHOW ledger.last_receipt")
                && let Some(Some(text)) = rows.into_iter().next().and_then(|row| row.into_iter().next())
            {
                *locked(&known.receipt) = Some((n, text));
            }
        }
    };
    let named = std::thread::Builder::new().name(format!("writer {writer}"));
    if let Err(error) = named.spawn_scoped(scope, work) {
        *locked(&known.refused) = Some(format!("no thread for a writer: {error}"));
    }
}

/// K1.
fn check(client: &mut Client, known: &Known, count: &mut Count) -> Result<(), String> {
    let rows = client.query("SELECT n, count(*) FROM numbers GROUP BY n").map_err(|error| format!("select: {error}"))?;
    let seen = numbers(rows)?;
    if let Some((n, times)) = seen.iter().find(|(_, times)| **times != 1) {
        return Err(format!("{n} is there {times} times"));
    }
    let sent = known.next.load(Ordering::Relaxed);
    if let Some(n) = seen.keys().find(|n| !(0..sent).contains(*n)) {
        return Err(format!("{n} is there and was never sent"));
    }
    let acknowledged = locked(&known.acknowledged);
    let lost: Vec<i64> = acknowledged.iter().filter(|n| !seen.contains_key(n)).copied().collect();
    if let Some(first) = lost.first() {
        return Err(format!("{} acknowledged inserts are lost, the first is {first}", lost.len()));
    }
    count.acknowledged = acknowledged.len() as u64;
    count.unanswered_there = seen.len() as u64 - count.acknowledged;
    Ok(())
}

fn numbers(rows: Rows) -> Result<BTreeMap<i64, i64>, String> {
    let number = |value: Option<&Option<String>>| value.and_then(Option::as_ref).and_then(|text| text.parse().ok());
    let pair = |row: Vec<Option<String>>| Some((number(row.first())?, number(row.get(1))?));
    rows.into_iter().map(|row| pair(row).ok_or_else(|| "an answer that is no pair of numbers".to_owned())).collect()
}

/// K2. How many receipts were compared.
fn check_receipt(client: &mut Client, known: &Known, policy: &Policy) -> Result<u64, String> {
    let Some((n, before)) = locked(&known.receipt).take() else { return Ok(0) };
    let parse = |text: &str| Receipt::parse(text.as_bytes()).map_err(|error| format!("receipt of {n}: {error}"));
    let seq = parse(&before)?.index;
    let rows = client.query(&format!("SELECT ledger_receipt({seq}, 0)")).map_err(|error| format!("receipt of {n}: {error}"))?;
    let after = rows.into_iter().next().and_then(|mut row| row.pop()).flatten().ok_or("ledger_receipt answered nothing")?;
    for (when, text) in [("before", &before), ("after", &after)] {
        if let Some(finding) = verify_receipt(text.as_bytes(), policy).finding() {
            return Err(format!("the receipt of {n} from {when} the kill: {}: {}", finding.what, finding.why));
        }
    }
    if parse(&before)?.leaf != parse(&after)?.leaf {
        return Err(format!("commit {seq} has another leaf after the kill"));
    }
    Ok(1)
}
