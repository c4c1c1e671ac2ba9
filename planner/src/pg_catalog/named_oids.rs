//! `regclass`, `regtype`, `regnamespace`, `regrole`, `regproc`, `regprocedure`: oids read and shown by name.
//!
//! R1: `…in` reads a name or a number, `to_…` answers NULL where `…in` fails, `…out` prints, `…_shown` gives number and name together.
//! Never: resolves beyond the statement's catalog.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult};
use engine::CatalogType;
use relational::ScalarFunction;

use super::cells::{Cell, arrow_of};
use super::functions::cell;
use super::names;
use super::scene::Scene;

const KINDS: [CatalogType; 6] = [
    CatalogType::Regclass,
    CatalogType::Regnamespace,
    CatalogType::Regproc,
    CatalogType::Regprocedure,
    CatalogType::Regrole,
    CatalogType::Regtype,
];

/// The functions of every kind over one statement's catalog.
pub(super) fn all(scene: &Arc<Scene>) -> impl Iterator<Item = ScalarFunction> {
    KINDS.iter().flat_map(move |kind| of_kind(scene, *kind))
}

fn of_kind(scene: &Arc<Scene>, kind: CatalogType) -> Vec<ScalarFunction> {
    let name = kind.name();
    let read = move |scene: &Scene, value: &Cell| match value.text() {
        Some(text) => names::read(scene, name, text).map(Cell::Int),
        None => Ok(Cell::Null),
    };
    let find = move |scene: &Scene, value: &Cell| {
        let text = value.text().filter(|text| text.parse::<i64>().is_err());
        Ok(text.and_then(|text| names::read(scene, name, text).ok()).map(Cell::Int).unwrap_or(Cell::Null))
    };
    let print = move |scene: &Scene, value: &Cell| Ok(value.int().flatten().map(|oid| names::print(scene, name, oid)).into());
    let show = move |scene: &Scene, value: &Cell| {
        Ok(value.int().flatten().map_or(Cell::Null, |oid| Cell::Shown(oid, names::print(scene, name, oid))))
    };
    let mut functions = vec![
        function(scene, format!("{name}in"), DataType::Utf8, DataType::UInt32, read),
        function(scene, format!("to_{name}"), DataType::Utf8, DataType::UInt32, find),
        function(scene, format!("{name}out"), DataType::Int64, DataType::Utf8, print),
    ];
    functions.extend(kind.shown().map(|shown| function(scene, format!("{name}_shown"), DataType::UInt32, shown, show)));
    functions
}

fn function(
    scene: &Arc<Scene>,
    name: String,
    takes: DataType,
    returns: DataType,
    body: impl Fn(&Scene, &Cell) -> SqlResult<Cell> + Send + Sync + 'static,
) -> ScalarFunction {
    let (scene, answers) = (Arc::clone(scene), returns.clone());
    let call = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let Some(values) = arguments.first() else { return Err(SqlError::internal("a name without a value")) };
        let cells = (0..values.len()).map(|row| body(&scene, &cell(values, row))).collect::<SqlResult<Vec<_>>>()?;
        arrow_of(&answers, &cells.iter().collect::<Vec<_>>()).ok_or_else(|| SqlError::internal("R1: an oid out of range"))
    };
    ScalarFunction { name, args: vec![takes], optional_args: 0, returns, call: Arc::new(call) }
}
