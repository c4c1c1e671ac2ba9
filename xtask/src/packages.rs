//! Programs of the operating system that tests and benches run beside ours.
//!
//! K1: nothing is installed unless the user is root, apt-get works and the program is missing.
//! Never: starts a service; the benches start their own PostgreSQL on a folder of their own.

use std::path::Path;
use std::process::Command;

use crate::process;

/// A program and the Debian package that brings it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Name of the program, as looked for on PATH and in Debian's folders of PostgreSQL versions.
    pub program: &'static str,
    /// Name of the package.
    pub package: &'static str,
}

/// What `cargo xtask test` runs: psql for the end-to-end tests, PostgreSQL 15 to compare answers with, b3sum to hash sealed files as anyone would,
/// openssl to be an authority of timestamps and whoever relies on it.
pub const FOR_TESTS: &[Needed] = &[
    Needed { program: "psql", package: "postgresql-client" },
    Needed { program: "initdb", package: "postgresql-15" },
    Needed { program: "b3sum", package: "b3sum" },
    Needed { program: "openssl", package: "openssl" },
];

/// What `cargo xtask bench` runs: a PostgreSQL 15 server and its pgbench, beside psql.
pub const FOR_BENCH: &[Needed] = &[
    Needed { program: "psql", package: "postgresql-client" },
    Needed { program: "initdb", package: "postgresql-15" },
    Needed { program: "pgbench", package: "postgresql-15" },
];

/// Sees to it that the programs are there: installs what is missing where that needs no question.
///
/// # Errors
/// The one command that installs what is still missing, with the reason.
pub fn ensure(needed: &[Needed]) -> Result<(), String> {
    let missing = missing(needed, present);
    if missing.is_empty() {
        return Ok(());
    }
    install(&packages(&missing)).map_err(|advice| format!("{} missing; {advice}", names(&missing)))?;
    match missing.iter().find(|n| !present(n.program)) {
        None => Ok(()),
        Some(n) => Err(format!("{} was installed and brought no {}", n.package, n.program)),
    }
}

/// Installs packages where that needs no question.
///
/// # Errors
/// The one command that installs them.
pub fn install(packages: &[&str]) -> Result<(), String> {
    let advice = || Err(format!("install with: sudo apt-get install -y {}", packages.join(" ")));
    if !is_root() || !process::on_path("apt-get") {
        return advice();
    }
    eprintln!("installing {}", packages.join(" "));
    let installed = apt_get(&["update", "-qq"]) && apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat());
    if installed { Ok(()) } else { advice() }
}

fn missing(needed: &[Needed], present: impl Fn(&str) -> bool) -> Vec<Needed> {
    needed.iter().copied().filter(|n| !present(n.program)).collect()
}

fn names(missing: &[Needed]) -> String {
    missing.iter().map(|n| n.program).collect::<Vec<_>>().join(", ")
}

/// The packages of `missing`, each once.
fn packages(missing: &[Needed]) -> Vec<&'static str> {
    let mut packages: Vec<&str> = missing.iter().map(|n| n.package).collect();
    packages.dedup();
    packages
}

/// On PATH, or in the folder of a version (`/usr/lib/postgresql/15/bin`), where Debian keeps what is not linked to PATH.
fn present(program: &str) -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    process::on_path(program) || versions.into_iter().any(|version| version.path().join("bin").join(program).is_file())
}

/// True if this process may install packages.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

fn apt_get(args: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    // PostgreSQL's package would make and start a cluster of its own; ours is made by the bench, in a temporary folder.
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive").current_dir(Path::new("/"));
    process::run(&mut command).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_there_is_not_installed() {
        assert!(missing(FOR_BENCH, |_| true).is_empty());
        let one = missing(FOR_BENCH, |program| program != "pgbench");
        assert_eq!(one.iter().map(|n| n.program).collect::<Vec<_>>(), ["pgbench"]);
    }

    #[test]
    fn a_package_is_named_once() {
        let missing = missing(FOR_BENCH, |_| false);
        assert_eq!(packages(&missing), ["postgresql-client", "postgresql-15"]);
    }
}
