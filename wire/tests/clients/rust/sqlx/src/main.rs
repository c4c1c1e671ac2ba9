//! sqlx: every query below is described by the server while this program is compiled, its columns' types and whether they can be NULL.
//!
//! Output: a line «NAME VERSION», then `ok CHECK` or `failed CHECK: why` for each, and at the end `ok` alone if none failed.
//! The server is the one of the PG* environment, with the tables of `schema.sql`.

use std::process::ExitCode;

use futures::TryStreamExt;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::types::Decimal;
use sqlx::types::time::{Date, OffsetDateTime};
use sqlx::types::uuid::Uuid;
use sqlx::{Acquire, Connection, Executor, PgConnection, Row};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<(), Failure>;

fn equal<T: PartialEq + std::fmt::Debug>(seen: T, expected: T) -> Outcome {
    if seen == expected { Ok(()) } else { Err(format!("{seen:?} is not {expected:?}").into()) }
}

async fn described(pool: &PgPool) -> Outcome {
    let at = OffsetDateTime::from_unix_timestamp(1_709_210_096)?;
    let (mark, price) = (Uuid::from_u128(7), Decimal::new(950, 2));
    let done = sqlx::query!(
        "INSERT INTO sqlx_book (id, title, price, author_id, at, mark, facts, tags, raw, ratio) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        1_i64, "Notes", price, 1_i32, at, mark, json!({"pages": 10}), &["a".to_owned(), "b c".to_owned()], &b"\x00\xff"[..], 0.5_f64
    )
    .execute(pool)
    .await?;
    equal(done.rows_affected(), 1)?;
    let book = sqlx::query!("SELECT * FROM sqlx_book WHERE id = $1", 1_i64).fetch_one(pool).await?;
    // NOT NULL columns are plain, the others are options: this compiles only if the server said so.
    let (id, title, seen): (i64, String, Decimal) = (book.id, book.title, book.price);
    let tags: Vec<String> = book.tags;
    let (when, uuid, facts): (Option<OffsetDateTime>, Option<Uuid>, Option<serde_json::Value>) = (book.at, book.mark, book.facts);
    equal((id, title.as_str(), seen, tags.len()), (1, "Notes", price, 2))?;
    equal((when, uuid, facts), (Some(at), Some(mark), Some(json!({"pages": 10}))))?;
    equal((book.raw, book.ratio), (Some(b"\x00\xff".to_vec()), Some(0.5)))
}

#[derive(Debug, PartialEq)]
struct Author {
    name: String,
    born: Option<Date>,
    books: Option<i64>,
}

async fn joined(pool: &PgPool) -> Outcome {
    let authors = sqlx::query_as!(
        Author,
        "SELECT a.name, a.born, count(b.id) AS books FROM sqlx_author a LEFT JOIN sqlx_book b ON b.author_id = a.id GROUP BY a.id, a.name, a.born ORDER BY a.name"
    )
    .fetch_all(pool)
    .await?;
    // The 10th of December.
    let born = Date::from_ordinal_date(1815, 344)?;
    let ada = Author { name: "Ada".into(), born: Some(born), books: Some(1) };
    equal(authors, vec![ada, Author { name: "Bo".into(), born: None, books: Some(0) }])?;
    // The nullable side of an outer join can be NULL though its column cannot.
    let titles =
        sqlx::query!("SELECT a.name, b.title AS \"title?\" FROM sqlx_author a LEFT JOIN sqlx_book b ON b.author_id = a.id ORDER BY a.name")
            .fetch_all(pool)
            .await?;
    let titles: Vec<(String, Option<String>)> = titles.into_iter().map(|row| (row.name, row.title)).collect();
    equal(titles, vec![("Ada".into(), Some("Notes".into())), ("Bo".into(), None)])?;
    let ids = [1_i32, 2, 99];
    equal(sqlx::query_scalar!("SELECT count(*) FROM sqlx_author WHERE id = ANY($1)", &ids[..]).fetch_one(pool).await?, Some(2))?;
    let overridden = sqlx::query_scalar!("SELECT price * 2 AS \"twice!\" FROM sqlx_book").fetch_one(pool).await?;
    equal(overridden, Decimal::new(1900, 2))?;
    let made = sqlx::query_scalar!("INSERT INTO sqlx_author (name) VALUES ($1) RETURNING id", "Cy").fetch_one(pool).await?;
    let gone = sqlx::query!("DELETE FROM sqlx_author WHERE id = $1 RETURNING name", made).fetch_one(pool).await?;
    equal(gone.name, "Cy".to_owned())
}

async fn transactions(pool: &PgPool) -> Outcome {
    let mut transaction = pool.begin().await?;
    sqlx::query("UPDATE sqlx_book SET title = 'x'").execute(&mut *transaction).await?;
    let mut inner = transaction.begin().await?;
    let error = sqlx::query("INSERT INTO sqlx_book (id, title, author_id) VALUES (1, 'y', 1)").execute(&mut *inner).await.err();
    let error = error.and_then(sqlx::Error::into_database_error).ok_or("nothing was refused")?;
    equal((error.code().as_deref(), error.constraint(), error.table()), (Some("23505"), Some("sqlx_book_pkey"), Some("sqlx_book")))?;
    equal(error.is_unique_violation(), true)?;
    inner.rollback().await?;
    sqlx::query("UPDATE sqlx_book SET ratio = 1").execute(&mut *transaction).await?;
    transaction.rollback().await?;
    equal(sqlx::query_scalar!("SELECT title FROM sqlx_book").fetch_one(pool).await?, "Notes".to_owned())?;
    let error = sqlx::query("INSERT INTO sqlx_book (id, title, author_id) VALUES (2, 'y', 77)").execute(pool).await.err();
    equal(error.and_then(sqlx::Error::into_database_error).is_some_and(|error| error.is_foreign_key_violation()), true)
}

async fn streams(pool: &PgPool) -> Outcome {
    let mut sum = 0;
    let mut rows = sqlx::query("SELECT n::int FROM generate_series(1, $1::int) AS n").bind(1000).fetch(pool);
    while let Some(row) = rows.try_next().await? {
        sum += i64::from(row.try_get::<i32, _>(0)?);
    }
    equal(sum, 500_500)
}

async fn copies(pool: &PgPool) -> Outcome {
    let mut connection = pool.acquire().await?;
    let mut copy = connection.copy_in_raw("COPY sqlx_author (id, name) FROM STDIN (FORMAT csv)").await?;
    copy.send(&b"100,Dee\n101,Eve\n"[..]).await?;
    equal(copy.finish().await?, 2)?;
    let out: Vec<_> =
        connection.copy_out_raw("COPY (SELECT name FROM sqlx_author WHERE id >= 100 ORDER BY id) TO STDOUT").await?.try_collect().await?;
    equal(out.concat(), b"Dee\nEve\n".to_vec())?;
    equal(connection.execute("DELETE FROM sqlx_author WHERE id >= 100").await?.rows_affected(), 2)
}

async fn notifications(pool: &PgPool) -> Outcome {
    let mut listener = sqlx::postgres::PgListener::connect_with(pool).await?;
    listener.listen("news").await?;
    sqlx::query("SELECT pg_notify($1, $2)").bind("news").bind("hot").execute(pool).await?;
    let news = listener.recv().await?;
    equal((news.channel(), news.payload()), ("news", "hot"))
}

async fn connections(_: &PgPool) -> Outcome {
    let mut connection = PgConnection::connect_with(&PgConnectOptions::new()).await?;
    connection.ping().await?;
    equal(connection.server_version_num().map(|version| version / 10_000), Some(15))?;
    Ok(connection.close().await?)
}

#[tokio::main]
async fn main() -> ExitCode {
    println!("sqlx {}", env!("DRIVER_VERSION"));
    let pool = PgPoolOptions::new().max_connections(4).connect_with(PgConnectOptions::new()).await;
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => {
            println!("failed connection: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = 0;
    let mut say = |name: &str, outcome: Outcome| match outcome {
        Ok(()) => println!("ok {name}"),
        Err(error) => {
            failed += 1;
            println!("failed {name}: {}", error.to_string().split_whitespace().collect::<Vec<_>>().join(" "));
        }
    };
    say("described queries", described(&pool).await);
    say("described joins", joined(&pool).await);
    say("transactions and errors", transactions(&pool).await);
    say("streams", streams(&pool).await);
    say("copy", copies(&pool).await);
    say("listen and notify", notifications(&pool).await);
    say("connections", connections(&pool).await);
    if failed > 0 {
        return ExitCode::FAILURE;
    }
    println!("ok");
    ExitCode::SUCCESS
}
