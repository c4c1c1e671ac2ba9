//! The clients there are, and how each is started.

use std::process::Command;
use std::time::Duration;

use super::Places;
use super::install::Language;

/// One client.
pub struct Client {
    /// Its name in the table, in `not_yet.txt` and on the command line.
    pub name: &'static str,
    /// What it is installed with.
    pub language: Language,
    /// The program, without the server's variables.
    pub command: fn(&Places) -> Command,
    /// After which it has failed.
    pub limit: Duration,
}

const fn client(name: &'static str, language: Language, command: fn(&Places) -> Command) -> Client {
    Client { name, language, command, limit: Duration::from_secs(240) }
}

/// In the order of the table.
pub const CLIENTS: &[Client] = &[
    client("psql", Language::Shell, |places| script(places, "psql/run.sh")),
    client("psycopg", Language::Python, |places| python(places, "psycopg_client.py")),
    client("asyncpg", Language::Python, |places| python(places, "asyncpg_client.py")),
    client("sqlalchemy", Language::Python, |places| python(places, "sqlalchemy_client.py")),
    client("django", Language::Python, |places| python(places, "django_client.py")),
    client("node-postgres", Language::Node, |places| node(places, "pg_client.js")),
    client("drizzle", Language::Node, |places| node(places, "drizzle_client.js")),
    client("pgx", Language::Go, |places| Command::new(places.installed.join("go/client"))),
    client("pgjdbc", Language::Java, java),
    client("tokio-postgres", Language::Rust, |places| Command::new(places.installed.join("rust/debug/tokio-postgres-client"))),
    client("sqlx", Language::Rust, sqlx),
    client("pgbench", Language::Pgbench, |places| script(places, "pgbench/run.sh")),
];

fn script(places: &Places, path: &str) -> Command {
    let mut command = Command::new("bash");
    command.arg(places.sources.join(path));
    command
}

fn python(places: &Places, file: &str) -> Command {
    let mut command = Command::new(places.installed.join("python/bin/python"));
    command.arg(places.sources.join("python").join(file)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn node(places: &Places, file: &str) -> Command {
    let mut command = Command::new("node");
    command.arg("--no-deprecation").arg(places.installed.join("node").join(file)).current_dir(places.installed.join("node"));
    command
}

fn java(places: &Places) -> Command {
    let mut command = Command::new("java");
    command.arg("-cp").arg(places.installed.join("java/*")).arg(places.sources.join("java/Client.java"));
    command
}

/// Its queries are described by the server while it is compiled, so it is compiled here.
fn sqlx(places: &Places) -> Command {
    let mut command = script(places, "rust/sqlx/run.sh");
    command.env("CARGO_TARGET_DIR", places.installed.join("rust"));
    command
}
