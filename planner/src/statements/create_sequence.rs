//! CREATE SEQUENCE, ALTER SEQUENCE and DROP SEQUENCE, and the sequences of serial and identity columns.
//!
//! S1: options mean what they mean in Postgres, defaults by type and direction included.
//! S2: RESTART takes effect at once and stays, whatever becomes of the transaction: as `setval` does.
//! Never: gives a value.

use std::sync::Arc;

use base::{ColumnId, RelationId, SqlError, SqlResult, SqlState};
use engine::{Object, SequenceDef, SqlType};
use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, SequenceOptions, Statement, UnaryOperator, Value};

use super::Execution;
use crate::column_types;
use crate::names::{Name, fold};
use crate::outcome::{Notice, Outcome, Tag};
use crate::parse_clauses::{Numbers, SequenceClauses, sequence_name};
use crate::resolver::{Scope, undefined_table};
use crate::sequence_functions;

/// Options out of the syntax tree. Errors: 22003.
pub(super) fn numbers(options: &[SequenceOptions]) -> SqlResult<Numbers> {
    let mut numbers = Numbers::default();
    for option in options {
        match option {
            SequenceOptions::IncrementBy(value, _) => numbers.increment = Some(integer(value)?),
            SequenceOptions::MinValue(value) => numbers.min = Some(value.as_ref().map(integer).transpose()?),
            SequenceOptions::MaxValue(value) => numbers.max = Some(value.as_ref().map(integer).transpose()?),
            SequenceOptions::StartWith(value, _) => numbers.start = Some(integer(value)?),
            SequenceOptions::Cache(value) => match marked(value) {
                Some((at, given)) => {
                    numbers.name = Some(at);
                    numbers.cache = if given.is_empty() { None } else { Some(integer(&Expr::value(Value::Number(given, false)))?) };
                }
                None => numbers.cache = Some(integer(value)?),
            },
            // sqlparser keeps whether NO stood before it.
            SequenceOptions::Cycle(no) => numbers.cycle = Some(!*no),
        }
    }
    Ok(numbers)
}

/// The place of a sequence's name, and the digits of CACHE beside it.
fn marked(expr: &Expr) -> Option<(usize, String)> {
    let Expr::Value(value) = expr else { return None };
    let Value::Number(number, _) = &value.value else { return None };
    sequence_name(number).map(|(at, given)| (at, given.to_owned()))
}

fn integer(expr: &Expr) -> SqlResult<i64> {
    let digits = match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.clone(),
            _ => expr.to_string(),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => format!("-{expr}"),
        other => other.to_string(),
    };
    digits
        .parse()
        .map_err(|_| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{digits}\" is out of range for type bigint")))
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn bounds(sql_type: SqlType) -> (i64, i64) {
    match sql_type {
        SqlType::Int2 => (i16::MIN.into(), i16::MAX.into()),
        SqlType::Int4 => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

/// A new sequence. Errors: 22023 for options that contradict each other.
pub(super) fn sequence(
    execution: &Execution<'_>,
    schema: &str,
    name: &str,
    sql_type: SqlType,
    numbers: &Numbers,
    owner: Option<(RelationId, ColumnId)>,
    is_identity: bool,
) -> SqlResult<SequenceDef> {
    let id = RelationId(execution.transaction.ledger().next_object_id());
    let increment = numbers.increment.unwrap_or(1);
    let (least, greatest) = bounds(sql_type);
    let rises = increment > 0;
    let min = numbers.min.flatten().unwrap_or(if rises { 1 } else { least });
    let max = numbers.max.flatten().unwrap_or(if rises { greatest } else { -1 });
    let made = SequenceDef {
        state: SequenceDef::state_table(id, schema, name, 1)?,
        sql_type,
        start: numbers.start.unwrap_or(if rises { min } else { max }),
        increment,
        min,
        max,
        cache: numbers.cache.unwrap_or(1),
        cycle: numbers.cycle.unwrap_or(false),
        owner,
        is_identity,
        comment: None,
    };
    check(&made)?;
    Ok(made)
}

fn check(made: &SequenceDef) -> SqlResult<()> {
    let (least, greatest) = bounds(made.sql_type);
    let (min, max, start) = (made.min, made.max, made.start);
    let type_name = made.sql_type.name();
    if made.increment == 0 {
        return Err(invalid("INCREMENT must not be zero"));
    }
    if !(least..=greatest).contains(&max) {
        return Err(invalid(format!("MAXVALUE ({max}) is out of range for sequence data type {type_name}")));
    }
    if !(least..=greatest).contains(&min) {
        return Err(invalid(format!("MINVALUE ({min}) is out of range for sequence data type {type_name}")));
    }
    if min >= max {
        return Err(invalid(format!("MINVALUE ({min}) must be less than MAXVALUE ({max})")));
    }
    if start < min {
        return Err(invalid(format!("START value ({start}) cannot be less than MINVALUE ({min})")));
    }
    if start > max {
        return Err(invalid(format!("START value ({start}) cannot be greater than MAXVALUE ({max})")));
    }
    if made.cache < 1 {
        return Err(invalid(format!("CACHE ({}) must be greater than zero", made.cache)));
    }
    Ok(())
}

/// The sequence that a default draws from, if it is a plain `nextval('…')`.
pub(super) fn drawn_from(execution: &Execution<'_>, expr: &Expr) -> SqlResult<Option<u32>> {
    let Expr::Function(call) = expr else { return Ok(None) };
    let name = call.name.to_string().to_lowercase();
    if name != "nextval" && name != "pg_catalog.nextval" {
        return Ok(None);
    }
    let FunctionArguments::List(list) = &call.args else { return Ok(None) };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_slice() else { return Ok(None) };
    let Some(text) = literal(argument) else { return Ok(None) };
    let scope = Scope { catalog: execution.transaction.catalog(), ..execution.scope.clone() };
    Ok(Some(sequence_functions::named(&scope.scene(), text)?.id()))
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Nested(inner) => literal(inner),
        Expr::Cast { expr, .. } => literal(expr),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// CREATE SEQUENCE and, where the text says so, ALTER SEQUENCE.
pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::CreateSequence { temporary, if_not_exists, name, data_type, owned_by, .. } = &*execution.parsed.statement else {
        return Err(SqlError::internal("not a CREATE SEQUENCE"));
    };
    if *temporary {
        return Err(SqlError::unsupported("CREATE TEMPORARY SEQUENCE"));
    }
    let Some(clauses) = execution.parsed.clauses.sequence.clone() else {
        return Err(SqlError::internal("a sequence without its clauses"));
    };
    let name = Name::of(name, execution.view.database.name())?;
    let sql_type = match data_type {
        None => None,
        Some(data_type) => match column_types::resolve(data_type)? {
            sql_type @ (SqlType::Int2 | SqlType::Int4 | SqlType::Int8) => Some(sql_type),
            _ => return Err(invalid("sequence type must be smallint, integer, or bigint")),
        },
    };
    if clauses.alters {
        return alter(execution, &name, sql_type, &clauses, owned_by.as_ref());
    }
    let schema = execution.scope.creation_schema(&name).map_err(|error| execution.parsed.point(error, name.span))?;
    if execution.transaction.catalog().relation_owner(&schema, &name.name).is_some() {
        let message = format!("relation \"{}\" already exists", name.name);
        if *if_not_exists {
            execution.notices.push(Notice::new(SqlState::DUPLICATE_TABLE, format!("{message}, skipping")));
            return Ok(Outcome::Command(Tag::command("CREATE SEQUENCE")));
        }
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let owned_by = owned_by.as_ref().map(|owner| owned(execution, owner, &schema, execution.scope.access.role));
    let owner = owned_by.transpose()?.flatten();
    let made = sequence(execution, &schema, &name.name, sql_type.unwrap_or(SqlType::Int8), &clauses.numbers, owner, false)?;
    execution.transaction.create_sequence(made)?;
    Ok(Outcome::Command(Tag::command("CREATE SEQUENCE")))
}

/// `table.column`, or `NONE`, for a sequence in a schema that belongs to a role. Errors: 55000 unless the table is there and the role's too.
fn owned(execution: &Execution<'_>, owner: &ObjectName, schema: &str, role: u32) -> SqlResult<Option<(RelationId, ColumnId)>> {
    let parts: Vec<String> = owner.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
    let (table, column) = match parts.as_slice() {
        [one] if one == "none" => return Ok(None),
        [table, column] => (Name { schema: None, name: table.clone(), span: sqlparser::tokenizer::Span::empty() }, column),
        [schema, table, column] => {
            (Name { schema: Some(schema.clone()), name: table.clone(), span: sqlparser::tokenizer::Span::empty() }, column)
        }
        _ => {
            return Err(
                SqlError::new(SqlState::SYNTAX_ERROR, "invalid OWNED BY option").hint("Specify OWNED BY table.column or OWNED BY NONE.")
            );
        }
    };
    let scope = execution.fresh_scope();
    let found = scope.writable(&table)?;
    let linked =
        |what: &str| SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("sequence must {what} table it is linked to"));
    if scope.catalog.authority().owner_of(found.id.0) != role {
        return Err(linked("have same owner as"));
    }
    if found.schema != schema {
        return Err(linked("be in same schema as"));
    }
    match found.columns.iter().find(|other| other.name == *column) {
        Some(column) => Ok(Some((found.id, column.id))),
        None => {
            let message = format!("column \"{column}\" of relation \"{}\" does not exist", found.name);
            Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message))
        }
    }
}

/// A bound that was the type's own stays the type's own.
fn retype(sequence: &mut SequenceDef, sql_type: SqlType) {
    let (before, after) = (bounds(sequence.sql_type), bounds(sql_type));
    if sequence.max == before.1 {
        sequence.max = after.1;
    }
    if sequence.min == before.0 {
        sequence.min = after.0;
    }
    sequence.sql_type = sql_type;
}

fn redefine(execution: &mut Execution<'_>, before: &SequenceDef, made: &SequenceDef) -> SqlResult<()> {
    check(made)?;
    if made == before {
        return Ok(());
    }
    let version = execution.transaction.next_version(before.state.id);
    let state = SequenceDef::state_table(before.state.id, before.schema(), before.name(), version)?;
    execution.transaction.redefine(Object::Sequence(Arc::new(SequenceDef { state, ..made.clone() })))
}

/// The sequence of an identity column counts in the column's new type. Errors: 22023.
pub(super) fn follow_type(execution: &mut Execution<'_>, id: u32, sql_type: SqlType) -> SqlResult<()> {
    if !matches!(sql_type, SqlType::Int2 | SqlType::Int4 | SqlType::Int8) {
        return Err(invalid("identity column type must be smallint, integer, or bigint"));
    }
    let catalog = execution.transaction.catalog();
    let Some(Object::Sequence(found)) = catalog.object(id) else { return Ok(()) };
    let mut made = found.as_ref().clone();
    retype(&mut made, sql_type);
    redefine(execution, found, &made)
}

fn alter(
    execution: &mut Execution<'_>,
    name: &Name,
    sql_type: Option<SqlType>,
    clauses: &SequenceClauses,
    owned_by: Option<&ObjectName>,
) -> SqlResult<Outcome> {
    let tag = Ok(Outcome::Command(Tag::command("ALTER SEQUENCE")));
    let fresh = execution.fresh_scope();
    let Some(found) = fresh.sequence(name) else {
        if clauses.if_exists {
            let message = format!("relation \"{}\" does not exist, skipping", name.name);
            execution.notices.push(Notice::new(SqlState("00000"), message));
            return tag;
        }
        return Err(execution.parsed.point(undefined_table(&name.shown()), name.span));
    };
    let mut made = found.as_ref().clone();
    if let Some(sql_type) = sql_type {
        retype(&mut made, sql_type);
    }
    if let Some(owner) = owned_by {
        let role = fresh.catalog.authority().owner_of(found.id());
        made.owner = owned(execution, owner, found.schema(), role)?;
    }
    renumber(execution, found, made, &clauses.numbers, clauses.restart)?;
    tag
}

/// ALTER COLUMN … SET of an identity's sequence. Errors: 22023.
pub(super) fn change_sequence(execution: &mut Execution<'_>, id: u32, numbers: &Numbers, restart: Option<Option<i64>>) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let Some(Object::Sequence(found)) = catalog.object(id) else { return Ok(()) };
    renumber(execution, found, found.as_ref().clone(), numbers, restart)
}

/// The sequence of a column that draws from it no more.
pub(super) fn drop_sequence(execution: &mut Execution<'_>, id: u32) -> SqlResult<()> {
    execution.transaction.drop_object(id)
}

fn renumber(
    execution: &mut Execution<'_>,
    found: &SequenceDef,
    mut made: SequenceDef,
    numbers: &Numbers,
    restart: Option<Option<i64>>,
) -> SqlResult<()> {
    made.increment = numbers.increment.unwrap_or(made.increment);
    let rises = made.increment > 0;
    let (least, greatest) = bounds(made.sql_type);
    if let Some(min) = numbers.min {
        made.min = min.unwrap_or(if rises { 1 } else { least });
    }
    if let Some(max) = numbers.max {
        made.max = max.unwrap_or(if rises { greatest } else { -1 });
    }
    made.start = numbers.start.unwrap_or(made.start);
    made.cache = numbers.cache.unwrap_or(made.cache);
    made.cycle = numbers.cycle.unwrap_or(made.cycle);
    redefine(execution, found, &made)?;
    if let Some(restart) = restart {
        let value = restart.unwrap_or(made.start);
        execution.transaction.ledger().set_sequence(&execution.transaction.catalog(), made.id(), value, false)?;
    }
    Ok(())
}
