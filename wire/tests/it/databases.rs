//! CREATE, DROP and ALTER DATABASE over the wire: who may, what is refused, who can log in, and what is left on disk.

use tokio_postgres::{Client, Error, NoTls};

use crate::server::{PASSWORD, TestServer, guarded, start, start_with, state};

async fn enter(server: &TestServer, database: &str, user: &str, password: &str) -> Result<Client, Error> {
    let port = server.address.port();
    let url = format!("host=127.0.0.1 port={port} user={user} dbname='{database}' password='{password}'");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn names(client: &Client) -> Vec<String> {
    let rows = client.query("SELECT datname::text FROM pg_database ORDER BY datname", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_database_is_made_used_renamed_and_dropped() {
    let server = start().await;
    let client = server.connect().await;
    assert_eq!(state(enter(&server, "tenant", "shockwave", "").await.map(drop)), "3D000");
    client.batch_execute("CREATE DATABASE tenant WITH ENCODING 'UTF8' TEMPLATE template0 CONNECTION LIMIT = -1").await.unwrap();
    assert_eq!(names(&client).await, ["shockwave", "tenant"]);
    assert_eq!(state(client.batch_execute("CREATE DATABASE tenant").await), "42P04");
    assert_eq!(state(client.batch_execute("CREATE DATABASE other TEMPLATE tenant").await), "0A000");
    let tenant = enter(&server, "tenant", "shockwave", "").await.unwrap();
    tenant.batch_execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(state(client.query("SELECT * FROM t", &[]).await), "42P01");
    for refused in ["DROP DATABASE tenant", "ALTER DATABASE tenant RENAME TO x"] {
        assert_eq!(state(tenant.batch_execute(refused).await).as_str(), if refused.starts_with("DROP") { "55006" } else { "0A000" });
    }
    client.batch_execute("BEGIN").await.unwrap();
    assert_eq!(state(client.batch_execute("CREATE DATABASE inside").await), "25001");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(state(client.batch_execute("SELECT 1; DROP DATABASE tenant").await), "25001");
    drop(tenant);
    client.batch_execute("ALTER DATABASE tenant RENAME TO \"Renamed One\"").await.unwrap();
    assert_eq!(names(&client).await, ["Renamed One", "shockwave"]);
    let server = server.restart().await;
    let renamed = enter(&server, "Renamed One", "shockwave", "").await.unwrap();
    assert_eq!(renamed.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get::<_, i64>(0), 1);
    let client = server.connect().await;
    client.batch_execute("DROP DATABASE \"Renamed One\" WITH (FORCE)").await.unwrap();
    assert!(renamed.query("SELECT 1", &[]).await.is_err(), "its session has ended");
    assert_eq!(names(&client).await, ["shockwave"]);
    assert_eq!(state(client.batch_execute("DROP DATABASE tenant").await), "3D000");
    client.batch_execute("DROP DATABASE IF EXISTS tenant").await.unwrap();
    assert_eq!(state(client.batch_execute("DROP DATABASE shockwave").await), "55006");
    // What left a receipt is there, and the name is free for another ledger.
    let folder = server.path().join("ledgers/tenant");
    assert!(folder.join("ledger.dropped").exists() && folder.join("checkpoint").exists());
    client.batch_execute("CREATE DATABASE tenant").await.unwrap();
    assert!(server.path().join("ledgers/tenant.2/ledger.id").exists());
    let server = server.restart().await;
    assert_eq!(names(&server.connect().await).await, ["shockwave", "tenant"]);
}

#[tokio::test]
async fn roles_and_passwords_go_along_and_names_alone_prove_nothing() {
    let server = start_with(guarded()).await;
    let first = enter(&server, "shockwave", "shockwave", PASSWORD).await.unwrap();
    first.batch_execute("CREATE ROLE maker LOGIN CREATEDB PASSWORD 'm1'; CREATE ROLE plain LOGIN PASSWORD 'p1'").await.unwrap();
    let maker = enter(&server, "shockwave", "maker", "m1").await.unwrap();
    let plain = enter(&server, "shockwave", "plain", "p1").await.unwrap();
    assert_eq!(state(plain.batch_execute("CREATE DATABASE d").await), "42501");
    assert_eq!(state(maker.batch_execute("CREATE DATABASE d OWNER shockwave").await), "42501");
    maker.batch_execute("CREATE DATABASE d").await.unwrap();
    // The superuser and the owner come in with the passwords they have.
    let root = enter(&server, "d", "shockwave", PASSWORD).await.unwrap();
    let owner: String = root
        .query_one("SELECT r.rolname::text FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = 'd'", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(owner, "maker");
    assert!(enter(&server, "d", "maker", "wrong").await.is_err());
    drop((enter(&server, "d", "plain", "p1").await.unwrap(), root));
    // Nobody but the owner and the server's operators drops it; somebody of the owner's name in another database is not the owner.
    assert_eq!(state(plain.batch_execute("DROP DATABASE d").await), "42501");
    first.batch_execute("CREATE DATABASE e").await.unwrap();
    let e = enter(&server, "e", "shockwave", PASSWORD).await.unwrap();
    e.batch_execute("ALTER ROLE maker PASSWORD 'm2'; ALTER ROLE shockwave PASSWORD 's2'").await.unwrap();
    let impostor = enter(&server, "e", "maker", "m2").await.unwrap();
    assert_eq!(state(impostor.batch_execute("DROP DATABASE d").await), "42501");
    let impostor = enter(&server, "e", "shockwave", "s2").await.unwrap();
    assert_eq!(state(impostor.batch_execute("DROP DATABASE d").await), "42501");
    maker.batch_execute("DROP DATABASE d").await.unwrap();
    drop((e, impostor));
    // CONNECT is a matter of each database.
    first.batch_execute("CREATE DATABASE f").await.unwrap();
    let f = enter(&server, "f", "shockwave", PASSWORD).await.unwrap();
    f.batch_execute("REVOKE CONNECT ON DATABASE f FROM PUBLIC").await.unwrap();
    assert_eq!(state(enter(&server, "f", "plain", "p1").await.map(drop)), "42501");
}
