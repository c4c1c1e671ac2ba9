//! The graph into two tables, by COPY.
//!
//! Never: sends a row by INSERT.

use bytes::Bytes;
use futures::SinkExt;
use tokio_postgres::Client;

use super::Failure;
use super::dependencies::Graph;

const TABLES: &str = "
    CREATE TABLE packages (
        id bigint PRIMARY KEY, name text NOT NULL, version text NOT NULL, licence text, repository text, member boolean NOT NULL);
    CREATE TABLE dependencies (
        package bigint NOT NULL, depends_on bigint NOT NULL, kind text NOT NULL, optional boolean NOT NULL, features text NOT NULL,
        PRIMARY KEY (package, depends_on, kind));
    CREATE PROPERTY GRAPH supply
        VERTEX TABLES (packages)
        EDGE TABLES (dependencies SOURCE KEY (package) REFERENCES packages (id) DESTINATION KEY (depends_on) REFERENCES packages (id))";

/// What was loaded.
pub struct Loaded {
    pub rows: u64,
}

/// Creates the tables and fills them.
pub async fn load(client: &mut Client, graph: &Graph) -> Result<Loaded, Failure> {
    client.batch_execute(TABLES).await?;
    let (mut packages, mut dependencies) = (String::new(), String::new());
    for (id, package) in graph.packages.iter().enumerate() {
        let (licence, repository) = (optional(package.licence.as_deref()), optional(package.repository.as_deref()));
        let (name, version) = (escaped(&package.name), escaped(&package.version));
        packages.push_str(&format!("{id}\t{name}\t{version}\t{licence}\t{repository}\t{}\n", package.is_member));
    }
    for edge in &graph.edges {
        let (kind, features) = (escaped(&edge.kind), escaped(&edge.features));
        dependencies.push_str(&format!("{}\t{}\t{kind}\t{}\t{features}\n", edge.package, edge.depends_on, edge.optional));
    }
    let mut rows = 0;
    for (statement, data) in [("COPY packages FROM STDIN", packages), ("COPY dependencies FROM STDIN", dependencies)] {
        let sink = client.copy_in(statement).await?;
        let mut sink = std::pin::pin!(sink);
        sink.send(Bytes::from(data)).await?;
        rows += sink.finish().await?;
    }
    let wanted = (graph.packages.len() + graph.edges.len()) as u64;
    if rows == wanted { Ok(Loaded { rows }) } else { Err(Failure::new(format!("{rows} of {wanted} rows were loaded"))) }
}

fn optional(value: Option<&str>) -> String {
    value.map_or_else(|| "\\N".to_owned(), escaped)
}

/// COPY's text format.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}
