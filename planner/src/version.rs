//! What the server says it is.
//!
//! Never: depends on a database.

/// Version as `SHOW server_version` gives it; drivers read the leading number.
pub(crate) const SERVER_VERSION: &str = concat!("15.0 (Shockwave ", env!("CARGO_PKG_VERSION"), ")");

/// What `version()` answers.
pub(crate) fn version_text() -> String {
    format!("PostgreSQL {SERVER_VERSION} on {}-{}, 64-bit", std::env::consts::ARCH, std::env::consts::OS)
}
