//! `shockwave witness`: what it answers over HTTP, what it remembers when it is killed, and that it never has two histories cosigned.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::{Fault, Rng, SeededRng, SimClock, SimIo};
use receipts::consistency::ConsistencyProof;
use receipts::note::{Note, parse_signatures};
use receipts::proof::{consistency_proof, tree_root};
use receipts::tree::{MemoryTree, TreeHash};
use receipts::{Keys, Policy, Sha256Tree, WitnessKey};
use wire::witness::{KEY_FILE, Register};

const ID: &str = "101112131415161718191a1b1c1d1e1f";

/// A log, and another history of it that parts from the first at some leaf; both signed with its one key.
pub struct Log {
    keys: Keys,
    trees: [MemoryTree<Sha256Tree>; 2],
}

impl Log {
    pub fn new(name: &str, parts_at: u64) -> Self {
        let keys = Keys::from_seeds(&format!("{name}/{ID}"), &[0x41; 32], &[0x42; 32]).unwrap();
        let mut trees = [MemoryTree::default(), MemoryTree::default()];
        for leaf in 0..400u64 {
            trees[0].append(Sha256Tree::leaf(&leaf.to_le_bytes()));
            trees[1].append(Sha256Tree::leaf(&(leaf + if leaf < parts_at { 0 } else { 1000 }).to_le_bytes()));
        }
        Self { keys, trees }
    }

    pub fn policy(&self) -> String {
        Policy::text_of_logs(&self.keys.verifiers())
    }

    fn checkpoint(&self, history: usize, size: u64) -> Note {
        let root = tree_root::<Sha256Tree>(&self.trees[history], size).unwrap();
        Note::parse(&self.keys.sign_checkpoint(size, &root)).unwrap()
    }

    /// The body of a request.
    pub fn grown(&self, history: usize, old: u64, new: u64) -> String {
        let path = consistency_proof::<Sha256Tree>(&self.trees[history], old, new).unwrap_or_default();
        ConsistencyProof { old_size: old, path, checkpoint: self.checkpoint(history, new) }.to_string()
    }
}

/// A witness process that has said where it listens; killed when dropped.
pub struct Witness {
    child: Child,
    pub address: SocketAddr,
    pub key: WitnessKey,
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(folder: &Path, policy: &str) -> Command {
    command_at(folder, policy, "127.0.0.1:0")
}

fn command_at(folder: &Path, policy: &str, listen: &str) -> Command {
    let file = folder.with_extension("policy");
    fs::write(&file, policy).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
    command.args(["witness", "--listen", listen, "--data-dir"]).arg(folder).arg("--policy-of-logs").arg(file);
    command
}

/// What a witness that must not start says.
fn refused(command: &mut Command) -> String {
    // One that starts all the same says that it listens, and is not waited for.
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).find(|line| line.starts_with("listening"));
    if started.is_some() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(started.is_none() && output.status.code() == Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

impl Witness {
    pub fn start(folder: &Path, policy: &str) -> Self {
        Self::start_at(folder, policy, "127.0.0.1:0")
    }

    /// On a port of the caller's.
    pub fn start_at(folder: &Path, policy: &str, listen: &str) -> Self {
        let mut child = command_at(folder, policy, listen).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut key, mut address) = (None, None);
        while address.is_none() {
            let line = lines.next().expect("the witness ended before it listened").unwrap();
            if let Some(rest) = line.strip_prefix("witness key      ") {
                key = Some(WitnessKey::parse(rest).unwrap());
            }
            address = line.strip_prefix("listening on http://").map(|rest| rest.parse().unwrap());
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.unwrap(), key: key.unwrap() }
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn add(&self, body: &str) -> Answer {
        Answer::of(self.address, "POST", "/add-checkpoint", body.as_bytes()).unwrap()
    }

    /// The time of a good cosignature over the checkpoint of that history and size.
    fn cosigned(&self, answer: &Answer, log: &Log, history: usize, size: u64) -> u64 {
        assert_eq!(answer.status, 200, "{answer:?}");
        let lines = parse_signatures(&answer.body).unwrap();
        assert_eq!(lines.len(), 1);
        self.key.verify(log.checkpoint(history, size).text(), &lines[0]).unwrap()
    }
}

/// What came back over HTTP.
#[derive(Debug)]
struct Answer {
    status: u16,
    kind: String,
    body: String,
}

impl Answer {
    fn of(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> std::io::Result<Self> {
        let mut socket = TcpStream::connect(address)?;
        Self::asked(&mut socket, method, path, body)
    }

    /// Over a connection that may stay.
    fn asked(socket: &mut TcpStream, method: &str, path: &str, body: &[u8]) -> std::io::Result<Self> {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: witness\r\nContent-Length: {}\r\n\r\n", body.len());
        socket.write_all(&[head.as_bytes(), body].concat())?;
        let mut reader = BufReader::new(socket);
        let (mut line, mut length, mut kind) = (String::new(), 0, String::new());
        reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "content-type" => value.clone_into(&mut kind),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Self { status, kind, body: String::from_utf8(body).unwrap() })
    }
}

#[test]
fn it_cosigns_what_extends_and_says_why_not() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("w");
    let (log, stranger) = (Log::new("shop", 5), Log::new("other", 5));
    let witness = Witness::start(&folder, &log.policy());
    assert_eq!(fs::metadata(folder.join(KEY_FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    let first = witness.cosigned(&witness.add(&log.grown(0, 0, 3)), &log, 0, 3);
    let second = witness.cosigned(&witness.add(&log.grown(0, 3, 12)), &log, 0, 12);
    assert!(first > 1_700_000_000 && second >= first, "{first} {second}");
    witness.cosigned(&witness.add(&log.grown(0, 12, 12)), &log, 0, 12);
    for (body, status) in [
        (String::new(), 400),
        ("old 12".to_owned(), 400),
        (log.grown(0, 12, 13).replace("old 12", "old 012"), 400),
        (log.grown(0, 12, 13).replace("old 12", "old 99"), 400),
        (stranger.grown(0, 0, 3), 404),
        (log.grown(0, 12, 13).replace("\n13\n", "\n14\n"), 403),
        (log.grown(0, 11, 13), 409),
        (log.grown(1, 12, 12), 409),
        (log.grown(1, 12, 13), 422),
        (log.grown(0, 12, 20).replacen("old 12\n", "old 12\nLawv8gQYLZTOd7boRgxIhKnNcO1b4okUmdUTXwS5/Qo=\n", 1), 422),
    ] {
        let answer = witness.add(&body);
        assert_eq!(answer.status, status, "{answer:?} to\n{body}");
        let is_size = answer.kind == "text/x.tlog.size";
        assert_eq!(is_size, status == 409 && body.starts_with("old 11"), "{answer:?}");
        assert!(!is_size || answer.body == "12\n", "{answer:?}");
        assert!(!answer.body.contains('\u{2014}'), "no cosignature: {answer:?}");
    }
    for (method, path, status) in [("GET", "/add-checkpoint", 405), ("POST", "/", 404), ("GET", "/checkpoint", 404)] {
        assert_eq!(Answer::of(witness.address, method, path, b"").unwrap().status, status, "{method} {path}");
    }
    let forks: Vec<_> = fs::read_dir(folder.join("forks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(forks.len(), 1, "the fork is kept once");
    assert_eq!(fs::read_to_string(&forks[0]).unwrap(), log.checkpoint(1, 12).to_string());
    witness.cosigned(&witness.add(&log.grown(0, 12, 300)), &log, 0, 300);
}

#[test]
fn a_connection_is_kept_and_a_long_request_refused() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new("shop", 5);
    let witness = Witness::start(&place.path().join("w"), &log.policy());
    let mut kept = TcpStream::connect(witness.address).unwrap();
    // One who says nothing, and one who stops in the middle, keep nobody from being served.
    let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(witness.address).unwrap()).collect();
    for mut socket in &silent[..10] {
        socket.write_all(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold 0").unwrap();
    }
    for (old, new) in [(0, 3), (3, 4), (4, 9)] {
        let answer = Answer::asked(&mut kept, "POST", "/add-checkpoint", log.grown(0, old, new).as_bytes()).unwrap();
        witness.cosigned(&answer, &log, 0, new);
    }
    let long = vec![b'x'; (256 << 10) + 1];
    assert_eq!(Answer::of(witness.address, "POST", "/add-checkpoint", &long).unwrap().status, 413);
    let mut noise = TcpStream::connect(witness.address).unwrap();
    noise.write_all(&[0xff; 4096]).unwrap();
    witness.cosigned(&witness.add(&log.grown(0, 9, 10)), &log, 0, 10);
}

#[test]
fn it_remembers_and_refuses_to_go_back() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("w");
    let log = Log::new("shop", 5);
    let witness = Witness::start(&folder, &log.policy());
    witness.cosigned(&witness.add(&log.grown(0, 0, 20)), &log, 0, 20);
    let busy = refused(&mut command(&folder, &log.policy()));
    assert!(busy.contains("in use by another witness"), "{busy}");
    let key = witness.key.clone();
    witness.kill();
    let witness = Witness::start(&folder, &log.policy());
    assert_eq!(witness.key, key, "its key stays");
    for (history, old, new) in [(0, 0, 20), (0, 0, 10), (0, 10, 15), (1, 0, 20), (1, 0, 30)] {
        let answer = witness.add(&log.grown(history, old, new));
        assert_eq!((answer.status, answer.body.as_str()), (409, "20\n"), "{history}: from {old} to {new}");
    }
    assert_eq!(witness.add(&log.grown(1, 20, 30)).status, 422);
    witness.cosigned(&witness.add(&log.grown(0, 20, 30)), &log, 0, 30);
    witness.kill();
    let renamed = refused(command(&folder, &log.policy()).args(["--name", "another"]));
    assert!(renamed.contains("is called") && renamed.contains("not \"another\""), "{renamed}");
    let nothing = refused(&mut command(&folder, "quorum none\n"));
    assert!(nothing.contains("names no log"), "{nothing}");
    // A byte of what it remembers is changed: it must not go on as if it had never cosigned, nor with what is not its own.
    let file = fs::read_dir(folder.join("logs")).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&file).unwrap();
    for at in [0, 35, 40, good.len() - 5] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&file, bad).unwrap();
        let damaged = refused(&mut command(&folder, &log.policy()));
        assert!(damaged.contains("is damaged"), "byte {at}: {damaged}");
    }
    fs::write(&file, good).unwrap();
    fs::set_permissions(folder.join(KEY_FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let open = refused(&mut command(&folder, &log.policy()));
    assert!(open.contains("group or world access"), "{open}");
}

/// Sixteen clients push two histories of one log at once: all that is cosigned is of one of them, and nothing is cosigned below what was before.
#[test]
fn requests_at_once_never_have_two_histories_cosigned() {
    let place = tempfile::tempdir().unwrap();
    // They part at the first leaf: where they share one, a checkpoint of it is of both.
    let log = Log::new("shop", 0);
    let witness = Witness::start(&place.path().join("w"), &log.policy());
    let largest = AtomicU64::new(0);
    let histories = [AtomicBool::new(false), AtomicBool::new(false)];
    let answers = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for client in 0..16usize {
            let (log, witness, largest, histories, answers) = (&log, &witness, &largest, &histories, &answers);
            scope.spawn(move || {
                let (history, mut old) = (client % 2, 0u64);
                for step in 0..20u64 {
                    let new = (old + 1 + (client as u64 + step) % 3).min(399);
                    let before = largest.load(Ordering::SeqCst);
                    let answer = witness.add(&log.grown(history, old, new));
                    match answer.status {
                        200 => {
                            witness.cosigned(&answer, log, history, new);
                            assert!(new >= before, "{new} was cosigned after {before}");
                            largest.fetch_max(new, Ordering::SeqCst);
                            histories[history].store(true, Ordering::SeqCst);
                            answers.fetch_add(1, Ordering::SeqCst);
                            old = new;
                        }
                        409 => old = answer.body.trim_end().parse().unwrap_or(old),
                        422 => {}
                        other => panic!("{other}: {answer:?}"),
                    }
                }
            });
        }
    });
    let cosigned = histories.map(AtomicBool::into_inner);
    assert!(cosigned[0] != cosigned[1], "{cosigned:?}");
    assert!(answers.into_inner() >= 2, "each history was offered until one was cosigned");
    let history = usize::from(cosigned[1]);
    let size = largest.into_inner();
    witness.cosigned(&witness.add(&log.grown(history, size, size)), &log, history, size);
}

/// `kill -9` while clients push: whatever was answered is remembered.
#[test]
fn what_was_answered_outlives_kill_9() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("w");
    let log = Log::new("shop", 1);
    let mut size = 0u64;
    for round in 0..6u64 {
        let witness = Witness::start(&folder, &log.policy());
        let address = witness.address;
        let answered = AtomicU64::new(size);
        std::thread::scope(|scope| {
            let (log, answered) = (&log, &answered);
            scope.spawn(move || {
                let mut old = size;
                // Until the witness is gone.
                while old < 390
                    && let Ok(answer) = Answer::of(address, "POST", "/add-checkpoint", log.grown(0, old, old + 1).as_bytes())
                {
                    match answer.status {
                        200 => {
                            old += 1;
                            answered.store(old, Ordering::SeqCst);
                        }
                        409 => old = answer.body.trim_end().parse().unwrap(),
                        other => panic!("{other}"),
                    }
                }
            });
            // At another moment of a request in every round.
            while answered.load(Ordering::SeqCst) < (size + 3 + round * 5).min(380) {
                std::hint::spin_loop();
            }
            witness.kill();
        });
        let witness = Witness::start(&folder, &log.policy());
        let told = witness.add(&log.grown(1, 0, 2));
        assert_eq!(told.status, 409, "{told:?}");
        size = told.body.trim_end().parse().unwrap();
        let answered = answered.into_inner();
        assert!(size == answered || size == answered + 1, "round {round}: {size} is remembered, {answered} was answered");
        assert_eq!(witness.add(&log.grown(1, size, size + 1)).status, 422, "another history");
    }
}

fn register(io: &SimIo, rng: &dyn Rng, policy: &Policy) -> base::SqlResult<Register> {
    let clock = Arc::new(SimClock::new(1_767_323_045_000_000, 7));
    Register::open(Arc::new(io.clone()), clock, rng, Path::new("/w"), None, policy)
}

/// Power fails at every step of the disk, an error comes at every step: what was answered is remembered; what was not, is known or is not, and either is
/// a state from which the log goes on and no other history does.
#[test]
fn power_fails_at_every_step() {
    let log = Log::new("shop", 1);
    let policy = Policy::parse(log.policy().as_bytes()).unwrap();
    let sizes = [0u64, 3, 5, 12];
    let work = |io: &SimIo, answered: &mut u64| -> Result<(), String> {
        let register = register(io, &SeededRng::new(1), &policy).map_err(|error| error.to_string())?;
        for pair in sizes.windows(2) {
            register.add_checkpoint(log.grown(0, pair[0], pair[1]).as_bytes()).map_err(|error| format!("{error:?}"))?;
            *answered = pair[1];
        }
        Ok(())
    };
    let whole = SimIo::new(0);
    work(&whole, &mut 0).unwrap();
    assert!(whole.steps() > 20, "{}", whole.steps());
    for step in 1..=whole.steps() {
        for (fault, seed) in (0..8).map(|seed| (Fault::Crash, seed)).chain([(Fault::Error, 0)]) {
            let io = SimIo::new(seed);
            io.plan(step, fault);
            let mut answered = 0;
            let ended = work(&io, &mut answered);
            if fault == Fault::Crash {
                assert!(ended.is_err());
                io.restart();
            }
            io.forget_faults();
            // The key may not have been drawn yet; nothing was answered under another then.
            let register = register(&io, &SeededRng::new(1), &policy).unwrap_or_else(|error| panic!("step {step}, {fault:?}: {error}"));
            let size = register.sizes()[0].1;
            let next = sizes.iter().copied().find(|size| *size > answered).unwrap_or(answered);
            assert!(size == answered || size == next, "step {step}, {fault:?} {seed}: {size} after {answered} was answered");
            if size > 0 {
                assert!(register.add_checkpoint(log.grown(1, size, 20).as_bytes()).is_err(), "another history");
                assert!(register.add_checkpoint(log.grown(1, 0, 20).as_bytes()).is_err(), "another history from nothing");
            }
            register.add_checkpoint(log.grown(0, size, 20).as_bytes()).unwrap();
        }
    }
}
