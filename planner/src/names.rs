//! Identifiers and qualified names as Postgres reads them.
//!
//! N1: an unquoted identifier is folded to lower case, a quoted one is taken as it is, both are cut at 63 bytes.
//! Never: looks anything up.

use base::{SqlError, SqlResult};
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::tokenizer::Span;

/// Longest identifier in bytes, Postgres's NAMEDATALEN − 1.
const NAME_BYTES_MAX: usize = 63;

/// The name an identifier stands for (N1).
pub(crate) fn fold(ident: &Ident) -> String {
    let mut name = if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() };
    if name.len() > NAME_BYTES_MAX {
        name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    }
    name
}

/// A quoted identifier for a name that is already folded.
pub(crate) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// `[schema.]name` with its place in the text.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) span: Span,
}

impl Name {
    /// Reads a name of one to three parts; a third part must be the session's own database. Errors: 0A000, 42601.
    pub(crate) fn of(object: &ObjectName, database: &str) -> SqlResult<Self> {
        let mut parts = Vec::with_capacity(object.0.len());
        for part in &object.0 {
            match part {
                ObjectNamePart::Identifier(ident) => parts.push(ident),
                ObjectNamePart::Function(_) => return Err(SqlError::unsupported("a function call in place of a name")),
            }
        }
        let span = parts.first().map_or_else(Span::empty, |ident| ident.span);
        let (schema, name) = match parts.as_slice() {
            [name] => (None, fold(name)),
            [schema, name] => (Some(fold(schema)), fold(name)),
            [catalog, schema, name] if fold(catalog) == database => (Some(fold(schema)), fold(name)),
            _ => return Err(SqlError::unsupported(format!("a cross-database reference such as {object}"))),
        };
        Ok(Self { schema, name, span })
    }

    /// As it was written, for messages.
    pub(crate) fn shown(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The one identifier of an object name that must not be qualified.
pub(crate) fn simple(object: &ObjectName) -> SqlResult<&Ident> {
    match object.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => Ok(ident),
        _ => Err(SqlError::unsupported(format!("a qualified name such as {object} here"))),
    }
}
