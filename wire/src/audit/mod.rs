//! `shockwave audit`: an auditor's visit, to a live server, an export, or both.
//!
//! U1: keys come from the policy alone, and the log of today must extend the checkpoint that this auditor kept; whoever answers is not believed.
//! U2: a section that could not be made is inconclusive and is printed; the exit code is that of the worst section.
//! U3: the kept checkpoint is replaced only after a visit at which everything was valid.
//! Never: writes to the server; asks it whether it is honest.

#![allow(clippy::disallowed_methods, reason = "an auditor's own files, away from the data; no engine has them open")]

mod compare;
mod expired;
mod leaves;
mod report;
mod sample;
pub mod server;
mod statement;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use base::rng::{OsRng, Rng};
use base::{Clock, Io, RealClock, RealIo};
use receipts::verdict::{Finding, Report, Verdict};
use receipts::{Checkpoint, Policy, verify_consistency};

use crate::cli::Audit;
use crate::commands::failed;
use crate::commands::serve::runtime;
use crate::commands::verify::{policy, read_text};
use report::Visit;
use server::Server;

/// A server, and what its answers are held against.
struct Asked<'a> {
    server: &'a Server,
    checkpoint: &'a Checkpoint,
    policy: &'a Policy,
}

/// Makes the visit, prints the report, and writes it where it is wanted.
pub fn run(arguments: &Audit) -> ExitCode {
    let visit = match begin(arguments) {
        Ok(visit) => visit,
        Err(verdict) => {
            print!("{verdict}");
            return ExitCode::from(verdict.exit_code());
        }
    };
    print!("{visit}");
    match finish(arguments, &visit) {
        Ok(()) => ExitCode::from(visit.worst().exit_code()),
        Err(why) => failed(&why),
    }
}

/// `Err` where nothing could be begun: no policy, nothing kept that can be read.
fn begin(arguments: &Audit) -> Result<Visit, Verdict> {
    let policy = policy(&arguments.pinned)?;
    let kept = arguments.kept.as_deref().filter(|path| path.exists()).map(read_text).transpose()?;
    let seed = arguments.seed.unwrap_or_else(|| OsRng.next_u64());
    let mut visit = Visit::new(RealClock.now_us(), seed);
    if let Some(conninfo) = &arguments.server {
        let runtime = runtime().map_err(|error| inconclusive("runtime", error.message()))?;
        runtime.block_on(to_server(arguments, conninfo, &policy, kept.as_deref(), &mut visit));
    }
    if let Some(folder) = &arguments.export {
        let verdict = to_export(folder, &policy, kept.as_deref(), visit.seen());
        visit.add("export", verdict);
    }
    Ok(visit)
}

async fn to_server(arguments: &Audit, conninfo: &str, policy: &Policy, kept: Option<&[u8]>, visit: &mut Visit) {
    let server = match Server::connect(conninfo, "shockwave audit").await {
        Ok(server) => server,
        Err(why) => return visit.add("server", inconclusive("server", &why)),
    };
    let Some((checkpoint, note)) = newest(&server, policy, visit).await else { return };
    visit.see(&checkpoint, &note);
    let consistency = extends(&server, &checkpoint, policy, kept).await;
    visit.add("consistency with what was kept", consistency);
    let (verdict, chosen) = leaves::check(&server, &checkpoint, arguments.sample, visit.seed).await;
    visit.add("every leaf of the log", verdict);
    let asked = Asked { server: &server, checkpoint: &checkpoint, policy };
    let (verdict, shown) = sample::check(&asked, &chosen, visit.seed).await;
    visit.add("receipts drawn at random", verdict);
    if !arguments.no_compare {
        visit.add("what SQL answers of them", compare::check(&asked, &shown).await);
    }
}

/// The newest checkpoint that the server shows.
async fn newest(server: &Server, policy: &Policy, visit: &mut Visit) -> Option<(Checkpoint, String)> {
    let note = match server.newest().await {
        Ok(note) => note,
        Err(why) => {
            visit.add("checkpoint", inconclusive("server", &why));
            return None;
        }
    };
    let verdict = receipts::verify::verify_checkpoint(note.as_bytes(), policy);
    let is_valid = matches!(verdict, Verdict::Valid(_));
    visit.add("checkpoint", verdict);
    let text = receipts::note::Note::parse(&note).ok().filter(|_| is_valid)?;
    Some((Checkpoint::parse(text.text()).ok()?, note))
}

/// Whether the log extends the kept one (U1).
async fn extends(server: &Server, checkpoint: &Checkpoint, policy: &Policy, kept: Option<&[u8]>) -> Verdict {
    let Some(kept) = kept else {
        let report = Report {
            subject: "the first visit".to_owned(),
            not_covered: vec!["that the history was another one before: there is no checkpoint from an earlier visit".to_owned()],
            ..Report::default()
        };
        return Verdict::Valid(Box::new(report));
    };
    let before = match receipts::verify::verify_checkpoint(kept, policy) {
        Verdict::Valid(_) => str::from_utf8(kept).ok().and_then(|text| receipts::note::Note::parse(text).ok()),
        verdict => return verdict,
    };
    let Some(before) = before.and_then(|note| Checkpoint::parse(note.text()).ok()) else {
        return Verdict::Malformed(finding("kept checkpoint", "cannot be read"));
    };
    if before.origin != checkpoint.origin {
        return Verdict::Tampered(finding("checkpoint", &format!("is of {}, not of {}, which was kept", checkpoint.origin, before.origin)));
    }
    if before.size > checkpoint.size {
        let why = format!("has {} leaves, the kept one {}: the log was cut", checkpoint.size, before.size);
        return Verdict::Tampered(finding("checkpoint", &why));
    }
    match server.consistency(before.size, checkpoint.size).await {
        Ok(proof) => verify_consistency(kept, proof.as_bytes(), policy),
        Err(why) => inconclusive("server", &why),
    }
}

/// The export from its bytes up, and that it is of the log which the server showed.
fn to_export(folder: &Path, policy: &Policy, kept: Option<&[u8]>, seen: Option<&Checkpoint>) -> Verdict {
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let verdict = engine::fsck::check_export(&io, folder, kept, policy);
    let Verdict::Valid(report) = &verdict else { return verdict };
    let Some(seen) = seen else { return verdict };
    match read_text(&folder.join("checkpoint")) {
        Err(unreadable) => unreadable,
        Ok(note) => match str::from_utf8(&note).ok().and_then(|text| receipts::note::Note::parse(text).ok()) {
            Some(note) => match Checkpoint::parse(note.text()) {
                Ok(found) if found.origin != seen.origin => {
                    Verdict::Tampered(finding("export", &format!("is of {}, the server of {}", found.origin, seen.origin)))
                }
                Ok(found) if found.size == seen.size && found.root != seen.root => {
                    Verdict::Tampered(finding("export", "has another root than the server at the same size: the log was forked"))
                }
                Ok(_) => Verdict::Valid(report.clone()),
                Err(error) => error.into(),
            },
            None => Verdict::Malformed(finding("export", "has a checkpoint that cannot be read")),
        },
    }
}

/// Writes the reports, and what to bring along next time (U3).
fn finish(arguments: &Audit, visit: &Visit) -> Result<(), String> {
    if let Some(folder) = &arguments.report {
        let written = |error: std::io::Error| format!("could not write the report: {error}");
        fs::create_dir_all(folder).map_err(written)?;
        fs::write(folder.join("report.txt"), visit.to_string()).map_err(written)?;
        fs::write(folder.join("report.json"), visit.json()).map_err(written)?;
        if let Some(key) = &arguments.sign_key {
            fs::write(folder.join("report.dsse.json"), statement::sign(key, visit)?).map_err(written)?;
        }
    }
    if let (Some(kept), Some(note), 0) = (&arguments.kept, visit.note(), visit.worst().exit_code()) {
        replace(kept, note).map_err(|error| format!("could not keep the checkpoint: {error}"))?;
    }
    Ok(())
}

/// The file is the old one or the new one, whatever happens.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, text)?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(&beside, path)
}

fn finding(what: &str, why: &str) -> Finding {
    Finding { what: what.to_owned(), why: why.to_owned(), checked: Vec::new() }
}

fn inconclusive(what: &str, why: &str) -> Verdict {
    Verdict::Inconclusive(finding(what, why))
}
