//! Text to statements: splits at semicolons, parses each with sqlparser's Postgres dialect, words failures as Postgres does.
//!
//! Never: looks at the catalog; reads without the bounds of [`crate::syntax_errors`].

use std::sync::Arc;

use base::{SqlError, SqlResult};
use sqlparser::ast::{CloseCursor, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};

use crate::bounded_dialect::Bounded;
use crate::constraint_syntax::SetConstraints;
use crate::cursor_syntax::{self, Direction, Fetch};
use crate::distinct_from;
use crate::erase_syntax::{self, Erase};
use crate::expire_syntax::{self, Expire};
use crate::graph_syntax::{self, GraphCommand, GraphTable};
use crate::hold_syntax::{self, HoldCommand};
use crate::lock_table_syntax::{self, LockTables};
use crate::maintenance_syntax::{self, Maintenance};
use crate::parse_clauses::{self, Clauses};
use crate::query_syntax::system_time;
use crate::refresh_syntax::{self, Refresh};
use crate::role_syntax::Command;
use crate::syntax_errors::{DEPTH_MAX, at_end, check_chains, check_numbers, is_visible, lexical_error, near, syntax_error};
use crate::{
    conflict_syntax, constraint_syntax, copy_syntax, current_of_syntax, lock_syntax, position, query_syntax, role_syntax, subscript_syntax,
};

const DIALECT: PostgreSqlDialect = PostgreSqlDialect {};

/// One statement of a query string.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Its syntax tree, whose spans count in `source`. Options of a COPY are not in it.
    pub statement: Arc<Statement>,
    /// The whole string it came in.
    pub source: Arc<str>,
    /// The statement's own part of `source`.
    pub text: Arc<str>,
    /// Options of a COPY.
    pub(crate) copy_options: Arc<copy_syntax::Options>,
    /// Clauses that are not in the syntax tree.
    pub(crate) clauses: Arc<Clauses>,
    /// GRAPH_TABLE clauses, which relations of `statement` stand for.
    pub(crate) graph_tables: Arc<[GraphTable]>,
    /// A statement that sqlparser has no tree for; `statement` only stands in for it.
    pub(crate) own: Option<Own>,
}

/// A statement read here.
#[derive(Clone, Debug)]
pub(crate) enum Own {
    Fetch(Fetch),
    Maintenance(Maintenance),
    Erase(Erase),
    Constraints(SetConstraints),
    LockTables(Arc<LockTables>),
    Refresh(Refresh),
    /// Roles, grants, owners, databases.
    Authority(Arc<Command>),
    /// CREATE, ALTER, DROP, COMMENT ON PROPERTY GRAPH.
    Graph(Arc<GraphCommand>),
    Expire(Arc<Expire>),
    /// CREATE, DROP LEGAL HOLD.
    Hold(Arc<HoldCommand>),
    /// PREPARE TRANSACTION, whatever the name.
    PrepareTransaction,
}

impl Parsed {
    /// The name and the rows that a MOVE forward passes over, all where there is no number. `None` for other statements.
    pub fn moves(&self) -> Option<(&str, Option<usize>)> {
        let Some(Own::Fetch(Fetch { name, direction, is_move: true })) = &self.own else { return None };
        match direction {
            Direction::ForwardAll => Some((name, None)),
            Direction::Forward(rows) => usize::try_from(*rows).ok().map(|rows| (name.as_str(), Some(rows))),
            _ => None,
        }
    }

    /// The cursor that a FETCH reads.
    pub fn fetches(&self) -> Option<&str> {
        match &self.own {
            Some(Own::Fetch(Fetch { name, is_move: false, .. })) => Some(name),
            _ => None,
        }
    }

    /// Points an error at a place in the source, unless it already points somewhere.
    pub(crate) fn point(&self, error: SqlError, span: Span) -> SqlError {
        match (error.position(), position::character(&self.source, span.start)) {
            (None, Some(at)) => error.at(at),
            _ => error,
        }
    }
}

/// Parses a query string; an empty vector for one without statements. Errors: 42601, 54001, 22021-free (the text is UTF-8 already).
pub(crate) fn parse(sql: &str) -> SqlResult<Vec<Parsed>> {
    let source: Arc<str> = sql.into();
    let tokens =
        Tokenizer::new(&DIALECT, sql).tokenize_with_location().map_err(|error| lexical_error(sql, &error.message, error.location))?;
    let mut statements = Vec::new();
    for part in tokens.split(|token| token.token == Token::SemiColon) {
        let (Some(first), Some(last)) = (part.iter().find(|t| is_visible(t)), part.iter().rfind(|t| is_visible(t))) else {
            continue;
        };
        let span = Span { start: first.span.start, end: last.span.end };
        let taken = graph_syntax::take(sql, part)?;
        let (part, graph_tables) = match &taken {
            Some((rest, tables)) => (rest.as_slice(), Arc::from(tables.as_slice())),
            None => (part, Arc::from([])),
        };
        let mut own = None;
        let mut clauses = Clauses::default();
        let (statement, copy_options) = if copy_syntax::is_word(&first.token, "copy") {
            parse_copy(sql, part)?
        } else if begins_own(&first.token, part.iter().filter(|token| is_visible(token)).nth(1).map(|second| &second.token)) {
            own = Some(parse_own(sql, part)?);
            (Statement::Close { cursor: CloseCursor::All }, Vec::new())
        } else if let Some(command) = parse_authority(sql, part)? {
            own = Some(Own::Authority(command));
            (Statement::Close { cursor: CloseCursor::All }, Vec::new())
        } else if let Some(command) = parse_graph_command(sql, part)? {
            own = Some(Own::Graph(command));
            (Statement::Close { cursor: CloseCursor::All }, Vec::new())
        } else if parse_clauses::concern(first, part) {
            let visible: Vec<TokenWithSpan> = part.iter().filter(|token| is_visible(token)).cloned().collect();
            match parse_clauses::take(&visible) {
                Some((rest, taken)) => {
                    clauses = taken;
                    (parse_one(sql, &rest)?, Vec::new())
                }
                None => (parse_one(sql, part)?, Vec::new()),
            }
        } else {
            (parse_one(sql, part)?, Vec::new())
        };
        let text = position::slice(sql, span).into();
        let (statement, copy_options, clauses) = (Arc::new(statement), Arc::new(copy_options), Arc::new(clauses));
        statements.push(Parsed { statement, source: Arc::clone(&source), text, copy_options, clauses, graph_tables, own });
    }
    Ok(statements)
}

/// Roles, grants and owners have a grammar of their own.
fn parse_authority(sql: &str, tokens: &[TokenWithSpan]) -> SqlResult<Option<Arc<Command>>> {
    let first = tokens.iter().find(|token| is_visible(token));
    if !first.is_some_and(|first| role_syntax::may_begin(&first.token)) {
        return Ok(None);
    }
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let Some(read) = role_syntax::recognise(&visible) else { return Ok(None) };
    let command = read.map_err(|token| match token {
        Some(token) => near(sql, token.span),
        None => at_end(sql, tokens),
    })?;
    Ok(Some(Arc::new(command)))
}

/// Property graphs have a grammar of their own.
fn parse_graph_command(sql: &str, tokens: &[TokenWithSpan]) -> SqlResult<Option<Arc<GraphCommand>>> {
    if !tokens.iter().filter(|token| is_visible(token)).take(5).any(|token| copy_syntax::is_word(&token.token, "property")) {
        return Ok(None);
    }
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    graph_syntax::recognise(sql, &visible).transpose().map(|command| command.map(Arc::new))
}

/// COPY has more options than sqlparser knows: it parses the head, `copy_syntax` the rest.
fn parse_copy(sql: &str, tokens: &[TokenWithSpan]) -> SqlResult<(Statement, copy_syntax::Options)> {
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let Some((head, tail)) = copy_syntax::split(&visible) else {
        return Ok((parse_one(sql, tokens)?, Vec::new()));
    };
    let statement = parse_one(sql, head)?;
    let options = copy_syntax::read(tail).map_err(|token| match token {
        Some(token) => near(sql, token.span),
        None => at_end(sql, tokens),
    })?;
    Ok((statement, options))
}

/// Whether a statement that begins so is read here and not by sqlparser.
fn begins_own(first: &Token, second: Option<&Token>) -> bool {
    let begins_two_phase =
        || copy_syntax::is_word(first, "prepare") && second.is_some_and(|second| copy_syntax::is_word(second, "transaction"));
    cursor_syntax::begins(first)
        || erase_syntax::begins(first)
        || maintenance_syntax::begins(first)
        || lock_table_syntax::begins(first)
        || refresh_syntax::begins(first)
        || constraint_syntax::begins(first, second)
        || hold_syntax::begins(first, second)
        || expire_syntax::begins(first)
        || begins_two_phase()
}

fn parse_own(sql: &str, tokens: &[TokenWithSpan]) -> SqlResult<Own> {
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let read = match visible.first() {
        Some(first) if constraint_syntax::begins(&first.token, visible.get(1).map(|second| &second.token)) => {
            constraint_syntax::read(&visible).map(Own::Constraints)
        }
        Some(first) if expire_syntax::begins(&first.token) => expire_syntax::read(&visible).map(|expire| Own::Expire(Arc::new(expire))),
        Some(first) if hold_syntax::begins(&first.token, visible.get(1).map(|second| &second.token)) => {
            hold_syntax::read(&visible).map(|command| Own::Hold(Arc::new(command)))
        }
        Some(first) if copy_syntax::is_word(&first.token, "prepare") => match visible.get(2).map(|name| &name.token) {
            Some(Token::SingleQuotedString(_)) if visible.len() == 3 => Ok(Own::PrepareTransaction),
            Some(Token::SingleQuotedString(_)) => Err(visible.get(3).cloned()),
            _ => Err(visible.get(2).cloned()),
        },
        Some(first) if erase_syntax::begins(&first.token) => erase_syntax::read(&visible).map(Own::Erase),
        Some(first) if maintenance_syntax::begins(&first.token) => maintenance_syntax::read(&visible).map(Own::Maintenance),
        Some(first) if lock_table_syntax::begins(&first.token) => {
            lock_table_syntax::read(&visible).map(|lock| Own::LockTables(Arc::new(lock)))
        }
        Some(first) if refresh_syntax::begins(&first.token) => refresh_syntax::read(&visible).map(Own::Refresh),
        _ => cursor_syntax::read(&visible).map(Own::Fetch),
    };
    read.map_err(|token| match token {
        Some(token) => near(sql, token.span),
        None => at_end(sql, tokens),
    })
}

fn parse_one(sql: &str, tokens: &[TokenWithSpan]) -> SqlResult<Statement> {
    check_chains(tokens)?;
    check_numbers(sql, tokens)?;
    let current = current_of_syntax::called(tokens);
    let current = current.as_deref().unwrap_or(tokens);
    let called = subscript_syntax::called(current);
    let called = called.as_deref().unwrap_or(current);
    let named = conflict_syntax::named(sql, called);
    let named = named.as_deref().unwrap_or(called);
    let respelled = query_syntax::respell(named);
    let readable = readable(respelled.as_deref().unwrap_or(named));
    let dialect = Bounded::of(tokens.len()).versioned(system_time::occurs(tokens));
    let mut parser = Parser::new(&dialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(readable);
    let mut statement = parser.parse_statement().map_err(|error| syntax_error(sql, tokens, error))?;
    let is_distinct =
        |pair: &[&TokenWithSpan]| copy_syntax::is_word(&pair[0].token, "distinct") && copy_syntax::is_word(&pair[1].token, "from");
    let visible: Vec<&TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).collect();
    if visible.windows(2).any(is_distinct) {
        distinct_from::mend(&mut statement);
    }
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return Err(near(sql, rest.span));
    }
    Ok(statement)
}

/// The tokens as sqlparser reads them.
fn readable(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let first = tokens.iter().find(|token| is_visible(token)).map(|first| &first.token);
    let tokens = match first {
        Some(first) if copy_syntax::is_word(first, "merge") || copy_syntax::is_word(first, "with") => with_nothing_named(tokens),
        Some(first) if copy_syntax::is_word(first, "reset") => with_reset_of_session(tokens),
        Some(first) if copy_syntax::is_word(first, "abort") => with_rollback(tokens),
        Some(first) if copy_syntax::is_word(first, "select") && tokens.iter().filter(|token| is_visible(token)).count() == 1 => {
            with_one_row(tokens)
        }
        _ => without_deferrable(tokens),
    };
    lock_syntax::spell_out(tokens)
}

/// `ABORT` as `ROLLBACK`, which it is.
fn with_rollback(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut tokens = tokens.to_vec();
    if let Some(first) = tokens.iter_mut().find(|token| is_visible(token)) {
        first.token = Token::make_keyword("ROLLBACK");
    }
    tokens
}

/// A SELECT of nothing and from nothing, which is a row without columns.
fn with_one_row(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut tokens: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let span = tokens.first().map_or(Span::empty(), |first| first.span);
    let one_row = [
        Token::make_keyword("FROM"),
        Token::LParen,
        Token::make_keyword("SELECT"),
        Token::Number("1".to_owned(), false),
        Token::RParen,
        Token::make_word("one row", Some('"')),
    ];
    tokens.extend(one_row.into_iter().map(|token| TokenWithSpan { token, span }));
    tokens
}

/// `RESET SESSION AUTHORIZATION` as `SET SESSION AUTHORIZATION DEFAULT`.
fn with_reset_of_session(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let is = |at: usize, word: &str| visible.get(at).is_some_and(|token| copy_syntax::is_word(&token.token, word));
    if visible.len() == 3 && is(1, "session") && is(2, "authorization") {
        let span = visible[2].span;
        visible[0].token = Token::make_keyword("SET");
        visible.push(TokenWithSpan { token: Token::make_keyword("DEFAULT"), span });
    }
    visible
}

/// The column that stands for DO NOTHING in a MERGE, which sqlparser does not read.
pub(crate) const NOTHING: &str = "\u{1}nothing";

/// `THEN DO NOTHING` as an UPDATE or INSERT of [`NOTHING`].
fn with_nothing_named(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut named = Vec::with_capacity(tokens.len());
    let mut negated = false;
    let words: Vec<(usize, &TokenWithSpan)> = tokens.iter().enumerate().filter(|(_, token)| is_visible(token)).collect();
    let mut at = 0;
    for (place, (index, token)) in words.iter().enumerate() {
        let is = |offset: usize, word: &str| words.get(place + offset).is_some_and(|(_, token)| copy_syntax::is_word(&token.token, word));
        if is(0, "when") {
            negated = is(1, "not");
        }
        if *index < at || !(is(0, "then") && is(1, "do") && is(2, "nothing")) {
            continue;
        }
        let Some((end, _)) = words.get(place + 2) else { continue };
        named.extend_from_slice(&tokens[at..=*index]);
        let span = token.span;
        named.extend(nothing(negated).into_iter().map(|token| TokenWithSpan { token, span }));
        at = end + 1;
    }
    named.extend_from_slice(&tokens[at..]);
    named
}

fn nothing(negated: bool) -> Vec<Token> {
    let column = Token::make_word(NOTHING, Some('"'));
    if negated {
        let insert = [Token::make_keyword("INSERT"), Token::LParen, column, Token::RParen];
        insert.into_iter().chain([Token::make_keyword("VALUES"), Token::LParen, Token::make_keyword("NULL"), Token::RParen]).collect()
    } else {
        vec![Token::make_keyword("UPDATE"), Token::make_keyword("SET"), column, Token::Eq, Token::make_keyword("NULL")]
    }
}

/// The tokens without `[NOT] DEFERRABLE`, a mode of transactions that says nothing here and that sqlparser does not read.
fn without_deferrable(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let is = |token: &TokenWithSpan, word: &str| copy_syntax::is_word(&token.token, word);
    let begins =
        tokens.iter().find(|token| is_visible(token)).is_some_and(|first| ["begin", "start", "set"].iter().any(|word| is(first, word)));
    let mut kept = tokens.to_vec();
    let Some(at) = kept.iter().position(|token| begins && is(token, "deferrable")) else { return kept };
    let visible_before = |kept: &[TokenWithSpan], end: usize| kept[..end].iter().rposition(is_visible);
    let (mut start, mut before) = (at, visible_before(&kept, at));
    if let Some(not) = before.filter(|before| is(&kept[*before], "not")) {
        (start, before) = (not, visible_before(&kept, not));
    }
    let mut end = at;
    match before.filter(|before| kept[*before].token == Token::Comma) {
        Some(comma) => start = comma,
        None => {
            if let Some(next) = (at + 1..kept.len()).find(|next| is_visible(&kept[*next])).filter(|next| kept[*next].token == Token::Comma)
            {
                end = next;
            }
        }
    }
    kept.drain(start..=end);
    kept
}
