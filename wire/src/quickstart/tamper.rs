//! One flipped byte in a copy of the sealed folder, and what notices.
//!
//! Never: touches the original.

use std::fs;
use std::path::{Path, PathBuf};

use receipts::Policy;

use super::Failure;
use super::console::Console;
use super::folder::Workplace;
use crate::commands::fsck::{Outcome, check};

/// Copies the folder, checks the copy, flips a byte, checks again.
pub fn flip_and_catch(console: &Console, place: &Workplace, policy: &Policy) -> Result<(), Failure> {
    let copy = place.copy();
    copy_folder(&place.data(), &copy)?;
    let honest = fsck(&copy, policy)?;
    if honest.verdict.exit_code() != 0 {
        return Err(Failure::new(format!("the untouched copy is not valid\n{}", honest.verdict)));
    }
    console.result(&format!("fsck of the untouched copy: {}", honest.verdict.name()));
    console.line(&honest.counts());
    let segment = largest_segment(&copy)?;
    let offset = flip(&segment)?;
    let shown = segment.strip_prefix(&copy).unwrap_or(&segment);
    console.line(&format!("flipped one bit of byte {offset} in {}; fsck again:", shown.display()));
    let verdict = fsck(&copy, policy)?.verdict;
    // A broken segment may be unreadable before it is wrong; both are caught, and both must name the file.
    let named =
        verdict.finding().is_some_and(|finding| shown.file_name().is_some_and(|name| finding.what.contains(&*name.to_string_lossy())));
    if !matches!(verdict.exit_code(), 1 | 2) || !named {
        return Err(Failure::new(format!("the flipped byte was not caught and named\n{verdict}")));
    }
    console.block(&verdict.to_string());
    console.result("caught and named");
    Ok(())
}

/// fsck of the one ledger in a folder.
fn fsck(folder: &Path, policy: &Policy) -> Result<Outcome, Failure> {
    let outcomes = check(folder, None, policy, None).map_err(|verdict| Failure::new(verdict.to_string()))?;
    outcomes.into_iter().next().ok_or_else(|| Failure::new("there is no ledger in the copy"))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn largest_segment(folder: &Path) -> Result<PathBuf, Failure> {
    let mut pending = vec![folder.join("ledgers")];
    let mut largest: Option<(u64, PathBuf)> = None;
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.components().any(|part| part.as_os_str() == "segments") {
                largest = largest.max(Some((fs::metadata(&path)?.len(), path)));
            }
        }
    }
    largest.map(|(_, path)| path).ok_or_else(|| Failure::new("nothing was sealed into a segment"))
}

/// Flips the lowest bit of the middle byte; gives its offset. The copy's files may be read-only, as the originals are.
fn flip(path: &Path) -> Result<usize, Failure> {
    let mut bytes = fs::read(path)?;
    let offset = bytes.len() / 2;
    let byte = bytes.get_mut(offset).ok_or_else(|| Failure::new(format!("{} is empty", path.display())))?;
    *byte ^= 1;
    fs::remove_file(path)?;
    fs::write(path, bytes)?;
    Ok(offset)
}
