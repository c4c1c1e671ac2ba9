//! The chains of the third question as a picture, as `shockwave graph draw` makes it.
//!
//! Never: draws what the question did not answer.

use std::fs;

use tokio::time::Instant;
use tokio_postgres::Client;

use super::Failure;
use super::console::{Answer, Console};
use super::folder::Workplace;
use crate::draw;

/// An edge of a chain a row; `:root` is the workspace's main package.
const CHAINS: &str = "WITH far AS (SELECT id, along
        FROM GRAPH_TABLE (supply MATCH p = ANY SHORTEST (a WHERE a.name = ':root' AND a.member)-[]->+(b)
                          COLUMNS (b.id, b.name, vertices(p) AS along, path_length(p) AS steps))
        ORDER BY steps DESC, name LIMIT 5),
    stops AS (SELECT far.id, v.step, q.name
        FROM far, LATERAL jsonb_array_elements(far.along) WITH ORDINALITY AS v (element, step), packages q
        WHERE q.id = CAST(v.element -> 'key' ->> 'id' AS bigint))
    SELECT DISTINCT one.name, other.name AS depends_on
    FROM stops one JOIN stops other ON other.id = one.id AND other.step = one.step + 1 ORDER BY 1, 2";

/// The picture's file.
const FILE: &str = "chains.svg";

/// Asks, draws, and says where the picture is.
pub async fn draw(console: &Console, client: &Client, place: &Workplace, root: &str) -> Result<(), Failure> {
    let begun = Instant::now();
    let answer = Answer::of(&client.simple_query(&CHAINS.replace(":root", &root.replace('\'', "''"))).await?);
    let rows: Vec<Vec<Option<String>>> = answer.rows.into_iter().map(|row| row.into_iter().map(Some).collect()).collect();
    let svg = draw::svg(&rows).map_err(Failure::new)?;
    fs::write(place.kept(FILE), &svg)?;
    console.line("");
    console.line(&format!("{FILE}, {} bytes, has these chains as a picture ({} ms).", svg.len(), begun.elapsed().as_millis()));
    console.line("The same by hand:  shockwave graph draw --server 'host=… port=…' --query 'SELECT …' --output chains.svg");
    Ok(())
}
