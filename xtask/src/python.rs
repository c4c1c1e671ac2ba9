//! A Python interpreter with the packages that the tests read our files with, in an environment below the build folder.
//!
//! P1: nothing but Debian's python3-venv is installed outside that environment, and nothing if an interpreter at hand has the packages already.
//! Never: is needed to build; tests that want it are skipped without it, and say so.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{packages, process};

/// Name of the environment variable that tells tests the interpreter.
pub const VARIABLE: &str = "PYTHON";

const REQUIREMENTS: &str = "wire/tests/scripts/requirements.txt";

/// An interpreter that imports what the tests import; made where there is none.
///
/// # Errors
/// The commands that would make one, with what went wrong.
pub fn ensure(root: &Path) -> Result<PathBuf, String> {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target)).join("python");
    let own = folder.join("bin/python");
    let at_hand = [own.clone(), PathBuf::from("python3")];
    if let Some(ready) = at_hand.into_iter().find(|python| imports(python)) {
        return Ok(ready);
    }
    let make = || process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    // Debian's Python comes without the module.
    let environment = make().or_else(|_| packages::install(&["python3-venv"]).and_then(|()| make()));
    let packages = environment.and_then(|()| {
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        process::run(Command::new(&own).args(install).arg(root.join(REQUIREMENTS)))
    });
    match packages {
        Ok(()) if imports(&own) => Ok(own),
        Ok(()) => Err("pyarrow was installed and cannot be imported".to_owned()),
        Err(reason) => Err(format!("no Python with pyarrow: {reason}")),
    }
}

fn imports(python: &Path) -> bool {
    process::succeeds(Command::new(python).args(["-c", "import pyarrow.ipc"]))
}
