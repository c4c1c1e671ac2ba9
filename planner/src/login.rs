//! What a login needs to know of a role.
//!
//! Never: judges a proof; the wire does.

use base::{SqlError, SqlResult};
use engine::roles::FIRST_SUPERUSER;

use crate::database::Database;
use crate::rights::access::Access;
use crate::verifier::Verifier;

/// A role as it may log in, or not.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub role: u32,
    /// Its name.
    pub name: String,
    /// Passes every check.
    pub superuser: bool,
    /// Has LOGIN.
    pub login: bool,
    /// Has CONNECT on the database.
    pub may_connect: bool,
    /// Its password, if it has one.
    pub verifier: Option<Verifier>,
    /// VALID UNTIL is past.
    pub expired: bool,
    /// Sessions at once; −1 for any number.
    pub connection_limit: i32,
}

impl Database {
    /// The role of that name, if there is one. Errors: 58030, XX001 where its verifier cannot be read.
    pub fn account(&self, name: &str) -> SqlResult<Option<Account>> {
        let catalog = self.ledger.snapshot().catalog;
        let Some(role) = catalog.authority().role_named(name) else { return Ok(None) };
        let text = role.password.as_ref().map(|hash| self.ledger.verifier(hash)).transpose()?.flatten();
        Ok(Some(Account {
            role: role.id,
            name: role.name.clone(),
            superuser: role.superuser,
            login: role.login,
            may_connect: Access::of(&catalog, role.id).may_connect_to(&catalog),
            verifier: text.as_deref().and_then(Verifier::parse),
            expired: role.valid_until_us.is_some_and(|until| until <= self.now_us()),
            connection_limit: role.connection_limit,
        }))
    }

    /// Whether anybody could log in as the superuser that every database begins with.
    pub fn first_superuser_has_password(&self) -> bool {
        let catalog = self.ledger.snapshot().catalog;
        catalog.authority().role(FIRST_SUPERUSER).is_some_and(|role| role.password.is_some())
    }

    /// Sets the password of the superuser that every database begins with. Errors: what a commit raises.
    pub fn set_first_password(&self, password: &str) -> SqlResult<()> {
        let mut transaction = self.ledger.begin(engine::roles::FIRST_SUPERUSER_NAME);
        let catalog = transaction.catalog();
        let role = catalog.authority().role(FIRST_SUPERUSER).ok_or_else(|| SqlError::internal("the first superuser is gone"))?;
        let mut role = (**role).clone();
        role.password = Some(self.ledger.keep_verifier(&Verifier::of_password(password).text())?);
        transaction.define_role(role)?;
        transaction.commit_blocking().map(drop)
    }
}
