//! `WHERE CURRENT OF cursor`, which sqlparser does not read.
//!
//! C1: it becomes a condition that calls a name no statement can write, with the cursor's name.
//! Never: looks for the cursor.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Statement, Value};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::syntax_errors::is_visible;

const CURRENT: &str = "\u{1}current of";

/// The tokens with the call in the place of the clause (C1); `None` where there is none.
pub(crate) fn called(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    tokens.iter().find(|token| is_word(&token.token, "current"))?;
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let is = |at: usize, word: &str| visible.get(at).is_some_and(|token| is_word(&token.token, word));
    let at = (1..visible.len()).find(|at| is(at - 1, "where") && is(*at, "current") && is(at + 1, "of"))?;
    let begins = ["update", "delete", "prepare"].iter().any(|word| is(0, word));
    let is_whole = visible.get(at + 3).is_none_or(|next| next.token == Token::RParen || is_word(&next.token, "returning"));
    let Token::Word(name) = &visible.get(at + 2).filter(|_| begins && is_whole)?.token else { return None };
    let name = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
    let span = visible[at].span;
    let call = [Token::make_word(CURRENT, Some('"')), Token::LParen, Token::SingleQuotedString(name), Token::RParen];
    let mut called = visible[..at].to_vec();
    called.extend(call.into_iter().map(|token| TokenWithSpan { token, span }));
    called.extend_from_slice(&visible[at + 3..]);
    Some(called)
}

/// The cursor whose row an UPDATE or DELETE is about.
pub(crate) fn cursor(statement: &Statement) -> Option<&str> {
    let Expr::Function(call) = condition(statement)? else { return None };
    let FunctionArguments::List(list) = &call.args else { return None };
    let is_called = call.name.0.last().and_then(|part| part.as_ident()).is_some_and(|ident| ident.value == CURRENT);
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] if is_called => match &value.value {
            Value::SingleQuotedString(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn condition(statement: &Statement) -> Option<&Expr> {
    match statement {
        Statement::Update(update) => update.selection.as_ref(),
        Statement::Delete(delete) => delete.selection.as_ref(),
        _ => None,
    }
}

/// The statement with another condition.
pub(crate) fn with_condition(statement: &Statement, condition: Expr) -> Statement {
    let mut statement = statement.clone();
    match &mut statement {
        Statement::Update(update) => update.selection = Some(condition),
        Statement::Delete(delete) => delete.selection = Some(condition),
        _ => {}
    }
    statement
}
