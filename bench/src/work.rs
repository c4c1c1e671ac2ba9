//! The works that are measured, and what each is measured in.
//!
//! V1: a work checks that what it timed was really done (rows counted, transactions all through) before its figure counts.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::figures::thousands;
use crate::idle;
use crate::queries;
use crate::rows;
use crate::system::{self, LIMIT, System};

/// A group of works that can be asked for by name. In the order in which they are done: each leaves what the next needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// COPY of all rows.
    Copy,
    /// Kill right after the COPY, start, count.
    Restart,
    /// Verification of everything on disk.
    Fsck,
    /// Durable commits of one row.
    Insert,
    /// Reads by key.
    Select,
    /// Reads by a secondary index.
    Index,
    /// The TPC-B-like transaction of pgbench.
    Tpcb,
    /// Analytical queries.
    Analytic,
    /// Memory of sessions that say nothing.
    Idle,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Kind; 9] =
        [Kind::Copy, Kind::Restart, Kind::Fsck, Kind::Insert, Kind::Select, Kind::Index, Kind::Tpcb, Kind::Analytic, Kind::Idle];

    /// The kind called so on the command line.
    pub fn named(name: &str) -> Option<Kind> {
        let names = ["copy", "restart", "fsck", "insert", "select", "index", "tpcb", "analytic", "idle"];
        names.iter().position(|n| *n == name).map(|index| Kind::ALL[index])
    }

    /// The works of this kind.
    pub fn works(self) -> &'static [Work] {
        match self {
            Kind::Copy => &[Work::Copy],
            Kind::Restart => &[Work::Restart],
            Kind::Fsck => &[Work::Fsck],
            Kind::Insert => &[Work::Insert { clients: 1 }, Work::Insert { clients: 64 }],
            Kind::Select => &[Work::Select { clients: 1 }, Work::Select { clients: 16 }],
            Kind::Index => &[Work::Range, Work::First],
            Kind::Tpcb => &[Work::Tpcb],
            Kind::Analytic => &[Work::Analytic],
            Kind::Idle => &[Work::Idle],
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// COPY of all rows.
    Copy,
    /// Kill right after the COPY, start, count.
    Restart,
    /// Verification of everything on disk.
    Fsck,
    /// Durable commits of one row from so many clients.
    Insert {
        /// Connections at once.
        clients: u32,
    },
    /// Reads by key from so many clients.
    Select {
        /// Connections at once.
        clients: u32,
    },
    /// A hundred rows within a range of a secondary index, from one client.
    Range,
    /// The first ten rows in the order of a secondary index, from one client.
    First,
    /// The TPC-B-like transaction of pgbench, from one client.
    Tpcb,
    /// All analytical queries, one after the other.
    Analytic,
    /// As many idle sessions as the server's defaults allow, at most a thousand.
    Idle,
}

/// What a figure must reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// At least as good as PostgreSQL in the same run.
    Peer,
    /// At least twice as good as PostgreSQL in the same run.
    TwicePeer,
    /// At least so much.
    AtLeast(f64),
    /// Less than so much.
    Below(f64),
    /// For information.
    None,
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// The file with the rows of the COPY.
    pub data: &'a Path,
    /// How many those are.
    pub rows: u64,
    /// Time of each pgbench run.
    pub time: Duration,
    /// The round, from 0.
    pub round: usize,
}

impl Work {
    /// The line's first column.
    pub fn title(self, rows: u64) -> String {
        let rows = thousands(rows as f64);
        match self {
            Work::Copy => format!("COPY of {rows} rows"),
            Work::Restart => format!("restart after a kill with {rows} rows just loaded"),
            Work::Fsck => format!("verify fsck of {rows} rows"),
            Work::Insert { clients } => {
                format!("INSERT of one row, prepared, {clients} {}", if clients == 1 { "client" } else { "clients" })
            }
            Work::Select { clients } => format!("SELECT by key, prepared, {clients} {}", if clients == 1 { "client" } else { "clients" }),
            Work::Range => format!("range of 100 of {rows} rows by a secondary index, prepared, 1 client"),
            Work::First => format!("ORDER BY … LIMIT 10 of {rows} rows by a secondary index, prepared, 1 client"),
            Work::Tpcb => "pgbench's TPC-B-like transaction, prepared, 1 client".to_owned(),
            Work::Idle => "memory of an idle session, 1,000 held (PostgreSQL: 90)".to_owned(),
            Work::Analytic => format!("{} analytical queries over {rows} rows", queries::QUERIES.len()),
        }
    }

    /// What the figures count.
    pub fn unit(self) -> &'static str {
        match self {
            Work::Copy | Work::Fsck => "rows/s",
            Work::Restart | Work::Analytic => "s",
            Work::Idle => "KiB",
            Work::Insert { .. } | Work::Select { .. } | Work::Range | Work::First | Work::Tpcb => "per s",
        }
    }

    /// True if less is better.
    pub fn is_cost(self) -> bool {
        matches!(self, Work::Restart | Work::Analytic | Work::Idle)
    }

    /// What our figure must reach.
    pub fn target(self) -> Target {
        match self {
            Work::Copy | Work::Insert { .. } | Work::Analytic => Target::Peer,
            Work::Fsck => Target::AtLeast(500_000.0),
            Work::Restart => Target::Below(3.0),
            Work::Idle => Target::Below(100.0),
            Work::Select { .. } => Target::TwicePeer,
            Work::Range | Work::First | Work::Tpcb => Target::None,
        }
    }

    /// Does the work on one system; `None` if the system cannot.
    ///
    /// # Errors
    /// The work failed, or was not really done.
    pub fn measure(self, system: &mut dyn System, load: &Load<'_>) -> Outcome<Option<f64>> {
        match self {
            Work::Copy => copy(system, load.rows, load.data).map(Some),
            Work::Restart => restart(system, load.rows).map(Some),
            Work::Fsck => Ok(system.check_all()?.map(|time| load.rows as f64 / time.as_secs_f64())),
            Work::Insert { clients } => insert(system, clients, load.time, load.round).map(Some),
            Work::Select { clients } => {
                let script = format!("\\set id random(0, {})\nSELECT name, age, city FROM people WHERE id = :id;\n", load.rows - 1);
                let found = system.client().pgbench(&script, clients, load.time, seed(load.round, clients))?;
                Ok(Some(found.per_second))
            }
            Work::Range => by_index(system, load, "at BETWEEN :low AND :low + 99", 100).map(Some),
            Work::First => by_index(system, load, "at >= :low ORDER BY at LIMIT 10", 10).map(Some),
            Work::Tpcb => tpcb(system, load).map(Some),
            Work::Analytic => analytic(system, load).map(Some),
            Work::Idle => idle_sessions(system).map(Some),
        }
    }
}

fn copy(system: &dyn System, rows: u64, data: &Path) -> Outcome<f64> {
    let client = system.client();
    client.psql(&[rows::TABLE], LIMIT)?;
    let time = client.timed(&format!("\\copy people from '{}'", data.display()), Duration::from_secs(600))?;
    expect_count(&client.psql(&["SELECT count(*) FROM people"], LIMIT)?, rows)?;
    Ok(rows as f64 / time.as_secs_f64())
}

/// Of a server that has just started: what earlier works had and gave back would take sessions in without growing.
fn idle_sessions(system: &mut dyn System) -> Outcome<f64> {
    system.stop()?;
    system.start()?;
    system::wait_for(system, "SELECT 1")?;
    idle::kib_each(system.client().port, system.sessions_max(), || system.memory())
}

/// From the start of the program to the answer of the first count.
fn restart(system: &mut dyn System, rows: u64) -> Outcome<f64> {
    system.crash()?;
    let start = Instant::now();
    system.start()?;
    let count = system::wait_for(system, "SELECT count(*) FROM people")?;
    let time = start.elapsed();
    expect_count(&count, rows)?;
    Ok(time.as_secs_f64())
}

fn insert(system: &dyn System, clients: u32, time: Duration, round: usize) -> Outcome<f64> {
    const SCRIPT: &str = "\\set id random(1, 9000000000000000000)\n\\set age random(18, 97)\n\
                          INSERT INTO visits (id, name, age, city) VALUES (:id, 'Grace Hopper', :age, 'Basel');\n";
    let client = system.client();
    let before = client.psql(&["SELECT count(*) FROM visits"], LIMIT)?;
    let found = client.pgbench(SCRIPT, clients, time, seed(round, clients))?;
    let before: u64 = before.trim().parse().map_err(|_| format!("not a count: {before}"))?;
    expect_count(&client.psql(&["SELECT count(*) FROM visits"], LIMIT)?, before + found.done)?;
    Ok(found.per_second)
}

/// Reads rows of a table whose order in its index is none of its own.
fn by_index(system: &dyn System, load: &Load<'_>, clause: &str, rows: u64) -> Outcome<f64> {
    let client = system.client();
    let is_there = client.psql(&["SELECT count(*) FROM pg_class WHERE relname = 'readings'"], LIMIT)?;
    if is_there.trim() == "0" {
        let long = Duration::from_secs(600);
        client.psql(&["CREATE TABLE readings (id bigint PRIMARY KEY, at bigint NOT NULL, amount bigint NOT NULL, note text)"], LIMIT)?;
        let fill = "INSERT INTO readings SELECT g, g * 7919 % {rows}, g % 1000, 'note ' || CAST(g % 97 AS text) \
                    FROM (SELECT CAST(n AS bigint) AS g FROM generate_series(1, {rows}) AS s(n)) AS numbers";
        client.psql(&[&fill.replace("{rows}", &load.rows.to_string()), "CREATE INDEX readings_at ON readings (at)"], long)?;
    }
    let one = format!("SELECT count(*) FROM (SELECT id FROM readings WHERE {}) AS found", clause.replace(":low", "10"));
    expect_count(&client.psql(&[&one], LIMIT)?, rows)?;
    let script = format!("\\set low random(0, {})\nSELECT id, at, amount, note FROM readings WHERE {clause};\n", load.rows - 200);
    Ok(client.pgbench(&script, 1, load.time, seed(load.round, 1))?.per_second)
}

/// Runs the transaction, then adds up what it must have left equal.
fn tpcb(system: &dyn System, load: &Load<'_>) -> Outcome<f64> {
    let client = system.client();
    client.psql(&TPCB_TABLES, LIMIT)?;
    let found = client.pgbench(TPCB, 1, load.time, seed(load.round, 1))?;
    let sums = "SELECT (SELECT count(*) FROM pgbench_history), (SELECT sum(delta) FROM pgbench_history), \
                (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers), \
                (SELECT sum(bbalance) FROM pgbench_branches)";
    let answer = client.psql(&[sums], LIMIT)?;
    let parts: Vec<&str> = answer.trim().split('|').collect();
    match parts.as_slice() {
        [count, sum, rest @ ..] if *count == found.done.to_string() && rest.iter().all(|other| other == sum) => Ok(found.per_second),
        _ => Err(format!("{} transactions left {}", found.done, answer.trim())),
    }
}

/// Seconds for all queries; answers are kept beside the data and must not differ.
fn analytic(system: &dyn System, load: &Load<'_>) -> Outcome<f64> {
    let client = system.client();
    client.psql(&queries::TABLES, LIMIT)?;
    for statement in queries::ROWS {
        client.psql(&[&statement.replace("{rows}", &load.rows.to_string())], Duration::from_secs(600))?;
    }
    let mut total = Duration::ZERO;
    for (index, query) in queries::QUERIES.iter().enumerate() {
        let (time, answer) = client.timed_answer(query, Duration::from_secs(600))?;
        total += time;
        let path = load.data.with_file_name(format!("answer-{index}.txt"));
        match std::fs::read_to_string(&path) {
            Ok(known) if known == answer => {}
            Ok(known) => return Err(format!("query {} answered\n{answer}\nand was answered before with\n{known}", index + 1)),
            Err(_) => std::fs::write(&path, &answer).map_err(|e| format!("{}: {e}", path.display()))?,
        }
    }
    Ok(total.as_secs_f64())
}

/// Scale 1, as `pgbench -i` makes it, with keys from the start.
const TPCB_TABLES: [&str; 7] = [
    "CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler text)",
    "CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler text)",
    "CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler text)",
    "CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler text)",
    "INSERT INTO pgbench_branches SELECT g, 0, '' FROM generate_series(1, 1) AS s(g)",
    "INSERT INTO pgbench_tellers SELECT g, 1, 0, '' FROM generate_series(1, 10) AS s(g)",
    "INSERT INTO pgbench_accounts SELECT g, 1, 0, '' FROM generate_series(1, 100000) AS s(g)",
];

/// pgbench's own script.
const TPCB: &str = "\\set aid random(1, 100000)\n\\set bid random(1, 1)\n\\set tid random(1, 10)\n\\set delta random(-5000, 5000)\n\
                    BEGIN;\n\
                    UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;\n\
                    SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n\
                    UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;\n\
                    UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;\n\
                    INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);\n\
                    END;\n";

/// Seeds differ between runs on one table: the same seed would give the same keys.
fn seed(round: usize, clients: u32) -> u64 {
    1 + round as u64 * 1000 + u64::from(clients)
}

fn expect_count(answer: &str, rows: u64) -> Outcome<()> {
    if answer.trim() == rows.to_string() { Ok(()) } else { Err(format!("the table holds {} rows, {rows} were wanted", answer.trim())) }
}
