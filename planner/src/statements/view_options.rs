//! The options of views: whose rights open what they read, and what they demand of rows that are written through them.
//!
//! O1: `WITH CHECK OPTION` is `WITH (check_option = cascaded)`.
//! Never: reads a view's query but to see whether it is updatable.

use base::{SqlError, SqlResult, SqlState};
use engine::{Catalog, CheckOption, ViewDef};
use sqlparser::ast::{CreateTableOptions, CreateView, SqlOption};

use crate::names::fold;
use crate::updatable_views;

/// What a view is made with.
#[derive(Default)]
pub(super) struct ViewOptions {
    pub(super) security_invoker: bool,
    pub(super) check_option: Option<CheckOption>,
}

impl ViewOptions {
    /// Errors: 22023; 0A000 for `security_barrier`.
    pub(super) fn set(&mut self, name: &str, value: &str) -> SqlResult<()> {
        match name {
            "security_invoker" => self.security_invoker = boolean(name, value)?,
            "check_option" => self.check_option = Some(check_option(value)?),
            "security_barrier" => return Err(SqlError::unsupported(format!("the option \"{name}\" of a view"))),
            _ => return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unrecognized parameter \"{name}\""))),
        }
        Ok(())
    }

    /// One as it is where nothing is said.
    pub(super) fn reset(&mut self, name: &str) {
        match name {
            "security_invoker" => self.security_invoker = false,
            "check_option" => self.check_option = None,
            _ => {}
        }
    }
}

/// The options of a CREATE VIEW. Errors: 22023, 0A000 for other options; 42601 for one given twice.
pub(super) fn read(create: &CreateView, clause: Option<CheckOption>) -> SqlResult<ViewOptions> {
    let mut options = ViewOptions { check_option: clause, ..ViewOptions::default() };
    let given = match &create.options {
        CreateTableOptions::None => return Ok(options),
        CreateTableOptions::With(given) => given,
        _ => return Err(SqlError::unsupported("OPTIONS on a view")),
    };
    let mut known: Vec<String> = Vec::new();
    for option in given {
        let (name, value) = match option {
            SqlOption::Ident(name) => (fold(name), "true".to_owned()),
            SqlOption::KeyValue { key, value } => (fold(key), value.to_string().trim_matches(['\'', '"']).to_lowercase()),
            _ => return Err(SqlError::unsupported("this option of a view")),
        };
        if known.contains(&name) || (name == "check_option" && clause.is_some()) {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("parameter \"{name}\" specified more than once")));
        }
        options.set(&name, &value)?;
        known.push(name);
    }
    Ok(options)
}

fn boolean(name: &str, value: &str) -> SqlResult<bool> {
    match value {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => {
            let message = format!("invalid value for boolean option \"{name}\": {value}");
            Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message))
        }
    }
}

fn check_option(value: &str) -> SqlResult<CheckOption> {
    CheckOption::named(value).ok_or_else(|| {
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid value for enum option \"check_option\": {value}"))
            .detail("Valid values are \"local\" and \"cascaded\".")
    })
}

/// A check option needs a view that rows are written through. Errors: 0A000.
pub(super) fn check_updatable(catalog: &Catalog, view: &ViewDef) -> SqlResult<()> {
    let why = match updatable_views::read(catalog, view)? {
        Ok(simple) if simple.columns.iter().any(Option::is_some) => return Ok(()),
        Ok(_) => "Views that have no updatable columns are not automatically updatable.",
        Err(why) => why,
    };
    Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "WITH CHECK OPTION is supported only on automatically updatable views").hint(why))
}
