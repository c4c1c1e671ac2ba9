//! A regular expression that matches as much as Postgres's would: the longest of the matches that begin first, or the shortest.
//!
//! F32: an expression prefers long or short matches as its first quantifier does, one of several alternatives long ones. The library takes the
//!      first alternative that leads on; where that may be another, an automaton finds the end, and groups are found within it.
//! F34: expressions with constraints that no automaton has (look-ahead, back references) keep the library's choice.
//! Never: recurses or retries without a limit; a pattern that would is 2201B.

use std::cell::RefCell;
use std::iter::Peekable;
use std::str::Chars;

use base::SqlResult;
use fancy_regex::{Regex, RegexBuilder};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input, MatchKind};

use super::{gave_up, invalid};

const BACKTRACKS_MAX: usize = 1_000_000;

/// An expression ready to search.
pub(in crate::functions) struct Pattern {
    regex: Regex,
    extent: Option<Extent>,
}

/// How the end of a match is found.
struct Extent {
    automaton: DFA,
    cache: RefCell<Cache>,
    /// The expression between the ends of a match.
    whole: Regex,
    is_short: bool,
}

/// Byte ranges of a match and its groups.
#[derive(Clone, Debug)]
pub(super) struct Found<'t> {
    text: &'t str,
    spans: Vec<Option<(usize, usize)>>,
}

impl<'t> Found<'t> {
    /// The range of a group; 0 is the whole.
    pub(super) fn span(&self, group: usize) -> Option<(usize, usize)> {
        self.spans.get(group).copied().flatten()
    }

    pub(super) fn group(&self, group: usize) -> Option<&'t str> {
        self.span(group).map(|(from, to)| &self.text[from..to])
    }

    /// Groups and the whole.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn start(&self) -> usize {
        self.span(0).map_or(0, |(from, _)| from)
    }

    pub(super) fn end(&self) -> usize {
        self.span(0).map_or(0, |(_, to)| to)
    }
}

impl Pattern {
    /// From an expression in the library's dialect under flags of its. Errors: what the library says.
    pub(super) fn new(translated: &str, flags: &str) -> Result<Self, String> {
        let flagged = |expression: &str| if flags.is_empty() { expression.to_owned() } else { format!("(?{flags}){expression}") };
        let build =
            |expression: &str| RegexBuilder::new(expression).backtrack_limit(BACKTRACKS_MAX).build().map_err(|error| error.to_string());
        let regex = build(&flagged(translated))?;
        let greediness = Greediness::of(translated);
        let extent = greediness.may_differ.then(|| -> Option<Extent> {
            let config = DFA::config().match_kind(MatchKind::All).unicode_word_boundary(true);
            let automaton = DFA::builder().configure(config).build(&flagged(translated)).ok()?;
            let cache = RefCell::new(automaton.create_cache());
            // A line of its own: an expanded expression may end in a comment.
            let closing = if flags.contains('x') { "\n" } else { "" };
            let whole = build(&flagged(&format!(r"\A(?:{translated}{closing})\z"))).ok()?;
            Some(Extent { automaton, cache, whole, is_short: greediness.is_short })
        });
        Ok(Self { regex, extent: extent.flatten() })
    }

    /// Whether there is a match anywhere. Errors: 2201B.
    pub(in crate::functions) fn is_match(&self, text: &str) -> SqlResult<bool> {
        self.regex.is_match(text).map_err(gave_up)
    }

    /// The first match that begins at `from` or after. Errors: 2201B.
    pub(super) fn find<'t>(&self, text: &'t str, from: usize) -> SqlResult<Option<Found<'t>>> {
        if from > text.len() {
            return Ok(None);
        }
        let Some(captures) = self.regex.captures_from_pos(text, from).map_err(gave_up)? else { return Ok(None) };
        let spans: Vec<_> = (0..captures.len()).map(|group| captures.get(group).map(|part| (part.start(), part.end()))).collect();
        let Some((start, end)) = spans.first().copied().flatten() else { return Ok(None) };
        let Some(extent) = &self.extent else { return Ok(Some(Found { text, spans })) };
        let wanted = extent.end(text, start).unwrap_or(end);
        if wanted == end {
            return Ok(Some(Found { text, spans }));
        }
        let inner = extent.whole.captures(&text[start..wanted]).map_err(gave_up)?;
        let mut spans: Vec<_> = match inner {
            Some(captures) => {
                let shifted = |group| captures.get(group).map(|part| (start + part.start(), start + part.end()));
                (0..captures.len()).map(shifted).collect()
            }
            None => vec![None; spans.len()],
        };
        spans[0] = Some((start, wanted));
        Ok(Some(Found { text, spans }))
    }

    /// Every match from `from` on, none overlapping another. Errors: 2201B.
    pub(super) fn find_all<'t>(&self, text: &'t str, from: usize) -> SqlResult<Vec<Found<'t>>> {
        let mut all = Vec::new();
        let (mut at, mut last_end) = (from, None);
        while let Some(found) = self.find(text, at)? {
            let (start, end) = (found.start(), found.end());
            if end > start || last_end != Some(end) {
                all.push(found);
                last_end = Some(end);
            }
            at = if end > start { end } else { end + text[end..].chars().next().map_or(1, char::len_utf8) };
        }
        Ok(all)
    }
}

impl Extent {
    /// Where the match that begins at `start` ends; `None` if the automaton cannot tell.
    fn end(&self, text: &str, start: usize) -> Option<usize> {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes).earliest(self.is_short);
        let found = self.automaton.try_search_fwd(&mut self.cache.borrow_mut(), &input).ok()??;
        text.is_char_boundary(found.offset()).then(|| found.offset())
    }
}

/// What an expression's quantifiers and alternatives say.
struct Greediness {
    is_short: bool,
    /// Whether the library may choose another match than Postgres.
    may_differ: bool,
}

impl Greediness {
    fn of(translated: &str) -> Self {
        let mut reader = Reader { chars: translated.chars().peekable(), may_differ: false };
        let prefers_long = reader.alternatives();
        Self { is_short: prefers_long == Some(false), may_differ: reader.may_differ }
    }
}

struct Reader<'p> {
    chars: Peekable<Chars<'p>>,
    may_differ: bool,
}

impl Reader<'_> {
    /// Up to the parenthesis that closes: whether long matches are preferred, if anything is.
    fn alternatives(&mut self) -> Option<bool> {
        let mut preference = self.branch();
        while self.chars.next_if_eq(&'|').is_some() {
            self.may_differ = true;
            self.branch();
            preference = Some(true);
        }
        preference
    }

    fn branch(&mut self) -> Option<bool> {
        let mut preference = None;
        while let Some(c) = self.chars.next_if(|c| !matches!(c, '|' | ')')) {
            let of_atom = match c {
                '\\' => {
                    self.chars.next();
                    None
                }
                '[' => {
                    self.class();
                    None
                }
                '(' => {
                    let is_constraint =
                        self.chars.next_if_eq(&'?').is_some() && self.chars.next_if(|c| matches!(c, '=' | '!' | '<')).is_some();
                    let inner = self.alternatives();
                    self.chars.next_if_eq(&')');
                    if is_constraint { None } else { inner }
                }
                _ => None,
            };
            preference = preference.or(self.quantifier(of_atom));
        }
        preference
    }

    fn class(&mut self) {
        self.chars.next_if_eq(&'^');
        let mut depth = 1;
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => _ = self.chars.next(),
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// What follows an atom, if it counts the atom.
    fn quantifier(&mut self, of_atom: Option<bool>) -> Option<bool> {
        let is_fixed = match self.chars.peek() {
            Some('*' | '+' | '?') => {
                self.chars.next();
                false
            }
            Some('{') => {
                let counts: String = self.chars.by_ref().take_while(|c| *c != '}').collect();
                !counts.contains(',')
            }
            _ => return of_atom,
        };
        let is_lazy = self.chars.next_if_eq(&'?').is_some();
        self.may_differ |= is_lazy;
        if is_fixed { of_atom } else { Some(!is_lazy) }
    }
}

/// The pattern as the error names it.
pub(super) fn refused(pattern: &str, said: &str) -> base::SqlError {
    let said = said.to_lowercase();
    let known = [
        ("class", "brackets [] not balanced"),
        ("bracket", "brackets [] not balanced"),
        ("group", "parentheses () not balanced"),
        ("paren", "parentheses () not balanced"),
        ("repe", "quantifier operand invalid"),
        ("quantifier", "quantifier operand invalid"),
        ("escape", "invalid escape \\ sequence"),
    ];
    let found = known.iter().find(|(part, _)| said.contains(part));
    invalid(&found.map_or_else(|| format!("\"{pattern}\" is not understood"), |(_, reason)| (*reason).to_owned()))
}
