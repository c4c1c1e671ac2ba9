//! Paths through a crate's modules, found in its code by text.
//!
//! Never: expands macros or follows globs; what it cannot see it does not report.

use super::code::{is_word, word_starts};

/// A use tree's leaf: the segments of the path, and the name under which it is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Segments, `["crate", "file", "File"]`.
    pub segments: Vec<String>,
    /// The alias, or the last segment.
    pub name: String,
}

/// Every leaf of every `use …;` in `code`.
pub fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for at in word_starts(code, "use ") {
        let rest = &code[at + "use ".len()..];
        let Some(end) = rest.find(';') else { continue };
        leaves(&rest[..end], &[], &mut found);
    }
    found
}

fn leaves(tree: &str, prefix: &[String], found: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let mut segments = prefix.to_vec();
        segments.extend(split(&tree[..open]));
        let inside = tree[open + 1..].trim_end().strip_suffix('}').unwrap_or(&tree[open + 1..]);
        for part in split_list(inside) {
            leaves(part, &segments, found);
        }
        return;
    }
    let (path, alias) = match tree.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim().to_owned())),
        None => (tree, None),
    };
    let mut segments = prefix.to_vec();
    segments.extend(split(path));
    if segments.last().is_some_and(|last| last == "self") && segments.len() > 1 {
        segments.pop();
    }
    if let Some(last) = segments.last().cloned() {
        found.push(Import { name: alias.unwrap_or(last), segments });
    }
}

fn split(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split("::").map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned)
}

/// Splits at the commas that stand outside braces.
fn split_list(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0usize, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// What follows `crate::`, or a `super::` chain that ends at the crate's root, anywhere in `code`: byte and first name.
///
/// `depth` is how deep the file's module lies below the root: 1 for `src/a.rs`, 2 for `src/a/b.rs`.
pub fn root_references(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in word_starts(code, "crate::") {
        first_names(code, at + "crate::".len(), &mut found);
    }
    let chain = "super::".repeat(depth);
    for at in word_starts(code, &chain) {
        let after = at + chain.len();
        let longer = code[after..].starts_with("super::") || code[..at].ends_with("::");
        if depth > 0 && !longer {
            first_names(code, after, &mut found);
        }
    }
    found
}

/// The identifier at `at`, or the first identifiers of the group in braces there.
fn first_names(code: &str, at: usize, found: &mut Vec<(usize, String)>) {
    let rest = &code[at..];
    let Some(inside) = rest.strip_prefix('{') else {
        let name: String = rest.bytes().take_while(|b| is_word(*b)).map(char::from).collect();
        if !name.is_empty() {
            found.push((at, name));
        }
        return;
    };
    let end = group_end(inside);
    for part in split_list(&inside[..end]) {
        let name: String = part.trim().bytes().take_while(|b| is_word(*b)).map(char::from).collect();
        if !name.is_empty() {
            found.push((at, name));
        }
    }
}

/// The byte of the brace that closes a group whose opening brace has been passed.
fn group_end(inside: &str) -> usize {
    let mut depth = 1usize;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_trees_are_flattened() {
        let found = imports("pub use a::{B, c::{D as E, self}};\nuse crate::f;");
        let shown: Vec<String> = found.iter().map(|i| format!("{}={}", i.name, i.segments.join("::"))).collect();
        assert_eq!(shown, ["B=a::B", "E=a::c::D", "c=a::c", "f=crate::f"]);
    }

    #[test]
    fn references_are_found_in_use_groups_and_expressions() {
        let names = |code: &str, depth| root_references(code, depth).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names("use crate::{a::{X, Y}, b, C}; fn f() { crate::d::g() }", 1), ["a", "b", "C", "d"]);
        assert_eq!(names("use super::a::X; use super::super::b;", 1), ["a"]);
        assert_eq!(names("use super::a::X; use super::super::b;", 2), ["b"]);
        assert_eq!(names("pub(crate) fn f() {}", 1), Vec::<String>::new());
    }
}
