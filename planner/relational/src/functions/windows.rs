//! Window functions beside and instead of DataFusion's own.
//!
//! F45: `ntile` answers an `integer`; of NULL it is NULL.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::scalar::ScalarValue;

/// Every window function that is no aggregate.
pub(crate) fn functions() -> Vec<Arc<WindowUDF>> {
    let theirs = SessionStateDefaults::default_window_functions().into_iter().filter(|theirs| theirs.name() != NTILE);
    theirs.chain([Arc::new(WindowUDF::from(Ntile { signature: Signature::exact(vec![DataType::Int32], Volatility::Immutable) }))]).collect()
}

const NTILE: &str = "ntile";

/// F45.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Ntile {
    signature: Signature,
}

impl WindowUDFImpl for Ntile {
    fn name(&self) -> &str {
        NTILE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        let constant = args.input_exprs().first().and_then(|expr| expr.downcast_ref::<Literal>());
        match constant.map(Literal::value) {
            Some(ScalarValue::Int32(Some(count @ 1..))) => Ok(Box::new(Tiles { count: Some(i64::from(*count)) })),
            Some(value) if value.is_null() => Ok(Box::new(Tiles { count: None })),
            Some(_) => {
                let error = SqlError::new(SqlState("22014"), "argument of ntile must be greater than zero");
                Err(DataFusionError::External(Box::new(error)))
            }
            None => exec_err!("F45: ntile takes a constant"),
        }
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int32, true)))
    }

    fn limit_effect(&self, _args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Tiles {
    count: Option<i64>,
}

impl PartitionEvaluator for Tiles {
    /// The first tiles have a row more where the rows are no multiple of the tiles.
    fn evaluate_all(&mut self, _values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let Some(count) = self.count else { return Ok(Arc::new(Int32Array::new_null(rows))) };
        let all = i64::try_from(rows).unwrap_or(i64::MAX);
        let (least, larger) = (all / count, all % count);
        let in_larger = larger * (least + 1);
        // Past the larger tiles `least` is not 0: else every row was in one of them.
        let tile = |row: i64| if row < in_larger { row / (least + 1) } else { larger + (row - in_larger) / least };
        Ok(Arc::new((0..all).map(|row| i32::try_from(tile(row) + 1).ok()).collect::<Int32Array>()))
    }
}
