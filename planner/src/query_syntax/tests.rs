//! What is respelled and what is left alone.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::Tokenizer;

use super::respell;

fn respelled(sql: &str) -> String {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().unwrap();
    match respell(&tokens) {
        Some(tokens) => tokens.iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" "),
        None => sql.to_owned(),
    }
}

#[test]
fn forms_are_respelled_where_the_grammar_has_them() {
    assert_eq!(respelled("TABLE t ORDER BY 1"), "SELECT * FROM t ORDER BY 1");
    assert_eq!(respelled("TABLE a UNION ALL TABLE b"), "SELECT * FROM a UNION ALL SELECT * FROM b");
    assert_eq!(respelled("INSERT INTO t TABLE u"), "INSERT INTO t SELECT * FROM u");
    assert_eq!(respelled("SELECT 5 ISNULL, x NOTNULL"), "SELECT 5 IS NULL , x IS NOT NULL");
    assert_eq!(respelled("SELECT trim(both from x)"), "SELECT trim ( both ' ' FROM x )");
    assert_eq!(respelled("SELECT trim(from x)"), "SELECT trim ( BOTH ' ' FROM x )");
    assert!(respelled("SELECT 1 BETWEEN SYMMETRIC 3 AND 0").contains("( 3 ) AND 0"));
    assert_eq!(respelled("SELECT 'x'::national character(2)"), "SELECT 'x' :: character ( 2 )");
    assert_eq!(respelled("SELECT bpchar 'y', a.name"), "SELECT CAST ( 'y' AS bpchar ) , a . name");
    assert_eq!(respelled("SELECT substring(a(x) similar p escape '#')"), "SELECT substring ( a ( x ) , p , '#' )");
    assert!(respelled("SELECT * FROM ROWS FROM (f(1), g(2)) AS t").contains("( f ( 1 ) , g ( 2 ) ) AS t"));
}

#[test]
fn the_same_words_elsewhere_are_left_alone() {
    for sql in [
        "CREATE TABLE t ( a INT )",
        "DROP TABLE t",
        "SELECT 1 AS isnull",
        "SELECT isnull ( 1 )",
        "SELECT sum ( x ) OVER ( ROWS BETWEEN 1 PRECEDING AND CURRENT ROW ) FROM t",
        "SELECT trim ( ' ' FROM x )",
        "TRUNCATE TABLE t",
        "SELECT x AS name , 'a'",
        "SELECT name = 'a' FROM t",
        "SELECT substring ( x SIMILAR TO p ESCAPE '#' )",
        "SELECT substring ( x FROM 2 )",
    ] {
        assert_eq!(respelled(sql), sql);
    }
}
