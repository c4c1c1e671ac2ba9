//! The first superuser's password: given at first start, or drawn into a file that only the server's user can read.
//!
//! F1: a password once set is never replaced by a start.
//! F2: a drawn password is in its file before anybody can log in with it.
//! Never: prints a password.

use std::path::Path;
use std::sync::Arc;

use base::SqlResult;
use base::rng::{OsRng, Rng};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use planner::Database;

use crate::tls;

/// Name of the drawn password's file in the data folder; mode 0600.
pub const PASSWORD_FILE: &str = "superuser.password";
/// 144 bits, 24 characters.
const PASSWORD_BYTES: usize = 18;

/// Sets the password in each database whose first superuser has none (F1).
pub(crate) fn ensure(folder: &Path, given: Option<&str>, databases: &[Arc<Database>]) -> SqlResult<()> {
    let without: Vec<_> = databases.iter().filter(|database| !database.first_superuser_has_password()).collect();
    if without.is_empty() {
        return Ok(());
    }
    let password = match given {
        Some(password) => password.to_owned(),
        None => {
            let mut bytes = [0; PASSWORD_BYTES];
            OsRng.fill(&mut bytes);
            let password = URL_SAFE_NO_PAD.encode(bytes);
            tls::write(&folder.join(PASSWORD_FILE), format!("{password}\n").as_bytes(), 0o600)?;
            password
        }
    };
    without.iter().try_for_each(|database| database.set_first_password(&password))
}
