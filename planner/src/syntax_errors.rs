//! How failures of reading a statement's text are worded and where they point, as Postgres does; and the bounds on what is read at all.
//!
//! S1: nesting and operator chains are bounded before anything recursive sees them.
//! Never: reads a statement.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::keywords::Keyword;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use crate::position;

/// How deep parentheses, subqueries and nested calls may go.
pub(crate) const DEPTH_MAX: usize = 64;
/// How many binary operators may stand in one chain (`a + b + c …`, `x OR y OR …`).
pub(crate) const CHAIN_MAX: usize = 1_000;

/// Whether a token says something.
pub(crate) fn is_visible(token: &TokenWithSpan) -> bool {
    !matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

/// S1 for what the parser builds in loops: the tree it makes is as deep as the chain is long.
pub(crate) fn check_chains(tokens: &[TokenWithSpan]) -> SqlResult<()> {
    let mut chains = vec![0usize];
    for token in tokens {
        match &token.token {
            Token::LParen => chains.push(0),
            Token::RParen if chains.len() > 1 => {
                chains.pop();
            }
            Token::Comma => {
                if let Some(chain) = chains.last_mut() {
                    *chain = 0;
                }
            }
            token if is_operator(token) => {
                let Some(chain) = chains.last_mut() else { continue };
                *chain += 1;
                if *chain > CHAIN_MAX {
                    return Err(too_complex());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            matches!(
                word.keyword,
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::JOIN
            )
        }
        Token::Whitespace(_)
        | Token::Number(..)
        | Token::Comma
        | Token::Eq
        | Token::Period
        | Token::RParen
        | Token::Placeholder(_)
        | Token::SingleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::EscapedStringLiteral(_) => false,
        _ => true,
    }
}

/// Errors: 42601 for letters right behind a number, of which sqlparser makes a name, or a hexadecimal number, which PostgreSQL 15 has none of.
pub(crate) fn check_numbers(sql: &str, tokens: &[TokenWithSpan]) -> SqlResult<()> {
    let is_junk = |token: &TokenWithSpan, next: Option<&TokenWithSpan>| match &token.token {
        Token::Number(_, is_long) => {
            *is_long
                || position::slice(sql, token.span).contains('_')
                || next.is_some_and(|next| matches!(next.token, Token::Word(_)) && next.span.start == token.span.end)
        }
        Token::HexStringLiteral(_) => position::slice(sql, token.span).starts_with('0'),
        _ => false,
    };
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        if !is_junk(token, next) {
            continue;
        }
        let end = next.filter(|next| matches!(next.token, Token::Word(_)) && next.span.start == token.span.end).unwrap_or(token).span.end;
        let written = position::slice(sql, Span { start: token.span.start, end });
        let digits = written.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        let shown = &written[..(written.len() - digits.len() + 1).min(written.len())];
        let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("trailing junk after numeric literal at or near \"{shown}\""));
        return Err(match position::character(sql, token.span.start) {
            Some(at) => error.at(at),
            None => error,
        });
    }
    Ok(())
}

/// 54001
pub(crate) fn too_complex() -> SqlError {
    SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
        .detail(format!("Expressions may nest {DEPTH_MAX} levels deep and chain {CHAIN_MAX} operators."))
        .hint("Break the statement into smaller ones, or use IN (…) or VALUES lists instead of long OR chains.")
}

/// What sqlparser says of some tokens, as Postgres would.
pub(crate) fn syntax_error(sql: &str, tokens: &[TokenWithSpan], error: ParserError) -> SqlError {
    let message = match error {
        ParserError::RecursionLimitExceeded => return too_complex(),
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
    };
    if let Some(location) = trailing_location(&message)
        && let Some(token) = clause_after_comma(tokens, location).or_else(|| tokens.iter().find(|token| token.span.start == location))
    {
        return near(sql, token.span);
    }
    if message.contains("found: EOF") {
        return at_end(sql, tokens);
    }
    SqlError::new(SqlState::SYNTAX_ERROR, format!("syntax error: {message}"))
}

/// sqlparser takes a clause's keyword after a comma for a column and stumbles later; Postgres points at the keyword.
fn clause_after_comma(tokens: &[TokenWithSpan], before: Location) -> Option<&TokenWithSpan> {
    let visible: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| is_visible(token)).take_while(|token| token.span.start < before).collect();
    visible.windows(2).find(|pair| pair[0].token == Token::Comma && is_clause(&pair[1].token)).map(|pair| pair[1])
}

fn is_clause(token: &Token) -> bool {
    use Keyword::{FROM, GROUP, HAVING, LIMIT, ORDER, UNION, WHERE};
    matches!(token, Token::Word(word) if word.quote_style.is_none() && matches!(word.keyword, FROM | WHERE | GROUP | HAVING | ORDER | LIMIT | UNION))
}

/// sqlparser gives a location only inside its messages: `… at Line: 1, Column: 8`.
fn trailing_location(message: &str) -> Option<Location> {
    let (_, tail) = message.rsplit_once(" at Line: ")?;
    let (line, column) = tail.split_once(", Column: ")?;
    Some(Location { line: line.parse().ok()?, column: column.trim_end().parse().ok()? })
}

/// `syntax error at or near`
pub(crate) fn near(sql: &str, span: Span) -> SqlError {
    let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("syntax error at or near \"{}\"", position::slice(sql, span)));
    match position::character(sql, span.start) {
        Some(at) => error.at(at),
        None => error,
    }
}

/// A statement that ends too early: at the semicolon behind it, or at the end of the text.
pub(crate) fn at_end(sql: &str, tokens: &[TokenWithSpan]) -> SqlError {
    let end = tokens.last().map_or(sql.len(), |token| position::byte(sql, token.span.end));
    let behind = sql[end..].trim_start();
    let message = match behind.starts_with(';') {
        true => "syntax error at or near \";\"",
        false => "syntax error at end of input",
    };
    let error = SqlError::new(SqlState::SYNTAX_ERROR, message);
    match u32::try_from(sql[..sql.len() - behind.len()].chars().count() + 1) {
        Ok(at) => error.at(at),
        Err(_) => error,
    }
}

/// What the tokenizer says.
pub(crate) fn lexical_error(sql: &str, message: &str, location: Location) -> SqlError {
    let rest: String = sql[position::byte(sql, location)..].chars().take(200).collect();
    if let Some(error) = escape_error(&rest) {
        return match position::character(sql, location) {
            Some(at) => error.at(at),
            None => error,
        };
    }
    let what = if message.contains("dollar-quoted") || message.contains("Unterminated dollar") {
        "unterminated dollar-quoted string"
    } else if message.contains("Unterminated encoded string") || message.contains("Unterminated string") {
        "unterminated quoted string"
    } else if message.contains("close delimiter") {
        "unterminated quoted identifier"
    } else if message.contains("comment") {
        "unterminated /* comment"
    } else {
        "syntax error"
    };
    let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("{what} at or near \"{rest}\""));
    match position::character(sql, location) {
        Some(at) => error.at(at),
        None => error,
    }
}

/// What is wrong with a text `E'…'` that has its end: a `\u` without as many digits as it wants.
fn escape_error(text: &str) -> Option<SqlError> {
    let inside = text.strip_prefix(['e', 'E'])?.strip_prefix('\'')?;
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return None,
            '\\' => {
                let digits = match chars.next()?.1 {
                    'u' => 4,
                    'U' => 8,
                    _ => continue,
                };
                let given = inside[at + 2..].chars().take(digits).take_while(char::is_ascii_hexdigit).count();
                if given < digits && inside.contains('\'') {
                    return Some(
                        SqlError::new(SqlState("22025"), "invalid Unicode escape").hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX."),
                    );
                }
            }
            _ => {}
        }
    }
    None
}
