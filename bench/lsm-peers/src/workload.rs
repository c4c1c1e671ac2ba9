//! What the engines are put through, and that they did it.

use crate::engines::{Engine, Outcome};
use crate::figures::{Figures, Stopwatch};
use crate::settings::{BATCH, KEY_BYTES, Settings};
use std::path::Path;

const GETS: u64 = 300_000;
const SCANS: u64 = 10_000;
const SCAN_PAIRS: usize = 100;

/// A number out of a number (splitmix64, Steele, Lea, Flood 2014): one to one, so that distinct numbers stay distinct.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The key of a number: what an index has, an id that all share before what is indexed. Even numbers are written, odd ones are asked for in vain.
fn key(number: u64) -> Vec<u8> {
    let mut key = vec![0; KEY_BYTES];
    key[..8].copy_from_slice(&77u64.to_be_bytes());
    key[8..].copy_from_slice(&number.to_be_bytes());
    key
}

fn value(settings: &Settings, number: u64) -> Vec<u8> {
    let random = if settings.random_values { settings.value_bytes } else { settings.value_bytes / 2 };
    let words = (0..random.div_ceil(8) as u64).flat_map(|word| mix(number ^ word << 40).to_le_bytes());
    let mut value: Vec<u8> = words.take(random).collect();
    value.resize(settings.value_bytes, b'.');
    value
}

/// Numbers of the keys, ascending.
pub fn in_order(settings: &Settings) -> Vec<u64> {
    (0..settings.keys).map(|number| number * 2).collect()
}

/// The same numbers in an order that `seed` names (Fisher and Yates).
pub fn shuffled(settings: &Settings, seed: u64) -> Vec<u64> {
    let mut numbers = in_order(settings);
    for last in (1..numbers.len()).rev() {
        numbers.swap(last, (mix(seed << 32 ^ last as u64) % (last as u64 + 1)) as usize);
    }
    numbers
}

/// Writes everything and waits until the engine has settled.
pub fn fill(
    engine: &dyn Engine,
    settings: &Settings,
    numbers: &[u64],
    (name, phase): (&'static str, &'static str),
    figures: &mut Figures,
) -> Outcome<()> {
    let whole = Stopwatch::start_process();
    let (mut making, mut making_cpu) = (0, 0);
    for numbers in numbers.chunks(BATCH) {
        let made = Stopwatch::start_thread();
        let pairs: Vec<_> = numbers.iter().map(|number| (key(*number), value(settings, *number))).collect();
        (making, making_cpu) = (making + made.wall_ns(), making_cpu + made.cpu_ns());
        engine.write(&pairs)?;
    }
    let written = whole.wall_ns() - making;
    engine.settle()?;
    figures.note(name, &format!("{phase}: written, ns a key"), written as f64 / settings.keys as f64);
    figures.note(name, &format!("{phase}: settled, ns a key"), (whole.wall_ns() - making) as f64 / settings.keys as f64);
    figures.note(name, &format!("{phase}: CPU, ns a key"), whole.cpu_ns().saturating_sub(making_cpu) as f64 / settings.keys as f64);
    Ok(())
}

/// Lookups and scans, on a tree that has settled.
pub fn reads(engine: &dyn Engine, settings: &Settings, round: u64, name: &'static str, figures: &mut Figures) -> Outcome<()> {
    let draw = |number: u64| mix(round << 40 ^ number) % settings.keys * 2;
    // Warms the cache.
    (0..GETS / 2).try_for_each(|number| engine.get(&key(draw(!number))).map(|_| ()))?;
    let watch = Stopwatch::start_thread();
    for number in 0..GETS {
        if engine.get(&key(draw(number)))? != Some(settings.value_bytes) {
            return Err(format!("{name} lost key {}", draw(number)).into());
        }
    }
    watch.note(figures, name, "get, hit", GETS);
    let watch = Stopwatch::start_thread();
    for number in 0..GETS {
        if engine.get(&key(draw(number) + 1))?.is_some() {
            return Err(format!("{name} made up key {}", draw(number) + 1).into());
        }
    }
    watch.note(figures, name, "get, miss", GETS);
    for (backward, phase) in [(false, "scan of 100"), (true, "scan of 100, descending")] {
        let watch = Stopwatch::start_thread();
        for number in 0..SCANS {
            let start = draw(number) / 2;
            let found = engine.scan(&key(start * 2), SCAN_PAIRS, backward)?;
            let expected = if backward { start + 1 } else { settings.keys - start }.min(SCAN_PAIRS as u64) as usize;
            if found != (expected, expected * (KEY_BYTES + settings.value_bytes)) {
                return Err(format!("{name} found {found:?}, not {expected} pairs from {start}").into());
            }
        }
        watch.note(figures, name, phase, SCANS);
    }
    Ok(())
}

/// Bytes of the files below a folder of the run.
pub fn disk_bytes(dir: &Path, folder: &str) -> Outcome<f64> {
    let (mut bytes, mut folders) = (0, vec![dir.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            // An engine may remove a file meanwhile.
            let Ok(data) = entry.metadata() else { continue };
            if data.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += data.len();
            }
        }
    }
    Ok(bytes as f64)
}
