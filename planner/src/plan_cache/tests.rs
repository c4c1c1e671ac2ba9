//! What the lexer takes and what the cache forgets.

use super::lexer::Kind;
use super::*;

fn shape(text: &str) -> Option<String> {
    Lexed::of(text).map(|lexed| lexed.shape.replace('\u{1}', "?"))
}

#[test]
fn constants_leave_their_shape() {
    assert_eq!(shape("SELECT a FROM t WHERE id = 42 AND n = 'x''y';").unwrap(), "SELECT a FROM t WHERE id = ?i AND n = ?t");
    assert_eq!(shape("SELECT t1.\"a 1\", 1.5 FROM t1").unwrap(), "SELECT t1.\"a 1\", ?d FROM t1");
    let lexed = Lexed::of("  SELECT 'it''s', 10").unwrap();
    assert_eq!((lexed.offset, lexed.constants[0].value.as_ref(), lexed.constants[1].kind), (2, "it's", Kind::Integer));
}

/// X1: what the lexer could read otherwise than the parser is not taken.
#[test]
fn doubtful_texts_are_not_taken() {
    for text in [
        "SELECT E'a\\n'",
        "SELECT $$x$$",
        "SELECT $1",
        "SELECT 1; SELECT 2",
        "SELECT 1 -- 2",
        "SELECT /* 1 */ 2",
        "SELECT 'a'\n'b'",
        "SELECT 0x1F",
        "SELECT 1e5",
        "SELECT .5",
        "SELECT U&'\\0041'",
        "SELECT 'open",
        "SELECT \"open",
    ] {
        assert_eq!(shape(text), None, "{text}");
    }
}
