//! The page and the picture of what `storage` measured.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{CLIENTS, Found, MEMORY_MIB, Proofs, SMALL_MIB, Small};
use crate::Outcome;
use crate::figures::thousands;
use crate::process;
use crate::system::LIMIT;

/// Everything that was measured, and where.
pub(super) struct Page {
    pub(super) ours: Found,
    pub(super) peer: Option<Found>,
    pub(super) proofs: Proofs,
    pub(super) small: Small,
    pub(super) rows: u64,
    /// Bytes of the file of the load.
    pub(super) raw: u64,
    /// Time of the mixed load.
    pub(super) time: Duration,
    pub(super) facts: Vec<(String, String)>,
}

impl Page {
    /// For `bench/storage.md`.
    pub(super) fn markdown(&self) -> String {
        let rows = thousands(self.rows as f64);
        let mut text = format!(
            "# {rows} rows under a bound of memory\n\nWritten by `cargo xtask bench storage --write`: the same rows, clients and statements, one server after \
             the other on one machine, both durable; ours with `--memory {MEMORY_MIB}MiB`, PostgreSQL with `shared_buffers={MEMORY_MIB}MB` and else as its package \
             comes. Answers to queries over all rows were equal.\n\n| | PostgreSQL | Shockwave | target |\n|---|---:|---:|---|\n"
        );
        let mut line = |name: &str, figure: &dyn Fn(&Found) -> String, target: String| {
            let peer = self.peer.as_ref().map_or_else(|| "—".to_owned(), figure);
            let _ = writeln!(text, "| {name} | {peer} | {} | {target} |", figure(&self.ours));
        };
        let per_row = |bytes: u64| bytes as f64 / self.raw as f64;
        let second = |time: Duration| format!("{:.3} s", time.as_secs_f64());
        let met: fn(bool) -> &'static str = |is_met| if is_met { "met" } else { "missed" };
        line(
            &format!("COPY of {rows} rows"),
            &|found| format!("{} rows/s", thousands(self.rows as f64 / found.load.as_secs_f64())),
            String::new(),
        );
        line("bytes written for a byte of the file", &|found| format!("{:.2}", per_row(found.written)), String::new());
        line("bytes on disk for a byte of the file", &|found| format!("{:.2}", per_row(found.folder)), String::new());
        line("SELECT by key, prepared, 1 client: p50", &|found| format!("{:.3} ms", found.reads.p50_ms), String::new());
        line("the same: p99", &|found| format!("{:.3} ms", found.reads.p99_ms), String::new());
        let is_soon = self.ours.after_stop < Duration::from_millis(200);
        line("start after a stop, to a row by key", &|found| second(found.after_stop), format!("< 0.2 s: {}", met(is_soon)));
        line("start after a kill, to a row by key", &|found| second(found.after_kill), String::new());
        let mixed = format!("{CLIENTS} clients, 80 reads to 20 updates by key, {} s: middle second", self.time.as_secs());
        line(&mixed, &|found| format!("{} per s", thousands(found.mixed.median())), String::new());
        let is_steady = self.ours.mixed.slowest() * 2.0 >= self.ours.mixed.median();
        let target = format!("≥ half of the middle: {}", met(is_steady));
        line("the same: slowest second", &|found| format!("{} per s", thousands(found.mixed.slowest())), target);
        text.push_str(&self.proofs_and_bounds(met));
        for (name, value) in &self.facts {
            let _ = writeln!(text, "- {name}: {value}");
        }
        text
    }

    fn proofs_and_bounds(&self, met: fn(bool) -> &'static str) -> String {
        let Proofs { made, checked_ms, fsck_rows_per_s, fsck_peak } = self.proofs;
        let mib = |bytes: u64| thousands(bytes as f64 / f64::from(1 << 20));
        let mut text = format!(
            "\n| proofs over the same rows | | target |\n|---|---:|---|\n\
             | receipt of a row by SQL, 1 client: p50 | {:.3} ms | < 0.3 ms: {} |\n| the same: p99 | {:.3} ms | |\n\
             | `shockwave verify receipt`, the whole process | {checked_ms:.1} ms | |\n\
             | `shockwave verify fsck` | {} rows/s | ≥ 1,000,000 rows/s: {} |\n| the same: most memory | {} MiB | < 256 MiB: {} |\n",
            made.p50_ms,
            met(made.p50_ms < 0.3),
            made.p99_ms,
            thousands(fsck_rows_per_s),
            met(fsck_rows_per_s >= 1_000_000.0),
            mib(fsck_peak),
            met(fsck_peak < 256 << 20),
        );
        let Small { load, loaded_peak, queried_peak } = self.small;
        let verdict = met(queried_peak < 1 << 30);
        let _ = write!(
            text,
            "\nUnder `--memory {SMALL_MIB}MiB` the same rows came in within {:.1} s; the process had {} MiB at most until then, and {} MiB after the queries, which \
             gave the same answers (target: < 1,024 MiB: {verdict}).\n\n![Transactions of each second of the mixed load](storage.png)\n\n",
            load.as_secs_f64(),
            mib(loaded_peak),
            mib(queried_peak),
        );
        text
    }

    /// Draws the pace of the mixed load.
    ///
    /// # Errors
    /// The script's own.
    pub(super) fn draw(&self, python: &Path, script: &Path, picture: &Path, scratch: &Path) -> Outcome<()> {
        let seconds = self.peer.iter().map(|found| ("PostgreSQL", found)).chain([("Shockwave", &self.ours)]);
        let lines = seconds.map(|(name, found)| {
            let seconds = found.mixed.0.iter().map(f64::to_string).collect::<Vec<_>>();
            format!("{name}\t{}\n", seconds.join("\t"))
        });
        let data = scratch.join("pace.tsv");
        std::fs::write(&data, lines.collect::<String>()).map_err(|e| format!("{}: {e}", data.display()))?;
        process::run(Command::new(python).arg(script).arg(&data).arg(picture), scratch, LIMIT).map(drop)
    }
}
