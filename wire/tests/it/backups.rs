//! Backups of the real server while it works and is killed, and what is restored from them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::{OsRng, Rng};

use crate::program::{Served, path, serve, shockwave, stdout};

fn said(output: &Output) -> String {
    format!("{}{}", stdout(output), String::from_utf8_lossy(&output.stderr))
}

fn backup(server: &Served, to: &Path) -> Output {
    shockwave(&["backup", "--to", path(to), "--server", &format!("127.0.0.1:{}", server.port)])
}

async fn numbers(server: &Served) -> BTreeSet<i64> {
    let rows = server.connect().await.query("SELECT n FROM numbers", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_server_at_work_is_backed_up_and_restored_as_of_any_commit() {
    let place = tempfile::tempdir().unwrap();
    let (data, copies, policy) = (place.path().join("data"), place.path().join("copies"), place.path().join("policy"));
    let server = serve(&data);
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'Ada')").await.unwrap();
    let seq: i64 = client.query_one("SELECT max(commit_seq) FROM ledger.commits", &[]).await.unwrap().get(0);
    client.batch_execute("CREATE DATABASE tenant").await.unwrap();
    client.batch_execute("UPDATE t SET name = 'Grace'; CREATE ROLE auditor LOGIN; SET ROLE auditor").await.unwrap();
    let refused = client.query_one("SELECT ledger_backup('/nowhere')", &[]).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501");
    client.batch_execute("RESET ROLE").await.unwrap();
    let first = backup(&server, &copies);
    assert!(first.status.success() && stdout(&first).contains("database tenant: commits 0 to"), "{}", said(&first));
    assert!(stdout(&first).contains("Keep keys/"), "{}", said(&first));
    // A superuser of a tenant's database is no operator.
    let url = format!("host=127.0.0.1 port={} user=shockwave dbname=tenant", server.port);
    let (tenant, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(tenant.query_one("SELECT ledger_backup('/nowhere')", &[]).await.unwrap_err().code().unwrap().code(), "42501");
    std::fs::write(&policy, shockwave(&["keys", "show", "--data-dir", path(&data), "--policy"]).stdout).unwrap();

    let restored = place.path().join("restored");
    let commit = seq.to_string();
    let base = ["restore", "--from", path(&copies), "--data-dir", path(&restored)];
    let lacking = shockwave(&base);
    assert!(!lacking.status.success() && said(&lacking).contains("no private keys") && !restored.exists(), "{}", said(&lacking));
    let keys = ["--keys", path(&data), "--database", "shockwave", "--to-commit", &commit];
    let done = shockwave(&[&base[..], &keys[..]].concat());
    assert!(done.status.success() && stdout(&done).contains("goes on as incarnation 1"), "{}", said(&done));
    // The old server works on beside it; nobody would let it in earnest.
    let copy = serve(&restored);
    let client = copy.connect().await;
    let row = client.query_one("SELECT name FROM t", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "Ada");
    let row = client.query_one("SELECT commit_seq, number, previous_size > commit_seq FROM ledger.incarnations", &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, bool>(2)), (seq + 1, 1, true));
    client.batch_execute("INSERT INTO t VALUES (2, 'goes on')").await.unwrap();
    drop((client, copy));
    let fsck = shockwave(&["verify", "fsck", path(&restored), "--policy", path(&policy)]);
    assert_eq!(fsck.status.code(), Some(0), "{}", said(&fsck));
    assert!(stdout(&fsck).contains("of an earlier incarnation"), "{}", said(&fsck));
    drop(server);

    // The stopped one, by its folder; its keys go along.
    let whole = place.path().join("whole");
    let done = shockwave(&["backup", "--to", path(&whole), "--data-dir", path(&data), "--with-keys"]);
    assert!(done.status.success() && !stdout(&done).contains("Keep keys/"), "{}", said(&done));
    let checked = shockwave(&["restore", "--from", path(&whole), "--check"]);
    assert!(checked.status.success() && stdout(&checked).matches(" are whole, with private keys").count() == 2, "{}", said(&checked));
    let all = place.path().join("all");
    assert!(shockwave(&["restore", "--from", path(&whole), "--data-dir", path(&all)]).status.success());
    let copy = serve(&all);
    let row = copy.connect().await.query_one("SELECT name FROM t", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "Grace");
}

/// Inserts numbers until the connection is lost; those that were acknowledged are noted.
async fn write(port: u16, next: Arc<AtomicI64>, acknowledged: Arc<Mutex<BTreeSet<i64>>>) {
    let url = format!("host=127.0.0.1 port={port} user=shockwave dbname=shockwave");
    let Ok((client, connection)) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await else { return };
    tokio::spawn(connection);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if client.execute("INSERT INTO numbers VALUES ($1, repeat('x', 2000))", &[&n]).await.is_err() {
            return;
        }
        acknowledged.lock().unwrap().insert(n);
    }
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// `kill -9` in the middle of backups: what is in the folder is then the last backup that was said to be there, or a later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_server_killed_in_the_middle_of_backups_leaves_the_last_one_whole() {
    const ROUNDS: u64 = 6;
    let place = tempfile::tempdir().unwrap();
    let (data, copies) = (place.path().join("data"), place.path().join("copies"));
    let (next, acknowledged) = (Arc::new(AtomicI64::new(0)), Arc::new(Mutex::new(BTreeSet::new())));
    let mut server = serve(&data);
    server.connect().await.batch_execute("CREATE TABLE numbers (n bigint PRIMARY KEY, filler text)").await.unwrap();
    let promised = Arc::new(Mutex::new(BTreeSet::new()));
    let mut taken = 0;
    for round in 1..=ROUNDS {
        let writers: Vec<_> = (0..3).map(|_| tokio::spawn(write(server.port, Arc::clone(&next), Arc::clone(&acknowledged)))).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let copier = {
            let (port, to, stop) = (server.port, copies.clone(), Arc::clone(&stop));
            let (acknowledged, promised) = (Arc::clone(&acknowledged), Arc::clone(&promised));
            tokio::task::spawn_blocking(move || {
                let mut done = 0;
                while !stop.load(Ordering::Relaxed) {
                    let before = acknowledged.lock().unwrap().clone();
                    let output = shockwave(&["backup", "--to", path(&to), "--server", &format!("127.0.0.1:{port}")]);
                    if output.status.success() {
                        done += 1;
                        *promised.lock().unwrap() = before;
                    }
                }
                done
            })
        };
        tokio::time::sleep(Duration::from_millis(300 + OsRng.next_u64() % 900)).await;
        stop.store(true, Ordering::Relaxed);
        kill(&mut server.child);
        taken += copier.await.unwrap();
        for writer in writers {
            writer.await.unwrap();
        }
        if !copies.join("ledgers/shockwave/manifest").exists() {
            server = serve(&data);
            continue;
        }
        let checked = shockwave(&["restore", "--from", path(&copies), "--check"]);
        assert!(checked.status.success(), "round {round}: {}", said(&checked));
        let to = place.path().join(format!("restored {round}"));
        let done = shockwave(&["restore", "--from", path(&copies), "--data-dir", path(&to), "--keys", path(&data)]);
        assert!(done.status.success(), "round {round}: {}", said(&done));
        let found = numbers(&serve(&to)).await;
        let promised = promised.lock().unwrap().clone();
        assert!(promised.is_subset(&found), "round {round}: {} numbers were backed up, {} are there", promised.len(), found.len());
        let sent: BTreeSet<i64> = (0..next.load(Ordering::Relaxed)).collect();
        assert!(found.is_subset(&sent));
        std::fs::remove_dir_all(&to).unwrap();
        server = serve(&data);
    }
    assert!(taken >= ROUNDS, "{taken} backups in {ROUNDS} rounds");
    kill(&mut server.child);
    // The command itself is killed over a stopped server's folder.
    for _ in 0..ROUNDS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
        command.args(["backup", "--to", path(&copies), "--data-dir", path(&data)]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(OsRng.next_u64() % 120)).await;
        kill(&mut child);
        let checked = shockwave(&["restore", "--from", path(&copies), "--check"]);
        assert!(checked.status.success(), "{}", said(&checked));
    }
    let done = shockwave(&["backup", "--to", path(&copies), "--data-dir", path(&data)]);
    assert!(done.status.success(), "{}", said(&done));
    let to = place.path().join("restored");
    assert!(shockwave(&["restore", "--from", path(&copies), "--data-dir", path(&to), "--keys", path(&data)]).status.success());
    let found = numbers(&serve(&to)).await;
    assert!(acknowledged.lock().unwrap().is_subset(&found));
}
