//! sqlparser's Postgres dialect with a bound on the work of one statement.
//!
//! Where a word could begin a special form or be a name, sqlparser tries the one and then the other, so an error inside `CAST(CAST(CAST(…` costs twice
//! as much for each level: thirty levels would keep a thread busy for hours.
//!
//! B1: expressions begun, those tried in vain included, are at most [`Bounded::allowance`]; then every further one is refused, and parsing ends.
//! B2: but for that, and for names of arguments, what is parsed and how is up to [`PostgreSqlDialect`].

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast::Expr;
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};

const POSTGRES: PostgreSqlDialect = PostgreSqlDialect {};

/// For one statement: it has an allowance and uses it up.
#[derive(Debug)]
pub(crate) struct Bounded {
    left: Cell<usize>,
    is_versioned: bool,
}

impl Bounded {
    /// For a statement of so many tokens. A token begins a few expressions at most where nothing is tried in vain.
    pub(crate) fn of(tokens: usize) -> Self {
        Self { left: Cell::new(Self::allowance(tokens)), is_versioned: false }
    }

    /// The same, reading `FOR SYSTEM_TIME AS OF` after tables. Else the words that other products have there stay free for aliases.
    pub(crate) fn versioned(self, is_versioned: bool) -> Self {
        Self { is_versioned, ..self }
    }

    fn allowance(tokens: usize) -> usize {
        tokens.saturating_mul(32).saturating_add(4_096)
    }
}

/// Methods that answer as Postgres's dialect does.
macro_rules! as_postgres {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($argument: $type),*) -> $result {
            POSTGRES.$name($($argument),*)
        })*
    };
}

impl Dialect for Bounded {
    /// What the parser asks `is this PostgreSQL` with.
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn parse_prefix(&self, _parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        match self.left.get().checked_sub(1) {
            None => Some(Err(ParserError::RecursionLimitExceeded)),
            Some(left) => {
                self.left.set(left);
                None
            }
        }
    }

    /// A named argument has an identifier before its arrow. Were it any expression, each would be read twice, and `f(f(f(…)))` exponentially often.
    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        false
    }

    fn supports_table_versioning(&self) -> bool {
        self.is_versioned
    }

    as_postgres! {
        identifier_quote_style(identifier: &str) -> Option<char>;
        is_delimited_identifier_start(ch: char) -> bool;
        is_identifier_start(ch: char) -> bool;
        is_identifier_part(ch: char) -> bool;
        supports_unicode_string_literal() -> bool;
        is_reserved_for_identifier(word: Keyword) -> bool;
        is_custom_operator_part(ch: char) -> bool;
        get_next_precedence(parser: &Parser<'_>) -> Option<Result<u8, ParserError>>;
        supports_filter_during_aggregation() -> bool;
        supports_group_by_expr() -> bool;
        prec_value(precedence: Precedence) -> u8;
        allow_extract_custom() -> bool;
        allow_extract_single_quotes() -> bool;
        supports_create_index_with_clause() -> bool;
        supports_explain_with_utility_options() -> bool;
        supports_listen_notify() -> bool;
        supports_factorial_operator() -> bool;
        supports_bitwise_shift_operators() -> bool;
        supports_comment_on() -> bool;
        supports_load_extension() -> bool;
        supports_named_fn_args_with_colon_operator() -> bool;
        supports_empty_projections() -> bool;
        supports_nested_comments() -> bool;
        supports_string_escape_constant() -> bool;
        supports_numeric_literal_underscores() -> bool;
        supports_array_typedef_with_brackets() -> bool;
        supports_geometric_types() -> bool;
        supports_set_names() -> bool;
        supports_alter_column_type_using() -> bool;
        supports_notnull_operator() -> bool;
        supports_interval_options() -> bool;
        supports_insert_table_alias() -> bool;
        supports_create_table_like_parenthesized() -> bool;
        supports_select_wildcard_with_alias() -> bool;
        supports_comma_separated_trim() -> bool;
        supports_xml_expressions() -> bool;
        supports_comment_optimizer_hint() -> bool;
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn an_error_deep_inside_special_forms_is_found_soon() {
        for form in ["CAST(", "EXTRACT(YEAR FROM ", "CASE WHEN ", "SUBSTRING(", "position(", "ARRAY[", "EXISTS(SELECT "] {
            let bounded = Bounded::of(200);
            let parsed = Parser::new(&bounded).with_recursion_limit(64).try_with_sql(&format!("SELECT {}", form.repeat(40)));
            assert!(parsed.unwrap().parse_statements().is_err(), "{form}");
        }
    }

    #[test]
    fn what_is_deep_and_right_fits_the_allowance() {
        for (open, close) in [("CAST(", " AS int)"), ("CASE WHEN true THEN ", " END"), ("substring(", ", 1)"), ("(", ")"), ("f(", ")")] {
            let sql = format!("SELECT {}a{}", open.repeat(20), close.repeat(20));
            let bounded = Bounded::of(200);
            let plain = Parser::new(&POSTGRES).try_with_sql(&sql).unwrap().parse_statements().unwrap();
            assert_eq!(Parser::new(&bounded).try_with_sql(&sql).unwrap().parse_statements().unwrap(), plain);
        }
    }
}
