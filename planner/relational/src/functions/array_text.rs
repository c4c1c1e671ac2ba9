//! Arrays as the text Postgres prints (`{1,2,"a b"}`): searching, joining, counting.
//!
//! F13: one dimension only; an unquoted NULL is no element.
//! Never: makes an array.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let make = |name, args: usize, returns| {
        let signature = Signature::exact(vec![DataType::Utf8; args], Volatility::Immutable);
        ScalarUDF::from(OverText { name, returns, signature })
    };
    vec![
        make("array_text_contains", 2, DataType::Boolean),
        make("array_text_element", 1, DataType::Utf8),
        make("array_to_string", 2, DataType::Utf8),
    ]
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct OverText {
    name: &'static str,
    returns: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for OverText {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays =
            args.args.iter().map(|arg| Ok(cast(&arg.to_array(args.number_rows)?, &DataType::Utf8)?)).collect::<Result<Vec<_>>>()?;
        if let [value] = arrays.as_slice() {
            let answer: StringArray = value.as_string::<i32>().iter().map(|value| Some(element_text(value))).collect();
            return Ok(ColumnarValue::Array(Arc::new(answer)));
        }
        let [array, other] = arrays.as_slice() else {
            return Err(DataFusionError::Internal(format!("{} takes other arguments", self.name)));
        };
        let pairs = array.as_string::<i32>().iter().zip(other.as_string::<i32>().iter()).map(|(array, other)| array.zip(other));
        let answer: ArrayRef = match self.returns {
            DataType::Boolean => {
                let contains = |(array, wanted): (&str, &str)| elements(array).iter().any(|element| element == wanted);
                Arc::new(pairs.map(|pair| pair.map(contains)).collect::<BooleanArray>())
            }
            _ => Arc::new(pairs.map(|pair| pair.map(|(array, between)| elements(array).join(between))).collect::<StringArray>()),
        };
        debug_assert_eq!(answer.len(), args.number_rows, "one answer a row");
        Ok(ColumnarValue::Array(answer))
    }
}

/// A value as an element of an array's text: quoted where it could be read as anything else.
fn element_text(value: Option<&str>) -> String {
    let Some(value) = value else { return "NULL".to_owned() };
    let is_plain = !value.is_empty()
        && !value.eq_ignore_ascii_case("null")
        && !value.contains(|c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_ascii_whitespace());
    if is_plain { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// The elements of an array's text, or of a vector's (`1 2`).
fn elements(text: &str) -> Vec<String> {
    let Some(inside) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return text.split_whitespace().map(str::to_owned).collect();
    };
    let mut elements = Vec::new();
    let mut chars = inside.chars().peekable();
    while chars.peek().is_some() {
        let (mut element, mut is_quoted, mut is_inside) = (String::new(), false, false);
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    is_quoted = true;
                    is_inside = !is_inside;
                }
                '\\' => element.extend(chars.next()),
                ',' if !is_inside => break,
                other => element.push(other),
            }
        }
        if is_quoted || !element.eq_ignore_ascii_case("null") {
            elements.push(element);
        }
    }
    elements
}
