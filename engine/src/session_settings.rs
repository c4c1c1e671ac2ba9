//! What sessions begin with: parameters that ALTER ROLE … SET and ALTER DATABASE … SET keep for sessions that begin from then on.
//!
//! S1: there is one object for each role, 0 for every one, and each of «in this database alone» and «wherever the role is».
//! Never: knows which parameters there are.
//! Format: docs/formats/leaf.md, «roles and grants».

use base::{SqlError, SqlResult, SqlState};
use serde_json::{Value, json};

use crate::rules::number;

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsDef {
    /// Its own id, never reused.
    pub id: u32,
    /// Whose sessions, 0 for everyone's.
    pub role: u32,
    /// Said of this database, not of the role alone.
    pub of_database: bool,
    /// Names with values, in the order in which they were first set; never empty.
    pub values: Vec<(String, String)>,
}

impl SettingsDef {
    /// The canonical definition text.
    pub fn definition(&self) -> String {
        format!(
            "{{\"kind\":\"settings\",\"id\":{},\"role\":{},\"of_database\":{},\"values\":{}}}",
            self.id,
            self.role,
            self.of_database,
            json!(self.values)
        )
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(text: &str) -> SqlResult<Self> {
        let read = || {
            let value: Value = serde_json::from_str(text).ok()?;
            let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
            Some(Self {
                id: number(&value, "id")??,
                role: number(&value, "role")??,
                of_database: value["of_database"].as_bool()?,
                values: value["values"].as_array()?.iter().map(pair).collect::<Option<_>>()?,
            })
        };
        read().ok_or_else(|| SqlError::new(SqlState::DATA_CORRUPTED, "catalog definition of settings is unreadable"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_read_back() {
        let values = [("search_path", "\"a b\", public"), ("work_mem", "4MB")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = SettingsDef { id: 16_500, role: 16_400, of_database: true, values: values.into() };
        assert_eq!(SettingsDef::from_definition(&settings.definition()).ok(), Some(settings));
        for text in ["", "{}", "{\"kind\":\"settings\",\"id\":1,\"role\":2,\"of_database\":true,\"values\":[[\"a\",1]]}"] {
            assert!(SettingsDef::from_definition(text).is_err(), "{text}");
        }
    }
}
