//! The command line: what can be asked for, and the help that replaces a manual.
//!
//! Never: does anything.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Start here:
  shockwave quickstart                          a tour in half a minute, on real data
  shockwave serve --data-dir ./data             a server; then: psql -h 127.0.0.1 -p 7432 -U shockwave
  shockwave keys show --data-dir ./data --policy > policy.txt
                                                what an auditor keeps, away from the data
  psql … -Atc 'SELECT ledger_receipt(12, 0)' > receipt.txt
  shockwave verify receipt receipt.txt --policy policy.txt

Exit codes: 0 done · 1 failed · 2 wrong usage; `verify` has its own, see `shockwave verify --help`.";

const VERIFY_AFTER_HELP: &str = "\
Exit codes:
  0  valid         every check was made and passed
  1  tampered      well formed, but not what the pinned key signed; what and why is printed
  2  malformed     not in the format, an unsupported version of it, or wrong usage
  3  inconclusive  a check could not be made with what was given
Never 0 with a check skipped. Keys come only from --policy or --key, never from what is being verified.";

const AUDIT_AFTER_HELP: &str = "\
Against a server: its newest checkpoint is signed by a pinned key and extends the one kept from the last visit; every leaf of the log is read and gives
the signed root; rows are drawn at random, their receipts verified, and what SQL answers of them compared with what the receipts prove. Against an
export: all of it, as `shockwave verify fsck` does. A password comes from the connection string or PGPASSWORD. The role needs shockwave_auditor, and
SELECT on the tables that are compared.

Exit codes: 0 all valid · 1 tampered, or a report could not be written · 2 malformed, or wrong usage · 3 something could not be checked: it is
named. Keys come only from --policy or --key.";

const KEY_HELP: &str = "\
A verifier key to believe, as `shockwave keys show` prints it: <name>+<key id>+<base64>; may be repeated. Keep it away from the data";

/// A database that speaks the Postgres protocol and whose every commit is durable, sealed and provable.
#[derive(Debug, Parser)]
#[command(name = "shockwave", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a data folder to Postgres clients until SIGINT or SIGTERM.
    Serve(Serve),
    /// A tour on real input: load the dependency graph of a Cargo workspace, audit it, take a receipt, catch a tampered byte.
    Quickstart(Quickstart),
    /// Verify a receipt, a consistency proof or a whole ledger offline, with nothing but a pinned key.
    #[command(subcommand, after_help = VERIFY_AFTER_HELP)]
    Verify(Verify),
    /// An auditor's visit to a live server, an export or both: is it the history I saw before, is all of it there, does SQL answer what was committed?
    #[command(after_help = AUDIT_AFTER_HELP)]
    Audit(Audit),
    /// Property graphs as pictures.
    #[command(subcommand)]
    Graph(Graph),
    /// Write a folder with the whole log and the rows of a range of commits, for a stranger to verify when the server is gone.
    Export(Export),
    /// Copy all databases of a server into a folder, while it works; the next time only what is new.
    Backup(Backup),
    /// Lay a data folder out of a backup, as of its newest or of any earlier commit.
    Restore(Restore),
    /// The public keys to pin.
    #[command(subcommand)]
    Keys(Keys),
    /// Make indexes and all else that is derived anew from the ledgers.
    RebuildFolds(RebuildFolds),
    /// Cosign the checkpoints of other people's logs: a witness (C2SP tlog-witness), which needs no ledger of its own.
    Witness(Witness),
}

/// `--auth`
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Authentication {
    /// SCRAM-SHA-256, with channel binding over TLS.
    #[value(name = "scram-sha-256")]
    ScramSha256,
    /// None.
    Trust,
}

/// `--ssl`
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Encryption {
    /// Never.
    Off,
    /// If the client asks for it.
    On,
    /// Always.
    Required,
}

/// `serve`
#[derive(Debug, Args)]
#[command(after_help = "\
The folder and database \"shockwave\" in it are made at first start, and so are a certificate (server.crt, server.key) and the password of
the superuser \"shockwave\": what the environment variable SHOCKWAVE_PASSWORD holds, or else one drawn into the file superuser.password, which
only this user can read. Clients log in by SCRAM-SHA-256. SIGINT or SIGTERM ends it gracefully: idle sessions are told, running statements get --grace seconds, and what
the log holds is sealed into segments. Killing it loses nothing that was acknowledged.

Exit codes: 0 ended gracefully · 1 could not start, or could not seal · 2 wrong usage.")]
pub struct Serve {
    /// Folder of the data; made if it is not there. One server at a time.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Address and port, e.g. 0.0.0.0:5432. Port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7432")]
    pub listen: SocketAddr,
    /// Loopback address and port where Prometheus reads numbers (GET /metrics); ledger.statistics has them in SQL. Default: none.
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,
    /// How clients prove who they are; `trust` believes them, on loopback addresses only.
    #[arg(long, value_enum, default_value_t = Authentication::ScramSha256)]
    pub auth: Authentication,
    /// Encrypted connections: not at all, if the client asks, or required.
    #[arg(long, value_enum, default_value_t = Encryption::On)]
    pub ssl: Encryption,
    /// Certificate chain to use instead of the server's own, PEM.
    #[arg(long, value_name = "FILE", requires = "ssl_key_file")]
    pub ssl_cert_file: Option<PathBuf>,
    /// Private key of that certificate, PEM, readable by this user only.
    #[arg(long, value_name = "FILE", requires = "ssl_cert_file")]
    pub ssl_key_file: Option<PathBuf>,
    /// Sessions at once; one more is refused with 53300.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub max_connections: u32,
    /// Memory to get by with, e.g. 512MB or 4GB: caches, what is not on disk yet, sorts and joins. Programs, connections and rows on their way come
    /// on top. Default: a quarter of the machine's.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<usize>,
    /// Memory that one query may hold for sorts, joins and groups before it goes to disk; a session can lower it by SET statement_mem. Default: half
    /// of what all queries have together, three sixteenths of --memory.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub statement_memory: Option<usize>,
    /// Disk that the temporary files of all running queries may take together, within the data folder.
    #[arg(long, value_name = "SIZE", default_value = "100GB", value_parser = parse_size)]
    pub temp_file_limit: usize,
    /// How much of what is sealed is read again and compared with the ledger, e.g. 16MB a second; a round a day. 0 is none.
    #[arg(long, value_name = "SIZE", default_value = "16MB", value_parser = parse_rate)]
    pub scrub_rate: usize,
    /// Seconds that running statements get at shutdown before they are cancelled.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub grace: u64,
    /// Witnesses to ask for cosignatures, and the quorum that SET ledger.wait = cosigned waits for: a policy file (C2SP tlog-policy) with lines
    /// `witness NAME KEY ADDRESS` and a quorum. How they answer is in ledger.cosignatures.
    #[arg(long, value_name = "FILE")]
    pub witness_policy: Option<PathBuf>,
    /// Certificates of the authorities that https witnesses are trusted by, PEM. Default: those of the system.
    #[arg(long, value_name = "FILE", requires = "witness_policy")]
    pub witness_ca: Option<PathBuf>,
    /// An authority to ask for timestamps of checkpoints (RFC 3161), by its http or https address. What it answered is in ledger.timestamps.
    #[arg(long, value_name = "URL")]
    pub timestamp_authority: Option<String>,
    /// Seconds between two timestamps of a database, where something was committed.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, requires = "timestamp_authority", value_parser = clap::value_parser!(u64).range(1..))]
    pub timestamp_interval: u64,
    /// Certificates of the authorities that an https timestamp authority is trusted by, PEM. Default: those of the system.
    #[arg(long, value_name = "FILE", requires = "timestamp_authority")]
    pub timestamp_ca: Option<PathBuf>,
}

/// An amount of memory in bytes: a whole number and `kB`, `MB`, `GB` or `TB`, as in Postgres, or the same as `KiB` and so on; 1 MB at least.
fn parse_size(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, &str, u32); 4] = [("kB", "KiB", 10), ("MB", "MiB", 20), ("GB", "GiB", 30), ("TB", "TiB", 40)];
    let sized = |(short, long, bits): &(&str, &str, u32)| {
        let amount: usize = text.strip_suffix(short).or_else(|| text.strip_suffix(long))?.trim().parse().ok()?;
        amount.checked_mul(1 << bits)
    };
    let bytes = UNITS.iter().find_map(sized).ok_or("a whole number with kB, MB, GB or TB is wanted, such as 512MB")?;
    if bytes < 1 << 20 { Err("at least 1MB is wanted".to_owned()) } else { Ok(bytes) }
}

/// The same, or 0.
fn parse_rate(text: &str) -> Result<usize, String> {
    if text == "0" { Ok(0) } else { parse_size(text) }
}

/// `rebuild-folds`
#[derive(Debug, Args)]
#[command(after_help = "\
Folds (folds/ in the folder of each database) are derived: which row has which key, which rows are ended. A server makes them anew by itself where they are
missing or damaged; this does it on purpose, while no server has the folder open.

Exit codes: 0 made anew · 1 could not · 2 wrong usage.")]
pub struct RebuildFolds {
    /// Folder of the data.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
}

/// `witness`
#[derive(Debug, Args)]
#[command(after_help = "\
A witness remembers the newest checkpoint of each log it knows, and cosigns a newer one only if it extends that: POST /add-checkpoint, as C2SP
tlog-witness says. Run it on another machine than the logs, kept by other people. It speaks plain HTTP; put a proxy with a certificate before it where
the way is not yours. Its key (witness.key) is drawn at first start. Never go back to an older copy of its folder: a witness that forgets signs two
histories.

Exit codes: 0 ended gracefully · 1 could not start · 2 wrong usage.")]
pub struct Witness {
    /// Address and port. Port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7433")]
    pub listen: SocketAddr,
    /// Folder of what it remembers; made if it is not there. One witness at a time.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// A policy file (C2SP tlog-policy) whose log lines are the logs to cosign, as `shockwave keys show --policy` prints it.
    #[arg(long, value_name = "FILE")]
    pub policy_of_logs: PathBuf,
    /// What it is called at first start, best an address without scheme, e.g. witness.example/w1. Default: a name that is drawn.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// `quickstart`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads `cargo metadata` of the workspace in the current folder (or --manifest-path), so cargo must be installed. Starts a server on a fresh
folder, loads packages and dependencies through the wire with COPY, asks five questions, verifies one row's receipt offline, then flips one
byte in a copy of the folder and shows what notices. Without --exit it keeps serving, so that psql can be connected, until Ctrl-C.

Exit codes: 0 everything came out as it must · 1 something did not, or could not be done · 2 wrong usage.")]
pub struct Quickstart {
    /// End when the tour is over instead of serving on.
    #[arg(long)]
    pub exit: bool,
    /// Folder to keep the data in; must be empty or absent. Default: a temporary folder, removed at the end.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address and port; must be loopback. Port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7432")]
    pub listen: SocketAddr,
    /// Cargo.toml of the workspace to read.
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,
}

/// Which keys to believe.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Pinned {
    /// A pinned policy file (C2SP tlog-policy), as `shockwave keys show --policy` prints it.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    #[arg(long, value_name = "VKEY", help = KEY_HELP)]
    pub key: Vec<String>,
}

/// `verify …`
#[derive(Debug, Subcommand)]
pub enum Verify {
    /// Was exactly this row, with exactly these values, committed at this place in this ledger?
    #[command(after_help = VERIFY_AFTER_HELP)]
    Receipt(VerifyReceipt),
    /// Were exactly these fields, of exactly these rows, committed in this ledger? What else the rows hold stays hidden.
    #[command(after_help = VERIFY_AFTER_HELP)]
    Disclose(VerifyReceipt),
    /// Is the ledger of today an extension of the one whose checkpoint I kept?
    #[command(after_help = VERIFY_AFTER_HELP)]
    Consistency(VerifyConsistency),
    /// Recompute a stopped server's ledger, or an export of one, from its bytes up: fields, rows, leaves, tiles, roots, signatures.
    #[command(after_help = VERIFY_AFTER_HELP)]
    Fsck(VerifyFsck),
}

/// `verify receipt`
#[derive(Debug, Args)]
pub struct VerifyReceipt {
    /// The receipt or disclosure, as `SELECT ledger_receipt(seq, row)` or `ledger_disclose(seqs, rows, columns)` gives it; `-` reads standard input.
    pub file: PathBuf,
    /// Which keys to believe.
    #[command(flatten)]
    pub pinned: Pinned,
}

/// `audit`
#[derive(Debug, Args)]
#[group(id = "audited", required = true, multiple = true, args = ["server", "export"])]
pub struct Audit {
    /// A live server, as libpq writes it: 'host=… port=7432 user=… dbname=shockwave'.
    #[arg(long, value_name = "CONNINFO")]
    pub server: Option<String>,
    /// An export of the ledger.
    #[arg(long, value_name = "DIR")]
    pub export: Option<PathBuf>,
    /// The checkpoint kept from the last visit; made or replaced when everything was valid.
    #[arg(long, value_name = "FILE")]
    pub kept: Option<PathBuf>,
    /// How many rows to draw; 0 for none.
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    pub sample: usize,
    /// Draw as this seed does; default: one drawn now, which is printed.
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Do not compare SQL's answers with the receipts.
    #[arg(long)]
    pub no_compare: bool,
    /// Folder for report.txt, report.json and, with a key, report.dsse.json; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// The auditor's own Ed25519 key, PEM (openssl genpkey -algorithm ed25519): signs the report as an in-toto statement.
    #[arg(long, value_name = "FILE", requires = "report")]
    pub sign_key: Option<PathBuf>,
    /// Which keys to believe.
    #[command(flatten)]
    pub pinned: Pinned,
}

/// `graph`
#[derive(Debug, Subcommand)]
pub enum Graph {
    /// Draw what a query answers as SVG.
    Draw(Draw),
}

/// `graph draw`
#[derive(Debug, Args)]
#[command(after_help = "\
A row is an edge: from, to, and what else there is as its label; without `to` it is a vertex alone. One column that vertices(p) gives is a path.
  --query \"SELECT * FROM GRAPH_TABLE (social MATCH (a)-[k IS knows]->(b) COLUMNS (a.name, b.name AS other, k.since))\"
  --query \"SELECT * FROM GRAPH_TABLE (social MATCH p = ANY SHORTEST (a WHERE a.id = 1)-[]->+(b WHERE b.id = 4) COLUMNS (vertices(p) AS along))\"
A password comes from the connection string or PGPASSWORD.

Exit codes: 0 done · 1 failed · 2 wrong usage.")]
pub struct Draw {
    /// A live server, as libpq writes it.
    #[arg(long, value_name = "CONNINFO", default_value = "host=127.0.0.1 port=7432 user=shockwave dbname=shockwave")]
    pub server: String,
    /// The query.
    #[arg(long, value_name = "SQL")]
    pub query: String,
    /// The picture's file.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `export`
#[derive(Debug, Args)]
#[command(after_help = "\
The server must not be running on the folder; of a running one, SELECT ledger_export('/folder') does the same. The export holds every value of
the range, each with its salt: keep it as you would keep the data. Check it with: shockwave verify fsck FOLDER --policy POLICY

Exit codes: 0 done · 1 failed · 2 wrong usage.")]
pub struct Export {
    /// Folder to write; must be empty or not there.
    pub folder: PathBuf,
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Which database.
    #[arg(long, value_name = "NAME", default_value = "shockwave")]
    pub database: String,
    /// First commit whose rows are written.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub first: u64,
    /// The commit after the last one; default: all there are.
    #[arg(long, value_name = "SEQ")]
    pub end: Option<u64>,
}

/// `backup`
#[derive(Debug, Args)]
#[command(after_help = "\
A running server makes the backup itself, into a folder of its machine, while it reads and commits: this command logs in and says
SELECT ledger_backup('/folder', with_keys), which psql can say as well (where the server demands TLS, only that). With --data-dir the databases of a
stopped server are copied. Use the same folder again: sealed files are copied once, so the second run is quick. A run that is broken off leaves
what was there before. Keep copies of the folder elsewhere; cp, rsync or an object store will do, while no backup is being made.

  shockwave backup --to /backup --password-file data/superuser.password
  shockwave restore --from /backup --check
  shockwave restore --from /backup --data-dir restored --to-commit 4711

The private keys, and the roles' password verifiers, are not in it unless --with-keys is given, once: whoever has them can sign for the ledgers. A
restore needs them, so keep them in some place.

Exit codes: 0 done · 1 failed · 2 wrong usage.")]
pub struct Backup {
    /// Folder of the backup, on the machine of the server; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Take along private keys and password verifiers, now and in later runs into this folder.
    #[arg(long)]
    pub with_keys: bool,
    /// Back up this data folder, which no server has open.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server", "user", "password_file"])]
    pub data_dir: Option<PathBuf>,
    /// Where the running server listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7432")]
    pub server: SocketAddr,
    /// A superuser of its database \"shockwave\".
    #[arg(long, value_name = "NAME", default_value = "shockwave")]
    pub user: String,
    /// File with the password.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `restore`
#[derive(Debug, Args)]
#[command(after_help = "\
Every file is compared with the backup's list, and the history with the signed checkpoint beside it, before it is used; the first that is not as it
was written is named. The data folder holds what the databases held as of the commit. Each goes on as a new incarnation of its ledger, and says so in its
next commit (SELECT * FROM ledger.incarnations): receipts of restored commits stay valid, and whoever kept a checkpoint of a commit
that was left out can see that it was. Do not let the restored server and the old one both go on: they would sign two histories.

Commits have numbers in ledger.commits, with their times: SELECT max(commit_seq) FROM ledger.commits WHERE committed_at <= '...'.

Exit codes: 0 done · 1 failed · 2 wrong usage.")]
pub struct Restore {
    /// Folder of the backup. It is only read.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The data folder to lay; must be empty or not there.
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    pub data_dir: Option<PathBuf>,
    /// The last commit to restore. Default: the newest that the backup has.
    #[arg(long, value_name = "SEQ", requires = "data_dir")]
    pub to_commit: Option<u64>,
    /// Only this database; it may have been dropped since. Default: all that were not dropped.
    #[arg(long, value_name = "NAME", requires = "data_dir")]
    pub database: Option<String>,
    /// Where the private keys are, if not in the backup: a data folder, the folder of one ledger in it, or a backup that was made with --with-keys.
    #[arg(long, value_name = "DIR", requires = "data_dir")]
    pub keys: Option<PathBuf>,
    /// Only read the backup, all of it, and say whether it is whole.
    #[arg(long, conflicts_with = "data_dir")]
    pub check: bool,
}

/// `verify consistency`
#[derive(Debug, Args)]
pub struct VerifyConsistency {
    /// The signed checkpoint kept from before.
    pub old: PathBuf,
    /// The proof from there to a newer checkpoint, as `SELECT ledger_consistency(a, b)` gives it; `-` reads standard input.
    pub proof: PathBuf,
    /// Which keys to believe.
    #[command(flatten)]
    pub pinned: Pinned,
}

/// `verify fsck`
#[derive(Debug, Args)]
pub struct VerifyFsck {
    /// The data folder of a stopped server, one ledger's folder, or an export.
    pub dir: PathBuf,
    /// Only this database; default: every database in the folder that a pinned key names.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// A signed checkpoint kept from before: the ledger must be an extension of it.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Which keys to believe.
    #[command(flatten)]
    pub pinned: Pinned,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Print the verifier keys of each database: what an auditor pins. Only reads; the server may run or not.
    Show(KeysShow),
    /// Replace a database's keys while no server runs on the folder; of a running one, SELECT ledger_rotate_keys() does the same.
    Rotate(KeysRotate),
    /// Print a policy file with the keys that replaced pinned ones: the old keys signed the leaf that names the new ones.
    #[command(after_help = VERIFY_AFTER_HELP)]
    Follow(KeysFollow),
}

/// `keys rotate`
#[derive(Debug, Args)]
#[command(after_help = "\
New keys are drawn, a commit that the old and the new keys sign names them, and the old private keys are gone from the folder. Whoever pinned the old keys
gets the new ones from the receipt of that commit (SELECT ledger_receipt(commit)) by: shockwave keys follow RECEIPT --policy FILE

Exit codes: 0 replaced · 1 failed · 2 wrong usage.")]
pub struct KeysRotate {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Which database.
    #[arg(long, value_name = "NAME", default_value = "shockwave")]
    pub database: String,
}

/// `keys follow`
#[derive(Debug, Args)]
pub struct KeysFollow {
    /// The receipt of the commit that names the new keys, as SELECT ledger_receipt(commit) gives it; `-` reads standard input.
    pub receipt: PathBuf,
    /// The policy file that pins the old keys.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
}

/// `keys show`
#[derive(Debug, Args)]
pub struct KeysShow {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Only this database.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Print a policy file for `shockwave verify --policy` instead.
    #[arg(long)]
    pub policy: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [("1MB", 1 << 20), ("512MiB", 512 << 20), ("4 GB", 4 << 30), ("4096 kB", 4 << 20), ("1TiB", 1 << 40)] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "512", "512 mb", "-1MB", "1.5GiB", "99999999999GiB", "1023kB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
