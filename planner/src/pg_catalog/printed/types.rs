//! Types of what is printed, and which function or operator Postgres would choose for them.
//!
//! O1: of several candidates that one is taken which Postgres's rules take: exact, then by the types preferred; with none or several left nothing is.
//! Never: guesses a type.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::pg_catalog::builtin::{self, Function};
use crate::pg_catalog::types;

/// A type as `pg_type` has it: oid and modifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Typ {
    pub(super) oid: i64,
    pub(super) modifier: i64,
}

pub(super) const BOOL: i64 = 16;
pub(super) const INT8: i64 = 20;
pub(super) const INT4: i64 = 23;
pub(super) const TEXT: i64 = 25;
pub(super) const UNKNOWN: i64 = 705;
pub(super) const NUMERIC: i64 = 1700;
const ANY: i64 = 2276;
const ANYARRAY: i64 = 2277;
const ANYELEMENT: i64 = 2283;
const ANYNONARRAY: i64 = 2776;
const COMPATIBLE: i64 = 5077;
const COMPATIBLE_ARRAY: i64 = 5078;
const COMPATIBLE_NONARRAY: i64 = 5079;

/// The type without a modifier.
pub(super) fn of(oid: i64) -> Typ {
    Typ { oid, modifier: -1 }
}

pub(super) fn is_polymorphic(oid: i64) -> bool {
    matches!(oid, ANY | ANYARRAY | ANYELEMENT | ANYNONARRAY | COMPATIBLE | COMPATIBLE_ARRAY | COMPATIBLE_NONARRAY)
}

fn is_array_of_any(oid: i64) -> bool {
    matches!(oid, ANYARRAY | COMPATIBLE_ARRAY)
}

/// The type of the elements of an array type.
pub(super) fn element(oid: i64) -> Option<i64> {
    types::by_oid(oid).filter(|known| known.is_array()).map(|known| known.element)
}

/// The type of arrays of a type.
pub(super) fn array_of(oid: i64) -> Option<i64> {
    types::by_oid(oid).map(|known| known.array).filter(|array| *array != 0)
}

/// How a cast is done: `b` where nothing is to be done, and whether it is done unasked.
static CASTS: LazyLock<HashMap<(i64, i64), (bool, bool)>> = LazyLock::new(|| {
    let read = |line: Vec<&str>| {
        let [_, from, to, _, context, method] = line.as_slice() else { return None };
        Some(((from.parse().ok()?, to.parse().ok()?), (*context == "i", *method == "b")))
    };
    builtin::lines("pg_cast").filter_map(read).collect()
});

/// Whether a value of one type is taken for one of another unasked.
pub(super) fn is_implicit(from: i64, to: i64) -> bool {
    if from == to || from == UNKNOWN {
        return true;
    }
    if is_polymorphic(to) {
        return match to {
            ANYARRAY | COMPATIBLE_ARRAY => element(from).is_some(),
            ANYNONARRAY | COMPATIBLE_NONARRAY => element(from).is_none(),
            _ => true,
        };
    }
    match (element(from), element(to)) {
        (Some(from), Some(to)) => is_implicit(from, to),
        _ => CASTS.get(&(from, to)).is_some_and(|(implicit, _)| *implicit),
    }
}

fn category(oid: i64) -> &'static str {
    types::by_oid(oid).map_or("X", |known| known.category)
}

fn is_preferred(oid: i64) -> bool {
    types::by_oid(oid).is_some_and(|known| known.is_preferred)
}

/// The candidate to be chosen, by its place (O1).
fn choose(given: &[i64], candidates: &[Vec<i64>]) -> Option<usize> {
    let known: Vec<i64> = given.iter().copied().filter(|oid| *oid != UNKNOWN).collect();
    let mut left: Vec<usize> =
        (0..candidates.len()).filter(|at| given.iter().zip(&candidates[*at]).all(|(from, to)| is_implicit(*from, *to))).collect();
    if let Some(exact) = left.iter().find(|at| candidates[**at] == given) {
        return Some(*exact);
    }
    let best = |left: Vec<usize>, score: &dyn Fn(&[i64]) -> usize| -> Vec<usize> {
        let most = left.iter().map(|at| score(&candidates[*at])).max().unwrap_or(0);
        left.into_iter().filter(|at| score(&candidates[*at]) == most).collect()
    };
    let exact = |candidate: &[i64]| given.iter().zip(candidate).filter(|(from, to)| *from != &UNKNOWN && from == to).count();
    let good = |candidate: &[i64]| {
        given
            .iter()
            .zip(candidate)
            .filter(|(from, to)| **from != UNKNOWN && (from == to || is_preferred(**to) && category(**from) == category(**to)))
            .count()
    };
    left = best(left, &exact);
    if left.len() > 1 {
        left = best(left, &good);
    }
    for at in given.iter().enumerate().filter(|(_, oid)| **oid == UNKNOWN).map(|(at, _)| at) {
        if left.len() < 2 {
            break;
        }
        let wanted: Vec<&str> = left.iter().map(|candidate| category(candidates[*candidate][at])).collect();
        let agreed =
            if wanted.contains(&"S") { Some("S") } else { wanted.first().copied().filter(|first| wanted.iter().all(|one| one == first)) };
        let Some(agreed) = agreed else { continue };
        left.retain(|candidate| category(candidates[*candidate][at]) == agreed);
        if left.iter().any(|candidate| is_preferred(candidates[*candidate][at])) {
            left.retain(|candidate| is_preferred(candidates[*candidate][at]));
        }
    }
    if let ([_, _, ..], [first, rest @ ..]) = (left.as_slice(), known.as_slice())
        && rest.iter().all(|other| other == first)
    {
        let assumed = vec![*first; given.len()];
        let fitting = |at: &&usize| assumed.iter().zip(&candidates[**at]).all(|(from, to)| is_implicit(*from, *to));
        let fits: Vec<usize> = left.iter().filter(fitting).copied().collect();
        let exact: Vec<usize> = fits.iter().filter(|at| candidates[**at] == assumed).copied().collect();
        left = if exact.is_empty() { fits } else { exact };
    }
    if let [one] = left.as_slice() { Some(*one) } else { None }
}

/// What arguments are taken for, and what comes of them.
pub(super) struct Chosen {
    /// Polymorphic where the argument stays as it is.
    pub(super) params: Vec<i64>,
    pub(super) result: i64,
}

fn settle(given: &[i64], params: &[i64], result: i64) -> Option<Chosen> {
    let pairs = || given.iter().zip(params);
    let of_element = pairs().find(|(from, to)| is_polymorphic(**to) && !is_array_of_any(**to) && **from != UNKNOWN).map(|(from, _)| *from);
    let of_array = pairs().find(|(from, to)| is_array_of_any(**to) && **from != UNKNOWN).map(|(from, _)| *from);
    let one = of_array.and_then(element).or(of_element);
    let result = match result {
        ANYARRAY | COMPATIBLE_ARRAY => of_array.or_else(|| array_of(one?))?,
        ANYELEMENT | ANYNONARRAY | COMPATIBLE | COMPATIBLE_NONARRAY => one?,
        other => other,
    };
    let param = |(from, to): (&i64, &i64)| match *to {
        ANY if *from == UNKNOWN => TEXT,
        to if *from != UNKNOWN => to,
        ANYARRAY | COMPATIBLE_ARRAY => of_array.or_else(|| array_of(one?)).unwrap_or(to.to_owned()),
        to if is_polymorphic(to) => one.unwrap_or(TEXT),
        to => to,
    };
    Some(Chosen { params: pairs().map(param).collect(), result })
}

/// Left, right and result of each operator, by its name.
static OPERATORS: LazyLock<HashMap<&'static str, Vec<[i64; 3]>>> = LazyLock::new(|| {
    let mut known: HashMap<&'static str, Vec<[i64; 3]>> = HashMap::new();
    for line in builtin::lines("pg_operator") {
        let number = |at: usize| line.get(at).and_then(|text| text.parse().ok());
        if let (Some(name), Some(left), Some(right), Some(result)) = (line.get(1), number(5), number(6), number(7)) {
            known.entry(name).or_default().push([left, right, result]);
        }
    }
    known
});

/// The operator between two operands; `left` is `None` for one that stands in front.
pub(super) fn operator(name: &str, left: Option<i64>, right: i64) -> Option<Chosen> {
    let all: Vec<&[i64; 3]> = OPERATORS.get(name)?.iter().filter(|one| (one[0] != 0) == left.is_some()).collect();
    let given: Vec<i64> = left.into_iter().chain([right]).collect();
    let params = |one: &[i64; 3]| if left.is_some() { vec![one[0], one[1]] } else { vec![one[1]] };
    // An operand of unknown type is first taken for what the other is.
    if let (Some(left), true) = (left, given.contains(&UNKNOWN)) {
        let both = if left == UNKNOWN { right } else { left };
        if let Some(found) = all.iter().find(|one| one[0] == both && one[1] == both) {
            return Some(Chosen { params: vec![both, both], result: found[2] });
        }
    }
    let candidates: Vec<Vec<i64>> = all.iter().map(|one| params(one)).collect();
    let at = choose(&given, &candidates)?;
    settle(&given, &candidates[at], all[at][2])
}

/// The function of a name for arguments.
pub(super) fn function(name: &str, given: &[i64]) -> Option<(Chosen, &'static Function)> {
    let all: Vec<&'static Function> =
        builtin::functions().iter().filter(|function| function.name == name && function.args.len() == given.len()).collect();
    let candidates: Vec<Vec<i64>> = all.iter().map(|function| function.args.clone()).collect();
    let at = choose(given, &candidates)?;
    Some((settle(given, &candidates[at], all[at].returns)?, all[at]))
}

/// The one type that several alternatives take: of CASE, of COALESCE, of an array's elements, of the rows of a set operation.
pub(super) fn common(given: &[i64]) -> Option<i64> {
    let mut known = given.iter().copied().filter(|oid| *oid != UNKNOWN);
    let Some(mut chosen) = known.next() else { return Some(TEXT) };
    for next in known.filter(|next| *next != UNKNOWN) {
        if next == chosen {
            continue;
        }
        if category(next) != category(chosen) {
            return None;
        }
        if !is_preferred(chosen) && is_implicit(chosen, next) && !is_implicit(next, chosen) {
            chosen = next;
        }
    }
    Some(chosen)
}
