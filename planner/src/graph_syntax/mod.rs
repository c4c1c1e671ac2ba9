//! Property graphs in SQL (SQL:2023 part 16): the grammar of GRAPH_TABLE and of CREATE, ALTER and DROP PROPERTY GRAPH, which sqlparser does not read.
//!
//! A GRAPH_TABLE clause leaves the tokens before sqlparser sees them; in its place stands a relation with the name [`MARK`]`.n`, the n-th clause of the
//! statement's list.
//!
//! C1: a clause begins where `GRAPH_TABLE` stands before a parenthesis, as in PostgreSQL 19, whose keyword it is.
//! Never: looks at the catalog.

mod definition;
mod pattern;
mod reader;
mod tree;

use base::SqlResult;
use sqlparser::ast::{ObjectName, TableFactor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};

use crate::copy_syntax::is_word;
use crate::names::quoted;
use crate::syntax_errors::{at_end, is_visible};

pub(crate) use definition::{Change, ElementName, ElementTable, End, GraphCommand, LabelClause, Properties, recognise};
pub use tree::{
    ColumnItem, Direction, Element, Factor, GraphTable, LabelExpr, Match, Mode, Nested, PathExpr, PathPattern, Prefix, Primary, Quantifier,
    Rows, Selector, Version,
};

/// First part of the name that stands for a clause.
const MARK: &str = "\u{1}graph_table";

/// Takes the clauses out of a statement's tokens. `None` where there are none. Errors: 42601, 54001, 0A000.
pub(crate) fn take(sql: &str, tokens: &[TokenWithSpan]) -> SqlResult<Option<(Vec<TokenWithSpan>, Vec<GraphTable>)>> {
    if !tokens.iter().any(|token| is_word(&token.token, "graph_table")) {
        return Ok(None);
    }
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let (mut rest, mut tables, mut at) = (Vec::with_capacity(visible.len()), Vec::new(), 0);
    while let Some(token) = visible.get(at) {
        let opens = visible.get(at + 1).is_some_and(|next| next.token == Token::LParen);
        if !is_word(&token.token, "graph_table") || !opens || rest.last().is_some_and(|last: &TokenWithSpan| last.token == Token::Period) {
            rest.push(token.clone());
            at += 1;
            continue;
        }
        let Some(length) = closing(&visible[at + 2..]) else { return Err(at_end(sql, tokens)) };
        let close = at + 2 + length;
        let mut reader = reader::Reader::new(sql, &visible[at + 2..close], Some(visible[close].span));
        let name = [Token::make_word(MARK, Some('"')), Token::Period, Token::make_word(&tables.len().to_string(), Some('"'))];
        tables.push(pattern::graph_table(&mut reader)?);
        let spans = [token.span, Span { start: token.span.end, end: token.span.end }, visible[close].span];
        rest.extend(name.into_iter().zip(spans).map(|(token, span)| TokenWithSpan { token, span }));
        at = close + 1;
    }
    Ok(if tables.is_empty() { None } else { Some((rest, tables)) })
}

/// The label expression that a text is; `None` for any other text.
pub(crate) fn labels(text: &str) -> Option<LabelExpr> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().ok()?;
    let visible: Vec<TokenWithSpan> = tokens.into_iter().filter(is_visible).collect();
    let mut reader = reader::Reader::new(text, &visible, None);
    let labels = pattern::labels(&mut reader).ok()?;
    reader.end().ok()?;
    Some(labels)
}

/// How many tokens stand before the parenthesis that closes.
fn closing(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return true,
            Token::RParen => depth -= 1,
            _ => {}
        }
        false
    })
}

/// Which clause a relation stands for, if it stands for one.
pub(crate) fn marked(factor: &TableFactor) -> Option<usize> {
    let TableFactor::Table { name, args: None, .. } = factor else { return None };
    let [mark, number] = name.0.as_slice() else { return None };
    if mark.as_ident()?.value != MARK {
        return None;
    }
    number.as_ident()?.value.parse().ok()
}

/// Puts the clauses back into the text of a statement.
pub(crate) fn restored(text: &str, tables: &[GraphTable]) -> String {
    let mark = |at: usize| ObjectName::from(vec![quoted(MARK), quoted(&at.to_string())]).to_string();
    tables.iter().enumerate().fold(text.to_owned(), |text, (at, table)| text.replace(&mark(at), &table.to_string()))
}

#[cfg(test)]
mod tests;
