//! From what a query answers to a graph: an edge a row, or a path a row.
//!
//! - `from, to` and what else there is: an edge between the two, labelled by the rest. Without `to` it is a vertex alone.
//! - One column that is a JSON array, as `vertices(p)` gives it: its elements one after the other, joined.
//!
//! A1: equal values are one vertex; an element's id is shown as its table and its key.
//! Never: asks a server.

use serde_json::Value;

use super::picture::Graph;

/// Vertices and edges that a person can still look at.
const VERTICES_MAX: usize = 500;
const EDGES_MAX: usize = 2_000;

/// A row as text, NULLs apart.
type Row = Vec<Option<String>>;

/// The graph. Errors: a text for the user.
pub fn graph(rows: &[Row]) -> Result<Graph, String> {
    let mut graph = Graph::default();
    for row in rows {
        match row.as_slice() {
            [] => return Err("the query answers no column: it wants from, to and labels, or vertices(p)".to_owned()),
            [path] => add_path(&mut graph, path.as_deref()),
            [from, to, labels @ ..] => add_edge(&mut graph, from.as_deref(), to.as_deref(), labels),
        }
        if graph.vertices.len() > VERTICES_MAX || graph.edges.len() > EDGES_MAX {
            return Err(format!(
                "more than {VERTICES_MAX} vertices or {EDGES_MAX} edges make no picture: ask for fewer, with WHERE or LIMIT"
            ));
        }
    }
    Ok(graph)
}

fn add_edge(graph: &mut Graph, from: Option<&str>, to: Option<&str>, labels: &[Option<String>]) {
    let ends: Vec<usize> = [from, to].into_iter().flatten().map(|text| graph.vertex(&name(text))).collect();
    if let [from, to] = ends.as_slice() {
        let label = labels.iter().flatten().map(|label| name(label)).collect::<Vec<_>>().join(", ");
        graph.edges.push((*from, *to, label));
    }
}

/// A path that passes where another did adds no edge.
fn add_path(graph: &mut Graph, path: Option<&str>) {
    let Some(text) = path else { return };
    let Ok(Value::Array(elements)) = serde_json::from_str::<Value>(text) else {
        graph.vertex(&name(text));
        return;
    };
    let vertices: Vec<usize> = elements.iter().map(|element| graph.vertex(&named(element))).collect();
    for pair in vertices.windows(2) {
        let edge = (pair[0], pair[1], String::new());
        if !graph.edges.contains(&edge) {
            graph.edges.push(edge);
        }
    }
}

/// What a vertex is called (A1).
fn name(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Object(_)) => named(&value),
        _ => text.to_owned(),
    }
}

fn named(value: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (value.get("table").and_then(Value::as_str), value.get("key").and_then(Value::as_object)) {
        (Some(table), Some(key)) => format!("{table} {}", key.values().map(plain).collect::<Vec<_>>().join(" ")),
        _ => plain(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: &[&str]) -> Row {
        columns.iter().map(|column| (*column != "∅").then(|| (*column).to_owned())).collect()
    }

    #[test]
    fn rows_are_edges_vertices_or_paths() {
        let found = graph(&[row(&["Ada", "Bob", "2010", "x"]), row(&["Bob", "Cyd"]), row(&["Dee", "∅", "∅"])]).unwrap();
        assert_eq!(found.vertices, ["Ada", "Bob", "Cyd", "Dee"]);
        assert_eq!(found.edges, [(0, 1, "2010, x".to_owned()), (1, 2, String::new())]);
        let one = r#"[{"key": {"id": 1}, "table": "person"}, {"key": {"id": 3}, "table": "person"}]"#;
        let other = r#"[{"key": {"id": 1}, "table": "person"}, {"key": {"id": 3}, "table": "person"}, {"key": {"code": "a", "kind": 2}, "table": "thing"}]"#;
        let found = graph(&[row(&[one]), row(&[other]), row(&["∅"])]).unwrap();
        assert_eq!(found.vertices, ["person 1", "person 3", "thing a 2"]);
        assert_eq!(found.edges, [(0, 1, String::new()), (1, 2, String::new())]);
        let many: Vec<Row> = (0..600).map(|at| row(&[&at.to_string(), "∅"])).collect();
        assert!(graph(&many).unwrap_err().contains("WHERE or LIMIT"));
        assert!(graph(&[Vec::new()]).is_err());
    }
}
