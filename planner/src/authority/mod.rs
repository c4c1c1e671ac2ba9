//! Who may log in: roles and their passwords.
//!
//! Never: keeps a password.

mod login;
mod verifier;

pub use login::Account;
pub use verifier::Verifier;
