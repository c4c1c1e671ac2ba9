//! Python interpreters with the packages that tests and benches want, each in an environment below the build folder.
//!
//! P1: nothing but Debian's python3-venv is installed outside that environment, and nothing if an interpreter at hand has the packages already.
//! Never: is needed to build; tests that want it are skipped without it, and say so.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{packages, process};

/// Name of the environment variable that tells tests the interpreter.
pub const VARIABLE: &str = "PYTHON";

/// Packages that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// Its folder below the build folder.
    folder: &'static str,
    requirements: &'static str,
    /// What can be imported where all is there.
    module: &'static str,
}

/// What the tests read our files with.
pub const FOR_TESTS: Environment =
    Environment { folder: "python", requirements: "wire/tests/scripts/requirements.txt", module: "pyarrow.ipc" };

/// What the bench draws with.
pub const FOR_PICTURES: Environment =
    Environment { folder: "python-pictures", requirements: "bench/requirements.txt", module: "matplotlib" };

/// An interpreter that has the packages; made where there is none.
///
/// # Errors
/// The commands that would make one, with what went wrong.
pub fn ensure(root: &Path, wanted: Environment) -> Result<PathBuf, String> {
    let Environment { folder, requirements, module } = wanted;
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target)).join(folder);
    let own = folder.join("bin/python");
    let at_hand = [own.clone(), PathBuf::from("python3")];
    if let Some(ready) = at_hand.into_iter().find(|python| imports(python, module)) {
        return Ok(ready);
    }
    let make = || process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    // Debian's Python comes without the module.
    let environment = make().or_else(|_| packages::install(&["python3-venv"]).and_then(|()| make()));
    let packages = environment.and_then(|()| {
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        process::run(Command::new(&own).args(install).arg(root.join(requirements)))
    });
    match packages {
        Ok(()) if imports(&own, module) => Ok(own),
        Ok(()) => Err(format!("{module} was installed and cannot be imported")),
        Err(reason) => Err(format!("no Python with {module}: {reason}")),
    }
}

fn imports(python: &Path, module: &str) -> bool {
    process::succeeds(Command::new(python).args(["-c", &format!("import {module}")]))
}
