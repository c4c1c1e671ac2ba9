//! Each rule on a small tree that breaks it, and on one that does not.

use super::tree::Tree;
use super::{Check, Findings, check, crates, decisions, headers, links, lockfile, modules, reasons, words};

const ROOT: (&str, &str) = ("Cargo.toml", "[workspace]\nmembers = [\"base\", \"wal\", \"receipts\", \"planner/relational\"]\n");

fn found(rule: Check, files: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Findings::default();
    rule(&Tree::of(files), &mut findings);
    findings.0.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_found(rule: Check, files: &[(&str, &str)], wanted: &[&str]) {
    let found = found(rule, files);
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.contains(wanted), "`{wanted}` is not in `{found}`");
    }
}

fn crates_with(page: &str, wal: &str) -> [(String, String); 4] {
    [
        ("Cargo.toml".into(), "[workspace]\nmembers = [\"base\", \"wal\"]\n".into()),
        ("ARCHITECTURE.md".into(), page.into()),
        ("base/Cargo.toml".into(), "[package]\nname = \"base\"\n".into()),
        ("wal/Cargo.toml".into(), format!("[package]\nname = \"wal\"\n[dependencies]\n{wal}")),
    ]
}

#[track_caller]
fn assert_arrows(page: &str, wal: &str, wanted: &[&str]) {
    let files = crates_with(page, wal);
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    assert_found(crates::arrows, &files, wanted);
}

#[test]
fn arrows_between_crates_are_those_of_the_table() {
    let allowed = "# x\n\n| crate | may depend on | never |\n|---|---|---|\n| `base` | nothing | … |\n| `wal` | `base` | … |\n\n| a |\n";
    let forbidden = "| Crate | never | May depend on |\n|--|--|--|\n| `base` | x | — |\n| `wal` | y | — |\n";
    assert_arrows(allowed, "base.workspace = true\ncrc32fast.workspace = true", &[]);
    assert_arrows(forbidden, "base.workspace = true", &["`wal` may not depend on `base`: ARCHITECTURE.md allows nothing"]);
    assert_arrows("| crate | may depend on |\n|-|-|\n| base | - |\n", "", &["no row for `wal`"]);
    assert_arrows(
        "| crate | may depend on |\n|-|-|\n| base | - |\n| wal | any |\n| gone | - |\n",
        "base = 1",
        &["`gone`, which is no crate"],
    );
    assert_arrows("no table", "", &["there is no table"]);
    assert_found(crates::arrows, &[ROOT], &["the file is missing"]);
}

#[test]
fn datafusion_is_named_in_one_crate() {
    let files = [
        ROOT,
        ("planner/relational/Cargo.toml", "[package]\nname = \"relational\"\n[dependencies]\ndatafusion.workspace = true\n"),
        ("planner/relational/src/lib.rs", "use datafusion::prelude::*;"),
        ("wal/Cargo.toml", "[package]\nname = \"wal\"\n[dev-dependencies]\ndatafusion-common = \"1\"\n"),
        ("wal/src/lib.rs", "//! Faster than datafusion.\nlet s = \"datafusion\";\nuse datafusion::x;"),
    ];
    assert_found(crates::datafusion, &files, &["depends on `datafusion-common`", "wal/src/lib.rs:3"]);
}

#[test]
fn cycles_between_modules_are_found_through_re_exports() {
    let files = [
        ROOT,
        ("wal/Cargo.toml", "[package]\nname = \"wal\"\n"),
        ("wal/src/lib.rs", "//! x\nmod file;\nmod frame;\npub use frame::Frame;\n#[cfg(test)]\nmod tests;\n"),
        ("wal/src/file.rs", "use crate::Frame;\n"),
        ("wal/src/frame/mod.rs", "mod inner;\n"),
        ("wal/src/frame/inner.rs", "\nuse super::super::file::File;\n"),
    ];
    assert_found(modules::arrows, &files, &["wal/src/file.rs:1: modules: `file` uses `frame`, which uses `file`"]);
}

#[test]
fn tests_may_use_any_module() {
    let files = [
        ROOT,
        ("wal/Cargo.toml", "[package]\nname = \"wal\"\n"),
        ("wal/src/lib.rs", "//! x\nmod file;\nmod frame;\n"),
        ("wal/src/file.rs", "use crate::frame::Frame;\n"),
        ("wal/src/frame.rs", "// crate::file\n#[cfg(test)]\nmod tests { use crate::file::File; }\n"),
        ("wal/src/frame/tests.rs", "use crate::file::File;\n"),
    ];
    assert_found(modules::arrows, &files, &[]);
}

#[test]
fn a_declared_order_holds() {
    let files = [
        ROOT,
        ("wal/Cargo.toml", "[package]\nname = \"wal\"\n"),
        ("wal/src/lib.rs", "//! x\n//! Module order: file, frame, gone\nmod file;\nmod frame;\nmod more;\n"),
        ("wal/src/file.rs", "use crate::frame::Frame;\n"),
    ];
    let wanted = ["does not name `more`", "names `gone`, which is no module", "wal/src/file.rs:1: modules: `file` may not use `frame`"];
    assert_found(modules::arrows, &files, &wanted);
}

#[test]
fn one_version_of_what_crosses_borders() {
    let two = "[[package]]\nname = \"arrow\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"arrow\"\nversion = \"2.0.0\"\n\
               [[package]]\nname = \"rand\"\nversion = \"1.0.0\"\n[[package]]\nname = \"rand\"\nversion = \"2.0.0\"\n";
    assert_found(lockfile::one_version, &[("Cargo.lock", two)], &["`arrow` is there in 2 versions: 1.0.0, 2.0.0"]);
}

#[test]
fn receipts_reaches_no_runtime() {
    let lock = "[[package]]\nname = \"receipts\"\nversion = \"1\"\ndependencies = [\n \"blake3\",\n \"tokio\",\n]\n\
                [[package]]\nname = \"blake3\"\nversion = \"1\"\ndependencies = [\n \"arrow-array 59.0.0\",\n]\n";
    // tokio is a dev-dependency: the lock lists it beside the others, the manifest tells them apart.
    let manifest = "[package]\nname = \"receipts\"\n[dependencies]\nblake3.workspace = true\n[dev-dependencies]\ntokio.workspace = true\n";
    let files = [ROOT, ("Cargo.lock", lock), ("receipts/Cargo.toml", manifest)];
    assert_found(lockfile::receipts_alone, &files, &["receipts → blake3 → arrow-array"]);
}

#[test]
fn receipts_opens_nothing() {
    let source = "//! std::fs is never used.\nuse std::fs::File;\n#[cfg(test)]\nmod t { use std::time::Instant; }\n";
    assert_found(words::receipts_pure, &[("receipts/src/note.rs", source)], &["receipts/src/note.rs:2"]);
}

#[test]
fn files_open_with_their_purpose_and_are_short() {
    let files = [("a/src/x.rs", "//! Purpose.\n"), ("a/src/y.rs", "use z;\n"), ("a/src/z.rs", "//!\n")];
    assert_found(headers::opens_with_purpose, &files, &["a/src/y.rs:1", "a/src/z.rs:1"]);
    let long = "//! x\n".repeat(701);
    assert_found(headers::length, &[("a/src/x.rs", long.as_str()), ("a/src/y.rs", &long[6..])], &["a/src/x.rs: length: 701 lines"]);
}

#[test]
fn unfinished_work_is_found_in_code_only() {
    let source = concat!("//! Says todo!() in a comment.\nfn f() { todo!() }\nfn my_dbg!() {}\n// FIX", "ME later\n");
    assert_found(words::unfinished, &[("a/src/x.rs", source)], &["a/src/x.rs:2", "a/src/x.rs:4"]);
}

#[test]
fn machine_paths_are_found_where_they_stand_alone() {
    let text = concat!("see `/ho", "me/me/x`\nhttps://host/wo", "rk/y and a/ro", "ot/b\n");
    assert_found(words::machine_paths, &[("docs/x.md", text)], &["docs/x.md:1"]);
}

#[test]
fn exceptions_from_lints_say_why() {
    let source = "#![allow(a, reason = \"said\")]\n#[expect(b)]\n#[allow(c, reason = \" \")]\n#[cfg_attr(test, allow(d))]\n\
                  fn f() { x.expect(\"y\"); } // #[allow(e)]\n#[allow(\n    f,\n    reason = \"said\",\n)]\n";
    assert_found(reasons::exceptions_say_why, &[("a/src/x.rs", source)], &["a/src/x.rs:3", "a/src/x.rs:4", "a/src/x.rs:2"]);
}

#[test]
fn links_lead_somewhere() {
    let page = "[a](formats/wal.md#head) [b](../README.md) [c](https://x.y) [d](gone.md) `[e](no.md)`\n```\n[f](no.md)\n```\n[g](#here) [h](../../x)\n";
    let files = [
        ("docs/x.md", page),
        ("docs/formats/wal.md", ""),
        ("README.md", ""),
        ("wal/src/lib.rs", "//! Format: docs/formats/wal.md.\n//! See docs/formats/none.md.\n"),
    ];
    assert_found(links::resolve, &files, &["docs/x.md:1: link: `gone.md`", "docs/x.md:5: link: `../../x`", "wal/src/lib.rs:2"]);
}

#[test]
fn decisions_are_indexed_and_numbered_once() {
    let files = [
        ("docs/decisions/README.md", "[1](0001-a.md) [2](0002-b.md)"),
        ("docs/decisions/0001-a.md", ""),
        ("docs/decisions/0002-b.md", ""),
        ("docs/decisions/0002-c.md", ""),
        ("docs/decisions/notes.md", ""),
    ];
    let wanted =
        ["0002-c.md: decisions: docs/decisions/README.md does not link it", "has the same number", "does not link it", "is named `NNNN-"];
    assert_found(decisions::indexed, &files, &wanted);
}

#[test]
fn an_exception_takes_out_its_finding_and_a_stale_one_is_found() {
    let tree = Tree::of(&[
        ("Cargo.toml", "members = []"),
        ("Cargo.lock", ""),
        ("ARCHITECTURE.md", "| crate | may depend on |\n|-|-|\n"),
        ("a/src/x.rs", "fn f() {}\n"),
        ("xtask/exceptions.txt", "# comment\nheader a/src/x.rs: generated\nlength a/src/x.rs: was long\nnonsense\n"),
    ]);
    let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("exceptions.txt:3") && found[1].contains("exceptions.txt:4"), "{found:#?}");
}
