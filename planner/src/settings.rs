//! Run-time parameters of a session: SET, SHOW, RESET, and what clients are told in ParameterStatus.
//!
//! G1: a value that is shown can be set again.
//! Never: changes how a value is printed; DateStyle, TimeZone, IntervalStyle and client_encoding have one value each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};

use crate::database::SERVER_VERSION;

/// What values a parameter takes.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bool,
    Integer(i64, i64),
    /// A duration in ms unless a unit follows.
    Milliseconds,
    /// One of these, compared without case.
    OneOf(&'static [&'static str]),
    Fixed,
}

struct Known {
    name: &'static str,
    default: &'static str,
    kind: Kind,
    /// Told to clients at start and on change.
    reported: bool,
}

const fn known(name: &'static str, default: &'static str, kind: Kind, reported: bool) -> Known {
    Known { name, default, kind, reported }
}

const ISOLATION: Kind = Kind::OneOf(&["read committed", "repeatable read", "serializable", "read uncommitted"]);

/// Sorted by name without case.
const KNOWN: &[Known] = &[
    known("application_name", "", Kind::Text, true),
    known("bytea_output", "hex", Kind::OneOf(&["hex"]), false),
    known("client_encoding", "UTF8", Kind::OneOf(&["UTF8", "UNICODE"]), true),
    known(
        "client_min_messages",
        "notice",
        Kind::OneOf(&["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"]),
        false,
    ),
    known("DateStyle", "ISO, MDY", Kind::OneOf(&["ISO, MDY", "ISO,MDY", "ISO"]), true),
    known("default_transaction_isolation", "read committed", ISOLATION, false),
    known("default_transaction_read_only", "off", Kind::Bool, true),
    known("extra_float_digits", "1", Kind::Integer(-15, 3), false),
    known("idle_in_transaction_session_timeout", "0", Kind::Milliseconds, false),
    known("in_hot_standby", "off", Kind::Fixed, true),
    known("integer_datetimes", "on", Kind::Fixed, true),
    known("IntervalStyle", "postgres", Kind::OneOf(&["postgres"]), true),
    known("is_superuser", "on", Kind::Fixed, true),
    known("lock_timeout", "0", Kind::Milliseconds, false),
    known("max_identifier_length", "63", Kind::Fixed, false),
    known("search_path", "\"$user\", public", Kind::Text, false),
    known("server_encoding", "UTF8", Kind::Fixed, true),
    known("server_version", SERVER_VERSION, Kind::Fixed, true),
    known("server_version_num", "150000", Kind::Fixed, false),
    known("session_authorization", "", Kind::Fixed, true),
    known("standard_conforming_strings", "on", Kind::OneOf(&["on"]), true),
    known("statement_timeout", "0", Kind::Milliseconds, false),
    known("synchronous_commit", "on", Kind::OneOf(&["on"]), false),
    known("TimeZone", "UTC", Kind::OneOf(&["UTC", "Etc/UTC", "GMT"]), true),
    known("transaction_isolation", "read committed", Kind::Fixed, false),
    known("transaction_read_only", "off", Kind::Fixed, false),
];

fn find(name: &str) -> SqlResult<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\"")))
}

/// The parameters of one session. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    user: Arc<str>,
    /// Values that differ from the default, by name as in `KNOWN`.
    values: Arc<BTreeMap<&'static str, String>>,
    /// Defaults of this session, given at its start; RESET returns to them.
    start: Arc<BTreeMap<&'static str, String>>,
    search_path: Arc<[String]>,
}

impl Settings {
    pub(crate) fn new(user: &str, application_name: &str) -> Self {
        let start =
            Arc::new(BTreeMap::from([("session_authorization", user.to_owned()), ("application_name", application_name.to_owned())]));
        let mut settings = Self { user: user.into(), values: Arc::default(), start, search_path: Arc::new([]) };
        settings.read_search_path();
        settings
    }

    /// The present value. Errors: 42704.
    pub(crate) fn show(&self, name: &str) -> SqlResult<(&'static str, String)> {
        let known = find(name)?;
        Ok((known.name, self.value(known)))
    }

    fn value(&self, known: &Known) -> String {
        self.values.get(known.name).or_else(|| self.start.get(known.name)).cloned().unwrap_or_else(|| known.default.to_owned())
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
        let known = find(name)?;
        let value = check(known, value)?;
        Arc::make_mut(&mut self.values).insert(known.name, value);
        self.read_search_path();
        Ok(())
    }

    /// Sets what RESET returns to: for parameters of the startup message.
    pub(crate) fn set_default(&mut self, name: &str, value: &str) -> SqlResult<()> {
        let known = find(name)?;
        let value = check(known, value)?;
        Arc::make_mut(&mut self.start).insert(known.name, value);
        self.read_search_path();
        Ok(())
    }

    /// Returns a parameter to its default. Errors: 42704, 55P02.
    pub(crate) fn reset(&mut self, name: &str) -> SqlResult<()> {
        let known = find(name)?;
        if matches!(known.kind, Kind::Fixed) {
            return Err(fixed(known));
        }
        Arc::make_mut(&mut self.values).remove(known.name);
        self.read_search_path();
        Ok(())
    }

    /// Returns every parameter to its default.
    pub(crate) fn reset_all(&mut self) {
        self.values = Arc::default();
        self.read_search_path();
    }

    /// `search_path` with `$user` replaced.
    pub(crate) fn search_path(&self) -> &Arc<[String]> {
        &self.search_path
    }

    /// `statement_timeout`; `None` for 0.
    pub(crate) fn statement_timeout(&self) -> Option<Duration> {
        let ms = self.values.get("statement_timeout").or_else(|| self.start.get("statement_timeout"))?;
        parse_milliseconds(ms).filter(|ms| *ms > 0).map(Duration::from_millis)
    }

    /// Whether a plain BEGIN opens a read-only block.
    pub(crate) fn default_read_only(&self) -> bool {
        self.show("default_transaction_read_only").is_ok_and(|(_, value)| value == "on")
    }

    /// Isolation of a plain BEGIN, by its SQL name.
    pub(crate) fn default_isolation(&self) -> String {
        self.show("default_transaction_isolation").map(|(_, value)| value).unwrap_or_default()
    }

    fn read_search_path(&mut self) {
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
    }
}

fn fixed(known: &Known) -> SqlError {
    SqlError::new(SqlState::CANT_CHANGE_RUNTIME_PARAM, format!("parameter \"{}\" cannot be changed", known.name))
}

fn check(known: &Known, value: &str) -> SqlResult<String> {
    let invalid = |hint: String| {
        let message = format!("invalid value for parameter \"{}\": \"{value}\"", known.name);
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message).hint(hint)
    };
    match known.kind {
        Kind::Fixed => Err(fixed(known)),
        Kind::Text => Ok(value.to_owned()),
        Kind::Bool => match value.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" | "t" => Ok("on".into()),
            "off" | "false" | "no" | "0" | "f" => Ok("off".into()),
            _ => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("parameter \"{}\" requires a Boolean value", known.name))),
        },
        Kind::Integer(least, greatest) => match value.parse::<i64>() {
            Ok(n) if (least..=greatest).contains(&n) => Ok(n.to_string()),
            Ok(n) => {
                let message = format!("{n} is outside the valid range for parameter \"{}\" ({least} .. {greatest})", known.name);
                Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message))
            }
            Err(_) => Err(invalid("It is a whole number.".into())),
        },
        Kind::Milliseconds => match parse_milliseconds(value) {
            Some(ms) => Ok(if ms % 1_000 == 0 && ms > 0 {
                format!("{}s", ms / 1_000)
            } else if ms == 0 {
                "0".into()
            } else {
                format!("{ms}ms")
            }),
            None => Err(invalid("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".".into())),
        },
        Kind::OneOf(choices) => match choices.iter().position(|choice| choice.eq_ignore_ascii_case(&spelled(known, value))) {
            Some(_) if matches!(known.name, "DateStyle" | "client_encoding" | "TimeZone") => Ok(known.default.to_owned()),
            Some(at) => Ok(choices[at].to_owned()),
            None => Err(invalid(format!("Available values: {}.", choices.join(", ")))),
        },
    }
}

/// The value as it is compared: an encoding's name is its letters and digits alone, so that `'utf-8'` with quotes in it is UTF8.
fn spelled(known: &Known, value: &str) -> String {
    match known.name {
        "client_encoding" => value.chars().filter(char::is_ascii_alphanumeric).collect(),
        _ => value.trim().to_owned(),
    }
}

fn parse_milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let n: u64 = text[..digits].parse().ok()?;
    match text[digits..].trim() {
        "" | "ms" => Some(n),
        "us" => Some(n / 1_000),
        "s" => n.checked_mul(1_000),
        "min" => n.checked_mul(60_000),
        "h" => n.checked_mul(3_600_000),
        "d" => n.checked_mul(86_400_000),
        _ => None,
    }
}
