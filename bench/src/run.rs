//! The rounds.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::args::Plan;
use crate::client;
use crate::machine;
use crate::postgres::Postgres;
use crate::process;
use crate::report::{Line, Report};
use crate::rows;
use crate::scratch::Scratch;
use crate::shockwave::Shockwave;
use crate::system::{LIMIT, System};
use crate::work::{Kind, Load, Work};

/// Measures everything the plan asks for and prints the table.
///
/// # Errors
/// The first step that failed; what was started is ended, what was written is removed.
pub fn run(plan: &Plan) -> Outcome<()> {
    let bin = client::find_bin(plan.pg_bin.as_deref())?;
    let scratch = Scratch::create(&plan.dir, plan.keep)?;
    let data = scratch.path().join("people.tsv");
    rows::write(&data, plan.rows)?;
    let mut ours = Shockwave::create(&plan.server, &bin, scratch.path())?;
    let mut postgres = if plan.only_ours { None } else { Some(Postgres::create(&bin, scratch.path())?) };

    let works = works(plan);
    let mut lines: Vec<Line> = works.iter().map(|work| Line::new(*work)).collect();
    for round in 0..plan.rounds {
        let load = Load { data: &data, rows: plan.rows, time: plan.time, round };
        eprintln!("round {} of {}", round + 1, plan.rounds);
        let mut systems: Vec<(bool, &mut dyn System)> = vec![(true, &mut ours)];
        if let Some(postgres) = &mut postgres {
            systems.push((false, postgres));
        }
        for (_, system) in &mut systems {
            system.fresh()?;
            prepare(&**system, &works)?;
        }
        for (index, work) in works.iter().enumerate() {
            // H1: who goes first alternates, so that neither always meets the other's leftovers.
            let ours_last = (round + index) % 2 == 1;
            systems.sort_by_key(|(is_ours, _)| *is_ours == ours_last);
            for (is_ours, system) in &mut systems {
                settle(scratch.path())?;
                let figure =
                    work.measure(&mut **system, &load).map_err(|e| format!("{}: {}: {e}", system.name(), work.title(plan.rows)))?;
                if let Some(figure) = figure {
                    eprintln!("  {:<12} {:<52} {figure:>14.2} {}", system.name(), work.title(plan.rows), work.unit());
                    lines[index].add(*is_ours, figure);
                }
            }
        }
    }
    let mut facts = machine::facts(scratch.path());
    facts.push(("Shockwave".to_owned(), ours.version()));
    if postgres.is_some() {
        facts.push(("PostgreSQL".to_owned(), Postgres::version(&bin, scratch.path())?));
    }
    facts.push((
        "rounds".to_owned(),
        format!("{}, medians shown; {} s a pgbench run, connections not encrypted", plan.rounds, plan.time.as_secs()),
    ));
    let report = Report { lines, facts, rows: plan.rows };
    println!("\n{}", report.text());
    if plan.write {
        write(Path::new("bench/report.md"), &report.markdown())?;
    }
    ours.stop()?;
    postgres.map_or(Ok(()), |mut postgres| postgres.stop())
}

/// The works asked for, and the COPY wherever one of them needs its rows.
fn works(plan: &Plan) -> Vec<Work> {
    let needs_rows = plan.kinds.iter().any(|kind| !matches!(kind, Kind::Insert | Kind::Tpcb | Kind::Analytic | Kind::Idle));
    let copy = (needs_rows && !plan.kinds.contains(&Kind::Copy)).then_some(Kind::Copy);
    copy.iter().chain(&plan.kinds).flat_map(|kind| kind.works()).copied().collect()
}

fn prepare(system: &dyn System, works: &[Work]) -> Outcome<()> {
    if works.iter().any(|work| matches!(work, Work::Insert { .. })) {
        system.client().psql(&[&rows::TABLE.replace("people", "visits")], LIMIT)?;
    }
    Ok(())
}

/// Lets the disk finish what was written before, whoever wrote it.
fn settle(scratch: &Path) -> Outcome<()> {
    process::run(&mut Command::new("sync"), scratch, LIMIT)?;
    std::thread::sleep(Duration::from_millis(100));
    Ok(())
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    eprintln!("written: {}", path.display());
    Ok(())
}
