//! `shockwave backup`: has a running server copy its databases, or copies those of a stopped one.
//!
//! Never: copies beside a server on its own (the folder's lock refuses).

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use base::{SqlError, SqlResult, SqlState};
use engine::FIRST_DATABASE;
use tokio_postgres::{Config, NoTls};

use super::{failed, serve, stopped};
use crate::cli::Backup;

/// Copies, and says what.
pub fn run(arguments: &Backup) -> ExitCode {
    match backup(arguments) {
        Ok(lines) => {
            serve::say(&lines);
            if lines.contains("without private keys") {
                serve::say("Keep keys/ of each ledger's folder in another place, or use --with-keys: a restore needs it.");
            }
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// What a server answered, or why it was not asked.
enum Failure {
    Own(SqlError),
    Server(tokio_postgres::Error),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Own(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(error) => error.fmt(f),
            Self::Server(error) => match error.as_db_error() {
                None => write!(f, "could not ask the server: {error}"),
                Some(answer) => {
                    write!(f, "{} (SQLSTATE {})", answer.message(), answer.code().code())?;
                    answer.detail().map_or(Ok(()), |detail| write!(f, "\nDETAIL:  {detail}"))?;
                    answer.hint().map_or(Ok(()), |hint| write!(f, "\nHINT:  {hint}"))
                }
            },
        }
    }
}

fn backup(arguments: &Backup) -> Result<String, Failure> {
    let to = std::path::absolute(&arguments.to)
        .map_err(|error| SqlError::new(SqlState::IO_ERROR, format!("\"{}\" is no folder: {error}", arguments.to.display())))?;
    match &arguments.data_dir {
        Some(data) => Ok(of_folder(data, &to, arguments.with_keys)?),
        None => serve::runtime()?.block_on(of_server(arguments, &to)),
    }
}

fn of_folder(data: &Path, to: &Path, with_keys: bool) -> SqlResult<String> {
    let server = stopped::open(data).map_err(|error| match error.state() {
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => error.hint("Leave out --data-dir, and the running server makes the backup."),
        _ => error,
    })?;
    let done = server.backup(to, with_keys);
    server.shutdown()?;
    Ok(done?.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

async fn of_server(arguments: &Backup, to: &Path) -> Result<String, Failure> {
    let folder =
        to.to_str().ok_or_else(|| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "the name of the folder is not UTF-8"))?.to_owned();
    let mut config = Config::new();
    config.host(arguments.server.ip().to_string()).port(arguments.server.port()).user(&arguments.user).dbname(FIRST_DATABASE);
    if let Some(path) = &arguments.password_file {
        let unreadable = |error| SqlError::new(SqlState::IO_ERROR, format!("could not read \"{}\": {error}", path.display()));
        config.password(std::fs::read_to_string(path).map_err(unreadable)?.trim_end_matches(['\r', '\n']));
    }
    let (client, connection) = config.connect(NoTls).await.map_err(Failure::Server)?;
    // How it ends is told by the query that it carries.
    let connection = tokio::spawn(connection);
    let row = client.query_one("SELECT ledger_backup($1, $2)", &[&folder, &arguments.with_keys]).await.map_err(Failure::Server)?;
    drop(client);
    let _ = connection.await;
    row.try_get(0).map_err(Failure::Server)
}
