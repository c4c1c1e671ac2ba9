//! The languages that verifiers are written in: how each is installed, checked and tested.
//!
//! V1: packages come from each language's own registry in the versions of its lock file, and not again for the same one.

use std::path::Path;
use std::process::Command;

use super::Places;
use super::count::{self, Ended};
use crate::clients::install::{once, quietly};
use crate::packages::{self, Needed};
use crate::process::Outcome;

/// One verifier.
pub struct Language {
    /// Its name in the table.
    pub name: &'static str,
    /// Sees to it that it can run, or says why not.
    pub install: fn(&Places) -> Outcome,
    /// Says what it runs on.
    pub version: fn(&Places) -> Command,
    /// The words that begin its command line, once it is built.
    pub program: fn(&Places) -> Result<String, String>,
    /// What must succeed before the tests: format, types.
    pub checks: fn(&Places) -> Vec<Command>,
    /// Its tests.
    pub tests: fn(&Places) -> Command,
    /// What a line of them says.
    pub count: fn(&str) -> Option<(Ended, &str)>,
}

/// In the order of the table.
pub const LANGUAGES: &[Language] = &[
    Language {
        name: "Go",
        install: go_install,
        version: go_version,
        program: go_program,
        checks: go_checks,
        tests: go_tests,
        count: count::go,
    },
    Language {
        name: "Python",
        install: python_install,
        version: python_version,
        program: python_program,
        checks: python_checks,
        tests: python_tests,
        count: count::python,
    },
    Language {
        name: "TypeScript",
        install: node_install,
        version: node_version,
        program: node_program,
        checks: node_checks,
        tests: node_tests,
        count: count::node,
    },
];

fn command(program: impl AsRef<Path>, args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(args).current_dir(folder);
    command
}

fn go(places: &Places, args: &[&str]) -> Command {
    command("go", args, &places.sources.join("go"))
}

fn go_install(places: &Places) -> Outcome {
    packages::ensure(&[Needed { program: "go", package: "golang-go" }])?;
    // An old Go cannot fetch the one that go.mod asks for, and says so here.
    quietly(&mut go(
        places,
        &["build", "-o", &places.installed.join("go/shockwave-verify").display().to_string(), "./cmd/shockwave-verify"],
    ))
}

fn go_version(places: &Places) -> Command {
    go(places, &["version"])
}

fn go_program(places: &Places) -> Result<String, String> {
    Ok(places.installed.join("go/shockwave-verify").display().to_string())
}

fn go_checks(places: &Places) -> Vec<Command> {
    // gofmt lists what is not formatted, and succeeds all the same.
    let formatted = command("sh", &["-c", "gofmt -l . && test -z \"$(gofmt -l .)\""], &places.sources.join("go"));
    vec![formatted, go(places, &["vet", "./..."])]
}

fn go_tests(places: &Places) -> Command {
    go(places, &["test", "-count=1", "-v", "./..."])
}

fn python(places: &Places, args: &[&str]) -> Command {
    command(places.installed.join("python/bin/python"), args, &places.sources.join("python"))
}

fn python_install(places: &Places) -> Outcome {
    packages::ensure(&[Needed { program: "python3", package: "python3-venv" }])?;
    let folder = places.installed.join("python");
    let make = || quietly(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    if !folder.join("bin/python").is_file() {
        // Debian's Python comes without the module.
        make().or_else(|_| packages::install(&["python3-venv"]).and_then(|()| make()))?;
    }
    for name in ["requirements.txt", "requirements-tests.txt"] {
        let (file, stamps) = (places.sources.join("python").join(name), folder.join("installed").join(name));
        std::fs::create_dir_all(&stamps).map_err(|e| format!("{}: {e}", stamps.display()))?;
        once(&file, &stamps, || {
            let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
            quietly(python(places, &install).arg(&file))
        })?;
    }
    Ok(())
}

fn python_version(places: &Places) -> Command {
    python(places, &["--version"])
}

fn python_program(places: &Places) -> Result<String, String> {
    let (sources, python) = (places.sources.join("python"), places.installed.join("python/bin/python"));
    Ok(format!("env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={} {} -m shockwave_verify", sources.display(), python.display()))
}

fn python_checks(places: &Places) -> Vec<Command> {
    vec![python(places, &["-m", "black", "--quiet", "--check", "."])]
}

fn python_tests(places: &Places) -> Command {
    python(places, &["-m", "unittest", "discover", "-v"])
}

fn node(places: &Places, program: &str, args: &[&str]) -> Command {
    command(program, args, &places.installed.join("ts"))
}

fn node_install(places: &Places) -> Outcome {
    packages::ensure(&[Needed { program: "node", package: "nodejs" }, Needed { program: "npm", package: "npm" }])?;
    let (sources, folder) = (places.sources.join("ts"), places.installed.join("ts"));
    // Node looks for its packages above the file that names them, so the sources go where the packages are.
    for built in ["dist", "src", "test", "page"] {
        let _ = std::fs::remove_dir_all(folder.join(built));
    }
    copy(&sources, &folder)?;
    once(&sources.join("package-lock.json"), &folder, || {
        quietly(&mut node(places, "npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))
    })?;
    // Only the tests of the page need it, and they skip themselves.
    if let Err(advice) = packages::ensure(&[Needed { program: "chromium", package: "chromium" }]) {
        eprintln!("notice: the page is not tried in a browser: {advice}");
    }
    Ok(())
}

/// Copies files and folders of sources, but what was installed or built there.
fn copy(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to).map_err(|e| format!("{}: {e}", to.display()))?;
    for entry in std::fs::read_dir(from).map_err(|e| format!("{}: {e}", from.display()))?.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if name == "node_modules" || name == "dist" {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            std::fs::copy(&path, to.join(name)).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

fn node_version(places: &Places) -> Command {
    node(places, "node", &["--version"])
}

fn node_program(places: &Places) -> Result<String, String> {
    quietly(&mut node(places, "node", &["node_modules/typescript/bin/tsc"]))?;
    Ok(format!("node {}", places.installed.join("ts/dist/src/cli.js").display()))
}

fn node_checks(places: &Places) -> Vec<Command> {
    vec![node(places, "node", &["node_modules/typescript/bin/tsc"]), node(places, "node", &["page/build.mjs"])]
}

fn node_tests(places: &Places) -> Command {
    let mut command = node(places, "node", &["--test", "--test-reporter=tap"]);
    let tests = std::fs::read_dir(places.installed.join("ts/test")).into_iter().flatten().flatten();
    for file in tests.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".test.ts").map(str::to_owned)) {
        command.arg(format!("dist/test/{file}.test.js"));
    }
    command
}
