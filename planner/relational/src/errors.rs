//! Turns DataFusion's and Arrow's errors into the error a user of Postgres expects: SQLSTATE, wording, hint, position.
//!
//! E1: an [`SqlError`] travelling inside comes out as it went in.
//! E2: what no rule knows is XX000 with the original text, never dropped.
//! Never: shows a Rust type, a stack trace or an advice about DataFusion's settings.

use arrow::error::ArrowError;
use base::{SqlError, SqlState};
use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError};
use sqlparser::tokenizer::Location;

use crate::functions::types;
use crate::names;
use crate::position;
use crate::relational::Query;
use crate::spilling;

const ADD_CASTS: &str = "No function matches the given name and argument types. You might need to add explicit type casts.";
const ADD_OPERATOR_CASTS: &str = "No operator matches the given name and argument types. You might need to add explicit type casts.";

/// The error as the user gets it, pointing into the statement where that is known.
pub(crate) fn placed(error: &DataFusionError, query: Query<'_>) -> SqlError {
    let error = Mapping { query: Some(query), at: None }.datafusion(error);
    match literal_at_fault(&error).and_then(|text| position::of_literal(query, text)) {
        Some(at) if error.position().is_none() => error.at(at),
        _ => error,
    }
}

/// The text that could not be read as a value, if that is what went wrong: messages end with it.
fn literal_at_fault(error: &SqlError) -> Option<&str> {
    const INPUT: [SqlState; 2] = [SqlState::INVALID_TEXT_REPRESENTATION, SqlState("22007")];
    let (_, quoted) = error.message().split_once(": \"").filter(|_| INPUT.contains(&error.state()))?;
    quoted.strip_suffix('"')
}

/// The error as the user gets it, where the statement's text is no longer at hand.
pub(crate) fn unplaced(error: &DataFusionError) -> SqlError {
    Mapping { query: None, at: None }.datafusion(error)
}

/// One descent through nested errors, gathering the position on the way.
#[derive(Clone, Copy)]
struct Mapping<'a> {
    query: Option<Query<'a>>,
    at: Option<Location>,
}

impl Mapping<'_> {
    fn datafusion(self, error: &DataFusionError) -> SqlError {
        match error {
            DataFusionError::Context(_, inner) => self.datafusion(inner),
            DataFusionError::Shared(inner) => self.datafusion(inner),
            DataFusionError::Diagnostic(diagnostic, inner) => self.noting(diagnostic).datafusion(inner),
            DataFusionError::Collection(errors) => match errors.first() {
                Some(first) => self.datafusion(first),
                None => SqlError::internal("an error without content"),
            },
            DataFusionError::External(inner) => self.boxed(inner.as_ref()),
            DataFusionError::ArrowError(inner, _) => self.arrow(inner),
            DataFusionError::SchemaError(inner, _) => self.schema(inner),
            DataFusionError::SQL(inner, _) => self.here(SqlError::new(SqlState::SYNTAX_ERROR, inner.to_string())),
            DataFusionError::NotImplemented(text) => self.not_implemented(first_line(text)),
            DataFusionError::Plan(text) => self.plan(text),
            DataFusionError::Execution(text) => self.execution(text),
            DataFusionError::ResourcesExhausted(text) => spilling::exceeded(text).unwrap_or_else(|| {
                SqlError::new(SqlState::OUT_OF_MEMORY, "out of memory for queries")
                    .detail(first_line(text))
                    .hint("Make the query read or sort fewer rows, or give the server more memory for queries.")
            }),
            DataFusionError::IoError(inner) => spilling::exceeded(&inner.to_string()).unwrap_or_else(|| spilling::written(inner)),
            DataFusionError::Internal(text) if text.contains("placeholder") => {
                SqlError::new(SqlState::INDETERMINATE_DATATYPE, "could not determine data type of a parameter")
            }
            other => SqlError::internal(first_line(&other.strip_backtrace())),
        }
    }

    fn noting(mut self, diagnostic: &Diagnostic) -> Self {
        if let Some(span) = diagnostic.span {
            self.at = Some(Location { line: span.start.line, column: span.start.column });
        }
        self
    }

    fn boxed(self, error: &(dyn std::error::Error + Send + Sync + 'static)) -> SqlError {
        if let Some(error) = error.downcast_ref::<SqlError>() {
            return error.clone();
        }
        if let Some(error) = error.downcast_ref::<DataFusionError>() {
            return self.datafusion(error);
        }
        match error.downcast_ref::<ArrowError>() {
            Some(error) => self.arrow(error),
            None => SqlError::internal(error.to_string()),
        }
    }

    /// Adds the position gathered so far.
    fn here(self, error: SqlError) -> SqlError {
        let place = self.query.zip(self.at).and_then(|(query, at)| position::offset(query.text, at.line, at.column));
        match place {
            Some(place) => error.at(place),
            None => error,
        }
    }

    /// Adds the position gathered so far, else that of the column's first mention.
    fn at_column(self, error: SqlError, column: &Column) -> SqlError {
        let error = self.here(error);
        if error.position().is_some() {
            return error;
        }
        let relation = column.relation.as_ref().map(|relation| relation.table());
        match self.query.and_then(|query| position::of_column(query, relation, &column.name)) {
            Some(place) => error.at(place),
            None => error,
        }
    }

    fn at_function(self, error: SqlError, name: &str) -> SqlError {
        let error = self.here(error);
        match self.query.filter(|_| error.position().is_none()).and_then(|query| position::of_function(query, name)) {
            Some(place) => error.at(place),
            None => error,
        }
    }

    fn schema(self, error: &SchemaError) -> SqlError {
        match error {
            SchemaError::FieldNotFound { field, valid_fields } => self.at_column(no_column(field, valid_fields), field),
            SchemaError::AmbiguousReference { field } => {
                let message = format!("column reference \"{}\" is ambiguous", names::shown(&field.name));
                self.at_column(SqlError::new(SqlState::AMBIGUOUS_COLUMN, message), field)
            }
            SchemaError::DuplicateQualifiedField { qualifier, name } if names::shown(name) == name => {
                let message = format!("table name \"{}\" specified more than once", qualifier.table());
                self.here(SqlError::new(SqlState("42712"), message))
            }
            SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
                let message = format!("column reference \"{}\" is ambiguous", names::shown(name));
                self.here(SqlError::new(SqlState::AMBIGUOUS_COLUMN, message))
            }
        }
    }

    fn not_implemented(self, text: &str) -> SqlError {
        if let Some(sql_type) = text.strip_prefix("Unsupported SQL type ") {
            return self.here(SqlError::unsupported(format!("type {}", sql_type.to_lowercase())));
        }
        if text.contains("array literal") {
            return self.here(SqlError::unsupported("ARRAY[…] here"));
        }
        // The rest of such a text is a dump of the tree.
        let dumped = text.split_once("in sqltorel: ").or_else(|| text.split_once("support logical expression "));
        match dumped {
            Some((_, dump)) => {
                let kind: String = dump.chars().take_while(|c| c.is_alphanumeric()).collect();
                self.here(SqlError::unsupported(format!("an expression of the kind {kind} in this place")))
            }
            None => self.here(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, lower_first(text))),
        }
    }

    fn plan(self, text: &str) -> SqlError {
        let line = first_line(text);
        if line.starts_with("Invalid function '")
            && let Some(name) = between(line, "Invalid function '", "'")
        {
            let error = SqlError::new(SqlState::UNDEFINED_FUNCTION, format!("function {name} does not exist"));
            let near = between(text, "Did you mean '", "'").filter(|known| is_near(name, known));
            let error = match near {
                Some(known) => error.hint(format!("Perhaps you meant the function \"{known}\".")),
                None => error.hint(ADD_CASTS),
            };
            return self.at_function(error, name);
        }
        if line.contains("must appear in the GROUP BY clause")
            && let Some(column) = between(line, "column \"", "\"").or_else(|| between(line, "references: ", " must"))
        {
            return self.ungrouped(column);
        }
        if let Some(error) = operator_mismatch(line).or_else(|| clause(line)) {
            return self.here(error);
        }
        if is_signature_mismatch(line) {
            return self.signature_mismatch(line);
        }
        let known = [
            ("ambiguous", SqlState::AMBIGUOUS_COLUMN),
            ("specified more than once", SqlState("42712")),
            ("have the same name", SqlState("42712")),
            ("inconsistent data length across values list", SqlState::SYNTAX_ERROR),
            ("names given as column alias", SqlState::INVALID_COLUMN_REFERENCE),
            ("cannot find column with position", SqlState::INVALID_COLUMN_REFERENCE),
            ("invalid placeholder", SqlState::UNDEFINED_PARAMETER),
            ("aggregate", SqlState::GROUPING_ERROR),
            ("unsupported", SqlState::FEATURE_NOT_SUPPORTED),
            ("not supported", SqlState::FEATURE_NOT_SUPPORTED),
            ("cast", SqlState("42846")),
            ("type", SqlState::DATATYPE_MISMATCH),
        ];
        let lower = line.to_lowercase();
        let state = known.iter().find(|(part, _)| lower.contains(part)).map_or(SqlState::SYNTAX_ERROR, |(_, state)| *state);
        self.here(SqlError::new(state, lower_first(line)))
    }

    fn ungrouped(self, column: &str) -> SqlError {
        let message = format!("column \"{column}\" must appear in the GROUP BY clause or be used in an aggregate function");
        self.at_column(SqlError::new(SqlState::GROUPING_ERROR, message), &Column::from_qualified_name(column))
    }

    fn signature_mismatch(self, line: &str) -> SqlError {
        let call = between(line, "argument types '", "'")
            .or_else(|| between(line, "function '", "'"))
            .or_else(|| between(line, "Function '", "'"))
            .or_else(|| between(line, "call to '", "'"))
            .or_else(|| between(line, "for '", "'"))
            .unwrap_or("");
        let (name, args) = call.split_once('(').map_or((call, None), |(name, args)| (name, Some(args.trim_end_matches(')'))));
        let shown = match args {
            Some(args) => {
                let args: Vec<String> = split_types(args).into_iter().map(|arg| types::name_of_printed(&arg)).collect();
                format!("function {name}({}) does not exist", args.join(", "))
            }
            None if name.is_empty() => return self.here(SqlError::new(SqlState::UNDEFINED_FUNCTION, lower_first(line))),
            None => format!("function {name} does not exist with these arguments"),
        };
        self.at_function(SqlError::new(SqlState::UNDEFINED_FUNCTION, shown).hint(ADD_CASTS), name)
    }

    fn execution(self, text: &str) -> SqlError {
        let line = first_line(text);
        if line.contains("returned more than one row") {
            return SqlError::new(SqlState::CARDINALITY_VIOLATION, "more than one row returned by a subquery used as an expression");
        }
        if let Some(error) = operator_mismatch(line).or_else(|| frame(line)) {
            return self.here(error);
        }
        value(line).unwrap_or_else(|| self.here(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, lower_first(line))))
    }

    fn arrow(self, error: &ArrowError) -> SqlError {
        match error {
            ArrowError::ExternalError(inner) => self.boxed(inner.as_ref()),
            ArrowError::DivideByZero => SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero"),
            ArrowError::ArithmeticOverflow(_) => SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric value out of range"),
            ArrowError::MemoryError(text) => SqlError::new(SqlState::OUT_OF_MEMORY, lower_first(text)),
            ArrowError::IoError(text, inner) => spilling::exceeded(text).unwrap_or_else(|| spilling::written(inner)),
            ArrowError::NotYetImplemented(text) => SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, lower_first(text)),
            ArrowError::CastError(text)
            | ArrowError::ParseError(text)
            | ArrowError::InvalidArgumentError(text)
            | ArrowError::ComputeError(text) => value(text)
                .or_else(|| operator_mismatch(text))
                .unwrap_or_else(|| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, lower_first(text))),
            other => SqlError::internal(other.to_string()),
        }
    }
}

fn no_column(field: &Column, valid: &[Column]) -> SqlError {
    let name = names::shown(&field.name);
    let close = closest(name, valid).map(|known| {
        let shown = names::shown(&known.name);
        known.relation.as_ref().map_or_else(|| shown.to_owned(), |relation| format!("{}.{shown}", relation.table()))
    });
    let error = match &field.relation {
        Some(relation) if !valid.iter().any(|known| known.relation.as_ref().is_some_and(|r| r.table() == relation.table())) => {
            return SqlError::new(SqlState::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{}\"", relation.table()));
        }
        Some(relation) => SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column {}.{name} does not exist", relation.table())),
        None => SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist")),
    };
    match close {
        Some(close) => error.hint(format!("Perhaps you meant to reference the column \"{close}\".")),
        None => error,
    }
}

/// At most half of the longer name differs.
fn is_near(name: &str, known: &str) -> bool {
    levenshtein(name, known) * 2 <= name.chars().count().max(known.chars().count())
}

/// The known column whose name is nearest, if one is near.
fn closest<'a>(name: &str, valid: &'a [Column]) -> Option<&'a Column> {
    let near = |known: &&Column| is_near(name, names::shown(&known.name));
    valid.iter().filter(near).min_by_key(|known| levenshtein(name, names::shown(&known.name)))
}

/// Errors about one value: bad syntax for its type, or no room in it.
fn value(text: &str) -> Option<SqlError> {
    let cast = text.split_once("Cannot cast string '").or_else(|| text.split_once("Cannot cast value '"));
    if let Some((quoted, rest)) = cast.and_then(|(_, rest)| rest.split_once("' to value of ")) {
        let sql_type = types::name_of_printed(rest.trim_end_matches(" type"));
        let digits = quoted.trim().trim_start_matches(['-', '+']);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && matches!(sql_type.as_str(), "smallint" | "integer" | "bigint" | "numeric") {
            let message = format!("value \"{quoted}\" is out of range for type {sql_type}");
            return Some(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        let state = if sql_type.starts_with("date") || sql_type.starts_with("time") {
            datetime_state(quoted)
        } else {
            SqlState::INVALID_TEXT_REPRESENTATION
        };
        return Some(SqlError::new(state, format!("invalid input syntax for type {sql_type}: \"{quoted}\"")));
    }
    if let Some(quoted) = between(text, "Error parsing timestamp from '", "'") {
        return Some(SqlError::new(SqlState::INVALID_DATETIME_FORMAT, format!("invalid input syntax for type timestamp: \"{quoted}\"")));
    }
    if let Some((_, to)) = text.split_once("Can't cast value ").and_then(|(_, rest)| rest.split_once(" to type ")) {
        return Some(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", types::name_of_printed(to))));
    }
    if text.contains("too large to store in a Decimal") || text.contains("too small to store in a Decimal") {
        return Some(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow"));
    }
    let is_overflow = text.contains("verflow");
    is_overflow.then(|| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric value out of range"))
}

/// What is written as a date or a time with digits and marks only is one whose fields are out of range.
fn datetime_state(quoted: &str) -> SqlState {
    let is_written = quoted.contains(|c: char| c.is_ascii_digit())
        && quoted.contains(['-', ':'])
        && quoted.chars().all(|c| c.is_ascii_digit() || " -:.T+".contains(c));
    if is_written { SqlState::DATETIME_FIELD_OVERFLOW } else { SqlState::INVALID_DATETIME_FORMAT }
}

/// «operator does not exist» from the several ways DataFusion says so.
fn operator_mismatch(line: &str) -> Option<SqlError> {
    let expression = [
        "Cannot coerce arithmetic expression ",
        "comparison operation ",
        "logical boolean operation ",
        "Invalid comparison operation: ",
        "Invalid arithmetic operation: ",
    ]
    .iter()
    .find_map(|lead| line.split_once(lead))
    .map(|(_, rest)| rest.split(" to valid types").next().unwrap_or(rest));
    let expression = expression?;
    let spaced =
        [" = ", " <> ", " != ", " < ", " <= ", " > ", " >= ", " + ", " - ", " * ", " / ", " % ", " == ", " || ", " AND ", " OR ", " LIKE "];
    let shown = spaced.iter().find_map(|op| expression.split_once(op).map(|(left, right)| (left, *op, right)));
    let message = match shown {
        Some((left, op, right)) => {
            let op = if op == " == " { " = " } else { op };
            format!("operator does not exist: {}{op}{}", types::name_of_printed(left), types::name_of_printed(right))
        }
        None => format!("operator does not exist: {expression}"),
    };
    Some(SqlError::new(SqlState::UNDEFINED_FUNCTION, message).hint(ADD_OPERATOR_CASTS))
}

/// Errors about a whole clause, in Postgres's words.
fn clause(line: &str) -> Option<SqlError> {
    let (state, message) = if line.contains("have different number of columns") {
        let operator = line.split(' ').next().unwrap_or("set operation");
        (SqlState::SYNTAX_ERROR, format!("each {operator} query must have the same number of columns"))
    } else if let Some(position) = between(line, "Order by column out of bounds, specified: ", ",") {
        (SqlState::INVALID_COLUMN_REFERENCE, format!("ORDER BY position {position} is not in select list"))
    } else if line.contains("must appear in select list") {
        (SqlState::INVALID_COLUMN_REFERENCE, "for SELECT DISTINCT, ORDER BY expressions must appear in select list".to_owned())
    } else if line.contains("should only return one column") {
        (SqlState::SYNTAX_ERROR, "subquery must return only one column".to_owned())
    } else if let Some((_, data_type)) = line.split_once("non-boolean predicate '").and_then(|(_, rest)| rest.split_once("returning ")) {
        (SqlState::DATATYPE_MISMATCH, format!("argument of WHERE must be type boolean, not type {}", types::name_of_printed(data_type)))
    } else if line.contains("calls cannot be nested") {
        (SqlState::GROUPING_ERROR, "aggregate function calls cannot be nested".to_owned())
    } else if line.contains("not allowed in the WHERE clause") {
        (SqlState::GROUPING_ERROR, "aggregate functions are not allowed in WHERE".to_owned())
    } else if line.starts_with("LIMIT must be") {
        (SqlState("2201W"), "LIMIT must not be negative".to_owned())
    } else if let Some(qualifier) = line.strip_prefix("Invalid qualifier ") {
        (SqlState::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{qualifier}\""))
    } else if line.contains("DISTINCT ON expressions must match") {
        (SqlState::INVALID_COLUMN_REFERENCE, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions".to_owned())
    } else if let Some(window) = between(line, "The window ", " is not defined") {
        (SqlState::UNDEFINED_OBJECT, format!("window \"{window}\" does not exist"))
    } else if line.contains("to grouping function is not in grouping columns") {
        (SqlState::GROUPING_ERROR, "arguments to GROUPING must be grouping expressions of the associated query level".to_owned())
    } else if let Some(error) = frame(line) {
        return Some(error);
    } else if let Some((_, data_type)) = line.split_once("nary operator 'NOT' requires a boolean expression, got ") {
        (SqlState::DATATYPE_MISMATCH, format!("argument of NOT must be type boolean, not type {}", types::name_of_printed(data_type)))
    } else if line.contains("nary operator '-' only supports") {
        return Some(SqlError::new(SqlState::UNDEFINED_FUNCTION, "operator does not exist: - for this type").hint(ADD_OPERATOR_CASTS));
    } else if line.starts_with("OFFSET must be") {
        (SqlState("2201X"), "OFFSET must not be negative".to_owned())
    } else {
        return None;
    };
    Some(SqlError::new(state, message))
}

/// Errors about a window's frame.
fn frame(line: &str) -> Option<SqlError> {
    let windowing = SqlState("42P20");
    let known = [
        ("start bound cannot be UNBOUNDED FOLLOWING", windowing, "frame start cannot be UNBOUNDED FOLLOWING"),
        ("end bound cannot be UNBOUNDED PRECEDING", windowing, "frame end cannot be UNBOUNDED PRECEDING"),
        ("cannot be larger than end bound", windowing, "frame starting from current row cannot have preceding rows"),
        ("must be non negative", SqlState("22013"), "frame starting offset must not be negative"),
        ("RANGE requires exactly one", windowing, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column"),
        ("NTILE requires", SqlState("22014"), "argument of ntile must be greater than zero"),
    ];
    known.iter().find(|(part, ..)| line.contains(part)).map(|(_, state, message)| SqlError::new(*state, *message))
}

fn is_signature_mismatch(line: &str) -> bool {
    [
        "No function matches",
        "Failed to coerce arguments",
        "failed to match any signature",
        "does not accept zero arguments",
        "expects",
        "expected",
    ]
    .iter()
    .any(|part| line.contains(part))
        && ["unction", "coerce"].iter().any(|part| line.contains(part))
}

/// Splits `Utf8, Decimal128(10, 2)` at the commas outside parentheses.
fn split_types(args: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in args.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

fn lower_first(text: &str) -> String {
    // What follows a brace is a dump of the tree.
    let text = first_line(text).split(" {").next().unwrap_or(text).trim_end_matches(['.', ':']);
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
