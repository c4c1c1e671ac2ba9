//! Times our log-structured tree beside RocksDB and fjall: the same keys, sizes and budgets, one engine after the other in turning order, medians.
//!
//! `cargo run --release -- [--keys N] [--value BYTES] [--rounds N] [--only NAME] [--random-values]`, in this folder. Prints a table in Markdown.
//! A figure counts only if what was read is what was written: every lookup and scan is checked.

mod engines;
mod figures;
mod settings;
mod workload;

use engines::Engine;
use figures::Figures;
use settings::Settings;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_args(std::env::args().skip(1))?;
    let mut figures = Figures::default();
    for round in 0..settings.rounds {
        let mut order = settings.engines();
        let turn = round % order.len();
        order.rotate_left(turn);
        for name in order {
            eprintln!("round {} of {}: {name}", round + 1, settings.rounds);
            run(name, &settings, round as u64, &mut figures)?;
        }
    }
    println!("{}", settings.describe());
    println!("{}", figures.table(&settings.engines()));
    Ok(())
}

/// One engine through all phases, in folders of its own.
fn run(name: &'static str, settings: &Settings, round: u64, figures: &mut Figures) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    {
        let engine = engines::open(name, &dir.path().join("in order"), settings)?;
        workload::fill(engine.as_ref(), settings, &workload::in_order(settings), (name, "fill, keys in order"), figures)?;
    }
    let engine: Box<dyn Engine> = engines::open(name, &dir.path().join("random"), settings)?;
    workload::fill(engine.as_ref(), settings, &workload::shuffled(settings, round), (name, "fill, keys at random"), figures)?;
    workload::reads(engine.as_ref(), settings, round, name, figures)?;
    figures.note(name, "bytes on disk for each byte written", workload::disk_bytes(dir.path(), "random")? / settings.data_bytes());
    if let Some(amplification) = engine.write_amplification() {
        figures.note(name, "write amplification, keys at random", amplification);
    }
    Ok(())
}
