//! A server in a temporary folder, sessions on it, and answers as text.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use base::{SqlError, SqlResult};
use engine::{Server, SqlType};
use futures::StreamExt;
use planner::types;
use planner::{CopyIn, Database, Outcome, Prepared, Session, Tag};
use relational::Relational;

/// One database of one server.
pub struct Fixture {
    pub database: Arc<Database>,
    _server: Server,
    folder: tempfile::TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::open(folder.path(), planner::engine_options()).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        let options = relational::Options { memory_bytes: 256 << 20, run_memory_bytes: 128 << 20, partitions: 2, batch_rows: 8_192 };
        let relational = Arc::new(Relational::new(options).unwrap());
        Self { database: Database::new(ledger, relational), _server: server, folder }
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn session(&self) -> Client {
        Client(Session::new(Arc::clone(&self.database), "shockwave", "tests"))
    }
}

/// A session that answers in text.
pub struct Client(pub Session);

/// What a statement answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    pub tag: String,
}

impl Answer {
    /// Rows as lines, values joined by `|`.
    pub fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.join("|")).collect()
    }

    /// The only value.
    pub fn value(&self) -> &str {
        assert!(self.rows.len() == 1 && self.rows[0].len() == 1, "one value: {self:?}");
        &self.rows[0][0]
    }
}

impl Client {
    /// Runs a query string as the simple protocol does; the last statement's answer. A query is run once more from the plan cache, where
    /// it is there, and has to answer the same.
    pub async fn try_run(&mut self, sql: &str) -> SqlResult<Answer> {
        let answer = match self.recalled(sql).await {
            Some(answer) => answer,
            None => self.parsed(sql).await,
        }?;
        if answer.tag.starts_with("SELECT")
            && !self.is_changing(sql)
            && let Some(again) = self.recalled(sql).await
        {
            let again = again?;
            assert_eq!((&answer.columns, &answer.tag), (&again.columns, &again.tag), "{sql}");
            let is_ordered = sql.to_ascii_uppercase().contains("ORDER BY");
            let rows = |answer: &Answer| {
                let mut rows = answer.rows.clone();
                // Who asks for no order is told none.
                if !is_ordered {
                    rows.sort();
                }
                rows
            };
            assert_eq!(rows(&answer), rows(&again), "{sql}");
        }
        Ok(answer)
    }

    /// Runs a query string as the simple protocol does, once; the last statement's answer.
    pub async fn try_once(&mut self, sql: &str) -> SqlResult<Answer> {
        self.parsed(sql).await
    }

    /// Whether a query answers otherwise each time.
    fn is_changing(&self, sql: &str) -> bool {
        [
            "random",
            "now",
            "clock",
            "current_time",
            "statement_timestamp",
            "ledger_export",
            "ledger_backup",
            "ledger_scrub",
            "ledger_rotate_keys",
        ]
        .iter()
        .any(|word| sql.contains(word))
    }

    /// Runs a query string from the plan cache.
    async fn recalled(&mut self, sql: &str) -> Option<SqlResult<Answer>> {
        let (prepared, values) = self.0.recall(sql)?;
        let answer = match self.0.execute(&prepared, values).await {
            Ok(outcome) => read(outcome).await,
            Err(error) => Err(error),
        };
        if answer.is_err() {
            self.0.fail();
        }
        Some(answer)
    }

    async fn parsed(&mut self, sql: &str) -> SqlResult<Answer> {
        let statements = match self.0.parse(sql) {
            Ok(statements) => statements,
            Err(error) => {
                self.0.fail();
                return Err(error);
            }
        };
        let several = statements.len() > 1;
        if several {
            self.0.begin_implicit();
        }
        let mut last = Ok(Answer::default());
        for parsed in statements {
            last = match self.0.run(parsed).await {
                Ok(outcome) => read(outcome).await,
                Err(error) => Err(error),
            };
            if last.is_err() {
                self.0.fail();
                break;
            }
        }
        if several {
            let ended = self.0.end_implicit(last.is_ok()).await;
            last = last.and_then(|answer| ended.map(|()| answer));
        }
        last
    }

    pub async fn run(&mut self, sql: &str) -> Answer {
        match self.try_run(sql).await {
            Ok(answer) => answer,
            Err(error) => panic!("{sql}\n{error}"),
        }
    }

    pub async fn tag(&mut self, sql: &str) -> String {
        self.run(sql).await.tag
    }

    pub async fn lines(&mut self, sql: &str) -> Vec<String> {
        self.run(sql).await.lines()
    }

    pub async fn value(&mut self, sql: &str) -> String {
        self.run(sql).await.value().to_owned()
    }

    pub async fn error(&mut self, sql: &str) -> SqlError {
        match self.try_run(sql).await {
            Ok(answer) => panic!("{sql}\nanswered {answer:?}"),
            Err(error) => error,
        }
    }

    pub async fn prepare(&mut self, sql: &str, given: &[Option<SqlType>]) -> SqlResult<Prepared> {
        let parsed = self.0.parse(sql)?.remove(0);
        self.0.prepare(parsed, given).await
    }

    /// Executes with parameters in text form.
    pub async fn execute(&mut self, prepared: &Prepared, parameters: &[Option<&str>]) -> SqlResult<Answer> {
        assert_eq!(parameters.len(), prepared.parameters.len());
        let reading = self.0.reading();
        let arrays: Vec<ArrayRef> = prepared
            .parameters
            .iter()
            .zip(parameters)
            .map(|(sql_type, text)| match text {
                Some(text) => types::parse_text_in(*sql_type, text, reading).unwrap(),
                None => arrow::array::new_null_array(&sql_type.arrow(), 1),
            })
            .collect();
        read(self.0.execute(prepared, arrays).await?).await
    }

    pub async fn copy(&mut self, sql: &str, data: &str) -> SqlResult<Tag> {
        let mut copy = self.copy_in(sql).await?;
        for piece in data.as_bytes().chunks(7) {
            if let Err(error) = copy.push(piece) {
                self.0.abort_copy(copy, "bad data");
                return Err(error);
            }
        }
        self.0.finish_copy(copy).await
    }

    pub async fn copy_in(&mut self, sql: &str) -> SqlResult<CopyIn> {
        let parsed = self.0.parse(sql)?.remove(0);
        match self.0.run(parsed).await? {
            Outcome::CopyIn(copy) => Ok(copy),
            other => panic!("{sql}\nanswered {other:?}"),
        }
    }

    pub fn notices(&mut self) -> Vec<String> {
        self.0.take_notices().iter().map(|notice| format!("{} {}: {}", notice.severity, notice.state.0, notice.message)).collect()
    }
}

/// Drains an outcome.
pub async fn read(outcome: Outcome) -> SqlResult<Answer> {
    match outcome {
        Outcome::Empty => Ok(Answer::default()),
        Outcome::Command(tag) => Ok(Answer { tag: tag.to_string(), ..Answer::default() }),
        Outcome::Rows { columns, mut batches, tag } => {
            let mut rows = Vec::new();
            while let Some(batch) = batches.next().await {
                let batch: RecordBatch = batch?;
                assert_eq!(batch.num_columns(), columns.len(), "as many columns as told");
                assert!(batch.num_rows() <= 8_192, "batches stay small");
                for row in 0..batch.num_rows() {
                    let text = |(array, column): (&ArrayRef, &planner::Column)| {
                        types::text_of(array, row, column.sql_type).map(|text| text.unwrap_or_else(|| "∅".into()))
                    };
                    rows.push(batch.columns().iter().zip(columns.iter()).map(text).collect::<SqlResult<Vec<_>>>()?);
                }
            }
            let columns = columns.iter().map(|column| column.name.clone()).collect();
            let tag = Tag::after_rows(tag, rows.len() as u64).to_string();
            Ok(Answer { columns, rows, tag })
        }
        Outcome::CopyIn(_) => panic!("COPY FROM where rows were expected"),
        Outcome::CopyOut { mut pieces, .. } => {
            let (mut bytes, mut rows) = (Vec::new(), 0);
            while let Some(piece) = pieces.next().await {
                let piece = piece?;
                bytes.extend(piece.bytes);
                rows += piece.rows;
            }
            let rows_text = String::from_utf8(bytes).unwrap().lines().map(|line| vec![line.to_owned()]).collect();
            Ok(Answer { columns: Vec::new(), rows: rows_text, tag: Tag::counted("COPY", rows).to_string() })
        }
    }
}

/// A server where these statements have run, and the superuser's session.
pub async fn prepared(statements: &[&str]) -> (Fixture, Client) {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for sql in statements {
        client.run(sql).await;
    }
    (fixture, client)
}

/// A session of another role.
pub fn as_role(fixture: &Fixture, role: &str) -> Client {
    Client(Session::new(Arc::clone(&fixture.database), role, "tests"))
}

/// That a statement is refused, with this SQLSTATE and message.
pub async fn refused(client: &mut Client, sql: &str, state: &str, message: &str) {
    let error = client.error(sql).await;
    assert_eq!((error.state().0, error.message()), (state, message), "{sql}");
}
