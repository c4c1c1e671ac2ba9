//! Clauses of Postgres that sqlparser does not read: taken out of the tokens before it sees them, and kept beside the syntax tree.
//!
//! - `OVERRIDING SYSTEM | USER VALUE` of an INSERT;
//! - the options of CREATE SEQUENCE and of identity columns, in any order and with a name, and ALTER SEQUENCE, which becomes a CREATE SEQUENCE that alters;
//! - `WITH [LOCAL | CASCADED] CHECK OPTION` behind a CREATE VIEW, and its RECURSIVE;
//! - `ALTER SEQUENCE | INDEX | VIEW … RENAME TO` and `… SET SCHEMA`, which become forms of ALTER TABLE;
//! - `UNIQUE NULLS [NOT] DISTINCT` of a column, which becomes a constraint of the table;
//! - `RESET (…)` of an ALTER TABLE, which becomes a SET to [`RESET`].
//!
//! C1: what is not recognised stays where it is, for sqlparser to refuse.
//! Never: looks at the catalog.

pub(crate) mod actions;
mod nulls;

use engine::CheckOption;
use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::names::fold;
use crate::table_clauses::{self, TableClauses};
use actions::Action;

/// The value that stands for none.
pub(crate) const RESET: &str = "\u{1}reset";

/// What was taken out.
#[derive(Clone, Default, Debug)]
pub(crate) struct Clauses {
    /// Of an INSERT.
    pub(crate) overriding: Option<Overriding>,
    /// Of CREATE or ALTER SEQUENCE.
    pub(crate) sequence: Option<SequenceClauses>,
    /// What ALTER TABLE stands for, if something else.
    pub(crate) alters: Option<&'static str>,
    /// The new name of a RENAME TO is that of a schema.
    pub(crate) set_schema: bool,
    /// Of CREATE TABLE.
    pub(crate) table: TableClauses,
    /// Of CREATE VIEW.
    pub(crate) check_option: Option<CheckOption>,
    /// Of ALTER TABLE and ALTER VIEW: what marks in the tree stand for.
    pub(crate) actions: Vec<Action>,
    /// A COMMENT ON TABLE is one on this constraint of it.
    pub(crate) constraint: Option<String>,
    /// SEQUENCE NAME among the options of identity columns, each in the place that a mark tells ([`sequence_name`]).
    pub(crate) sequence_names: Vec<Vec<String>>,
}

/// Begins the number of a CACHE that tells where the sequence's name stands.
const NAME_MARK: char = '\u{1}';

/// The place of a sequence's name among [`Clauses::sequence_names`] and what is left of CACHE, out of the number that stands for both.
pub(crate) fn sequence_name(number: &str) -> Option<(usize, &str)> {
    let (at, cache) = number.strip_prefix(NAME_MARK)?.split_once(NAME_MARK)?;
    Some((at.parse().ok()?, cache))
}

/// Who wins over an identity column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Overriding {
    /// The value given.
    System,
    /// The sequence.
    User,
}

/// Numbers of a sequence as written; `None` where one is not, `Some(None)` for NO.
#[derive(Clone, Default, Debug)]
pub(crate) struct Numbers {
    pub(crate) increment: Option<i64>,
    pub(crate) min: Option<Option<i64>>,
    pub(crate) max: Option<Option<i64>>,
    pub(crate) start: Option<i64>,
    pub(crate) cache: Option<i64>,
    pub(crate) cycle: Option<bool>,
    /// Of an identity column's: the place of its name among [`Clauses::sequence_names`].
    pub(crate) name: Option<usize>,
}

/// Options of a sequence.
#[derive(Clone, Default, Debug)]
pub(crate) struct SequenceClauses {
    pub(crate) alters: bool,
    pub(crate) if_exists: bool,
    pub(crate) numbers: Numbers,
    /// `RESTART [WITH n]`
    pub(crate) restart: Option<Option<i64>>,
}

/// Whether a statement that begins with this token may have such clauses. An INSERT pays for one look at its words.
pub(crate) fn concern(first: &TokenWithSpan, tokens: &[TokenWithSpan]) -> bool {
    match keyword(first) {
        Keyword::CREATE | Keyword::ALTER | Keyword::DROP | Keyword::COMMENT => true,
        Keyword::INSERT => tokens.iter().any(|token| is_word(token, "overriding")),
        _ => false,
    }
}

/// Takes clauses out of a statement's visible tokens.
pub(crate) fn take(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    match nulls::moved(tokens) {
        Some(moved) => Some(take_from(&moved).unwrap_or((moved, Clauses::default()))),
        None => take_from(tokens),
    }
}

fn take_from(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let mut words = tokens.iter().map(keyword);
    match (words.next()?, words.next()) {
        (Keyword::INSERT, _) => take_overriding(tokens),
        (Keyword::DROP, Some(Keyword::INDEX)) if tokens.get(2).is_some_and(|token| is_word(token, "concurrently")) => {
            let mut rest = tokens.to_vec();
            rest.remove(2);
            Some((rest, Clauses::default()))
        }
        (Keyword::COMMENT, Some(Keyword::ON)) => take_constraint(tokens),
        (Keyword::CREATE, Some(Keyword::INDEX | Keyword::UNIQUE)) => without_only(tokens).map(|rest| (rest, Clauses::default())),
        (Keyword::CREATE, Some(Keyword::SEQUENCE)) => take_sequence(tokens, false),
        (Keyword::CREATE, _) if is_view(tokens) => match without_recursive(tokens) {
            Some(rest) => Some(take_view(&rest).unwrap_or((rest, Clauses::default()))),
            None => take_view(tokens).or_else(|| take_data(tokens)),
        },
        (Keyword::CREATE, _) => {
            let (rest, table) = table_clauses::take(tokens)?;
            let (rest, sequence_names) = ordered_identity(&rest).unwrap_or((rest, Vec::new()));
            Some((rest, Clauses { table, sequence_names, ..Clauses::default() }))
        }
        (Keyword::ALTER, Some(Keyword::MATERIALIZED)) if tokens.get(2).is_some_and(|token| keyword(token) == Keyword::VIEW) => {
            let mut rest = tokens.to_vec();
            rest.remove(1);
            let (rest, clauses) = take_alter(&rest, Keyword::VIEW)?;
            Some((rest, Clauses { alters: Some("ALTER MATERIALIZED VIEW"), ..clauses }))
        }
        (Keyword::ALTER, Some(kind @ (Keyword::SEQUENCE | Keyword::INDEX | Keyword::VIEW | Keyword::TABLE))) => take_alter(tokens, kind),
        _ => None,
    }
}

fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

fn is_word(token: &TokenWithSpan, text: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

/// `CREATE [OR REPLACE] [TEMPORARY] [RECURSIVE] VIEW`
fn is_view(tokens: &[TokenWithSpan]) -> bool {
    tokens[1..].iter().take(5).take_while(|token| keyword(token) != Keyword::AS).any(|token| keyword(token) == Keyword::VIEW)
}

/// `CREATE RECURSIVE VIEW v (a) AS q` as `CREATE VIEW v AS WITH RECURSIVE v (a) AS (q) SELECT a FROM v`, which it is; `None` for another view.
fn without_recursive(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let at = tokens.iter().take(5).position(|token| is_word(token, "recursive"))?;
    let view = tokens.get(at + 1).filter(|view| keyword(view) == Keyword::VIEW)?;
    let open = at + tokens[at..].iter().position(|token| token.token == Token::LParen)?;
    let close = open + tokens[open..].iter().position(|token| token.token == Token::RParen)?;
    let (name, columns) = (tokens.get(at + 2..open)?, &tokens[open..=close]);
    let query = tokens.get(close + 2..).filter(|_| keyword(&tokens[close + 1]) == Keyword::AS)?;
    // A check option is the view's, not the query's.
    let option = take_check_option(query).map_or(query.len(), |(rest, _)| rest.len());
    let (query, option) = query.split_at(option);
    let word = |word: &str| TokenWithSpan { token: Token::make_keyword(word), span: view.span };
    let mark = |token: Token| TokenWithSpan { token, span: view.span };
    let mut rest = tokens[..at].to_vec();
    rest.push(view.clone());
    rest.extend_from_slice(name);
    rest.extend([word("AS"), word("WITH"), word("RECURSIVE"), name.last()?.clone()]);
    rest.extend_from_slice(columns);
    rest.extend([word("AS"), mark(Token::LParen)]);
    rest.extend_from_slice(query);
    rest.extend([mark(Token::RParen), word("SELECT")]);
    rest.extend_from_slice(&columns[1..columns.len() - 1]);
    rest.extend([word("FROM"), name.last()?.clone()]);
    rest.extend_from_slice(option);
    Some(rest)
}

/// What sqlparser does not read of a view: its check option, and options that are on by being named.
fn take_view(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let taken = take_check_option(tokens);
    let (rest, clauses) = taken.clone().unwrap_or_else(|| (tokens.to_vec(), Clauses::default()));
    match with_values(&rest) {
        Some(rest) => Some((rest, clauses)),
        None => taken,
    }
}

/// `WITH (option, …)` as `WITH (option = true, …)`; `None` where every option has a value.
fn with_values(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let end = tokens.iter().position(|token| keyword(token) == Keyword::AS)?;
    let open = (0..end).find(|at| keyword(&tokens[*at]) == Keyword::WITH && tokens[at + 1].token == Token::LParen)? + 1;
    let mut rest = tokens[..=open].to_vec();
    for (at, token) in tokens.iter().enumerate().skip(open + 1) {
        let is_bare = at < end
            && matches!(tokens[at - 1].token, Token::LParen | Token::Comma)
            && matches!(tokens.get(at + 1).map(|next| &next.token), Some(Token::RParen | Token::Comma));
        rest.push(token.clone());
        if is_bare {
            let value = [Token::Eq, Token::make_keyword("TRUE")];
            rest.extend(value.map(|token_| TokenWithSpan { token: token_, span: token.span }));
        }
    }
    (rest.len() > tokens.len()).then_some(rest)
}

/// `WITH [NO] DATA` behind a materialized view.
fn take_data(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let mut rest = tokens.to_vec();
    let mut table = TableClauses::default();
    table_clauses::take_data(&mut rest, &mut table);
    (rest.len() < tokens.len()).then(|| (rest, Clauses { table, ..Clauses::default() }))
}

fn take_check_option(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let end = tokens.len().checked_sub(2)?;
    let [check, option] = &tokens[end..] else { return None };
    if !is_word(check, "check") || !is_word(option, "option") {
        return None;
    }
    let scope = tokens.get(end.checked_sub(1)?)?;
    let (check_option, with) = match scope {
        scope if is_word(scope, "local") => (CheckOption::Local, end.checked_sub(2)?),
        scope if is_word(scope, "cascaded") => (CheckOption::Cascaded, end.checked_sub(2)?),
        _ => (CheckOption::Cascaded, end - 1),
    };
    if keyword(&tokens[with]) != Keyword::WITH {
        return None;
    }
    Some((tokens[..with].to_vec(), Clauses { check_option: Some(check_option), ..Clauses::default() }))
}

fn take_overriding(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let mut depth = 0;
    let at = tokens.iter().position(|token| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        depth == 0 && is_word(token, "overriding")
    })?;
    let overriding = match tokens.get(at + 1) {
        Some(token) if is_word(token, "system") => Overriding::System,
        Some(token) if is_word(token, "user") => Overriding::User,
        _ => return None,
    };
    if !tokens.get(at + 2).is_some_and(|token| is_word(token, "value")) {
        return None;
    }
    let mut rest = tokens.to_vec();
    rest.drain(at..at + 3);
    Some((rest, Clauses { overriding: Some(overriding), ..Clauses::default() }))
}

fn take_alter(tokens: &[TokenWithSpan], kind: Keyword) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let tail = tokens.len().checked_sub(3)?;
    let renames = tokens.len() > 4 && keyword(&tokens[tail]) == Keyword::RENAME && keyword(&tokens[tail + 1]) == Keyword::TO;
    let moves = tokens.len() > 4 && keyword(&tokens[tail]) == Keyword::SET && keyword(&tokens[tail + 1]) == Keyword::SCHEMA;
    if renames || moves {
        let mut rest = tokens.to_vec();
        rest[1].token = Token::make_keyword("TABLE");
        if moves {
            rest[tail].token = Token::make_keyword("RENAME");
            rest[tail + 1].token = Token::make_keyword("TO");
        }
        let alters = match kind {
            Keyword::SEQUENCE => Some("ALTER SEQUENCE"),
            Keyword::INDEX => Some("ALTER INDEX"),
            Keyword::VIEW => Some("ALTER VIEW"),
            _ => None,
        };
        return Some((rest, Clauses { alters, set_schema: moves, ..Clauses::default() }));
    }
    if kind == Keyword::SEQUENCE {
        return take_sequence(tokens, true);
    }
    let is_view = kind == Keyword::VIEW;
    let (rest, actions) = actions::take(tokens, is_view).unwrap_or_else(|| (tokens.to_vec(), Vec::new()));
    let reset = if is_view { None } else { reset_as_set(&rest) };
    let is_reset = reset.is_some();
    let rest = reset.unwrap_or(rest);
    let ordered = ordered_identity(&rest);
    if !is_view && actions.is_empty() && !is_reset && ordered.is_none() {
        return None;
    }
    let (mut rest, sequence_names) = ordered.unwrap_or((rest, Vec::new()));
    rest[1].token = Token::make_keyword("TABLE");
    let alters = is_view.then_some("ALTER VIEW");
    Some((rest, Clauses { alters, actions, sequence_names, ..Clauses::default() }))
}

/// `COMMENT ON CONSTRAINT c ON t` as `COMMENT ON TABLE t`, and the constraint.
fn take_constraint(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let is_constraint = is_word(tokens.get(2)?, "constraint") && keyword(tokens.get(4)?) == Keyword::ON;
    let Token::Word(word) = &tokens.get(3)?.token else { return None };
    let name = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() };
    let mut rest = tokens.to_vec();
    rest[2].token = Token::make_keyword("TABLE");
    rest.drain(3..5);
    is_constraint.then(|| (rest, Clauses { constraint: Some(name), ..Clauses::default() }))
}

/// `CREATE INDEX … ON ONLY t`: there is nothing beneath a table.
fn without_only(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let on = tokens.iter().position(|token| keyword(token) == Keyword::ON)?;
    let mut rest = tokens.to_vec();
    is_word(tokens.get(on + 1)?, "only").then(|| rest.remove(on + 1))?;
    Some(rest)
}

/// What is said of an identity column: ALWAYS or BY DEFAULT, its sequence's options, RESTART. `None` for anything else.
pub(crate) fn identity_options(tokens: &[TokenWithSpan]) -> Option<(Option<bool>, Numbers, Option<Option<i64>>)> {
    let (mut always, mut numbers, mut restart) = (None, Numbers::default(), None);
    let mut options = Options { tokens, at: 0 };
    tokens.first()?;
    while let Some(token) = tokens.get(options.at) {
        options.at += 1;
        let mut word = token;
        if is_word(token, "set") {
            word = tokens.get(options.at)?;
            options.at += 1;
        } else if !is_word(token, "restart") {
            return None;
        }
        match word {
            word if is_word(word, "restart") => {
                options.skip("with");
                let before = options.at;
                restart = Some(options.number());
                if restart == Some(None) {
                    options.at = before;
                }
            }
            word if is_word(word, "generated") => {
                always = Some(is_word(tokens.get(options.at)?, "always"));
                options.at += if always == Some(true) { 1 } else { 2 };
            }
            word if is_word(word, "increment") => {
                options.skip("by");
                numbers.increment = Some(options.number()?);
            }
            word if is_word(word, "start") => {
                options.skip("with");
                numbers.start = Some(options.number()?);
            }
            word if is_word(word, "minvalue") => numbers.min = Some(Some(options.number()?)),
            word if is_word(word, "maxvalue") => numbers.max = Some(Some(options.number()?)),
            word if is_word(word, "cache") => numbers.cache = Some(options.number()?),
            word if is_word(word, "cycle") => numbers.cycle = Some(true),
            word if is_word(word, "no") => {
                match tokens.get(options.at)? {
                    what if is_word(what, "minvalue") => numbers.min = Some(None),
                    what if is_word(what, "maxvalue") => numbers.max = Some(None),
                    what if is_word(what, "cycle") => numbers.cycle = Some(false),
                    _ => return None,
                }
                options.at += 1;
            }
            _ => return None,
        }
    }
    Some((always, numbers, restart))
}

/// `RESET (a, b)` at the end of an ALTER TABLE as `SET (a = none, b = none)`.
fn reset_as_set(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let opens = |pair: &[TokenWithSpan]| keyword(&pair[0]) == Keyword::RESET && pair[1].token == Token::LParen;
    let at = tokens.windows(2).position(opens)?;
    let mut rest = tokens[..at + 2].to_vec();
    rest[at].token = Token::make_keyword("SET");
    for token in &tokens[at + 2..] {
        rest.push(token.clone());
        if matches!(token.token, Token::Word(_)) {
            let none = [Token::Eq, Token::make_word(RESET, Some('"'))];
            rest.extend(none.into_iter().map(|token_of| TokenWithSpan { token: token_of, span: token.span }));
        }
    }
    Some(rest)
}

/// The options of `IDENTITY (…)` in the one order that sqlparser reads, and the names of sequences among them; `None` where there are none.
fn ordered_identity(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Vec<Vec<String>>)> {
    const ORDER: [&str; 7] = ["sequence", "increment", "minvalue", "maxvalue", "start", "cache", "cycle"];
    let mut names = Vec::new();
    let rank = |group: &[TokenWithSpan]| {
        let word = group.iter().find(|token| !is_word(token, "no"));
        word.and_then(|token| ORDER.iter().position(|name| is_word(token, name))).unwrap_or(ORDER.len())
    };
    let mut rest = tokens.to_vec();
    let mut found = false;
    let mut at = 0;
    while at + 1 < rest.len() {
        at += 1;
        if rest[at].token != Token::LParen || !is_word(&rest[at - 1], "identity") {
            continue;
        }
        let end = at + rest[at..].iter().position(|token| token.token == Token::RParen)?;
        let mut groups: Vec<Vec<TokenWithSpan>> = Vec::new();
        for token in &rest[at + 1..end] {
            let begins = is_word(token, "no") || ORDER.iter().any(|name| is_word(token, name));
            let goes_on = groups.last().is_some_and(|group| match group.as_slice() {
                [one] => is_word(one, "no"),
                // A name may be any of these words.
                [first, .., last] => is_word(first, "sequence") && (group.len() == 2 || last.token == Token::Period),
                [] => false,
            });
            match groups.last_mut() {
                Some(group) if !begins || goes_on => group.push(token.clone()),
                _ => groups.push(vec![token.clone()]),
            }
        }
        groups.sort_by_key(|group| rank(group));
        if let Some(name) = groups.first().and_then(|group| named_sequence(group)) {
            name_sequence(&mut groups, names.len())?;
            names.push(name);
        }
        rest.splice(at + 1..end, groups.into_iter().flatten());
        found = true;
    }
    found.then_some((rest, names))
}

/// `SEQUENCE NAME a.b`
fn named_sequence(group: &[TokenWithSpan]) -> Option<Vec<String>> {
    let [sequence, name, dotted @ ..] = group else { return None };
    if !is_word(sequence, "sequence") || !is_word(name, "name") || dotted.len().is_multiple_of(2) {
        return None;
    }
    let part = |(at, token): (usize, &TokenWithSpan)| match &token.token {
        Token::Period if at % 2 == 1 => Some(None),
        Token::Word(word) if at % 2 == 0 => {
            Some(Some(fold(&Ident { value: word.value.clone(), quote_style: word.quote_style, span: token.span })))
        }
        _ => None,
    };
    let parts = dotted.iter().enumerate().map(part).collect::<Option<Vec<_>>>()?;
    Some(parts.into_iter().flatten().collect())
}

/// Puts the mark of a sequence's name in the place of its CACHE, or where that would stand.
fn name_sequence(groups: &mut Vec<Vec<TokenWithSpan>>, at: usize) -> Option<()> {
    let span = groups.remove(0).first()?.span;
    let cache = groups.iter().position(|group| is_word(&group[0], "cache"));
    let given = match cache.map(|cache| groups[cache].as_slice()) {
        None => "",
        Some([_, TokenWithSpan { token: Token::Number(digits, _), .. }]) => digits,
        Some(_) => return None,
    };
    let number = Token::Number(format!("{NAME_MARK}{at}{NAME_MARK}{given}"), false);
    let marked = [Token::make_keyword("CACHE"), number].map(|token| TokenWithSpan { token, span }).to_vec();
    match cache {
        Some(cache) => groups[cache] = marked,
        None => {
            let is_last = |group: &Vec<TokenWithSpan>| group.iter().any(|token| is_word(token, "cycle"));
            let before = groups.iter().position(is_last).unwrap_or(groups.len());
            groups.insert(before, marked);
        }
    }
    Some(())
}

/// Keeps `[IF NOT EXISTS] name [AS type] [OWNED BY …]` and reads the rest. `None` for a word that is no option (C1).
fn take_sequence(tokens: &[TokenWithSpan], alters: bool) -> Option<(Vec<TokenWithSpan>, Clauses)> {
    let mut rest = tokens[..2].to_vec();
    rest[0].token = Token::make_keyword("CREATE");
    let mut clauses = SequenceClauses { alters, ..SequenceClauses::default() };
    let mut at = 2;
    if alters && keyword(tokens.get(at)?) == Keyword::IF && keyword(tokens.get(at + 1)?) == Keyword::EXISTS {
        clauses.if_exists = true;
        at += 2;
    } else if keyword(tokens.get(at)?) == Keyword::IF {
        rest.extend_from_slice(tokens.get(at..at + 3)?);
        at += 3;
    }
    // The name, with its dots.
    rest.push(tokens.get(at)?.clone());
    at += 1;
    while tokens.get(at).is_some_and(|token| token.token == Token::Period) {
        rest.extend_from_slice(tokens.get(at..at + 2)?);
        at += 2;
    }
    let (mut data_type, mut owned) = (Vec::new(), Vec::new());
    let mut options = Options { tokens, at };
    while let Some(token) = tokens.get(options.at) {
        let start = options.at;
        options.at += 1;
        match keyword(token) {
            Keyword::AS => {
                options.at += 1;
                data_type = tokens.get(start..options.at)?.to_vec();
            }
            Keyword::OWNED => {
                options.at += 2;
                while tokens.get(options.at).is_some_and(|token| token.token == Token::Period) {
                    options.at += 2;
                }
                owned = tokens.get(start..options.at)?.to_vec();
            }
            _ if is_word(token, "increment") => {
                options.skip("by");
                clauses.numbers.increment = Some(options.number()?);
            }
            _ if is_word(token, "minvalue") => clauses.numbers.min = Some(Some(options.number()?)),
            _ if is_word(token, "maxvalue") => clauses.numbers.max = Some(Some(options.number()?)),
            _ if is_word(token, "cache") => clauses.numbers.cache = Some(options.number()?),
            _ if is_word(token, "cycle") => clauses.numbers.cycle = Some(true),
            _ if is_word(token, "start") => {
                options.skip("with");
                clauses.numbers.start = Some(options.number()?);
            }
            _ if is_word(token, "restart") && alters => {
                options.skip("with");
                let before = options.at;
                clauses.restart = Some(options.number());
                if clauses.restart == Some(None) {
                    options.at = before;
                }
            }
            _ if is_word(token, "no") => {
                let what = tokens.get(options.at)?;
                options.at += 1;
                match what {
                    what if is_word(what, "minvalue") => clauses.numbers.min = Some(None),
                    what if is_word(what, "maxvalue") => clauses.numbers.max = Some(None),
                    what if is_word(what, "cycle") => clauses.numbers.cycle = Some(false),
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    rest.append(&mut data_type);
    rest.append(&mut owned);
    Some((rest, Clauses { sequence: Some(clauses), ..Clauses::default() }))
}

struct Options<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
}

impl Options<'_> {
    fn skip(&mut self, word: &str) {
        if self.tokens.get(self.at).is_some_and(|token| is_word(token, word)) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<i64> {
        let mut sign = "";
        if let Some(Token::Minus | Token::Plus) = self.tokens.get(self.at).map(|token| &token.token) {
            sign = if self.tokens[self.at].token == Token::Minus { "-" } else { "" };
            self.at += 1;
        }
        let Some(Token::Number(digits, _)) = self.tokens.get(self.at).map(|token| &token.token) else { return None };
        self.at += 1;
        format!("{sign}{digits}").parse().ok()
    }
}
