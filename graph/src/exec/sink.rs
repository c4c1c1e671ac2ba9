//! What becomes of the matches: counted, grouped, or handed to the caller.
//!
//! Z1: a row of weight n counts as n matches; sums that do not fit 63 bits end the query (22003).
//! Never: flattens a weight.

use base::{SqlError, SqlResult};
use hashbrown::HashMap;

use super::batch::Batch;
use crate::budget::Meter;
use crate::element::Element;
use crate::paths::Path;
use crate::pattern::Output;
use crate::tally;
use crate::varset::{Var, VarSet};

/// What a match's variable holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A vertex, an edge, or null.
    Element(Element),
    /// A path.
    Path(Path),
}

/// The matches, as the output asks for them.
#[derive(Debug)]
pub enum Answer {
    /// For [`Output::Count`].
    Count(u64),
    /// For [`Output::Rows`]: each row with how many times it stands.
    Rows(Vec<(Vec<Value>, u64)>),
    /// For [`Output::Distinct`] and [`Output::Groups`]: each combination with the number of its matches, in no order.
    Groups(Vec<(Vec<Element>, u64)>),
}

/// Takes columns of elements, one for each variable asked for, and how many matches each row stands for.
pub type Take<'a> = dyn Fn(&[&[Element]], &[u64]) -> SqlResult<()> + Sync + 'a;

/// Where a pipeline's matches go.
pub enum Sink<'a> {
    /// Handed on as they come.
    Given(Vec<Var>, &'a Take<'a>),
    Count(u64),
    Rows {
        vars: Vec<Var>,
        rows: Vec<(Vec<Value>, u64)>,
        limit: u64,
    },
    ByOne(Var, HashMap<Element, u64>),
    ByMany(Vec<Var>, HashMap<Box<[Element]>, u64>),
}

fn add(to: &mut u64, weight: u64) -> SqlResult<()> {
    *to = tally::sum(*to, weight)?;
    Ok(())
}

impl<'a> Sink<'a> {
    /// An empty one; of rows at most `limit` are kept.
    pub fn new(output: &Output, limit: Option<u64>) -> Self {
        match output {
            Output::Count => Self::Count(0),
            Output::Rows(vars) => Self::Rows { vars: vars.clone(), rows: Vec::new(), limit: limit.unwrap_or(u64::MAX) },
            Output::Distinct(vars) | Output::Groups(vars) => match vars.as_slice() {
                [var] => Self::ByOne(*var, HashMap::new()),
                vars => Self::ByMany(vars.to_vec(), HashMap::new()),
            },
        }
    }

    /// Whether more rows would change nothing.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Rows { rows, limit, .. } if rows.len() as u64 >= *limit)
    }

    /// Takes a batch in.
    pub fn take(&mut self, batch: &Batch, paths: &[Path], path_vars: VarSet, meter: &mut Meter) -> SqlResult<()> {
        match self {
            Self::Given(vars, take) => {
                let columns: Vec<&[Element]> = vars.iter().map(|var| batch.column(*var)).collect();
                take(&columns, &batch.weights)
            }
            Self::Count(count) => batch.weights.iter().try_for_each(|weight| add(count, *weight)),
            Self::Rows { vars, rows, limit } => {
                meter.take(batch.len() * (size_of::<(Vec<Value>, u64)>() + vars.len() * size_of::<Value>()))?;
                for row in 0..batch.len().min((*limit - rows.len() as u64) as usize) {
                    let value = |var: &Var| match batch.column(*var)[row] {
                        index if path_vars.has(*var) && !index.is_null() => Value::Path(paths[index.bits() as usize].clone()),
                        element => Value::Element(element),
                    };
                    rows.push((vars.iter().map(value).collect(), batch.weights[row]));
                }
                Ok(())
            }
            Self::ByOne(var, groups) => {
                let before = groups.len();
                for (key, weight) in batch.column(*var).iter().zip(&batch.weights) {
                    add(groups.entry(*key).or_insert(0), *weight)?;
                }
                meter.take((groups.len() - before) * 32)
            }
            Self::ByMany(vars, groups) => {
                let before = groups.len();
                let mut key = Vec::with_capacity(vars.len());
                for row in 0..batch.len() {
                    key.clear();
                    key.extend(vars.iter().map(|var| batch.column(*var)[row]));
                    match groups.get_mut(key.as_slice()) {
                        Some(count) => add(count, batch.weights[row])?,
                        None => {
                            groups.insert(key.as_slice().into(), batch.weights[row]);
                        }
                    }
                }
                meter.take((groups.len() - before) * (48 + vars.len() * size_of::<Element>()))
            }
        }
    }

    /// Adds what another worker found.
    pub fn merge(&mut self, other: Self) -> SqlResult<()> {
        match (self, other) {
            (Self::Given(..), Self::Given(..)) => {}
            (Self::Count(count), Self::Count(more)) => add(count, more)?,
            (Self::Rows { rows, limit, .. }, Self::Rows { rows: more, .. }) => {
                rows.extend(more);
                rows.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
            }
            (Self::ByOne(_, groups), Self::ByOne(_, more)) => {
                more.into_iter().try_for_each(|(key, weight)| add(groups.entry(key).or_insert(0), weight))?;
            }
            (Self::ByMany(_, groups), Self::ByMany(_, more)) => {
                more.into_iter().try_for_each(|(key, weight)| add(groups.entry(key).or_insert(0), weight))?;
            }
            _ => return Err(SqlError::internal("Z1: workers of one query have sinks of one kind")),
        }
        Ok(())
    }

    /// What was found.
    pub fn finish(self) -> Answer {
        match self {
            Self::Given(..) => Answer::Rows(Vec::new()),
            Self::Count(count) => Answer::Count(count),
            Self::Rows { rows, .. } => Answer::Rows(rows),
            Self::ByOne(_, groups) => Answer::Groups(groups.into_iter().map(|(key, count)| (vec![key], count)).collect()),
            Self::ByMany(_, groups) => Answer::Groups(groups.into_iter().map(|(key, count)| (key.into_vec(), count)).collect()),
        }
    }
}
