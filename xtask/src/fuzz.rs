//! `cargo xtask fuzz`: the coverage-guided fuzz targets of `fuzz/`, one for every decoder.
//!
//! The same bodies run as seeded mutation loops in the crates' own tests, so that CI needs neither cargo-fuzz nor nightly.

use std::path::Path;
use std::process::Command;

use crate::process::{self, Outcome};

/// Without an argument lists the targets; with a name runs that one, further arguments going to `cargo fuzz run`.
pub fn run(root: &Path, args: &[String]) -> Outcome {
    let targets = targets(root)?;
    let Some((name, rest)) = args.split_first() else {
        println!("fuzz targets: {}\nrun one with: cargo xtask fuzz NAME", targets.join(", "));
        return Ok(());
    };
    if !targets.contains(name) {
        return Err(format!("there is no fuzz target `{name}`; there are: {}", targets.join(", ")));
    }
    if !process::succeeds(Command::new("cargo").args(["+nightly", "fuzz", "--version"])) {
        return Err("cargo-fuzz or a nightly toolchain is missing; install with: \
                    rustup toolchain install nightly && cargo +nightly install cargo-fuzz --locked"
            .to_owned());
    }
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz", "run", "--features", name, name]).args(rest).current_dir(root);
    process::run(&mut command)
}

/// The names of the files in `fuzz/fuzz_targets`, sorted.
fn targets(root: &Path) -> Result<Vec<String>, String> {
    let folder = root.join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}
