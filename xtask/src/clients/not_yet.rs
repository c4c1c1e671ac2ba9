//! `wire/tests/clients/not_yet.txt`: checks that are known to fail, each line `CLIENT: CHECK: reason`.
//!
//! Never: excuses a check that is not named, a program that does not run, or a real PostgreSQL.

use std::collections::BTreeMap;
use std::path::Path;

/// Reason by client and check; a `*` in either stands for any text.
#[derive(Debug, Default)]
pub struct NotYet(BTreeMap<(String, String), String>);

impl NotYet {
    /// Reads the list; a list that is not there is empty.
    ///
    /// # Errors
    /// A line that names no client, check and reason.
    pub fn read(path: &Path) -> Result<NotYet, String> {
        NotYet::parse(&std::fs::read_to_string(path).unwrap_or_default()).map_err(|line| format!("{}: {line}", path.display()))
    }

    fn parse(text: &str) -> Result<NotYet, String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let entry = |line: &str| {
            let mut parts = line.splitn(3, ": ").map(|part| part.trim().to_owned());
            match (parts.next(), parts.next(), parts.next().filter(|reason| !reason.is_empty())) {
                (Some(client), Some(check), Some(reason)) => Ok(((client, check), reason)),
                _ => Err(format!("`{line}` is not `CLIENT: CHECK: reason`")),
            }
        };
        lines.map(entry).collect::<Result<_, _>>().map(NotYet)
    }

    /// Why a check may fail.
    pub fn reason(&self, client: &str, check: &str) -> Option<&str> {
        let named = |(of, what): &(String, String)| matches(of, client) && matches(what, check);
        self.0.iter().find(|(key, _)| named(key)).map(|(_, reason)| reason.as_str())
    }
}

/// Whether `text` is what `pattern` says, with at most one `*`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
        None => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::NotYet;

    #[test]
    fn a_line_excuses_what_it_names() {
        let list = NotYet::parse("# a remark\n\npsql: copy: built by others\npsql: type json*: no JSON\n*: type *[]: no arrays\n")
            .expect("a list");
        assert_eq!(list.reason("psql", "copy"), Some("built by others"));
        assert_eq!(list.reason("psql", "type jsonb"), Some("no JSON"));
        assert_eq!(list.reason("asyncpg", "type text[]"), Some("no arrays"));
        assert_eq!((list.reason("psql", "copying"), list.reason("asyncpg", "copy")), (None, None));
        assert!(NotYet::parse("psql: copy").is_err());
    }
}
