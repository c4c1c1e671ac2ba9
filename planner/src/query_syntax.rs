//! Forms of queries that Postgres reads and sqlparser does not, respelled token by token before it sees them.
//!
//! | written | read as |
//! |---|---|
//! | `TABLE t` | `SELECT * FROM t` |
//! | `FROM ONLY t`, `ONLY (t)` | `FROM t` |
//! | `x BETWEEN SYMMETRIC a AND b` | `x BETWEEN` [`SYMMETRIC`]`(a) AND b` |
//! | `trim(both from x)`, `trim(from x)` | with `' '` before FROM |
//! | `x ISNULL`, `x NOTNULL` | `x IS NULL`, `x IS NOT NULL` |
//! | `ROWS FROM (f(…), g(…))` | [`ROWS_FROM`]`(f(…), g(…))` |
//! | `national character(2)` | `character(2)` |
//! | `name 'n'`, for the names of [`TYPED`] | `CAST('n' AS name)` |
//! | `substring(x SIMILAR p ESCAPE e)` | `substring(x, p, e)` |
//! | `WITH q AS (…) SEARCH …`, `CYCLE …` | see [`recursion`] |
//! | `… EXCLUDE TIES` in a window | a mark in its PARTITION BY |
//! | `FOR SYSTEM_TIME …` | see [`system_time`] |
//!
//! C1: a word is read so only where Postgres's grammar has it as this keyword; elsewhere it stays what it was.
//! Never: moves a token, so that errors point where they did.

mod recursion;
pub(crate) mod system_time;

use relational::{EXCLUDE_CURRENT_ROW, EXCLUDE_GROUP, EXCLUDE_NO_OTHERS, EXCLUDE_TIES, ROWS_FROM, SYMMETRIC};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// A form: the words of which one must occur, and the change at a place of the visible tokens.
type Form = (&'static [&'static str], fn(&mut Vec<TokenWithSpan>, usize));

const FORMS: [Form; 12] = [
    (&["only"], without_only),
    (&["table"], read_table),
    (&["symmetric"], read_symmetric),
    (&["trim"], read_trim),
    (&["isnull", "notnull"], read_null_test),
    (&["rows"], read_rows_from),
    (&["national"], read_national),
    (&TYPED, read_typed),
    (&["substring"], read_similar),
    (&["exclude"], read_exclude),
    (&["search", "cycle"], recursion::read),
    (&["system_time"], system_time::read),
];

/// Names of types that sqlparser does not read before a text.
const TYPED: [&str; 10] = ["bpchar", "jsonpath", "name", "oid", "regclass", "regnamespace", "regproc", "regrole", "regtype", "text"];

/// The tokens respelled; `None` where none of the forms can be.
pub(crate) fn respell(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let occurs = |(words, _): &&Form| tokens.iter().any(|token| words.iter().any(|word| is_word(&token.token, word)));
    let found: Vec<&Form> = FORMS.iter().filter(occurs).collect();
    if found.is_empty() {
        return None;
    }
    let visible = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_) | Token::EOF);
    let mut respelled: Vec<TokenWithSpan> = tokens.iter().filter(visible).cloned().collect();
    for (words, change) in found {
        let mut at = 0;
        while at < respelled.len() {
            if words.iter().any(|word| is_word(&respelled[at].token, word)) {
                change(&mut respelled, at);
            }
            at += 1;
        }
    }
    Some(respelled)
}

fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

fn is_at(tokens: &[TokenWithSpan], at: Option<usize>, words: &[&str]) -> bool {
    at.and_then(|at| tokens.get(at)).is_some_and(|token| words.iter().any(|word| is_word(&token.token, word)))
}

/// Puts tokens in place of some, where those stood.
fn replace(tokens: &mut Vec<TokenWithSpan>, from: usize, count: usize, with: impl IntoIterator<Item = Token>) {
    let Some(span) = tokens.get(from).map(|token| token.span) else { return };
    tokens.splice(from..from + count, with.into_iter().map(|token| TokenWithSpan { token, span }));
}

/// Where a query may begin.
fn read_table(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let before = at.checked_sub(1);
    let is_name = matches!(tokens.get(at + 1).map(|token| &token.token), Some(Token::Word(_)));
    let begins = match before.map(|before| &tokens[before].token) {
        None => true,
        // `(TABLE t)`, and the query after `WITH q AS (…)` or `INSERT INTO t (a)`.
        Some(Token::LParen) => true,
        Some(Token::RParen) => is_at(tokens, Some(0), &["with", "insert"]),
        Some(_) if is_at(tokens, before, &["union", "intersect", "except"]) => true,
        Some(_) if is_at(tokens, before, &["all", "distinct"]) => is_at(tokens, at.checked_sub(2), &["union", "intersect", "except"]),
        // `INSERT INTO t TABLE u`, `DECLARE c CURSOR FOR TABLE t`, `EXPLAIN TABLE t`.
        Some(_) if is_at(tokens, before, &["for", "explain", "analyze"]) => true,
        Some(Token::Word(_)) => at >= 3 && is_at(tokens, Some(0), &["insert"]) && is_at(tokens, Some(1), &["into"]) && at <= 5,
        Some(_) => false,
    };
    if begins && is_name {
        replace(tokens, at, 1, [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")]);
    }
}

/// Where a word stands that parts two expressions of which the first begins at `from`: outside parentheses and CASE.
fn parted(tokens: &[TokenWithSpan], from: usize, word: &str) -> Option<usize> {
    let (mut depth, mut cases) = (0_usize, 0_usize);
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match &token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.checked_sub(1)?,
            Token::Comma | Token::SemiColon if depth == 0 => return None,
            token if is_word(token, "case") => cases += 1,
            token if is_word(token, "end") => cases = cases.saturating_sub(1),
            token if depth == 0 && cases == 0 && is_word(token, word) => return Some(at),
            _ => {}
        }
    }
    None
}

fn read_symmetric(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    if !is_at(tokens, at.checked_sub(1), &["between"]) {
        return;
    }
    let Some(end) = parted(tokens, at + 1, "and") else { return };
    let close = TokenWithSpan { token: Token::RParen, span: tokens[end].span };
    tokens.insert(end, close);
    replace(tokens, at, 1, [Token::make_word(SYMMETRIC, Some('"')), Token::LParen]);
}

fn read_trim(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    if tokens.get(at + 1).map(|token| &token.token) != Some(&Token::LParen) {
        return;
    }
    let has_side = is_at(tokens, Some(at + 2), &["both", "leading", "trailing"]);
    let from = if has_side { at + 3 } else { at + 2 };
    if !is_at(tokens, Some(from), &["from"]) {
        return;
    }
    let blank = Token::SingleQuotedString(" ".to_owned());
    replace(tokens, from, 1, [blank, Token::make_keyword("FROM")]);
    if !has_side {
        let span = tokens[at + 1].span;
        tokens.insert(at + 2, TokenWithSpan { token: Token::make_keyword("BOTH"), span });
    }
}

/// After an operand, where neither a name nor a call can stand.
fn read_null_test(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let Some(before) = at.checked_sub(1) else { return };
    let follows = match &tokens[before].token {
        Token::Word(word) if word.quote_style.is_none() => {
            !["as", "select", "where", "and", "or", "not", "on", "by", "from", "when", "then", "else"]
                .iter()
                .any(|keyword| word.value.eq_ignore_ascii_case(keyword))
        }
        Token::Word(_) | Token::Number(..) | Token::RParen | Token::RBracket | Token::Placeholder(_) => true,
        Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::DollarQuotedString(_) => true,
        _ => false,
    };
    if !follows || matches!(tokens.get(at + 1).map(|token| &token.token), Some(Token::LParen | Token::Period)) {
        return;
    }
    let is_null = is_word(&tokens[at].token, "isnull");
    let not = (!is_null).then(|| Token::make_keyword("NOT"));
    let test = [Some(Token::make_keyword("IS")), not, Some(Token::make_keyword("NULL"))];
    replace(tokens, at, 1, test.into_iter().flatten());
}

fn read_rows_from(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let is_relation = match at.checked_sub(1).map(|before| &tokens[before].token) {
        Some(Token::Comma) => true,
        Some(_) => is_at(tokens, at.checked_sub(1), &["from", "join", "lateral"]),
        None => false,
    };
    let is_list = tokens.get(at + 2).map(|token| &token.token) == Some(&Token::LParen);
    if is_relation && is_list && is_at(tokens, Some(at + 1), &["from"]) {
        replace(tokens, at, 2, [Token::make_word(ROWS_FROM, Some('"'))]);
    }
}

fn read_national(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    if is_at(tokens, Some(at + 1), &["character", "char"]) {
        tokens.remove(at);
    }
}

/// Before a text a name is a type's.
fn read_typed(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let is_cast = matches!(at.checked_sub(1).map(|before| &tokens[before].token), Some(Token::DoubleColon | Token::Period))
        || is_at(tokens, at.checked_sub(1), &["as"]);
    let Some(TokenWithSpan { token: text @ Token::SingleQuotedString(_), .. }) = tokens.get(at + 1) else { return };
    if !is_cast {
        let (name, text) = (tokens[at].token.clone(), text.clone());
        replace(tokens, at, 2, [Token::make_keyword("CAST"), Token::LParen, text, Token::make_keyword("AS"), name, Token::RParen]);
    }
}

fn read_similar(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    if tokens.get(at + 1).map(|token| &token.token) != Some(&Token::LParen) {
        return;
    }
    let (mut depth, mut similar) = (0_usize, None);
    for index in at + 2..tokens.len() {
        match &tokens[index].token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket if depth == 0 => return,
            Token::RParen | Token::RBracket => depth -= 1,
            token if depth == 0 && is_word(token, "similar") && !is_at(tokens, Some(index + 1), &["to"]) => similar = Some(index),
            token if depth == 0 && is_word(token, "escape") => {
                if let Some(similar) = similar {
                    replace(tokens, similar, 1, [Token::Comma]);
                    replace(tokens, index, 1, [Token::Comma]);
                }
                return;
            }
            _ => {}
        }
    }
}

/// At the end of a window's frame.
fn read_exclude(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let next = |words: &[&str]| words.iter().enumerate().all(|(behind, word)| is_at(tokens, Some(at + 1 + behind), &[word]));
    let known: [(&[&str], &str); 4] = [
        (&["current", "row"], EXCLUDE_CURRENT_ROW),
        (&["group"], EXCLUDE_GROUP),
        (&["ties"], EXCLUDE_TIES),
        (&["no", "others"], EXCLUDE_NO_OTHERS),
    ];
    let Some((words, mark)) = known.into_iter().find(|(words, _)| next(words)) else { return };
    let is_end = tokens.get(at + 1 + words.len()).map(|token| &token.token) == Some(&Token::RParen);
    let Some(open) = opening(tokens, at).filter(|_| is_end) else { return };
    if !tokens[open..at].iter().any(|token| ["rows", "range", "groups"].iter().any(|unit| is_word(&token.token, unit))) {
        return;
    }
    tokens.drain(at..at + 1 + words.len());
    let span = tokens[open].span;
    let call = [Token::make_word(mark, Some('"')), Token::LParen, Token::RParen];
    let is_based = matches!(tokens.get(open + 1).map(|token| &token.token), Some(Token::Word(_)))
        && !is_at(tokens, Some(open + 1), &["partition", "order", "rows", "range", "groups"]);
    let from = if is_based { open + 2 } else { open + 1 };
    let (place, mark): (usize, Vec<Token>) = if is_at(tokens, Some(from), &["partition"]) {
        (from + 2, call.into_iter().chain([Token::Comma]).collect())
    } else {
        (from, [Token::make_keyword("PARTITION"), Token::make_keyword("BY")].into_iter().chain(call).collect())
    };
    tokens.splice(place..place, mark.into_iter().map(|token| TokenWithSpan { token, span }));
}

/// The parenthesis that is open at a place.
fn opening(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in (0..at).rev() {
        match tokens[index].token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return Some(index),
            Token::LParen => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `FROM ONLY t`, `ONLY (t)`: there is nothing beneath a table.
fn without_only(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(|token| &token.token);
    let is_relation = before.is_some_and(|before| {
        *before == Token::Comma || ["from", "join", "update", "using", "truncate", "table"].iter().any(|word| is_word(before, word))
    });
    match tokens.get(at + 1).map(|token| &token.token) {
        Some(Token::Word(_)) if is_relation => drop(tokens.remove(at)),
        Some(Token::LParen) if is_relation => {
            let Some(end) = tokens[at..].iter().position(|token| token.token == Token::RParen) else { return };
            tokens.remove(at + end);
            tokens.drain(at..at + 2);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
