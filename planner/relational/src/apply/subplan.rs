//! A subquery in an expression as a function of its outer values: its one value, or whether it has a row.
//!
//! B1: a subquery of one value that has two rows is 21000; one without a row is NULL.
//! B2: it is volatile to the planners: they never fold it, nor call it for rows that its place would not.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array, new_null_array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Schema};
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use futures::StreamExt;

use super::Held;
use super::inner::{Inner, aside, wait};

/// What is asked of a subquery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    /// The value of its one column.
    Value,
    /// Whether it has a row.
    Exists,
}

#[derive(Clone, Debug)]
pub(super) struct Subplan {
    held: Held,
    kind: Kind,
    returns: DataType,
    signature: Signature,
}

/// A call of the subquery with these arguments.
pub(super) fn call(held: Held, kind: Kind, args: Vec<Expr>) -> Expr {
    let returns = match kind {
        Kind::Exists => DataType::Boolean,
        Kind::Value => held.plan.schema().field(0).data_type().clone(),
    };
    // B2.
    let signature =
        if args.is_empty() { Signature::nullary(Volatility::Volatile) } else { Signature::any(args.len(), Volatility::Volatile) };
    let function = ScalarUDF::from(Subplan { held, kind, returns, signature });
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), args))
}

fn of(expr: &Expr) -> Option<&Subplan> {
    match expr {
        Expr::ScalarFunction(call) => call.func.inner().downcast_ref::<Subplan>(),
        _ => None,
    }
}

/// The subquery that an expression calls, if it is such a call.
pub(super) fn held(expr: &Expr) -> Option<&Held> {
    of(expr).map(|subplan| &subplan.held)
}

/// The same call of another subquery.
pub(super) fn with_held(expr: Expr, held: Held) -> Result<Expr> {
    let Some(subplan) = of(&expr) else { return internal_err!("P1: no call of a subplan") };
    let changed = ScalarUDF::from(Subplan { held, ..subplan.clone() });
    match expr {
        Expr::ScalarFunction(call) => Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(changed), call.args))),
        other => Ok(other),
    }
}

impl PartialEq for Subplan {
    fn eq(&self, other: &Self) -> bool {
        self.held == other.held && self.kind == other.kind
    }
}

impl Eq for Subplan {}

impl Hash for Subplan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.held.id.hash(state);
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for Subplan {
    fn name(&self) -> &str {
        "subquery"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(inner) = &self.held.inner else { return internal_err!("S1: a subquery is evaluated outside a run") };
        // Planners try on no rows what is constant: this is not.
        if args.number_rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(&self.returns)));
        }
        if args.args.is_empty() {
            let value = self.answers(inner, &[vec![]])?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&value, 0)?));
        }
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let mut places: HashMap<Vec<ScalarValue>, u32> = HashMap::new();
        let mut keys = Vec::new();
        let mut indices = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let key = arrays.iter().map(|array| ScalarValue::try_from_array(array, row)).collect::<Result<Vec<_>>>()?;
            // Every row counts where an answer is not remembered (P4).
            let known = if inner.memo.is_some() { places.get(&key).copied() } else { None };
            let place = match known {
                Some(place) => place,
                None => {
                    let place = u32::try_from(keys.len()).map_err(|_| DataFusionError::Internal("P4: a batch is too long".into()))?;
                    places.insert(key.clone(), place);
                    keys.push(key);
                    place
                }
            };
            indices.push(place);
        }
        let answers = self.answers(inner, &keys)?;
        Ok(ColumnarValue::Array(take(&answers, &UInt32Array::from(indices), None)?))
    }
}

impl Subplan {
    /// One value a key.
    fn answers(&self, inner: &Inner, keys: &[Vec<ScalarValue>]) -> Result<ArrayRef> {
        let turn = inner.turn();
        let known: Vec<Option<ArrayRef>> =
            keys.iter().map(|key| Some(self.read(&inner.memo.as_ref()?.get(key)?))).map(Option::transpose).collect::<Result<_>>()?;
        let values = if known.iter().all(Option::is_some) {
            known.into_iter().flatten().collect()
        } else {
            aside(|| {
                let evaluate = |(known, key): (Option<ArrayRef>, &Vec<ScalarValue>)| match known {
                    Some(value) => Ok(value),
                    None => self.evaluate(inner, key),
                };
                known.into_iter().zip(keys).map(evaluate).collect::<Result<Vec<_>>>()
            })?
        };
        drop(turn);
        if values.is_empty() {
            return Ok(new_empty_array(&self.returns));
        }
        Ok(concat(&values.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
    }

    fn evaluate(&self, inner: &Inner, key: &[ScalarValue]) -> Result<ArrayRef> {
        inner.check()?;
        let mut stream = inner.start(key)?;
        let schema = stream.schema();
        let mut found: Option<RecordBatch> = None;
        wait(async {
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                inner.check()?;
                if batch.num_rows() == 0 {
                    continue;
                }
                if self.kind == Kind::Value && (found.is_some() || batch.num_rows() > 1) {
                    let message = "more than one row returned by a subquery used as an expression";
                    return Err(DataFusionError::External(Box::new(SqlError::new(SqlState::CARDINALITY_VIOLATION, message))));
                }
                found = Some(batch);
                if self.kind == Kind::Exists {
                    break;
                }
            }
            Ok(())
        })?;
        drop(stream);
        inner.end()?;
        let answer = match (found, self.kind) {
            (None, _) => RecordBatch::new_empty(schema),
            (Some(row), Kind::Value) => row,
            (Some(_), Kind::Exists) => {
                let options = RecordBatchOptions::new().with_row_count(Some(1));
                RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?
            }
        };
        let answer = vec![answer];
        let value = self.read(&answer)?;
        if let Some(memo) = &inner.memo {
            memo.put(key.to_vec(), answer);
        }
        Ok(value)
    }

    /// The value an answer stands for (B1).
    fn read(&self, answer: &[RecordBatch]) -> Result<ArrayRef> {
        let row = answer.iter().find(|batch| batch.num_rows() > 0);
        Ok(match (self.kind, row) {
            (Kind::Exists, row) => Arc::new(BooleanArray::from(vec![row.is_some()])),
            (Kind::Value, None) => new_null_array(&self.returns, 1),
            (Kind::Value, Some(row)) if row.column(0).data_type() == &self.returns => Arc::clone(row.column(0)),
            (Kind::Value, Some(row)) => cast(row.column(0), &self.returns)?,
        })
    }
}
