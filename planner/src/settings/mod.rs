//! Run-time parameters of a session: SET, SHOW, RESET, and what clients are told in ParameterStatus.
//!
//! G1: a value that is shown can be set again.
//! Never: prints a value; what it tells of the manner of printing stands in [`Manner`]. client_encoding has one value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};

mod known;
mod seen;
mod values;

use crate::as_of::AsOf;
use crate::ground::Ground;
use crate::types::Manner;
pub(crate) use known::{AS_OF, GRAPH_OPERATORS, GRAPH_PLAN_SEED, LEDGER_WAIT};
use known::{KNOWN, Kind, Known};
pub(crate) use seen::Seen;
use values::{check, kilobytes, milliseconds};

/// A parameter's name as it is kept.
pub(crate) type ParameterName = Cow<'static, str>;

fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// Whether a name is of the kind that applications make up: with a dot, every part an identifier.
fn is_custom(name: &str) -> bool {
    let is_identifier = |part: &str| {
        part.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    };
    name.contains('.') && name.split('.').all(is_identifier)
}

fn unrecognized(name: &str) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

/// The parameters of one session. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    user: Arc<str>,
    /// Values that differ from the default, by name as in `KNOWN`; those of an application by lower-case name.
    values: Arc<BTreeMap<ParameterName, String>>,
    /// Defaults of this session, given at its start; RESET returns to them.
    start: Arc<BTreeMap<ParameterName, String>>,
    search_path: Arc<[String]>,
    ground: Arc<Ground>,
    /// Read by every statement.
    manner: Manner,
    statement_timeout: Option<Duration>,
    statement_memory: Option<usize>,
    default_read_only: bool,
    as_of: Option<AsOf>,
}

/// Parameters that change what text means: how constants are read, values are written, and `session_user` is answered.
const GROUNDING: [&str; 7] = [
    "bytea_output",
    "DateStyle",
    "extra_float_digits",
    "IntervalStyle",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

impl Settings {
    pub(crate) fn new(user: &str, application_name: &str) -> Self {
        let start = [("session_authorization", user.to_owned()), ("application_name", application_name.to_owned())];
        let start = Arc::new(start.map(|(name, value)| (name.into(), value)).into());
        let mut settings = Self {
            user: user.into(),
            values: Arc::default(),
            start,
            search_path: Arc::new([]),
            ground: Arc::default(),
            manner: Manner::default(),
            statement_timeout: None,
            statement_memory: None,
            default_read_only: false,
            as_of: None,
        };
        settings.settle();
        settings
    }

    /// The present value. Errors: 42704.
    pub(crate) fn show(&self, name: &str) -> SqlResult<(ParameterName, String)> {
        if let Some(known) = known(name) {
            return Ok((known.name.into(), self.value(known)));
        }
        let name = name.to_lowercase();
        match self.values.get(name.as_str()).or_else(|| self.start.get(name.as_str())) {
            Some(value) => Ok((name.into(), value.clone())),
            None => Err(unrecognized(&name)),
        }
    }

    /// What SET LOCAL returns to: the present value, or none of a parameter that the application makes up.
    pub(crate) fn before(&self, name: &str) -> (ParameterName, String) {
        self.show(name).unwrap_or_else(|_| (name.to_lowercase().into(), String::new()))
    }

    fn value(&self, known: &Known) -> String {
        self.values.get(known.name).or_else(|| self.start.get(known.name)).cloned().unwrap_or_else(|| values::shown_default(known))
    }

    /// Every parameter and its value, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        KNOWN.iter().map(|known| (known.name, self.value(known)))
    }

    /// What ParameterStatus tells.
    pub(crate) fn reported(&self) -> Vec<(String, String)> {
        KNOWN.iter().filter(|known| known.reported).map(|known| (known.name.to_owned(), self.value(known))).collect()
    }

    /// Sets a parameter. Errors: 42704, 22023, 55P02.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> SqlResult<()> {
        let (name, value) = self.checked(name, value)?;
        Arc::make_mut(&mut self.values).insert(name, value);
        self.settle();
        Ok(())
    }

    /// Sets what RESET returns to: for parameters of the startup message.
    pub(crate) fn set_default(&mut self, name: &str, value: &str) -> SqlResult<()> {
        let (name, value) = self.checked(name, value)?;
        Arc::make_mut(&mut self.start).insert(name, value);
        self.settle();
        Ok(())
    }

    /// Returns a parameter to its default. Errors: 42704, 55P02.
    pub(crate) fn reset(&mut self, name: &str) -> SqlResult<()> {
        let Some(known) = known(name) else {
            let name = name.to_lowercase();
            let removed = Arc::make_mut(&mut self.values).remove(name.as_str());
            return if removed.is_some() || is_custom(&name) { Ok(()) } else { Err(unrecognized(&name)) };
        };
        if matches!(known.kind, Kind::Fixed) {
            return Err(values::fixed(known));
        }
        Arc::make_mut(&mut self.values).remove(known.name);
        self.settle();
        Ok(())
    }

    /// Returns every parameter to its default.
    pub(crate) fn reset_all(&mut self) {
        // Who the session is stays, as in Postgres.
        const KEPT: [&str; 3] = ["role", "session_authorization", "is_superuser"];
        Arc::make_mut(&mut self.values).retain(|name, _| KEPT.contains(&name.as_ref()));
        self.settle();
    }

    /// Whose rights count.
    pub(crate) fn current_user(&self) -> &str {
        match self.text("role") {
            "none" | "" => self.session_user(),
            role => role,
        }
    }

    /// Who the session belongs to: whoever logged in, or whom SET SESSION AUTHORIZATION named.
    pub(crate) fn session_user(&self) -> &str {
        self.text("session_authorization")
    }

    fn text(&self, name: &str) -> &str {
        self.values.get(name).or_else(|| self.start.get(name)).map_or("", String::as_str)
    }

    /// Becomes another role, by `role` or `session_authorization`, which the session has found allowed; `None` returns to the start.
    pub(crate) fn become_role(&mut self, parameter: &'static str, role: Option<&str>, superuser: bool) {
        let values = Arc::make_mut(&mut self.values);
        if parameter == "session_authorization" {
            values.remove("role");
        }
        match role {
            Some(role) => values.insert(parameter.into(), role.to_owned()),
            None => values.remove(parameter),
        };
        values.insert("is_superuser".into(), if superuser { "on" } else { "off" }.to_owned());
        self.user = self.current_user().into();
        self.settle();
    }

    /// Tells clients from the start whether the user is a superuser.
    pub(crate) fn note_superuser(&mut self, superuser: bool) {
        Arc::make_mut(&mut self.start).insert("is_superuser".into(), if superuser { "on" } else { "off" }.to_owned());
    }

    /// `search_path` with `$user` replaced.
    pub(crate) fn search_path(&self) -> &Arc<[String]> {
        &self.search_path
    }

    /// What plans made for this session stand on.
    pub(crate) fn ground(&self) -> &Arc<Ground> {
        &self.ground
    }

    /// `current_user`.
    pub(crate) fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// How values are read and written.
    pub(crate) fn manner(&self) -> Manner {
        self.manner
    }

    /// `statement_timeout`; `None` for 0.
    pub(crate) fn statement_timeout(&self) -> Option<Duration> {
        self.statement_timeout
    }

    /// `statement_mem` in bytes; `None` for 0.
    pub(crate) fn statement_memory(&self) -> Option<usize> {
        self.statement_memory
    }

    /// `lock_timeout`; `None` for 0.
    pub(crate) fn lock_timeout(&self) -> Option<Duration> {
        let limit = self.show("lock_timeout").map(|(_, value)| value).unwrap_or_default();
        milliseconds(&limit).filter(|ms| *ms > 0).map(Duration::from_millis)
    }

    /// Whether commits wait for witnesses.
    pub(crate) fn waits_for_witnesses(&self) -> bool {
        self.text(LEDGER_WAIT) == "cosigned"
    }

    /// Whether graph operators answer joins wherever they can, or never; `None` where it is a question of cost.
    pub(crate) fn graph_operators(&self) -> Option<bool> {
        match self.text(GRAPH_OPERATORS) {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }

    /// What the plans of graph operators are drawn from; `None` for the best.
    pub(crate) fn graph_plan_seed(&self) -> Option<u64> {
        self.text(GRAPH_PLAN_SEED).parse().ok().filter(|seed| *seed > 0)
    }

    /// Whether a plain BEGIN opens a read-only block.
    pub(crate) fn default_read_only(&self) -> bool {
        self.default_read_only
    }

    /// The moment of the past that statements read.
    pub(crate) fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    /// Isolation of a plain BEGIN, by its SQL name.
    pub(crate) fn default_isolation(&self) -> String {
        self.show("default_transaction_isolation").map(|(_, value)| value).unwrap_or_default()
    }

    fn settle(&mut self) {
        let path = self.show("search_path").map(|(_, path)| path).unwrap_or_default();
        self.search_path = path
            .split(',')
            .map(|item| item.trim())
            .filter(|item| !item.is_empty())
            .map(|item| match item.strip_prefix('"').and_then(|item| item.strip_suffix('"')) {
                Some("$user") => self.user.to_string(),
                Some(quoted) => quoted.replace("\"\"", "\""),
                None if item == "$user" => self.user.to_string(),
                None => item.to_owned(),
            })
            .collect();
        let shown = |name: &str| self.show(name).map(|(_, value)| value).unwrap_or_default();
        let timeout = milliseconds(&shown("statement_timeout")).filter(|ms| *ms > 0).map(Duration::from_millis);
        let memory = kilobytes(&shown("statement_mem")).filter(|kb| *kb > 0);
        let memory = memory.map(|kb| usize::try_from(kb).unwrap_or(usize::MAX).saturating_mul(1_024));
        let read_only = shown("default_transaction_read_only") == "on";
        let manner = Manner::of(&shown("TimeZone"), &shown("DateStyle"), &shown("IntervalStyle"), &shown("bytea_output"));
        // As it is shown it is read in any manner (F1).
        let as_of = AsOf::read(&shown(AS_OF), &Manner::default()).ok();
        (self.statement_timeout, self.statement_memory) = (timeout, memory);
        (self.default_read_only, self.manner, self.as_of) = (read_only, manner, as_of);

        let values = GROUNDING.iter().filter_map(|name| self.show(name).ok()).map(|(_, value)| value).collect();
        let ground = Ground { user: Arc::clone(&self.user), search_path: Arc::clone(&self.search_path), values };
        if ground != *self.ground {
            self.ground = Arc::new(ground);
        }
    }
}

impl Settings {
    /// A parameter and a value it takes. Errors: 42704, 22023, 55P02, 42602.
    fn checked(&self, name: &str, value: &str) -> SqlResult<(ParameterName, String)> {
        match name {
            // What it does not say stays.
            name if name.eq_ignore_ascii_case("DateStyle") => {
                Ok(("DateStyle".into(), values::date_style(value, (self.manner.dates, self.manner.order))?))
            }
            name if name.eq_ignore_ascii_case(AS_OF) => {
                let value = if value.trim().is_empty() { String::new() } else { AsOf::read(value, &self.manner)?.to_string() };
                Ok((AS_OF.into(), value))
            }
            name => checked(name, value),
        }
    }
}

/// A parameter and a value it takes. Errors: 42704, 22023, 55P02, 42602.
fn checked(name: &str, value: &str) -> SqlResult<(ParameterName, String)> {
    match known(name) {
        Some(known) => Ok((known.name.into(), check(known, value)?)),
        None if is_custom(name) => Ok((name.to_lowercase().into(), value.to_owned())),
        None if name.contains('.') => {
            let error = SqlError::new(SqlState("42602"), format!("invalid configuration parameter name \"{name}\""));
            Err(error.detail("Custom parameter names must be two or more simple identifiers separated by dots."))
        }
        None => Err(unrecognized(name)),
    }
}
