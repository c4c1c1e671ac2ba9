//! Links to files of the tree lead somewhere.

use super::Findings;
use super::tree::Tree;

/// Links in Markdown, relative to their page, and `docs/….md` named in the comments of sources, from the root.
pub fn resolve(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in markdown(text) {
            if !target_exists(tree, path, target) {
                findings.add("link", path, line, format!("`{target}` leads nowhere"));
            }
        }
    }
    for (path, source) in tree.rust().filter(|(path, _)| !path.starts_with("xtask/src/tidy/")) {
        for (index, line) in source.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//")) {
            for target in pages(line).filter(|target| !tree.exists(target)) {
                findings.add("link", path, index + 1, format!("`{target}` does not exist"));
            }
        }
    }
}

/// The targets of `[…](target)` outside of code, with their lines.
fn markdown(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](").filter(|(at, _)| line[..*at].matches('`').count() % 2 == 0) {
            let target = line[at + 2..].split([')', ' ']).next().unwrap_or_default();
            found.push((index + 1, target));
        }
    }
    found
}

fn target_exists(tree: &Tree, page: &str, target: &str) -> bool {
    let outside = target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
    let target = target.split('#').next().unwrap_or_default();
    if outside || target.is_empty() {
        return true;
    }
    let mut segments: Vec<&str> = page.split('/').collect();
    segments.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if segments.pop().is_none() => return false,
            ".." => {}
            part => segments.push(part),
        }
    }
    tree.exists(&segments.join("/"))
}

/// Paths of the form `docs/….md` in one line.
fn pages(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("docs/").filter_map(move |(at, _)| {
        let rest = &line[at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c))).unwrap_or(rest.len());
        let alone = at == 0 || !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || "/.".contains(c));
        let page = rest[..end].trim_end_matches('.');
        (alone && page.ends_with(".md")).then_some(page)
    })
}
