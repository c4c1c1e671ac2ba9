//! As much of `Cargo.toml` as the checks need: members, package name, dependencies by section.
//!
//! Never: understands all of TOML. It reads the one-key-a-line style that every manifest here is written in.

use super::tree::Tree;

/// One manifest of the workspace.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Path from the root, `wal/Cargo.toml`.
    pub path: String,
    /// The package's name.
    pub name: String,
    /// Dependencies of `[dependencies]` and `[build-dependencies]`, also of those under `[target.…]`.
    pub normal: Vec<String>,
    /// Those of `[dev-dependencies]`.
    pub dev: Vec<String>,
}

/// The workspace's members, in the order of the root manifest.
pub fn members(tree: &Tree) -> Vec<Manifest> {
    let root = tree.get("Cargo.toml").unwrap_or_default();
    let list = root.lines().skip_while(|line| !line.starts_with("members")).collect::<Vec<_>>().join("\n");
    let list = list.split(']').next().unwrap_or_default();
    let folders = list.split('"').skip(1).step_by(2);
    folders.map(|folder| format!("{folder}/Cargo.toml")).filter_map(|path| tree.get(&path).map(|text| parse(&path, text))).collect()
}

/// Reads one manifest.
pub fn parse(path: &str, text: &str) -> Manifest {
    let mut manifest = Manifest { path: path.to_owned(), ..Manifest::default() };
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
            // `[dependencies.tokio]` names its dependency in the section itself.
            if let Some((kind, dependency)) = section.rsplit_once('.')
                && let Some(list) = list(&mut manifest, kind)
            {
                list.push(dependency.to_owned());
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.trim().split('.').next().unwrap_or_default();
        if section == "package" && key == "name" {
            manifest.name = value.trim().trim_matches('"').to_owned();
        } else if !key.is_empty()
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            && let Some(list) = list(&mut manifest, &section)
        {
            list.push(renamed_from(value).unwrap_or(key).to_owned());
        }
    }
    manifest
}

/// The list that a section's keys go to, if the section is one of dependencies.
fn list<'a>(manifest: &'a mut Manifest, section: &str) -> Option<&'a mut Vec<String>> {
    match section.rsplit('.').next() {
        Some("dependencies" | "build-dependencies") if !section.starts_with("workspace") => Some(&mut manifest.normal),
        Some("dev-dependencies") => Some(&mut manifest.dev),
        _ => None,
    }
}

/// The real name in `{ package = "name", … }`.
fn renamed_from(value: &str) -> Option<&str> {
    value.split_once("package = \"")?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_kept_apart() {
        let text = "[package]\nname = \"wal\"\n[dependencies]\nbase.workspace = true\nx = { package = \"y\" }\n\
                    [target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n[dependencies.tokio]\nversion = \"1\"\n\
                    [dev-dependencies]\ntempfile.workspace = true\n[lints]\nworkspace = true\n";
        let manifest = parse("wal/Cargo.toml", text);
        assert_eq!(manifest.name, "wal");
        assert_eq!(manifest.normal, ["base", "y", "libc", "tokio"]);
        assert_eq!(manifest.dev, ["tempfile"]);
    }

    #[test]
    fn members_come_from_the_root() {
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace]\ndefault-members = [\"b\"]\nmembers = [\n \"a\",\n \"b/c\"]\nx = [\"d\"]"),
            ("a/Cargo.toml", "[package]\nname = \"a\""),
            ("b/c/Cargo.toml", "[package]\nname = \"c\""),
        ]);
        assert_eq!(members(&tree).iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }
}
