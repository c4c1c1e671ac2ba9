//! Installs what the clients are written with, each language from its own registry in the versions of its lock file.
//!
//! I1: what is installed already for the same lock file is not installed again.
//! I2: languages are installed beside one another, because each mostly waits for its registry.
//! Never: writes below the sources.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::Places;
use super::programs::Client;
use crate::packages::{self, Needed};
use crate::process::Outcome;

/// What a client is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// A program of the operating system, and bash.
    Shell,
    /// A virtual environment.
    Python,
    /// A folder with `node_modules`.
    Node,
    /// One program.
    Go,
    /// A driver's archive; the program is compiled as it is started.
    Java,
    /// Two packages, of which sqlx's is built again while it runs.
    Rust,
    /// A program of PostgreSQL's own package.
    Pgbench,
}

/// What the operating system must have for a language.
fn needed(language: Language) -> &'static [Needed] {
    match language {
        Language::Shell => &[Needed { program: "psql", package: "postgresql-client" }],
        Language::Python => &[Needed { program: "python3", package: "python3-venv" }],
        Language::Node => &[Needed { program: "node", package: "nodejs" }, Needed { program: "npm", package: "npm" }],
        Language::Go => &[Needed { program: "go", package: "golang-go" }],
        Language::Java => &[Needed { program: "javac", package: "default-jdk-headless" }, Needed { program: "mvn", package: "maven" }],
        Language::Rust => &[Needed { program: "psql", package: "postgresql-client" }],
        Language::Pgbench => {
            &[Needed { program: "psql", package: "postgresql-client" }, Needed { program: "pgbench", package: "postgresql-15" }]
        }
    }
}

/// Why a language is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// A program of the operating system, which this user may not install.
    Program(String),
    /// Its packages could not be installed.
    Packages(String),
}

/// Installs the languages of `clients`, and says of each whether it is there.
pub fn all(places: &Places, clients: &[&Client]) -> BTreeMap<Language, Result<(), Lacking>> {
    let mut languages: Vec<Language> = clients.iter().map(|client| client.language).collect();
    languages.sort_unstable();
    languages.dedup();
    // apt-get runs alone.
    let programs: Vec<_> = languages.into_iter().map(|one| (one, packages::ensure(needed(one)).map_err(Lacking::Program))).collect();
    std::thread::scope(|scope| {
        let running: Vec<_> = programs
            .into_iter()
            .map(|(language, programs)| {
                (language, scope.spawn(move || programs.and_then(|()| install(places, language).map_err(Lacking::Packages))))
            })
            .collect();
        let ended = |(language, thread): (Language, std::thread::ScopedJoinHandle<'_, Result<(), Lacking>>)| {
            (language, thread.join().unwrap_or_else(|_| Err(Lacking::Packages("its installation panicked".to_owned()))))
        };
        running.into_iter().map(ended).collect()
    })
}

fn install(places: &Places, language: Language) -> Outcome {
    match language {
        Language::Shell | Language::Pgbench => Ok(()),
        Language::Python => python(places),
        Language::Node => node(places),
        Language::Go => go(places),
        Language::Java => java(places),
        Language::Rust => rust(places),
    }
}

fn python(places: &Places) -> Outcome {
    let (sources, folder) = (places.sources.join("python"), places.installed.join("python"));
    once(&sources.join("requirements.txt"), &folder, || {
        let make = || quietly(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        // Debian's Python comes without the module.
        make().or_else(|_| packages::install(&["python3-venv"]).and_then(|()| make()))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        quietly(Command::new(folder.join("bin/python")).args(install).arg(sources.join("requirements.txt")))
    })
}

fn node(places: &Places) -> Outcome {
    let (sources, folder) = (places.sources.join("node"), places.installed.join("node"));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    // Node looks for its packages above the file that names them, so the files go where the packages are.
    for entry in std::fs::read_dir(&sources).map_err(|e| format!("{}: {e}", sources.display()))?.flatten() {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).map_err(|e| format!("{}: {e}", entry.path().display()))?;
    }
    once(&sources.join("package-lock.json"), &folder, || {
        quietly(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder))
    })
}

fn go(places: &Places) -> Outcome {
    quietly(
        Command::new("go").args(["build", "-o"]).arg(places.installed.join("go/client")).arg(".").current_dir(places.sources.join("go")),
    )
}

fn java(places: &Places) -> Outcome {
    let (pom, folder) = (places.sources.join("java/pom.xml"), places.installed.join("java"));
    once(&pom, &folder, || {
        let mut maven = Command::new("mvn");
        maven.args(["--quiet", "--batch-mode", "--file"]).arg(&pom).args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
        quietly(maven.arg(format!("-DoutputDirectory={}", folder.display())))
    })
}

fn rust(places: &Places) -> Outcome {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let manifest = places.sources.join("rust/Cargo.toml");
    cargo.args(["build", "--locked", "--manifest-path"]).arg(manifest).env("CARGO_TARGET_DIR", places.installed.join("rust"));
    quietly(&mut cargo)
}

/// Does `work` unless it was done for the same `lock` (I1).
pub fn once(lock: &Path, folder: &Path, work: impl FnOnce() -> Outcome) -> Outcome {
    let wanted = std::fs::read(lock).map_err(|e| format!("{}: {e}", lock.display()))?;
    let stamp = folder.join("installed-for");
    if std::fs::read(&stamp).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    work()?;
    std::fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))
}

/// Runs `command`; what it printed is shown only if it fails, because several run beside one another.
pub fn quietly(command: &mut Command) -> Outcome {
    let line = crate::process::line(command);
    eprintln!("$ {line}");
    let output = command.output().map_err(|e| format!("cannot run `{line}`: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("`{line}` ended with {}", output.status))
}
