//! The parameters as `pg_settings` lists them: a value in the parameter's unit, its kind and its bounds.
//!
//! Never: lists what an application made up.

use super::Settings;
use super::known::{KNOWN, Kind, Known};
use super::values::{kilobytes, milliseconds, shown_default};

/// One parameter.
pub(crate) struct Seen {
    pub(crate) name: &'static str,
    /// Without its unit.
    pub(crate) setting: String,
    pub(crate) unit: Option<&'static str>,
    /// `vartype`
    pub(crate) kind: &'static str,
    pub(crate) bounds: Option<(String, String)>,
    pub(crate) choices: Option<Vec<String>>,
    pub(crate) is_fixed: bool,
    /// Differs from what RESET returns to.
    pub(crate) is_set: bool,
    pub(crate) boot: String,
    pub(crate) reset: String,
}

/// The value without its unit.
fn plain(known: &Known, value: &str) -> String {
    let amount = match known.kind {
        Kind::Milliseconds => milliseconds(value),
        Kind::Kilobytes => kilobytes(value),
        _ => None,
    };
    amount.map_or_else(|| value.to_owned(), |amount| amount.to_string())
}

impl Settings {
    /// Every parameter, by name.
    pub(crate) fn seen(&self) -> impl Iterator<Item = Seen> + '_ {
        KNOWN.iter().map(|known| {
            let reset = self.start.get(known.name).cloned().unwrap_or_else(|| shown_default(known));
            let greatest = i64::from(i32::MAX).to_string();
            let (unit, kind, bounds) = match known.kind {
                Kind::Text | Kind::Zone | Kind::Moment | Kind::Fixed => (None, "string", None),
                Kind::Bool => (None, "bool", None),
                Kind::Integer(least, greatest) => (None, "integer", Some((least.to_string(), greatest.to_string()))),
                Kind::Real => (None, "real", Some(("0".to_owned(), "1.79769e+308".to_owned()))),
                Kind::Milliseconds => (Some("ms"), "integer", Some(("0".to_owned(), greatest))),
                Kind::Kilobytes => (Some("kB"), "integer", Some(("0".to_owned(), greatest))),
                Kind::OneOf(_) => (None, "enum", None),
            };
            let choices = match known.kind {
                Kind::OneOf(choices) => Some(choices.iter().map(|choice| (*choice).to_owned()).collect()),
                _ => None,
            };
            Seen {
                name: known.name,
                setting: plain(known, &self.value(known)),
                unit,
                kind,
                bounds,
                choices,
                is_fixed: matches!(known.kind, Kind::Fixed),
                is_set: self.values.contains_key(known.name),
                boot: plain(known, &shown_default(known)),
                reset: plain(known, &reset),
            }
        })
    }
}
