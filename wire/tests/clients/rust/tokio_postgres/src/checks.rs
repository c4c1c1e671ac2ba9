//! Everything but the types.

use std::pin::pin;

use futures::{SinkExt, TryStreamExt, future};
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Error, IsolationLevel, NoTls, SimpleQueryMessage};

use crate::{Outcome, Report, connection, equal, state};

const LONG: &str = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b";

/// The checks, in order.
pub async fn all(report: &mut Report) {
    report.check("column descriptions", descriptions).await;
    report.check("prepared statements", prepared).await;
    report.check("simple queries", simple).await;
    report.check("transactions", transactions).await;
    report.check("savepoints and failed transactions", savepoints).await;
    report.check("copy text", copy_text).await;
    report.check("copy binary", copy_binary).await;
    report.check("portals", portals).await;
    report.check("pipelines", pipelines).await;
    report.check("errors", errors).await;
    report.check("cancel", cancel).await;
    report.check("listen and notify", notify).await;
    report.check("types of the catalog", unknown_types).await;
}

fn refused<T>(result: Result<T, Error>) -> Result<Error, crate::Failure> {
    result.err().ok_or_else(|| "nothing was refused".into())
}

async fn descriptions(client: Client) -> Outcome {
    client.batch_execute("CREATE TABLE d (a integer, b varchar(7), c numeric(9,3))").await?;
    let statement = client.prepare("SELECT a, b, c, a + $1 AS sum FROM d WHERE b = $2 LIMIT $3").await?;
    equal(statement.params(), &[Type::INT4, Type::TEXT, Type::INT8])?;
    let seen: Vec<_> = statement.columns().iter().map(|c| (c.name(), c.type_().clone(), c.column_id(), c.table_oid().is_some())).collect();
    let expected = vec![
        ("a", Type::INT4, Some(1), true),
        ("b", Type::VARCHAR, Some(2), true),
        ("c", Type::NUMERIC, Some(3), true),
        ("sum", Type::INT4, None, false),
    ];
    equal(seen, expected)?;
    Ok(client.batch_execute("DROP TABLE d").await?)
}

async fn prepared(client: Client) -> Outcome {
    client.batch_execute("CREATE TABLE p (id bigint PRIMARY KEY, name text)").await?;
    let put = client.prepare("INSERT INTO p VALUES ($1, $2)").await?;
    for id in 0..20_i64 {
        equal(client.execute(&put, &[&id, &format!("name {id}")]).await?, 1)?;
    }
    let get = client.prepare_typed("SELECT name FROM p WHERE id = $1", &[Type::INT8]).await?;
    equal(client.query_one(&get, &[&7_i64]).await?.try_get::<_, &str>(0)?, "name 7")?;
    equal(client.query_opt(&get, &[&99_i64]).await?.is_none(), true)?;
    let some = client.query("SELECT id FROM p WHERE id = ANY($1) ORDER BY id", &[&vec![1_i64, 2, 99]]).await?;
    equal(some.len(), 2)?;
    let row = client.query_typed("SELECT $1 + 1", &[(&41_i32, Type::INT4)]).await?;
    equal(row[0].try_get::<_, i32>(0)?, 42)?;
    Ok(client.batch_execute("DROP TABLE p").await?)
}

async fn simple(client: Client) -> Outcome {
    let messages = client.simple_query("SELECT 1 AS one, NULL AS none; SELECT 'b' WHERE false; SHOW server_encoding").await?;
    let seen: Vec<String> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(format!("{:?} {:?}", row.get(0), row.try_get(1).ok().flatten())),
            SimpleQueryMessage::CommandComplete(rows) => Some(format!("done {rows}")),
            _ => None,
        })
        .collect();
    let expected = ["Some(\"1\") None", "done 1", "done 0", "Some(\"UTF8\") None", "done 0"];
    equal(seen, expected.map(str::to_owned).to_vec())
}

async fn transactions(mut client: Client) -> Outcome {
    client.batch_execute("CREATE TABLE x (id integer PRIMARY KEY)").await?;
    let transaction = client.build_transaction().isolation_level(IsolationLevel::Serializable).start().await?;
    transaction.execute("INSERT INTO x VALUES (1)", &[]).await?;
    transaction.commit().await?;
    let transaction = client.transaction().await?;
    transaction.execute("INSERT INTO x VALUES (2)", &[]).await?;
    drop(transaction);
    let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
    equal(state(&refused(transaction.execute("INSERT INTO x VALUES (3)", &[]).await)?), "25006")?;
    transaction.rollback().await?;
    let rows = client.query("SELECT id FROM x", &[]).await?;
    equal(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), vec![1])?;
    Ok(client.batch_execute("DROP TABLE x").await?)
}

async fn savepoints(mut client: Client) -> Outcome {
    client.batch_execute("CREATE TABLE x (id integer PRIMARY KEY)").await?;
    let mut transaction = client.transaction().await?;
    transaction.execute("INSERT INTO x VALUES (1)", &[]).await?;
    let inner = transaction.savepoint("within").await?;
    equal(state(&refused(inner.execute("INSERT INTO x VALUES (1)", &[]).await)?), "23505")?;
    equal(state(&refused(inner.execute("SELECT 1", &[]).await)?), "25P02")?;
    inner.rollback().await?;
    transaction.execute("INSERT INTO x VALUES (2)", &[]).await?;
    transaction.commit().await?;
    equal(client.query_one("SELECT count(*) FROM x", &[]).await?.get::<_, i64>(0), 2)?;
    Ok(client.batch_execute("DROP TABLE x").await?)
}

async fn copy_text(client: Client) -> Outcome {
    client.batch_execute("CREATE TABLE c (id integer PRIMARY KEY, name text)").await?;
    let mut sink = pin!(client.copy_in("COPY c FROM STDIN (FORMAT csv)").await?);
    for line in ["1,\"a, b\"\n", "2,\n"] {
        sink.send(std::io::Cursor::new(line.as_bytes())).await?;
    }
    equal(sink.finish().await?, 2)?;
    let out: Vec<_> = client.copy_out("COPY (SELECT * FROM c ORDER BY id) TO STDOUT").await?.try_collect().await?;
    equal(out.iter().map(|piece| &piece[..]).collect::<Vec<_>>(), vec![&b"1\ta, b\n"[..], b"2\t\\N\n"])?;
    Ok(client.batch_execute("DROP TABLE c").await?)
}

async fn copy_binary(client: Client) -> Outcome {
    client.batch_execute("CREATE TABLE cb (id integer PRIMARY KEY, name text, f double precision)").await?;
    let columns = [Type::INT4, Type::TEXT, Type::FLOAT8];
    let mut writer = pin!(BinaryCopyInWriter::new(client.copy_in("COPY cb FROM STDIN BINARY").await?, &columns));
    for id in 0..100 {
        writer.as_mut().write(&[&id, &Some("żółw").filter(|_| id % 2 == 0), &0.5]).await?;
    }
    equal(writer.finish().await?, 100)?;
    let stream = BinaryCopyOutStream::new(client.copy_out("COPY (SELECT * FROM cb ORDER BY id) TO STDOUT BINARY").await?, &columns);
    let rows: Vec<_> = stream.try_collect().await?;
    equal((rows.len(), rows[2].get::<Option<&str>>(1), rows[3].get::<Option<&str>>(1)), (100, Some("żółw"), None))?;
    Ok(client.batch_execute("DROP TABLE cb").await?)
}

async fn portals(mut client: Client) -> Outcome {
    let transaction = client.transaction().await?;
    let portal = transaction.bind("SELECT n FROM generate_series(1, $1::int) AS n", &[&100_i32]).await?;
    let mut lengths = Vec::new();
    loop {
        let rows = transaction.query_portal(&portal, 33).await?;
        lengths.push(rows.len());
        if rows.len() < 33 {
            break;
        }
    }
    equal(lengths, vec![33, 33, 33, 1])
}

async fn pipelines(client: Client) -> Outcome {
    client.batch_execute("CREATE TABLE l (id integer PRIMARY KEY)").await?;
    let statement = client.prepare("INSERT INTO l VALUES ($1) RETURNING id").await?;
    let waits = (0..50_i32).map(|id| {
        let (client, statement) = (&client, &statement);
        async move { client.query_one(statement, &[&id]).await.map(|row| row.get::<_, i32>(0)) }
    });
    equal(future::try_join_all(waits).await?, (0..50).collect())?;
    // Each request has a transaction of its own: the one that fails takes no other along.
    let (first, second, third) = tokio::join!(
        client.execute("INSERT INTO l VALUES (100)", &[]),
        client.execute("INSERT INTO l VALUES (1)", &[]),
        client.execute("INSERT INTO l VALUES (101)", &[])
    );
    equal((first?, state(&refused(second)?), third?), (1, "23505", 1))?;
    Ok(client.batch_execute("DROP TABLE l").await?)
}

async fn errors(client: Client) -> Outcome {
    client
        .batch_execute(
            "CREATE TABLE city (id integer PRIMARY KEY);
            CREATE TABLE person (id serial PRIMARY KEY, email text NOT NULL CONSTRAINT person_email_once UNIQUE,
                age integer CONSTRAINT person_age_positive CHECK (age > 0), city_id integer CONSTRAINT person_lives_in REFERENCES city);
            INSERT INTO person (email) VALUES ('a')",
        )
        .await?;
    let all = [
        ("INSERT INTO person (email) VALUES ('a')", "23505", Some("person"), None, Some("person_email_once")),
        ("INSERT INTO person (age) VALUES (1)", "23502", Some("person"), Some("email"), None),
        ("INSERT INTO person (email, age) VALUES ('b', 0)", "23514", Some("person"), None, Some("person_age_positive")),
        ("INSERT INTO person (email, city_id) VALUES ('b', 1)", "23503", Some("person"), None, Some("person_lives_in")),
        ("SELECT * FROM missing", "42P01", None, None, None),
        ("SELECT 1 / 0", "22012", None, None, None),
    ];
    for (statement, code, table, column, constraint) in all {
        let error = refused(client.execute(statement, &[]).await)?;
        let said = error.as_db_error().ok_or("no error of the server")?;
        let seen = (statement, said.code().code(), said.table(), said.column(), said.constraint());
        equal(seen, (statement, code, table, column, constraint))?;
    }
    Ok(client.batch_execute("DROP TABLE person; DROP TABLE city").await?)
}

async fn cancel(client: Client) -> Outcome {
    client.batch_execute("SET statement_timeout = 200").await?;
    equal(state(&refused(client.batch_execute(LONG).await)?), "57014")?;
    client.batch_execute("SET statement_timeout = 0").await?;
    let token = client.cancel_token();
    let running = tokio::spawn(async move { client.batch_execute(LONG).await });
    // A request that comes before the query has begun is forgotten, as by Postgres, so it is made until one counts.
    while !running.is_finished() {
        match connection::tls()? {
            Some(tls) => token.cancel_query(tls).await?,
            None => token.cancel_query(NoTls).await?,
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    equal(state(&refused(running.await?)?), "57014")
}

async fn notify(client: Client) -> Outcome {
    // The connection's messages are wanted here, so it is driven by hand.
    drop(client);
    let mut config = connection::config()?;
    macro_rules! heard {
        ($tls:expr) => {{
            let (client, mut connection) = config.connect($tls).await?;
            let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel();
            let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
            tokio::spawn(async move {
                while let Ok(Some(message)) = messages.try_next().await {
                    if let AsyncMessage::Notification(news) = message {
                        let _ = heard.send((news.channel().to_owned(), news.payload().to_owned()));
                    }
                }
            });
            client.batch_execute("LISTEN news; SELECT pg_notify('news', 'hot')").await?;
            hearing.recv().await
        }};
    }
    let news = match connection::tls()? {
        Some(tls) => {
            config.ssl_mode(tokio_postgres::config::SslMode::Require);
            heard!(tls)
        }
        None => heard!(NoTls),
    };
    equal(news, Some(("news".to_owned(), "hot".to_owned())))
}

/// Types that the driver does not know by heart are looked up in the catalog.
async fn unknown_types(client: Client) -> Outcome {
    let row = client.query_one("SELECT a.atttypid, a.attrelid::regclass, a.attname, c.relkind, c.oid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = 'pg_class' AND a.attname = 'relname'", &[]).await?;
    let names: Vec<_> = row.columns().iter().map(|column| column.type_().name().to_owned()).collect();
    equal(names.join(" "), "oid regclass name char oid".to_owned())?;
    equal((row.try_get::<_, u32>(0)?, row.try_get::<_, &str>(2)?, row.try_get::<_, i8>(3)?), (19, "relname", b'r' as i8))
}
