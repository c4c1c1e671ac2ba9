//! Words that must not stand in the tree.

use super::Findings;
use super::code::{code_only, line_of, without_tests, word_starts};
use super::tree::Tree;

/// Macros that mark unfinished work, and the comment that does.
pub fn unfinished(tree: &Tree, findings: &mut Findings) {
    for (path, source) in tree.rust() {
        let code = code_only(source);
        for word in ["todo!", "unimplemented!", "dbg!"] {
            for at in word_starts(&code, word) {
                findings.add("unfinished", path, line_of(&code, at), format!("`{word}` must not be kept"));
            }
        }
        for at in word_starts(source, concat!("FIX", "ME")) {
            findings.add("unfinished", path, line_of(source, at), "write an issue, or do it now");
        }
    }
}

/// Paths that exist on one machine only.
pub fn machine_paths(tree: &Tree, findings: &mut Findings) {
    const FOLDERS: &[&str] = &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];
    for (path, text) in tree.files() {
        for folder in FOLDERS {
            // A longer path or an address may contain the same letters: `https://host/work/`, `a/root/b`.
            let alone =
                |at: usize| at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b'\n' | b'\t' | b'"' | b'\'' | b'`' | b'(' | b'=' | b':');
            for (at, _) in text.match_indices(folder).filter(|(at, _)| alone(*at)) {
                findings.add("machine-path", path, line_of(text, at), format!("`{folder}…` exists on one machine only"));
            }
        }
    }
}

/// The verifier takes bytes and gives a verdict: it opens nothing, waits for nothing, asks no clock.
pub fn receipts_pure(tree: &Tree, findings: &mut Findings) {
    const DOORS: &[&str] = &["std::fs", "std::net", "std::process", "std::time", "std::env", "std::thread"];
    for (path, source) in tree.under("receipts/src").filter(|(path, _)| path.ends_with(".rs") && !path.ends_with("/tests.rs")) {
        let code = without_tests(&code_only(source));
        for door in DOORS {
            for at in word_starts(&code, door) {
                findings.add(
                    "receipts",
                    path,
                    line_of(&code, at),
                    format!("`{door}`: receipts does no I/O; take the bytes as an argument"),
                );
            }
        }
    }
}
