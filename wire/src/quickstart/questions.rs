//! The five questions, four as a table of SQL and the fifth after an UPDATE.
//!
//! Never: computes an answer on the client's side.

use tokio::time::Instant;
use tokio_postgres::Client;

use super::Failure;
use super::console::{Answer, Console};

/// (question, statement; `:root` is the workspace's main package)
const QUESTIONS: [(&str, &str); 4] = [
    (
        "Which licences are in use, and who brings them?",
        "SELECT coalesce(p.licence, '(none declared)') AS licence, count(DISTINCT p.id) AS packages,
                string_agg(DISTINCT q.name, ', ' ORDER BY q.name) AS brought_by
         FROM packages p
         LEFT JOIN dependencies d ON d.depends_on = p.id
         LEFT JOIN packages q ON q.id = d.package
         GROUP BY p.licence ORDER BY packages DESC, licence",
    ),
    (
        "Which packages would hurt most? (most depended upon)",
        "SELECT name, version, count(DISTINCT dependant) AS dependants
         FROM GRAPH_TABLE (supply MATCH (p IS packages)<-[IS dependencies]-(d)
                           COLUMNS (p.id, p.name, p.version, d.id AS dependant))
         GROUP BY id, name, version ORDER BY dependants DESC, name LIMIT 10",
    ),
    (
        "Which packages are farthest from `:root`, and by whom do they come in? (shortest chains of dependencies)",
        "SELECT g.name, count(*) - 1 AS steps, string_agg(q.name, ' → ' ORDER BY v.step) AS chain
         FROM GRAPH_TABLE (supply MATCH p = ANY SHORTEST (a WHERE a.name = ':root' AND a.member)-[]->+(b)
                           COLUMNS (b.id, b.name, vertices(p) AS along)) g,
              LATERAL jsonb_array_elements(g.along) WITH ORDINALITY AS v (element, step),
              packages q
         WHERE q.id = CAST(v.element -> 'key' ->> 'id' AS bigint)
         GROUP BY g.id, g.name ORDER BY steps DESC, g.name LIMIT 5",
    ),
    (
        "Which packages are here in more than one version?",
        "SELECT name, count(*) AS versions, min(version) AS one, max(version) AS another
         FROM packages GROUP BY name HAVING count(*) > 1 ORDER BY versions DESC, name LIMIT 10",
    ),
];

/// Asks the first four and prints the answers.
pub async fn ask_all(console: &Console, client: &Client, root: &str) -> Result<(), Failure> {
    for (number, (question, statement)) in QUESTIONS.iter().enumerate() {
        let (question, statement) = (question.replace(":root", root), statement.replace(":root", &root.replace('\'', "''")));
        let begun = Instant::now();
        let answer = Answer::of(&client.simple_query(&statement).await?);
        // The last may well be empty; nothing else can be in a graph of packages.
        if answer.rows.is_empty() && number < 3 {
            return Err(Failure::new(format!("no answer to: {question}")));
        }
        console.table(&format!("({}) {question}", number + 1), &answer, begun.elapsed());
    }
    Ok(())
}

/// A row version's place in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub commit_seq: i64,
    pub row: i64,
}

/// What the correction of question five did.
pub struct Change {
    /// The package corrected.
    pub name: String,
    pub before: Place,
    pub after: Place,
}

const COMMITS: &str = "SELECT commit_seq, committed_at, actor, rows, spans FROM ledger.commits
    WHERE kind = 'commit' ORDER BY commit_seq DESC LIMIT 4";

/// Both versions of the corrected row, the old one first.
const VERSIONS: &str = "SELECT r.commit_seq, r.row, r.op, r.row_id, r.supersedes, r.row_hash
    FROM ledger.receipts r JOIN ledger.receipts u ON u.table_name = r.table_name AND (r.row_id = u.supersedes OR r.row_id = u.row_id)
    WHERE u.table_name = 'packages' AND u.op = 'UPDATE' ORDER BY r.commit_seq";

/// The fifth: corrects one licence and shows what the ledger says about it.
pub async fn correct_licence(console: &Console, client: &Client) -> Result<Change, Failure> {
    let chosen = "SELECT id, name, licence FROM packages WHERE licence IS NOT NULL
        ORDER BY CASE WHEN licence LIKE '%/%' THEN 0 ELSE 1 END, name LIMIT 1";
    let row = client.query_one(chosen, &[]).await?;
    let (id, name, licence): (i64, String, String) = (row.get(0), row.get(1), row.get(2));
    console.line("");
    console.line(&format!("{name} declares the licence as \"{licence}\"; an auditor writes it as SPDX wants it:"));
    let begun = Instant::now();
    let corrected = licence.replace('/', " OR ");
    if client.execute("UPDATE packages SET licence = $1 WHERE id = $2", &[&corrected, &id]).await? != 1 {
        return Err(Failure::new("the correction did not touch exactly one row"));
    }
    let commits = Answer::of(&client.simple_query(COMMITS).await?);
    console.table("(5) What changed? (UPDATE, then ledger.commits)", &commits, begun.elapsed());
    let begun = Instant::now();
    let versions = Answer::of(&client.simple_query(VERSIONS).await?);
    console.table("Nothing was overwritten: both versions of the row are in the ledger (ledger.receipts)", &versions, begun.elapsed());
    let place = |row: &Vec<String>| Some(Place { commit_seq: row.first()?.parse().ok()?, row: row.get(1)?.parse().ok()? });
    match versions.rows.iter().map(place).collect::<Option<Vec<_>>>().as_deref() {
        Some([before, after]) => Ok(Change { name, before: *before, after: *after }),
        _ => Err(Failure::new("the ledger does not show exactly two versions of the corrected row")),
    }
}
