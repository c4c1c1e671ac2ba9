//! The witness's own key: drawn at first start, in a file that only its user can read.
//!
//! Never: prints the private half.

use std::path::Path;

use base::io::Io;
use base::{Rng, SqlError, SqlResult, SqlState};
use receipts::WitnessSigner;

use super::register::{failed, put, read};
use crate::tls::check_private;

/// Name of the key file in the witness's folder.
pub const KEY_FILE: &str = "witness.key";

/// Reads the key, or draws it and makes it durable. `name` is what it is to be called; of one that is there already it must be the name.
///
/// Errors: 22023 for a name that is none, or not that of the key there; 58030, 53100; F0000 for a file that is no key or that others can read.
pub fn open(io: &dyn Io, rng: &dyn Rng, folder: &Path, name: Option<&str>) -> SqlResult<WitnessSigner> {
    let path = folder.join(KEY_FILE);
    let Some(bytes) = read(io, &path)? else { return make(io, rng, folder, name) };
    // A simulated disk knows no modes, and has no such path.
    if path.exists() {
        check_private(&path)?;
    }
    let unusable = |why: String| SqlError::new(SqlState("F0000"), format!("could not use \"{}\": {why}", path.display()));
    let text = String::from_utf8(bytes).map_err(|_| unusable("not text".to_owned()))?;
    let signer = WitnessSigner::parse(text.trim_end()).map_err(|error| unusable(error.to_string()))?;
    match name {
        Some(name) if name != signer.verifier().name() => Err(SqlError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("the witness in \"{}\" is called \"{}\", not \"{name}\"", folder.display(), signer.verifier().name()),
        )
        .hint("A witness keeps its name: logs and verifiers have pinned it. Leave --name out, or give another --data-dir.")),
        _ => Ok(signer),
    }
}

fn make(io: &dyn Io, rng: &dyn Rng, folder: &Path, name: Option<&str>) -> SqlResult<WitnessSigner> {
    let (mut seed, mut drawn) = ([0; 32], [0; 4]);
    rng.fill(&mut seed);
    rng.fill(&mut drawn);
    let own = format!("shockwave-witness/{:08x}", u32::from_be_bytes(drawn));
    let signer = WitnessSigner::new(name.unwrap_or(&own), &seed)
        .map_err(|error| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("cannot be called so: {error}")))?;
    let path = folder.join(KEY_FILE);
    put(io, &path, format!("{}\n", signer.secret_text()).as_bytes(), 0o600).map_err(|error| failed("write", &path, &error))?;
    Ok(signer)
}
