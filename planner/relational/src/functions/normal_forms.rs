//! `normalize` and `IS NORMALIZED`: Unicode's normal forms.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;
use unicode_normalization::UnicodeNormalization;

use crate::functions::row::{Answer, Kind, Returns, Value, form, function};
use crate::functions::text::text;

use Kind::Text;

/// Every function of the family; the form is NFC where none is given.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const TRUTH: Returns = Returns::Is(Kind::Bool);
    vec![
        function("normalize", &[form(&[Text], Returns::Is(Text), normalize), form(&[Text, Text], Returns::Is(Text), normalize)]),
        function("is_normalized", &[form(&[Text], TRUTH, is_normalized), form(&[Text, Text], TRUTH, is_normalized)]),
    ]
}

/// Errors: 22023 for a form there is not.
fn normal(args: &[Option<Value>]) -> SqlResult<String> {
    let (value, form) = (text(args, 0), if args.len() > 1 { text(args, 1) } else { "nfc" });
    Ok(match form.to_lowercase().as_str() {
        "nfc" => value.nfc().collect(),
        "nfd" => value.nfd().collect(),
        "nfkc" => value.nfkc().collect(),
        "nfkd" => value.nfkd().collect(),
        _ => return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid normalization form: {form}"))),
    })
}

fn normalize(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Text(normal(args)?)))
}

fn is_normalized(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Bool(normal(args)? == text(args, 0))))
}
