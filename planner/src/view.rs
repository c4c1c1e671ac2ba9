//! What a statement sees of its session: database, user, settings, time.
//!
//! Never: changes while the statement runs.

use std::sync::Arc;

use engine::Transaction;
use relational::{Environment, Moment};

use crate::database::{Database, version_text};
use crate::effects::Effects;
use crate::pg_catalog;
use crate::receipts_shown;
use crate::resolver::Scope;
use crate::rights::access::Access;
use crate::session_functions;
use crate::settings::Settings;

/// What a statement sees of its session.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) database: &'a Database,
    pub(crate) user: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) transaction_time_us: i64,
    /// Where functions put what the session is to do.
    pub(crate) effects: &'a Effects,
}

impl View<'_> {
    /// The transaction's catalog through the session's search path.
    /// Rights do not count in it until [`Scope::checked`] says so.
    pub(crate) fn scope(&self, transaction: &Transaction) -> Scope {
        let catalog = transaction.catalog();
        let user = self.settings.current_user();
        let role = catalog.authority().role_named(user).map_or(u32::MAX, |role| role.id);
        Scope {
            ledger: Arc::clone(&self.database.ledger),
            access: Arc::new(Access::of(&catalog, role)),
            catalog,
            search_path: Arc::clone(self.settings.search_path()),
            user: Arc::clone(self.settings.user()),
            checked: false,
            exempt: None,
        }
    }

    /// When the statement runs.
    pub(crate) fn moment(&self) -> Moment {
        Moment { transaction_us: self.transaction_time_us, statement_us: self.database.now_us() }
    }

    /// What functions such as `current_user` and `now()` answer from; those of the catalog are there if the text can mean one.
    pub(crate) fn environment(&self, scope: &Scope, text: &str) -> Environment {
        let own = self.database.functions.iter().cloned();
        let mut functions: Vec<_> = own.map(|function| receipts_shown::guarded(function, scope)).collect();
        functions.extend(session_functions::mentioned(text, self.settings, self.effects));
        if pg_catalog::mentioned(text) {
            functions.extend(pg_catalog::functions(scope.scene()));
        }
        Environment {
            user: self.settings.current_user().to_owned(),
            session_user: self.settings.session_user().to_owned(),
            database: self.database.name().to_owned(),
            search_path: scope.schemas().map(str::to_owned).collect(),
            version: version_text(),
            transaction_time_us: self.transaction_time_us,
            statement_time_us: self.database.now_us(),
            functions,
        }
    }
}
