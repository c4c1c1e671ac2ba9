//! What a server said to a statement, as lines of text that two servers are compared by.

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Columns as `name:type`, rows as cells joined by `|`, and the command tag.
    Rows { header: String, rows: Vec<String>, tag: String },
    /// A command tag.
    Done(String),
    /// An error. Messages are shown, not compared.
    Failed { state: String, message: String },
}

impl Answer {
    /// The lines two answers are compared by: the header, the rows (`sorted` if their order means nothing), and the tag if it says more than
    /// their number. An error is its SQLSTATE.
    pub fn lines(&self, sorted: bool) -> Vec<String> {
        match self {
            Answer::Rows { header, rows, tag } => {
                let mut rows = rows.clone();
                if sorted {
                    rows.sort();
                }
                let tag = Some(tag.clone()).filter(|tag| *tag != format!("SELECT {}", rows.len()));
                // A line without text would end the record.
                let header = if header.is_empty() { "(no columns)".to_owned() } else { header.clone() };
                let rows = rows.into_iter().map(|row| if row.is_empty() { "(no columns)".to_owned() } else { row });
                std::iter::once(header).chain(rows).chain(tag).collect()
            }
            Answer::Done(tag) if tag.is_empty() => vec!["(empty)".to_owned()],
            Answer::Done(tag) => vec![tag.clone()],
            Answer::Failed { state, .. } => vec![format!("error {state}")],
        }
    }

    /// The lines, an error with its message.
    pub fn shown(&self, sorted: bool) -> String {
        match self {
            Answer::Failed { state, message } => format!("error {state}: {message}"),
            other => other.lines(sorted).join("\n    "),
        }
    }
}

/// A value as it stands in a line: quoted where it could be read as something else.
pub fn cell(value: Option<&str>) -> String {
    let Some(value) = value else { return "NULL".to_owned() };
    let is_plain = !value.is_empty()
        && value == value.trim()
        && value != "NULL"
        && !value.contains('|')
        && !value.starts_with('"')
        && !value.chars().any(|c| c < ' ');
    if is_plain {
        return value.to_owned();
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
    format!("\"{escaped}\"")
}

/// Postgres's names of the types that answers here have; another's number, or what it is if a user made it.
pub fn type_name(oid: u32) -> String {
    if oid >= 16_384 {
        return "user-defined".to_owned();
    }
    TYPES.iter().find(|(known, _)| *known == oid).map_or_else(|| oid.to_string(), |(_, name)| (*name).to_owned())
}

const TYPES: [(u32, &str); 54] = [
    (16, "bool"),
    (17, "bytea"),
    (18, "char"),
    (19, "name"),
    (20, "int8"),
    (21, "int2"),
    (23, "int4"),
    (25, "text"),
    (26, "oid"),
    (114, "json"),
    (199, "json[]"),
    (700, "float4"),
    (701, "float8"),
    (705, "unknown"),
    (790, "money"),
    (869, "inet"),
    (1000, "bool[]"),
    (1001, "bytea[]"),
    (1003, "name[]"),
    (1005, "int2[]"),
    (1007, "int4[]"),
    (1009, "text[]"),
    (1014, "bpchar[]"),
    (1015, "varchar[]"),
    (1016, "int8[]"),
    (1021, "float4[]"),
    (1022, "float8[]"),
    (1042, "bpchar"),
    (1043, "varchar"),
    (1082, "date"),
    (1083, "time"),
    (1114, "timestamp"),
    (1115, "timestamp[]"),
    (1182, "date[]"),
    (1183, "time[]"),
    (1184, "timestamptz"),
    (1185, "timestamptz[]"),
    (1186, "interval"),
    (1187, "interval[]"),
    (1231, "numeric[]"),
    (1266, "timetz"),
    (1560, "bit"),
    (1562, "varbit"),
    (1700, "numeric"),
    (2205, "regclass"),
    (2206, "regtype"),
    (2249, "record"),
    (2278, "void"),
    (2950, "uuid"),
    (2951, "uuid[]"),
    (3802, "jsonb"),
    (3807, "jsonb[]"),
    (4089, "regnamespace"),
    (4096, "regrole"),
];
