//! `FOR NO KEY UPDATE`, `FOR KEY SHARE` and `OF` with several tables, as clauses that sqlparser reads: one for each table, the strength that it
//! does not know as the first part of the table's name.
//!
//! C1: what is not such a clause stays as it is.
//! Never: looks at the catalog.

use engine::Strength;
use sqlparser::ast::{Ident, LockClause, LockType};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;

const NO_KEY_UPDATE: &str = "\u{1}no key update";
const KEY_SHARE: &str = "\u{1}key share";

/// The strength of a clause, and the name after OF, which should have one part.
pub(crate) fn read(clause: &LockClause) -> (Strength, Vec<&Ident>) {
    let mut of: Vec<&Ident> = clause.of.iter().flat_map(|name| &name.0).filter_map(|part| part.as_ident()).collect();
    let strength = match (of.first().map(|first| first.value.as_str()), &clause.lock_type) {
        (Some(NO_KEY_UPDATE), _) => Strength::NoKeyUpdate,
        (Some(KEY_SHARE), _) => Strength::KeyShare,
        (_, LockType::Update) => return (Strength::Update, of),
        (_, LockType::Share) => return (Strength::Share, of),
    };
    of.remove(0);
    (strength, of)
}

/// A strength as SQL has it.
pub(crate) fn name(strength: Strength) -> &'static str {
    match strength {
        Strength::Update => "FOR UPDATE",
        Strength::NoKeyUpdate => "FOR NO KEY UPDATE",
        Strength::Share => "FOR SHARE",
        Strength::KeyShare => "FOR KEY SHARE",
        Strength::Table(_) => "LOCK TABLE",
    }
}

/// Whether a text may hold such a clause.
pub(crate) fn mentioned(text: &str) -> bool {
    text.as_bytes().windows(3).any(|word| word.eq_ignore_ascii_case(b"for"))
}

/// One clause of the text.
struct Clause<'a> {
    /// FOR, and UPDATE or SHARE.
    head: [&'a TokenWithSpan; 2],
    mark: Option<&'static str>,
    tables: Vec<&'a [TokenWithSpan]>,
    /// NOWAIT or SKIP LOCKED.
    wait: &'a [TokenWithSpan],
    /// Tokens in all.
    length: usize,
}

/// The tokens with every clause spelt so that sqlparser reads it.
pub(crate) fn spell_out(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| is_word(&token.token, "for")) {
        return tokens;
    }
    let visible: Vec<TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).cloned().collect();
    let (mut spelt, mut at, mut changed) = (Vec::with_capacity(tokens.len()), 0, false);
    while at < visible.len() {
        match clause(&visible[at..]) {
            Some(clause) if has_no_rows(&visible[..at]) => {
                // Nothing to lock.
                changed = true;
                at += clause.length;
            }
            Some(clause) => {
                changed |= clause.mark.is_some() || clause.tables.len() > 1;
                at += clause.length;
                // LIMIT and its kin may stand on either side; sqlparser has them before.
                let limit = limit_after(&visible[at..]);
                changed |= limit > 0;
                spelt.extend_from_slice(&visible[at..at + limit]);
                at += limit;
                clause.spell(&mut spelt);
            }
            None => {
                spelt.push(visible[at].clone());
                at += 1;
            }
        }
    }
    if changed { spelt } else { tokens }
}

/// Whether the SELECT that these tokens end reads no table.
fn has_no_rows(before: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    for token in before.iter().rev() {
        match &token.token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return false,
            Token::LParen => depth -= 1,
            token if depth == 0 && ["from", "union", "intersect", "except", "values"].iter().any(|word| is_word(token, word)) => {
                return false;
            }
            token if depth == 0 && is_word(token, "select") => return true,
            _ => {}
        }
    }
    false
}

/// How many tokens after a clause are LIMIT, OFFSET and FETCH with what they say.
fn limit_after(tokens: &[TokenWithSpan]) -> usize {
    if !tokens.first().is_some_and(|first| ["limit", "offset", "fetch"].iter().any(|word| is_word(&first.token, word))) {
        return 0;
    }
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return at,
            Token::RParen => depth -= 1,
            _ if depth == 0 && clause(&tokens[at..]).is_some() => return at,
            _ => {}
        }
    }
    tokens.len()
}

fn clause(tokens: &[TokenWithSpan]) -> Option<Clause<'_>> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, word));
    if !is(0, "for") {
        return None;
    }
    let (mark, verb) = match () {
        () if is(1, "no") && is(2, "key") && is(3, "update") => (Some(NO_KEY_UPDATE), 3),
        () if is(1, "key") && is(2, "share") => (Some(KEY_SHARE), 2),
        () if is(1, "update") || is(1, "share") => (None, 1),
        () => return None,
    };
    let mut at = verb + 1;
    let mut tables = Vec::new();
    if is(at, "of") {
        loop {
            let start = at + 1;
            at = start;
            while matches!(tokens.get(at).map(|token| &token.token), Some(Token::Word(_))) {
                at += 1;
                if !matches!(tokens.get(at).map(|token| &token.token), Some(Token::Period)) {
                    break;
                }
                at += 1;
            }
            tables.push(&tokens[start..at]);
            if !matches!(tokens.get(at).map(|token| &token.token), Some(Token::Comma)) {
                break;
            }
        }
    }
    let wait = match () {
        () if is(at, "nowait") => 1,
        () if is(at, "skip") && is(at + 1, "locked") => 2,
        () => 0,
    };
    Some(Clause { head: [&tokens[0], &tokens[verb]], mark, tables, wait: &tokens[at..at + wait], length: at + wait })
}

impl Clause<'_> {
    fn spell(&self, into: &mut Vec<TokenWithSpan>) {
        let span = self.head[1].span;
        let tables = if self.tables.is_empty() { &[&[][..]] } else { &self.tables[..] };
        for table in tables {
            into.extend(self.head.map(Clone::clone));
            let mut name = Vec::new();
            if let Some(mark) = self.mark {
                name.push(TokenWithSpan { token: Token::make_word(mark, Some('"')), span });
                if !table.is_empty() {
                    name.push(TokenWithSpan { token: Token::Period, span });
                }
            }
            name.extend_from_slice(table);
            if !name.is_empty() {
                into.push(TokenWithSpan { token: Token::make_keyword("OF"), span });
                into.extend(name);
            }
            into.extend_from_slice(self.wait);
        }
    }
}
