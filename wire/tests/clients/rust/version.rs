//! Tells a program the version of its driver: as the lock file has it.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let driver = std::env::var("CARGO_PKG_NAME").expect("Cargo sets it");
    let driver = driver.trim_end_matches("-client");
    let lock = format!("{folder}/../Cargo.lock");
    let text = std::fs::read_to_string(&lock).expect("the lock file");
    let package = text.split("[[package]]").find(|package| package.contains(&format!("\nname = \"{driver}\"\n"))).expect("the driver");
    let version = package.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')).expect("a version");
    println!("cargo::rustc-env=DRIVER_VERSION={version}");
    println!("cargo::rerun-if-changed={lock}");
    // The server that describes the queries of a program is another one each time.
    println!("cargo::rerun-if-env-changed=DATABASE_URL");
}
