//! `nextval`, `currval`, `setval`, `lastval`: sequences as queries use them, and what a session remembers of them.
//!
//! Q1: a value that `nextval` gave is this session's and nobody else's, whatever becomes of its transaction.
//! Q2: `nextval` asks for USAGE or UPDATE, `setval` for UPDATE, `currval` and `lastval` for USAGE or SELECT; an identity column asks for nothing.
//! Never: finds a sequence outside the statement's catalog.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlResult, SqlState};
use engine::roles::privilege;
use engine::{Object, SequenceDef};
use relational::ScalarFunction;

use crate::pg_catalog::Scene;
use crate::rights::access::{Access, Kind};
use crate::rights::things::of_sequence;

/// The last values a session got.
#[derive(Clone, Default)]
pub(crate) struct Used(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    by_sequence: HashMap<u32, i64>,
    last: Option<u32>,
}

impl Used {
    fn with<T>(&self, act: impl FnOnce(&mut Values) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers a value.
    pub(crate) fn note(&self, sequence: u32, value: i64) {
        self.with(|values| {
            values.by_sequence.insert(sequence, value);
            values.last = Some(sequence);
        });
    }

    /// DISCARD SEQUENCES.
    pub(crate) fn forget(&self) {
        self.with(|values| *values = Values::default());
    }
}

/// Whether a statement's text can use a sequence; a default can, without naming it.
pub(crate) fn mentioned(text: &str) -> bool {
    const STEMS: [&str; 5] = ["nextval", "currval", "setval", "lastval", "default"];
    let folded;
    let text = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        folded = text.to_ascii_lowercase();
        &folded
    } else {
        text
    };
    STEMS.iter().any(|stem| text.contains(stem))
}

/// The functions over one statement's catalog.
pub(crate) fn all(scene: &Scene, used: &Used) -> Vec<ScalarFunction> {
    let call = |name: &str, args: &[DataType], optional: usize, body: Body| {
        let (scene, used) = (Arc::new(scene.clone()), used.clone());
        ScalarFunction {
            name: name.to_owned(),
            args: args.to_vec(),
            optional_args: optional,
            returns: DataType::Int64,
            call: Arc::new(move |arguments| body(&scene, &used, arguments)),
        }
    };
    // The one argument that `lastval` may not have gives it the number of rows.
    vec![
        call("nextval", &[DataType::Utf8], 0, next),
        call("currval", &[DataType::Utf8], 0, current),
        call("setval", &[DataType::Utf8, DataType::Int64, DataType::Boolean], 1, set),
        call("lastval", &[], 0, last),
    ]
}

type Body = fn(&Scene, &Used, &[ArrayRef]) -> SqlResult<ArrayRef>;

/// The sequence that a text means as `regclass`. Errors: 42P01, 42809.
pub(crate) fn named(scene: &Scene, text: &str) -> SqlResult<Arc<SequenceDef>> {
    let oid = scene.relation_named(text)?;
    match u32::try_from(oid).ok().and_then(|id| scene.catalog.object(id)) {
        Some(Object::Sequence(sequence)) => Ok(Arc::clone(sequence)),
        _ => Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{text}\" is not a sequence"))),
    }
}

/// One value a row; the sequence is looked up once a run of rows that name the same.
fn each(
    scene: &Scene,
    names: &ArrayRef,
    mut value: impl FnMut(&Arc<SequenceDef>, usize, usize) -> SqlResult<Vec<i64>>,
) -> SqlResult<ArrayRef> {
    let names = names.as_string_opt::<i32>().ok_or_else(|| SqlError::internal("a sequence's name is no text"))?;
    let mut values: Vec<Option<i64>> = Vec::with_capacity(names.len());
    while values.len() < names.len() {
        let first = values.len();
        if names.is_null(first) {
            values.push(None);
            continue;
        }
        let name = names.value(first);
        let run = (first..names.len()).take_while(|row| names.is_valid(*row) && names.value(*row) == name).count();
        let sequence = named(scene, name)?;
        values.extend(value(&sequence, first, run)?.into_iter().map(Some));
    }
    Ok(Arc::new(Int64Array::from(values)))
}

/// One of these privileges on a sequence (Q2). Errors: 42501.
fn check(scene: &Scene, sequence: &SequenceDef, one_of: u16) -> SqlResult<()> {
    let role = scene.catalog.authority().role_named(&scene.user).map_or(u32::MAX, |role| role.id);
    let had = Access::of(&scene.catalog, role).on(&scene.catalog, Kind::Sequence, sequence.id(), one_of);
    if had == 0 { Err(of_sequence(sequence).denied()) } else { Ok(()) }
}

/// Values of a column's default that draws from a sequence. Errors: 42501 unless it is an identity column's; what drawing raises.
pub(crate) fn drawn(scene: &Scene, used: &Used, id: u32, rows: usize) -> SqlResult<Vec<i64>> {
    if let Some(Object::Sequence(sequence)) = scene.catalog.object(id)
        && !sequence.is_identity
    {
        check(scene, sequence, DRAWS)?;
    }
    let values = scene.ledger.next_values(&scene.catalog, id, rows as u64)?;
    if let Some(last) = values.last() {
        used.note(id, *last);
    }
    Ok(values)
}

/// What lets a role draw values.
const DRAWS: u16 = privilege::USAGE | privilege::UPDATE;
/// What lets it see the last one of its own.
const SHOWS: u16 = privilege::USAGE | privilege::SELECT;

fn next(scene: &Scene, used: &Used, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
    each(scene, &arguments[0], |sequence, _, rows| {
        check(scene, sequence, DRAWS)?;
        let values = scene.ledger.next_values(&scene.catalog, sequence.id(), rows as u64)?;
        if let Some(last) = values.last() {
            used.note(sequence.id(), *last);
        }
        Ok(values)
    })
}

fn current(scene: &Scene, used: &Used, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
    each(scene, &arguments[0], |sequence, _, rows| {
        check(scene, sequence, SHOWS)?;
        let value = used.with(|values| values.by_sequence.get(&sequence.id()).copied()).ok_or_else(|| {
            let message = format!("currval of sequence \"{}\" is not yet defined in this session", sequence.name());
            SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })?;
        Ok(vec![value; rows])
    })
}

fn set(scene: &Scene, used: &Used, arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
    let given = arguments[1].as_primitive::<Int64Type>();
    let called = arguments.get(2).and_then(|called| called.as_boolean_opt());
    each(scene, &arguments[0], |sequence, first, rows| {
        check(scene, sequence, privilege::UPDATE)?;
        let mut values = Vec::with_capacity(rows);
        for row in first..first + rows {
            let (value, is_called) = (given.value(row), called.is_none_or(|called| called.value(row)));
            scene.ledger.set_sequence(&scene.catalog, sequence.id(), value, is_called)?;
            if is_called {
                used.with(|values| values.by_sequence.insert(sequence.id(), value));
            }
            values.push(value);
        }
        Ok(values)
    })
}

fn last(scene: &Scene, used: &Used, _arguments: &[ArrayRef]) -> SqlResult<ArrayRef> {
    let last = used.with(|values| values.last.and_then(|sequence| Some((sequence, values.by_sequence.get(&sequence).copied()?))));
    let (id, value) =
        last.ok_or_else(|| SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session"))?;
    if let Some(Object::Sequence(sequence)) = scene.catalog.object(id) {
        check(scene, sequence, SHOWS)?;
    }
    Ok(Arc::new(Int64Array::from(vec![value])))
}
