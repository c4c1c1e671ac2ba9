//! What the figures were measured on.

use std::path::Path;

/// Cores, processor, memory, kernel and the file system under `folder`.
pub fn facts(folder: &Path) -> Vec<(String, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string());
    let named = [
        ("cores", cores),
        ("processor", value(&read("/proc/cpuinfo"), "model name").unwrap_or_default()),
        ("memory", value(&read("/proc/meminfo"), "MemTotal").and_then(|total| gibibytes(&total)).unwrap_or_default()),
        ("kernel", read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ("file system", file_system(&read("/proc/mounts"), folder).unwrap_or_default()),
    ];
    named.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The value of the first `key : value` line.
fn value(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| Some(line.strip_prefix(key)?.trim_start().strip_prefix(':')?.trim().to_owned()))
}

fn gibibytes(kilobytes: &str) -> Option<String> {
    let kilobytes: f64 = kilobytes.trim_end_matches(" kB").parse().ok()?;
    Some(format!("{:.0} GiB", kilobytes / f64::from(1 << 20)))
}

/// Type and device of the deepest mount that holds `folder`. A file system in memory makes every durable commit free, so it is marked.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (device, point, kind) = (fields.next()?, fields.next()?, fields.next()?);
        folder.starts_with(point).then_some((point.len(), device, kind))
    });
    let (_, device, kind) = mounted.max_by_key(|(length, ..)| *length)?;
    let warning = if matches!(kind, "tmpfs" | "ramfs") { ": in memory, so nothing here is durable; use --dir" } else { "" };
    Some(format!("{kind} on {device}{warning}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmporary xfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/var/x")).as_deref(), Some("ext4 on /dev/a"));
        assert!(file_system(mounts, Path::new("/tmp/x")).is_some_and(|fs| fs.starts_with("tmpfs on tmpfs: in memory")));
    }

    #[test]
    fn proc_files_are_read() {
        assert_eq!(value("processor\t: 0\nmodel name\t: EPYC\n", "model name").as_deref(), Some("EPYC"));
        assert_eq!(gibibytes("25165824 kB").as_deref(), Some("24 GiB"));
    }
}
