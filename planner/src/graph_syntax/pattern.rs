//! The grammar of GRAPH_TABLE, SQL:2023 part 16. Its rules stand in docs/graphs.md.
//!
//! G1: what the standard has and this version cannot run is read all the same, so that the refusal can name it.
//! Never: looks anything up.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{Ident, ObjectName, SelectItem, SelectItemQualifiedWildcardKind};
use sqlparser::tokenizer::Token;

use super::reader::Reader;
use super::tree::{
    ColumnItem, Direction, Element, Factor, GraphTable, LabelExpr, Match, Mode, Nested, PathExpr, PathPattern, Prefix, Primary, Quantifier,
    Rows, Selector, Version,
};

const MODES: [(&str, Mode); 4] = [("walk", Mode::Walk), ("trail", Mode::Trail), ("acyclic", Mode::Acyclic), ("simple", Mode::Simple)];

/// What stands between the parentheses of GRAPH_TABLE.
pub(super) fn graph_table(reader: &mut Reader<'_>) -> SqlResult<GraphTable> {
    let graph = name(reader)?;
    let version = version(reader)?;
    let matched = matched(reader)?;
    let rows = rows(reader)?;
    reader.expect_word("columns")?;
    reader.expect(&Token::LParen)?;
    let columns = reader.items()?.into_iter().map(column).collect::<SqlResult<Vec<_>>>()?;
    reader.expect(&Token::RParen)?;
    reader.end()?;
    Ok(GraphTable { graph, version, matched, rows, columns })
}

/// `MATCH path, … [KEEP prefix] [WHERE condition]` and those that follow it.
fn matched(reader: &mut Reader<'_>) -> SqlResult<Match> {
    let mut part = one_match(reader)?;
    loop {
        if reader.take_word("optional") {
            part.following.push(optional_match(reader)?);
        } else if reader.is_word("match") {
            part.following.push(one_match(reader)?);
        } else {
            return Ok(part);
        }
    }
}

fn one_match(reader: &mut Reader<'_>) -> SqlResult<Match> {
    reader.expect_word("match")?;
    let mut paths = vec![path_pattern(reader)?];
    while reader.take(&Token::Comma) {
        paths.push(path_pattern(reader)?);
    }
    let keep = if reader.take_word("keep") { Some(prefix(reader)?) } else { None };
    let condition = if reader.take_word("where") { Some(reader.condition_of_match()?) } else { None };
    Ok(Match { is_optional: false, paths, keep, condition, following: Vec::new() })
}

/// What stands behind OPTIONAL: MATCH with all that belongs to it, or braces or parentheses around one and those that follow it.
fn optional_match(reader: &mut Reader<'_>) -> SqlResult<Match> {
    let close = if reader.take(&Token::LBrace) {
        Token::RBrace
    } else if reader.take(&Token::LParen) {
        Token::RParen
    } else {
        // Parts that follow belong to whoever this part is within.
        return Ok(Match { is_optional: true, ..one_match(reader)? });
    };
    reader.enter()?;
    let part = matched(reader)?;
    reader.expect(&close)?;
    reader.leave();
    Ok(Match { is_optional: true, ..part })
}

/// `a.b.c`
pub(super) fn name(reader: &mut Reader<'_>) -> SqlResult<ObjectName> {
    let mut parts = vec![reader.ident()?];
    while reader.take(&Token::Period) {
        parts.push(reader.ident()?);
    }
    Ok(ObjectName::from(parts))
}

/// `FOR SYSTEM_TIME AS OF time` or `COMMIT number`.
fn version(reader: &mut Reader<'_>) -> SqlResult<Option<Version>> {
    if !reader.take_words(&["for", "system_time"]) {
        return Ok(None);
    }
    if reader.is_word("all") || reader.is_word("from") || reader.is_word("between") {
        let error =
            SqlError::unsupported("the versions of a graph").hint("FOR SYSTEM_TIME AS OF a time, or COMMIT n, has a graph as it was then.");
        return Err(reader.point(error));
    }
    if !reader.take_words(&["as", "of"]) {
        return reader.stop();
    }
    Ok(Some(match reader.take_word("commit") {
        true => Version::Commit(reader.expression_before("match")?),
        false => Version::Time(reader.expression_before("match")?),
    }))
}

/// `ONE ROW PER MATCH`, the default, or per vertex or step of a path.
fn rows(reader: &mut Reader<'_>) -> SqlResult<Option<Rows>> {
    if !reader.is_word("one") {
        return Ok(None);
    }
    let span = reader.span();
    for word in ["one", "row", "per"] {
        reader.expect_word(word)?;
    }
    let count = match reader.take_one(&["vertex", "node", "step", "match"]) {
        Some("match") => return Ok(None),
        Some("step") => 3,
        Some(_) => 1,
        None => return reader.stop(),
    };
    reader.expect(&Token::LParen)?;
    let mut variables = vec![reader.ident()?];
    while variables.len() < count {
        reader.expect(&Token::Comma)?;
        variables.push(reader.ident()?);
    }
    reader.expect(&Token::RParen)?;
    let mut path = None;
    if reader.take_word("in") {
        reader.expect(&Token::LParen)?;
        path = Some(reader.ident()?);
        reader.expect(&Token::RParen)?;
    }
    Ok(Some(Rows { variables, path, span }))
}

fn column(item: SelectItem) -> SqlResult<ColumnItem> {
    match item {
        SelectItem::UnnamedExpr(expr) => Ok(ColumnItem::Expr { expr, alias: None }),
        SelectItem::ExprWithAlias { expr, alias } => Ok(ColumnItem::Expr { expr, alias: Some(alias) }),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => match name.0.as_slice() {
            [part] if part.as_ident().is_some() => Ok(ColumnItem::All(part.as_ident().cloned().unwrap_or_else(|| Ident::new("")))),
            _ => Err(star()),
        },
        _ => Err(star()),
    }
}

/// 0A000, as PostgreSQL 19 has it.
fn star() -> SqlError {
    SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "\"*\" is not supported here")
        .hint("COLUMNS takes expressions, and v.* for all properties of the element variable v.")
}

fn path_pattern(reader: &mut Reader<'_>) -> SqlResult<PathPattern> {
    let variable = path_variable(reader)?;
    let prefix = prefix(reader)?;
    Ok(PathPattern { variable, prefix, path: path(reader)? })
}

fn path_variable(reader: &mut Reader<'_>) -> SqlResult<Option<Ident>> {
    if !reader.is_word_before(&Token::Eq) {
        return Ok(None);
    }
    let variable = reader.ident()?;
    reader.expect(&Token::Eq)?;
    Ok(Some(variable))
}

fn mode(reader: &mut Reader<'_>) -> Option<Mode> {
    let found = MODES.iter().find(|(word, _)| reader.take_word(word))?;
    Some(found.1)
}

/// ANY, ALL SHORTEST, SHORTEST k GROUPS, TRAIL … and PATH or PATHS behind them.
fn prefix(reader: &mut Reader<'_>) -> SqlResult<Prefix> {
    let start = reader.span();
    let mut selector = None;
    if reader.take_word("all") {
        selector = Some(if reader.take_word("shortest") { Selector::AllShortest } else { Selector::All });
    } else if reader.take_word("any") {
        selector = Some(match reader.take_one(&["shortest", "cheapest"]) {
            Some("shortest") => Selector::AnyShortest,
            Some(_) => Selector::Cheapest(1),
            None if reader.is_number() => Selector::Any(reader.number()?),
            None => Selector::Any(1),
        });
    } else if reader.take_word("cheapest") {
        selector = Some(Selector::Cheapest(if reader.is_number() { reader.number()? } else { 1 }));
    } else if reader.take_word("shortest") {
        selector = Some(Selector::Shortest(if reader.is_number() { reader.number()? } else { 1 }));
    }
    let mode = mode(reader);
    if selector.is_some() || mode.is_some() {
        reader.take_one(&["paths", "path"]);
    }
    if let Some(Selector::Shortest(count)) = selector
        && reader.take_one(&["groups", "group"]).is_some()
    {
        selector = Some(Selector::ShortestGroups(count));
    }
    let span = (selector.is_some() || mode.is_some()).then_some(start);
    Ok(Prefix { selector, mode, span })
}

fn path(reader: &mut Reader<'_>) -> SqlResult<PathExpr> {
    let first = sequence(reader)?;
    if reader.peek_sign() != Some('|') {
        return Ok(first);
    }
    let mut paths = vec![first];
    let mut counted = None;
    while reader.take_sign('|') {
        let is_counted = reader.take_sign('+');
        if is_counted {
            reader.expect_sign('|')?;
        }
        if *counted.get_or_insert(is_counted) != is_counted {
            return reader.stop();
        }
        paths.push(sequence(reader)?);
    }
    Ok(PathExpr::Choice { counted: counted == Some(true), paths })
}

fn sequence(reader: &mut Reader<'_>) -> SqlResult<PathExpr> {
    let mut factors = vec![factor(reader)?];
    while reader.peek() == Some(&Token::LParen) || matches!(reader.peek_sign(), Some('-' | '<' | '~')) {
        factors.push(factor(reader)?);
    }
    Ok(PathExpr::Sequence(factors))
}

fn factor(reader: &mut Reader<'_>) -> SqlResult<Factor> {
    let primary = match reader.peek_sign() {
        Some('-' | '<' | '~') => edge(reader)?,
        _ => parenthesised(reader)?,
    };
    Ok(Factor { primary, quantifier: quantifier(reader)? })
}

fn parenthesised(reader: &mut Reader<'_>) -> SqlResult<Primary> {
    let span = reader.span();
    reader.expect(&Token::LParen)?;
    let is_mode = MODES.iter().any(|(word, _)| reader.is_word(word)) && reader.is_path_after_word();
    let is_path = matches!(reader.peek(), Some(Token::LParen)) || matches!(reader.peek_sign(), Some('-' | '<' | '~'));
    if !is_path && !is_mode && !reader.is_word_before(&Token::Eq) {
        let element = element(reader, false)?;
        reader.expect(&Token::RParen)?;
        return Ok(Primary::Vertex(Element { span, ..element }));
    }
    reader.enter()?;
    let variable = path_variable(reader)?;
    let mode = mode(reader);
    let path = path(reader)?;
    let condition = if reader.take_word("where") { Some(reader.expression()?) } else { None };
    reader.expect(&Token::RParen)?;
    reader.leave();
    Ok(Primary::Nested(Box::new(Nested { variable, mode, path, condition, span })))
}

fn edge(reader: &mut Reader<'_>) -> SqlResult<Primary> {
    let span = reader.span();
    let left = reader.take_sign('<');
    if reader.peek_sign() == Some('~') {
        let error = SqlError::unsupported("an undirected edge").hint("Every edge has a direction; -[…]- matches it both ways.");
        return Err(reader.point(error));
    }
    reader.expect_sign('-')?;
    let brief = !reader.take(&Token::LBracket);
    let element = if brief {
        Element { variable: None, label: None, condition: None, cost: None, span }
    } else {
        let element = element(reader, true)?;
        reader.expect(&Token::RBracket)?;
        reader.expect_sign('-')?;
        Element { span, ..element }
    };
    let right = reader.take_sign('>');
    let direction = match (left, right) {
        (false, true) => Direction::Right,
        (true, false) => Direction::Left,
        _ => Direction::Any,
    };
    Ok(Primary::Edge { element, direction, brief })
}

/// `[variable] [IS labels] [WHERE condition]`, and of an edge `[COST expression]`; a colon does for IS.
fn element(reader: &mut Reader<'_>, is_edge: bool) -> SqlResult<Element> {
    let span = reader.span();
    let is_named = matches!(reader.peek(), Some(Token::Word(_))) && !reader.is_word("is") && !reader.is_word("where");
    let variable = if is_named { Some(reader.ident()?) } else { None };
    let label = if reader.take_word("is") || reader.take(&Token::Colon) { Some(labels(reader)?) } else { None };
    let condition = match reader.take_word("where") {
        true if is_edge => Some(reader.expression_before_cost()?),
        true => Some(reader.expression()?),
        false => None,
    };
    let cost = if is_edge && reader.take_word("cost") { Some(reader.expression()?) } else { None };
    Ok(Element { variable, label, condition, cost, span })
}

pub(super) fn labels(reader: &mut Reader<'_>) -> SqlResult<LabelExpr> {
    joined(reader, '|', |reader| joined(reader, '&', label, LabelExpr::And), LabelExpr::Or)
}

fn joined(
    reader: &mut Reader<'_>,
    sign: char,
    read: impl Fn(&mut Reader<'_>) -> SqlResult<LabelExpr>,
    join: fn(Vec<LabelExpr>) -> LabelExpr,
) -> SqlResult<LabelExpr> {
    let first = read(reader)?;
    let mut parts = vec![first];
    while reader.take_sign(sign) {
        parts.push(read(reader)?);
    }
    Ok(match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => join(parts.into_iter().chain(last).collect()),
    })
}

fn label(reader: &mut Reader<'_>) -> SqlResult<LabelExpr> {
    reader.enter()?;
    let label = if reader.take_sign('!') {
        LabelExpr::Not(Box::new(label(reader)?))
    } else if reader.take_sign('%') {
        LabelExpr::Any
    } else if reader.take(&Token::LParen) {
        let inner = labels(reader)?;
        reader.expect(&Token::RParen)?;
        inner
    } else {
        LabelExpr::Name(reader.ident()?)
    };
    reader.leave();
    Ok(label)
}

fn quantifier(reader: &mut Reader<'_>) -> SqlResult<Option<Quantifier>> {
    let span = reader.span();
    let made = |min, max, optional| Ok(Some(Quantifier { min, max, optional, span }));
    if reader.take_sign('*') {
        return made(0, None, false);
    }
    if reader.take_sign('+') {
        return made(1, None, false);
    }
    if reader.take_sign('?') {
        return made(0, Some(1), true);
    }
    if !reader.take(&Token::LBrace) {
        return Ok(None);
    }
    let min = if reader.is_number() { Some(reader.number()?) } else { None };
    let max = if reader.take(&Token::Comma) {
        if reader.is_number() { Some(reader.number()?) } else { None }
    } else if min.is_some() {
        min
    } else {
        return reader.stop();
    };
    reader.expect(&Token::RBrace)?;
    let min = min.unwrap_or(0);
    if let Some(max) = max.filter(|max| *max == 0 || *max < min) {
        let error =
            SqlError::new(SqlState::SYNTAX_ERROR, format!("a path cannot be repeated {min} times at least and {max} times at most"));
        return Err(reader.point_at(error, span).hint("The second number of {m,n} is at least the first, and at least 1."));
    }
    made(min, max, false)
}
