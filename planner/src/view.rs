//! What a statement sees of its session: database, user, settings, time.
//!
//! Never: changes while the statement runs.

use std::sync::{Arc, Weak};

use engine::{Isolation, Transaction};
use relational::{Environment, Moment, Relational, ScalarFunction};

use crate::backends::Seat;
use crate::database::Database;
use crate::effects::Effects;
use crate::graph_functions;
use crate::graph_paths::{self, Means, Searched};
use crate::pg_catalog::{self, Scene};
use crate::receipts_shown;
use crate::resolver::Scope;
use crate::rights::access::Access;
use crate::rules::{Shelf, Surroundings};
use crate::sequence_functions::{self, Used};
use crate::session_functions;
use crate::settings::Settings;
use crate::types::Reading;
use crate::version::version_text;

/// What a statement sees of its session.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) database: &'a Database,
    pub(crate) user: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) transaction_time_us: i64,
    /// Where functions put what the session is to do.
    pub(crate) effects: &'a Effects,
    /// Values of sequences that the session got.
    pub(crate) used: &'a Used,
    /// The session's place among the others.
    pub(crate) seat: &'a Seat,
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
            cluster: Weak::clone(&self.database.cluster),
            access: Arc::new(Access::of(&catalog, role)),
            catalog,
            search_path: Arc::clone(self.settings.search_path()),
            user: Arc::clone(self.settings.user()),
            settings: self.settings.clone(),
            backends: Arc::clone(&self.seat.backends),
            backend: Arc::clone(&self.seat.backend),
            number: transaction.number(),
            is_written: !transaction.is_read_only(),
            checked: false,
            exempt: None,
            searched: Searched {
                graphs: Arc::clone(&self.database.graphs),
                moment: transaction.snapshot().seq,
                is_written: !transaction.is_read_only(),
                is_traced: transaction.isolation() == Isolation::Serializable,
                moved: None,
                interrupt: None,
            },
        }
    }

    /// When the statement runs.
    pub(crate) fn moment(&self) -> Moment {
        let zone = self.settings.manner().zone;
        Moment { transaction_us: self.transaction_time_us, statement_us: self.database.now_us(), zone }
    }

    /// How texts are read.
    pub(crate) fn reading(&self) -> Reading {
        Reading { manner: self.settings.manner(), now_us: Some(self.transaction_time_us) }
    }

    /// What functions such as `current_user` and `now()` answer from; those of the catalog are there if the text can mean one.
    pub(crate) fn environment(&self, scope: &Scope, text: &str) -> Environment {
        let own = self.database.functions.iter().cloned();
        let mut functions: Vec<_> = own.map(|function| receipts_shown::guarded(function, scope)).collect();
        functions.extend(session_functions::mentioned(text, self.settings, self.effects, scope));
        if pg_catalog::mentioned(text) {
            functions.extend(pg_catalog::functions(scope.scene()));
        }
        if sequence_functions::mentioned(text) {
            functions.extend(sequence_functions::all(&scope.scene(), self.used));
        }
        let mut environment = self.bare_environment(scope);
        functions.extend(self.graph_functions(scope, &environment));
        environment.functions = functions;
        environment
    }

    /// Functions that each run of a plan brings along anew, if it calls any: those of graphs, which are of its snapshot and end when it does.
    pub(crate) fn run_functions(&self, scope: &Scope, calls: &[String]) -> Vec<ScalarFunction> {
        let is_of_run = |name: &String| graph_paths::is_search(name) || graph_functions::is_own(name);
        if calls.iter().any(is_of_run) { self.graph_functions(scope, &self.bare_environment(scope)) } else { Vec::new() }
    }

    fn graph_functions(&self, scope: &Scope, environment: &Environment) -> Vec<ScalarFunction> {
        let mut functions = graph_functions::functions(scope.searched.interrupt.as_ref(), scope.settings.statement_memory());
        functions.extend(graph_paths::functions(Means {
            ledger: Arc::clone(&scope.ledger),
            catalog: Arc::clone(&scope.catalog),
            searched: scope.searched.clone(),
            memory_bytes: scope.settings.statement_memory(),
            relational: Arc::clone(&self.database.relational),
            environment: environment.clone(),
        }));
        functions
    }

    /// Without functions.
    fn bare_environment(&self, scope: &Scope) -> Environment {
        Environment {
            user: self.settings.current_user().to_owned(),
            session_user: self.settings.session_user().to_owned(),
            database: self.database.name().to_owned(),
            search_path: scope.lasting_schemas().map(str::to_owned).collect(),
            version: version_text(),
            transaction_time_us: self.transaction_time_us,
            statement_time_us: self.database.now_us(),
            manner: self.settings.manner(),
            functions: Vec::new(),
        }
    }
}

/// A statement of a session, as rules see it.
pub(crate) struct Place<'a> {
    pub(crate) view: View<'a>,
    pub(crate) scope: &'a Scope,
}

impl Surroundings for Place<'_> {
    fn relational(&self) -> &Relational {
        &self.view.database.relational
    }

    fn shelf(&self) -> &Shelf {
        &self.view.database.shelf
    }

    fn environment(&self, text: &str) -> Environment {
        self.view.environment(self.scope, text)
    }

    fn scene(&self) -> Scene {
        self.scope.scene()
    }

    fn used(&self) -> &Used {
        self.view.used
    }

    fn now_us(&self) -> i64 {
        self.view.transaction_time_us
    }
}
