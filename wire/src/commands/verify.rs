//! `shockwave verify receipt | disclose | consistency`: reads files, asks `receipts`, prints the verdict.
//!
//! V1: keys come from `--policy` or `--key`, never from what is verified.
//! V2: the exit code is the verdict's; nothing here turns another verdict into 0.
//! Never: talks to a server or opens a data folder.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use receipts::cose::is_cose;
use receipts::note::VerifierKey;
use receipts::sd_jwt::is_sd_jwt;
use receipts::verdict::{Finding, Verdict};
use receipts::verify::{follow_keys, verify_consistency, verify_disclosure, verify_receipt};
use receipts::{FormatError, Policy};

use crate::cli::{KeysFollow, Pinned, VerifyConsistency, VerifyReceipt};

/// Larger than any receipt or proof can be; past it a file is not read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Verifies a receipt.
pub fn receipt(arguments: &VerifyReceipt) -> ExitCode {
    finish(&receipt_verdict(arguments).unwrap_or_else(|verdict| verdict))
}

/// Verifies a disclosure.
pub fn disclosure(arguments: &VerifyReceipt) -> ExitCode {
    finish(&disclosure_verdict(arguments).unwrap_or_else(|verdict| verdict))
}

/// Verifies a consistency proof.
pub fn consistency(arguments: &VerifyConsistency) -> ExitCode {
    finish(&consistency_verdict(arguments).unwrap_or_else(|verdict| verdict))
}

/// Prints the policy with the keys that replaced pinned ones.
pub fn follow(arguments: &KeysFollow) -> ExitCode {
    let followed = read_text(&arguments.receipt).and_then(|receipt| follow_keys(&receipt, &read(&arguments.policy)?));
    match followed {
        Ok(policy) => {
            print!("{policy}");
            ExitCode::SUCCESS
        }
        Err(verdict) => {
            // Standard output is the new policy, or nothing.
            eprint!("{verdict}");
            ExitCode::from(verdict.exit_code())
        }
    }
}

fn receipt_verdict(arguments: &VerifyReceipt) -> Result<Verdict, Verdict> {
    let policy = policy(&arguments.pinned)?;
    Ok(verify_receipt(&read_text(&arguments.file)?, &policy))
}

fn disclosure_verdict(arguments: &VerifyReceipt) -> Result<Verdict, Verdict> {
    let policy = policy(&arguments.pinned)?;
    Ok(verify_disclosure(&read_text(&arguments.file)?, &policy))
}

fn consistency_verdict(arguments: &VerifyConsistency) -> Result<Verdict, Verdict> {
    let policy = policy(&arguments.pinned)?;
    Ok(verify_consistency(&read_text(&arguments.old)?, &read_text(&arguments.proof)?, &policy))
}

/// Prints a verdict and gives its exit code (V2).
pub fn finish(verdict: &Verdict) -> ExitCode {
    print!("{verdict}");
    ExitCode::from(verdict.exit_code())
}

/// The pinned policy (V1); malformed if it cannot be read.
pub fn policy(pinned: &Pinned) -> Result<Policy, Verdict> {
    match &pinned.policy {
        Some(path) => Ok(Policy::parse(&read(path)?)?),
        None => {
            let keys: Vec<VerifierKey> = pinned.key.iter().map(|key| VerifierKey::parse(key.trim())).collect::<Result<_, FormatError>>()?;
            Ok(Policy::of_logs(&keys.iter().collect::<Vec<_>>())?)
        }
    }
}

/// The bytes of a receipt, proof or checkpoint; `-` is standard input. These texts end in one newline; the one that psql puts behind a value it
/// prints (`psql -At … > file`) is not part of them and is left off; so it is behind an SD-JWT, which ends in a tilde. COSE is no text.
pub fn read_text(path: &Path) -> Result<Vec<u8>, Verdict> {
    let mut bytes = read(path)?;
    let is_longer = bytes.ends_with(b"\n\n") || is_sd_jwt(&bytes) && bytes.ends_with(b"~\n");
    if is_longer && !is_cose(&bytes) {
        bytes.pop();
    }
    Ok(bytes)
}

/// A file's bytes; `-` is standard input.
pub fn read(path: &Path) -> Result<Vec<u8>, Verdict> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    let malformed = |why: String| Verdict::Malformed(Finding { what: path.display().to_string(), why, checked: Vec::new() });
    match read {
        Err(error) => Err(malformed(format!("cannot be read: {error}"))),
        Ok(_) if bytes.len() as u64 > FILE_BYTES_MAX => Err(malformed("is too long to be a receipt, a proof or a policy".to_owned())),
        Ok(_) => Ok(bytes),
    }
}
