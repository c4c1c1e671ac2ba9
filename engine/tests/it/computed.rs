//! Keys over computed values and keys that only some rows are in: what they refuse, what they find, and what happens where computing fails.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use base::{ColumnId, SimIo, SqlError, SqlResult, SqlState};
use engine::{Computed, Expression, Expressions, Index, Ledger, NO_COLUMN, Program, Rules, Server, SqlType, TableDef, Transaction};

use crate::folds::options;
use crate::indexes::{batch, create, open, table};

/// Expressions over `s (id, a, b)`: `square(a)`, `inverse(a)`, which has no value of 0, `head(b)`, and the conditions `a>0` and `b<>''`.
#[derive(Debug)]
pub struct Arithmetic;

impl Expressions for Arithmetic {
    fn compile(&self, _table: &TableDef, computed: &Computed) -> SqlResult<Arc<dyn Program>> {
        Ok(Arc::new(Compiled(computed.text.clone())))
    }
}

#[derive(Debug)]
struct Compiled(String);

impl Program for Compiled {
    fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
        assert_eq!(columns[0].len(), rows);
        let numbers = || columns[0].as_primitive::<Int64Type>().iter();
        let texts = || columns[0].as_string::<i32>().iter();
        Ok(match self.0.as_str() {
            "square(a)" => Arc::new(numbers().map(|a| a.map(|a| a * a)).collect::<Int64Array>()),
            "inverse(a)" => {
                if numbers().any(|a| a == Some(0)) {
                    return Err(SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero"));
                }
                Arc::new(numbers().map(|a| a.map(|a| 1_000 / a)).collect::<Int64Array>())
            }
            "head(b)" => Arc::new(texts().map(|b| b.map(|b| &b[..b.len().min(1)])).collect::<StringArray>()),
            "a>0" => Arc::new(numbers().map(|a| a.map(|a| a > 0)).collect::<BooleanArray>()),
            "b<>''" => Arc::new(texts().map(|b| b.map(|b| !b.is_empty())).collect::<BooleanArray>()),
            other => panic!("nothing computes {other}"),
        })
    }

    fn shown(&self) -> &str {
        &self.0
    }
}

fn expression(text: &str) -> Expression {
    let sql_type = match text {
        "head(b)" => SqlType::Text,
        "a>0" | "b<>''" => SqlType::Bool,
        _ => SqlType::Int8,
    };
    Expression {
        text: text.to_owned(),
        sql_type,
        columns: vec![ColumnId(if text.contains('a') && !text.contains("head") { 2 } else { 3 })],
    }
}

/// Adds an index over columns by their numbers and expressions by their text, made while the commit is decided.
pub fn index(ledger: &Arc<Ledger>, parts: &[&str], condition: Option<&str>, unique: bool) -> SqlResult<()> {
    let mut transaction = ledger.begin("definer");
    let (changed, id) = define(&mut transaction, parts, condition, unique)?;
    if unique {
        transaction.check_unique(&changed, id)?;
    }
    transaction.commit_blocking().map(drop)
}

/// Defines an index; the table's definition and the index's id.
pub fn define(transaction: &mut Transaction, parts: &[&str], condition: Option<&str>, unique: bool) -> SqlResult<(Arc<TableDef>, u32)> {
    let s = table(transaction);
    let mut rules = Rules::clone(&s.rules);
    let column = |part: &&str| part.parse().map_or(NO_COLUMN, ColumnId);
    rules.indexes.push(Index {
        id: transaction.ledger().next_object_id(),
        name: format!("by {parts:?} where {condition:?}"),
        columns: parts.iter().map(column).collect(),
        expressions: parts.iter().filter(|part| column(part) == NO_COLUMN).map(|part| expression(part)).collect(),
        condition: condition.map(expression),
        options: vec![0; parts.len()],
        unique,
        ..Index::default()
    });
    let version = transaction.next_version(s.id);
    let changed = TableDef::with_rules(s.id, &s.schema, &s.name, version, s.columns.clone(), s.primary_key.clone(), rules)?;
    assert_eq!(TableDef::from_definition(&changed.definition()).unwrap(), changed, "a definition reads back");
    let id = changed.keys().last().unwrap().id;
    Ok((transaction.alter_table(changed)?, id))
}

type Row = (i64, Option<i64>, Option<&'static str>);

fn write(ledger: &Arc<Ledger>, row: Row) -> SqlResult<()> {
    let mut transaction = ledger.begin("writer");
    let s = table(&transaction);
    transaction.insert(&s, &batch(&s, &[(row.0, row.1, row.2.map(str::to_owned))]))?;
    transaction.commit_blocking().map(drop)
}

fn refused(outcome: SqlResult<()>) -> (SqlState, String) {
    let error = outcome.unwrap_err();
    let detail = error.fields().find(|(letter, _)| *letter == b'D').map(|(_, detail)| detail.to_owned());
    (error.state(), detail.unwrap_or_default())
}

#[test]
fn a_unique_key_over_an_expression_refuses_equal_values() {
    let io = SimIo::new(1);
    let (_server, ledger) = open(&io);
    create(&ledger);
    write(&ledger, (1, Some(2), None)).unwrap();
    write(&ledger, (2, None, None)).unwrap();
    write(&ledger, (3, None, None)).unwrap();
    index(&ledger, &["square(a)"], None, true).unwrap();
    let taken = refused(write(&ledger, (4, Some(-2), None)));
    assert_eq!(taken, (SqlState::UNIQUE_VIOLATION, "Key (square(a))=(4) already exists.".to_owned()));
    // Of two that nobody else saw the later one loses.
    let mut first = ledger.begin("writer");
    let s = table(&first);
    first.insert(&s, &batch(&s, &[(5, Some(3), None)])).unwrap();
    write(&ledger, (6, Some(-3), None)).unwrap();
    assert_eq!(refused(first.commit_blocking().map(drop)).0, SqlState::UNIQUE_VIOLATION);
    assert_eq!(refused(write(&ledger, (7, Some(-3), None))).0, SqlState::UNIQUE_VIOLATION);
    // One that is there twice.
    write(&ledger, (8, Some(7), Some("x"))).unwrap();
    write(&ledger, (9, Some(8), Some("xy"))).unwrap();
    let twice = refused(index(&ledger, &["head(b)"], None, true));
    assert_eq!(twice, (SqlState::UNIQUE_VIOLATION, "Key (head(b))=(x) is duplicated.".to_owned()));
}

#[test]
fn a_unique_key_of_some_rows_lets_the_others_be() {
    let io = SimIo::new(2);
    let (_server, ledger) = open(&io);
    create(&ledger);
    for id in 0..3 {
        write(&ledger, (id, Some(-1), Some("x"))).unwrap();
    }
    index(&ledger, &["3"], Some("a>0"), true).unwrap();
    write(&ledger, (3, Some(1), Some("x"))).unwrap();
    write(&ledger, (4, Some(0), Some("x"))).unwrap();
    write(&ledger, (5, None, Some("x"))).unwrap();
    assert_eq!(refused(write(&ledger, (6, Some(2), Some("x")))).0, SqlState::UNIQUE_VIOLATION);
    // A row comes in, and one goes out.
    let update = |id: i64, a: i64| {
        let mut transaction = ledger.begin("writer");
        let s = table(&transaction);
        let key: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![id]))];
        let (row, _) = transaction.view(&s).lookup(&key)?.unwrap();
        transaction.update(&s, &[row], &batch(&s, &[(id, Some(a), Some("x".to_owned()))]))?;
        transaction.commit_blocking().map(drop)
    };
    assert_eq!(refused(update(4, 9)).0, SqlState::UNIQUE_VIOLATION);
    update(3, -5).unwrap();
    update(4, 9).unwrap();
    assert_eq!(refused(update(3, 5)).0, SqlState::UNIQUE_VIOLATION);
}

/// E2, E3 of `computed.rs`: what cannot be computed is refused when it is written, and only of rows that are in the key.
#[test]
fn what_cannot_be_computed_is_not_written() {
    let io = SimIo::new(3);
    let (server, ledger) = open(&io);
    create(&ledger);
    write(&ledger, (1, Some(0), Some(""))).unwrap();
    assert_eq!(refused(index(&ledger, &["inverse(a)"], None, false)).0, SqlState::DIVISION_BY_ZERO);
    index(&ledger, &["inverse(a)"], Some("b<>''"), false).unwrap();
    write(&ledger, (2, Some(0), Some(""))).unwrap();
    write(&ledger, (3, Some(4), Some("y"))).unwrap();
    assert_eq!(refused(write(&ledger, (4, Some(0), Some("y")))).0, SqlState::DIVISION_BY_ZERO);
    ledger.remake_folds().unwrap();
    drop(ledger);
    server.close_unsealed().unwrap();
    drop(server);
    let (_server, ledger) = open(&io);
    write(&ledger, (5, Some(5), Some("y"))).unwrap();
}

/// A ledger whose keys are computed is not opened where nothing computes them, and is whole afterwards.
#[test]
fn folds_are_not_made_without_what_computes_their_keys() {
    let io = SimIo::new(4);
    let (server, ledger) = open(&io);
    create(&ledger);
    write(&ledger, (1, Some(3), None)).unwrap();
    index(&ledger, &["square(a)"], None, true).unwrap();
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    base::Io::remove(&io, Path::new("/data/ledgers/shockwave/folds/current")).unwrap();
    let without = engine::Options { expressions: Arc::new(engine::NoExpressions), ..options(&io, 7) };
    let refused = Server::open(Path::new("/data"), without).map(drop);
    assert_eq!(refused.unwrap_err().state(), SqlState::FEATURE_NOT_SUPPORTED);
    let (_server, ledger) = open(&io);
    assert_eq!(self::refused(write(&ledger, (2, Some(-3), None))).0, SqlState::UNIQUE_VIOLATION);
}
