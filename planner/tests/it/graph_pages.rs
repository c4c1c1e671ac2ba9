//! The examples of docs/graphs.md, run in order: each statement answers what stands in the comment behind it. `SHOCKWAVE_RECORD=1` writes the answers.

use crate::fixture::{Client, Fixture};
use crate::graph_table::shown;

const PAGE: &str = include_str!("../../../docs/graphs.md");

/// Statements of the page, and what is said of their answers.
fn statements() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut statements = Vec::new();
    for part in PAGE.split("```sql\n").skip(1) {
        let block = part.split("```").next().unwrap();
        for statement in block.trim_end().split("\n\n") {
            let sql = statement.split("\n-- ").next().unwrap().trim_end();
            let answer = statement[sql.len()..].lines().filter_map(|line| line.strip_prefix("-- ")).collect();
            statements.push((sql, answer));
        }
    }
    statements
}

async fn answer(client: &mut Client, sql: &str) -> Vec<String> {
    match client.try_run(sql.trim_end_matches(';')).await {
        Ok(answer) if answer.columns.is_empty() => vec![answer.tag],
        Ok(answer) => answer.lines(),
        Err(error) => shown(&error).lines().map(|line| line.trim_start_matches("-- ").to_owned()).collect(),
    }
}

#[tokio::test]
async fn the_page_is_true() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    let statements = statements();
    assert!(statements.len() > 40, "{} statements", statements.len());
    let (mut wrong, mut page) = (Vec::new(), PAGE.to_owned());
    for (sql, said) in statements {
        let found = answer(&mut client, sql).await;
        let block = |lines: &[String]| lines.iter().fold(sql.to_owned(), |text, line| format!("{text}\n-- {line}"));
        let said: Vec<String> = said.into_iter().map(str::to_owned).collect();
        page = page.replacen(&format!("{}\n", block(&said)), &format!("{}\n", block(&found)), 1);
        if found != said {
            wrong.push(format!("{sql}\nsays     {said:#?}\nanswered {found:#?}"));
        }
    }
    if std::env::var_os("SHOCKWAVE_RECORD").is_some() {
        #[expect(clippy::disallowed_methods, reason = "writes a golden when asked to")]
        std::fs::write(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/graphs.md"), page).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
