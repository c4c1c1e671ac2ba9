//! Many sessions move amounts between few rows, in an order that invites circles: it ends, and the sum stays.
//!
//! T1: a transaction is run again only where the server says that it may be: 40001 or 40P01.
//! T2: under READ COMMITTED nobody hears 40001: who meets a row waits for it.
//! Never: locks in a fixed order.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::client::{Client, Failure};
use crate::dice::Dice;

/// Rows that everybody writes.
const ACCOUNTS: u64 = 4;

/// What was run.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Transfers that committed.
    pub done: u64,
    /// Refusals for a circle of waiters.
    pub circles: u64,
    /// Refusals for a conflict.
    pub conflicts: u64,
}

/// Runs `sessions` × `turns` transfers at a level. Errors: a sum that changed, a refusal that T1 or T2 does not allow, a lost connection.
pub fn transfers(address: SocketAddr, level: &str, sessions: u64, turns: u64) -> Result<Outcome, String> {
    let mut keeper = Client::connect(address).map_err(|failure| failure.to_string())?;
    let setup = format!(
        "DROP TABLE IF EXISTS accounts; CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL); \
         INSERT INTO accounts SELECT i, 1000 FROM generate_series(1, {ACCOUNTS}) i"
    );
    keeper.query(&setup).map_err(|failure| failure.to_string())?;
    let (circles, conflicts) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for session in 0..sessions {
            let (circles, conflicts) = (&circles, &conflicts);
            let work = move || -> Result<(), String> {
                let mut client = Client::connect(address).map_err(|failure| failure.to_string())?;
                let mut dice = Dice::new(session + 1, 0);
                for _ in 0..turns {
                    let from = 1 + dice.below(ACCOUNTS);
                    let to = 1 + (from + dice.below(ACCOUNTS - 1)) % ACCOUNTS;
                    let is_locking = dice.below(3) == 0;
                    while let Err(state) = transfer(&mut client, level, from, to, is_locking) {
                        match state.as_str() {
                            "40P01" => circles.fetch_add(1, Ordering::Relaxed),
                            "40001" if level != "READ COMMITTED" => conflicts.fetch_add(1, Ordering::Relaxed),
                            other => return Err(format!("a transfer at {level} was refused: {other}")),
                        };
                    }
                }
                Ok(())
            };
            let named = std::thread::Builder::new().name(format!("transfers {session}"));
            workers.push(named.spawn_scoped(scope, work).map_err(|error| error.to_string())?);
        }
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a session met a defect".to_owned())))
    })?;
    let rows = keeper.query("SELECT sum(balance), count(*) FROM accounts").map_err(|failure| failure.to_string())?;
    let seen: Vec<String> = rows.into_iter().flatten().flatten().collect();
    if seen != [(ACCOUNTS * 1000).to_string(), ACCOUNTS.to_string()] {
        return Err(format!("the sum is {seen:?} after transfers at {level}"));
    }
    Ok(Outcome { done: sessions * turns, circles: circles.into_inner(), conflicts: conflicts.into_inner() })
}

/// One transfer. Errors: the SQLSTATE; the transaction is over then.
fn transfer(client: &mut Client, level: &str, from: u64, to: u64, is_locking: bool) -> Result<(), String> {
    let mut steps = vec![format!("BEGIN ISOLATION LEVEL {level}")];
    if is_locking {
        steps.push(format!("SELECT balance FROM accounts WHERE id IN ({from}, {to}) FOR UPDATE"));
    }
    steps.push(format!("UPDATE accounts SET balance = balance - 1 WHERE id = {from}"));
    steps.push(format!("UPDATE accounts SET balance = balance + 1 WHERE id = {to}"));
    steps.push("COMMIT".to_owned());
    for step in &steps {
        match client.query(step) {
            Ok(_) => {}
            Err(Failure::Refused(state, _)) => {
                client.query("ROLLBACK").map_err(|failure| failure.to_string())?;
                return Err(state);
            }
            Err(lost) => return Err(lost.to_string()),
        }
    }
    Ok(())
}
