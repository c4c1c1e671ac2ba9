//! What an audit, or whoever draws a picture, asks of a live server, as any client asks it.
//!
//! Never: takes an answer for true; errors come back as texts, for the report.

use futures::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, RowStream, SimpleQueryMessage};

/// A session that reads.
pub struct Server {
    client: Client,
}

/// A row as text, NULLs apart.
pub type Values = Vec<Option<String>>;

/// Why an answer is not there.
pub enum Missing {
    /// The role may not read it.
    Denied,
    /// Values of it have expired, or so the server says.
    Expired(String),
    /// Anything else.
    Failed(String),
}

impl Missing {
    fn of(error: &tokio_postgres::Error) -> Self {
        match error.code().map(tokio_postgres::error::SqlState::code) {
            Some("42501") => Self::Denied,
            Some("72000") => Self::Expired(told(error)),
            _ => Self::Failed(told(error)),
        }
    }

    /// As a person reads it.
    pub fn told(self) -> String {
        match self {
            Self::Denied => "permission denied (SQLSTATE 42501)".to_owned(),
            Self::Expired(why) | Self::Failed(why) => why,
        }
    }
}

impl Server {
    /// Logs in. Errors: what the server or the network says.
    pub async fn connect(conninfo: &str, application: &str) -> Result<Self, String> {
        let mut config: tokio_postgres::Config = conninfo.parse().map_err(|error| told(&error))?;
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        if config.get_application_name().is_none() {
            config.application_name(application);
        }
        let (client, connection) = config.connect(NoTls).await.map_err(|error| told(&error))?;
        // Its end, good or bad, shows in the client's next call.
        drop(tokio::spawn(connection));
        let server = Self { client };
        let manner = "SET default_transaction_read_only = on; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; \
                      SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'";
        server.client.batch_execute(manner).await.map_err(|error| told(&error))?;
        Ok(server)
    }

    /// The newest signed checkpoint.
    pub async fn newest(&self) -> Result<String, String> {
        let query = "SELECT sha256_checkpoint FROM ledger.checkpoints ORDER BY size DESC LIMIT 1";
        match self.client.query_opt(query, &[]).await.map_err(|error| told(&error))? {
            Some(row) => row.try_get(0).map_err(|error| told(&error)),
            None => Err("the server shows no checkpoint".to_owned()),
        }
    }

    /// The proof that the log of the one size is the beginning of that of the other.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<String, String> {
        self.text("SELECT ledger_consistency($1::bigint, $2::bigint)", &[&old.cast_signed(), &new.cast_signed()]).await
    }

    /// The receipt of a row.
    pub async fn receipt(&self, commit: u64, row: u64) -> Result<String, Missing> {
        self.ask("SELECT ledger_receipt($1::bigint, $2::bigint)", &[&commit.cast_signed(), &row.cast_signed()]).await
    }

    /// The receipt of a commit's leaf.
    pub async fn leaf_receipt(&self, commit: u64) -> Result<String, String> {
        self.text("SELECT ledger_receipt($1::bigint)", &[&commit.cast_signed()]).await
    }

    async fn text(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<String, String> {
        self.ask(query, parameters).await.map_err(Missing::told)
    }

    async fn ask(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<String, Missing> {
        let row = self.client.query_one(query, parameters).await.map_err(|error| Missing::of(&error))?;
        let text: Option<String> = row.try_get(0).map_err(|error| Missing::Failed(told(&error)))?;
        text.ok_or_else(|| Missing::Failed("the server answers NULL".to_owned()))
    }

    /// Index and bytes of the leaves below `size`, in order.
    pub async fn leaves(&self, size: u64) -> Result<std::pin::Pin<Box<RowStream>>, String> {
        let query = "SELECT commit_seq, leaf FROM ledger.commits WHERE commit_seq < $1 ORDER BY commit_seq";
        let size = size.cast_signed();
        let rows = self.client.query_raw(query, [&size]).await.map_err(|error| told(&error))?;
        Ok(Box::pin(rows))
    }

    /// Rows that a query answers, as text.
    pub async fn rows(&self, query: &str) -> Result<Vec<Values>, Missing> {
        let messages = self.client.simple_query(query).await.map_err(|error| Missing::of(&error))?;
        let values = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
            _ => None,
        };
        Ok(messages.iter().filter_map(values).collect())
    }
}

/// The next leaf.
pub async fn next_leaf(rows: &mut std::pin::Pin<Box<RowStream>>) -> Result<Option<(u64, Vec<u8>)>, String> {
    let Some(row) = rows.try_next().await.map_err(|error| told(&error))? else { return Ok(None) };
    let index: i64 = row.try_get(0).map_err(|error| told(&error))?;
    let leaf: Vec<u8> = row.try_get(1).map_err(|error| told(&error))?;
    Ok(Some((index.cast_unsigned(), leaf)))
}

/// An error as a person reads it.
fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        None => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        }
    }
}
