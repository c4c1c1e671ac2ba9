//! Actions of ALTER TABLE and ALTER VIEW that sqlparser does not read: taken out of the tokens before it sees them, a mark in their place.
//!
//! A1: the mark is an owner that no statement can name; its number is the action's place in the list.
//! A2: what is not recognised stays where it is, for sqlparser to refuse.
//! Never: looks at the catalog.

use sqlparser::ast::AlterTableOperation;
use sqlparser::ast::Owner;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Numbers, identity_options};
use crate::copy_syntax::is_word;

/// Begins the name of an owner that stands for an action.
const MARK: char = '\u{1}';

/// See the module.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// How rows are stored, which is the ledger's matter: of the table, or of a column that must be there.
    Storage {
        column: Option<String>,
    },
    /// SET and RESET of options: names with values, or without for RESET.
    Options {
        set: Vec<(String, String)>,
        reset: Vec<String>,
    },
    /// ALTER CONSTRAINT
    Constraint {
        name: String,
        deferrable: Option<bool>,
        deferred: Option<bool>,
    },
    DropIdentity {
        column: String,
        if_exists: bool,
    },
    DropExpression {
        column: String,
        if_exists: bool,
    },
    /// SET GENERATED, SET of the sequence's options, RESTART.
    Identity {
        column: String,
        always: Option<bool>,
        numbers: Numbers,
        restart: Option<Option<i64>>,
    },
}

/// The place in the list of the action that an operation stands for.
pub(crate) fn marked(operation: &AlterTableOperation) -> Option<usize> {
    match operation {
        AlterTableOperation::OwnerTo { new_owner: Owner::Ident(ident) } => ident.value.strip_prefix(MARK)?.parse().ok(),
        _ => None,
    }
}

/// Takes actions out of the visible tokens of `ALTER TABLE …`; `None` where there are none of these.
pub(crate) fn take(tokens: &[TokenWithSpan], is_view: bool) -> Option<(Vec<TokenWithSpan>, Vec<Action>)> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, word));
    let mut at = 2;
    at += if is(at, "if") && is(at + 1, "exists") { 2 } else { 0 };
    at += usize::from(is(at, "only"));
    at += 1;
    while tokens.get(at).is_some_and(|token| token.token == Token::Period) {
        at += 2;
    }
    let mut rest = tokens.get(..at)?.to_vec();
    let mut actions = Vec::new();
    let mut first = true;
    for action in split(tokens.get(at..)?) {
        if !first {
            rest.push(TokenWithSpan { token: Token::Comma, span: action.first()?.span });
        }
        first = false;
        match own(action, is_view) {
            None => rest.extend_from_slice(action),
            Some(read) => {
                let span = action.first()?.span;
                let name = Token::make_word(&format!("{MARK}{}", actions.len()), Some('"'));
                let mark = [Token::make_keyword("OWNER"), Token::make_keyword("TO"), name];
                rest.extend(mark.map(|token| TokenWithSpan { token, span }));
                actions.push(read);
            }
        }
    }
    (!actions.is_empty()).then_some((rest, actions))
}

/// Actions, which commas part.
fn split(tokens: &[TokenWithSpan]) -> Vec<&[TokenWithSpan]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && token.token == Token::Comma
        })
        .collect()
}

/// The name that a token is.
fn name(token: &TokenWithSpan) -> Option<String> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    }
}

fn own(action: &[TokenWithSpan], is_view: bool) -> Option<Action> {
    let are = |words: &[&str]| words.iter().enumerate().all(|(at, word)| action.get(at).is_some_and(|token| is_word(&token.token, word)));
    let heads: [&[&str]; 10] = [
        &["set", "logged"],
        &["set", "unlogged"],
        &["set", "without", "cluster"],
        &["set", "without", "oids"],
        &["set", "tablespace"],
        &["set", "access", "method"],
        &["cluster", "on"],
        &["replica", "identity"],
        &["disable", "row", "level"],
        &["no", "force", "row"],
    ];
    if heads.iter().any(|head| are(head)) {
        return Some(Action::Storage { column: None });
    }
    if are(&["set"]) || are(&["reset"]) {
        return options(action).filter(|options| is_view || is_storage(options));
    }
    if are(&["alter", "constraint"]) {
        return constraint(action);
    }
    if !are(&["alter"]) {
        return None;
    }
    let at = 1 + usize::from(are(&["alter", "column"]));
    of_column(name(action.get(at)?)?, action.get(at + 1..)?)
}

/// Whether options are Postgres's about how it stores a table; others are the table's own.
fn is_storage(options: &Action) -> bool {
    const STORAGE: [&str; 7] = [
        "toast_tuple_target",
        "parallel_workers",
        "user_catalog_table",
        "vacuum_index_cleanup",
        "vacuum_truncate",
        "log_autovacuum_min_duration",
        "autovacuum_enabled",
    ];
    let is = |name: &String| STORAGE.contains(&name.as_str()) || name.starts_with("autovacuum_") || name.starts_with("toast.");
    matches!(options, Action::Options { set, reset } if set.iter().map(|(name, _)| name).chain(reset).all(is))
}

/// `SET (name = value, …)`, `RESET (name, …)`
fn options(action: &[TokenWithSpan]) -> Option<Action> {
    let [verb, open, inner @ .., close] = action else { return None };
    if open.token != Token::LParen || close.token != Token::RParen {
        return None;
    }
    let (mut set, mut reset) = (Vec::new(), Vec::new());
    for item in split(inner) {
        let equals = item.iter().position(|token| token.token == Token::Eq);
        let dotted = &item[..equals.unwrap_or(item.len())];
        let option = dotted
            .iter()
            .map(|token| if token.token == Token::Period { Some(".".to_owned()) } else { name(token) })
            .collect::<Option<String>>()?;
        if is_word(&verb.token, "reset") {
            reset.push(option);
            continue;
        }
        let value = equals.map_or("true".to_owned(), |equals| item[equals + 1..].iter().map(|token| token.token.to_string()).collect());
        set.push((option, value.trim_matches(['\'', '"']).to_lowercase()));
    }
    Some(Action::Options { set, reset })
}

fn constraint(action: &[TokenWithSpan]) -> Option<Action> {
    let name = name(action.get(2)?)?;
    let (mut deferrable, mut deferred, mut at) = (None, None, 3);
    while let Some(token) = action.get(at) {
        let next = |word: &str| action.get(at + 1).is_some_and(|token| is_word(&token.token, word));
        at += match token {
            token if is_word(&token.token, "deferrable") => {
                deferrable = Some(true);
                1
            }
            token if is_word(&token.token, "not") && next("deferrable") => {
                deferrable = Some(false);
                2
            }
            token if is_word(&token.token, "initially") && (next("deferred") || next("immediate")) => {
                deferred = Some(next("deferred"));
                2
            }
            _ => return None,
        };
    }
    Some(Action::Constraint { name, deferrable, deferred })
}

fn of_column(column: String, what: &[TokenWithSpan]) -> Option<Action> {
    let are = |words: &[&str]| words.iter().enumerate().all(|(at, word)| what.get(at).is_some_and(|token| is_word(&token.token, word)));
    let drops = |word: &str| {
        let if_exists = are(&["drop", word, "if", "exists"]);
        ((if_exists && what.len() == 4) || (are(&["drop", word]) && what.len() == 2)).then_some(if_exists)
    };
    if let Some(if_exists) = drops("identity") {
        return Some(Action::DropIdentity { column, if_exists });
    }
    if let Some(if_exists) = drops("expression") {
        return Some(Action::DropExpression { column, if_exists });
    }
    let is_storage = ["statistics", "storage", "compression"].iter().any(|word| are(&["set", word]));
    let has_options = (are(&["set"]) || are(&["reset"])) && what.get(1).is_some_and(|token| token.token == Token::LParen);
    if is_storage || has_options {
        return Some(Action::Storage { column: Some(column) });
    }
    let (always, numbers, restart) = identity_options(what)?;
    Some(Action::Identity { column, always, numbers, restart })
}
