//! The text files of the workspace, read once.
//!
//! Never: follows a symbolic link; reads build output, version control or fuzz corpora.

use std::collections::BTreeMap;
use std::path::Path;

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &["target", ".git", "node_modules", "corpus", "artifacts"];

/// Endings of files that are read; files without an ending are read too (`LICENSE`, `.ci/run`).
const ENDINGS: &[&str] = &["rs", "toml", "md", "sh", "txt", "json", "lock", "yml", "yaml", "py", "go", "ts", "sql"];

/// Files by their path from the root, separated by `/`.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file below `root`.
    ///
    /// # Errors
    /// A folder or file that cannot be read. A file that is not UTF-8 is passed over: it is no text.
    pub fn read(root: &Path) -> Result<Tree, String> {
        let mut tree = Tree::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// A tree of the given paths and texts, for tests.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("{}: {e}", folder.display()))?;
            let kind = entry.file_type().map_err(|e| format!("{}: {e}", entry.path().display()))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &path)?;
            } else if kind.is_file() && is_text(&name) {
                let bytes = std::fs::read(entry.path()).map_err(|e| format!("{path}: {e}"))?;
                if let Ok(text) = String::from_utf8(bytes) {
                    self.files.insert(path, text);
                }
            }
        }
        Ok(())
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// The text of one file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// True if a file or a folder with a read file in it has this path.
    pub fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains_key(path) || path.is_empty() || self.under(path).next().is_some()
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files below one folder.
    pub fn under(&self, folder: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = format!("{folder}/");
        self.files.range(prefix.clone()..).take_while(move |(path, _)| path.starts_with(&prefix)).map(|(p, t)| (p.as_str(), t.as_str()))
    }

    /// The Rust source files.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }
}

fn is_text(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, ending)) => ENDINGS.contains(&ending),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn folders_exist_and_are_listed_alone() {
        let tree = Tree::of(&[("wal/src/lib.rs", ""), ("wal-more/src/lib.rs", ""), ("wal/Cargo.toml", "")]);
        assert!(tree.exists("wal/src") && tree.exists("wal/") && !tree.exists("wa"));
        assert_eq!(tree.under("wal").map(|(path, _)| path).collect::<Vec<_>>(), ["wal/Cargo.toml", "wal/src/lib.rs"]);
    }
}
