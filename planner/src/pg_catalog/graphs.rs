//! Property graphs: their definition as text, and the views of `information_schema` that SQL/PGQ adds, as PostgreSQL 19 has them.
//!
//! D1: the definition's text, run where the graph is not, makes the same graph; keys, references and properties that were inferred are written out.
//! Never: shows a graph that the catalog does not have.

use std::collections::BTreeMap;

use engine::roles::PUBLIC;
use engine::{GraphDef, GraphElement, GraphEnd, GraphLabel, GraphProperty, Object, SqlType};
use sqlparser::ast::{Expr, visit_expressions_mut};

use super::cells::{Cell, Row, row};
use super::information_schema::{type_columns, yes_or_no};
use super::names::quote;
use super::scene::{Relation, Scene};
use super::types;
use crate::names::fold;
use crate::rights::access::{Kind, default_acl};
use crate::rule_text;

/// As `pg_get_propgraphdef` prints it.
pub(super) fn definition(scene: &Scene, graph: &GraphDef) -> String {
    let tables = |kind: &str, edge: bool| {
        let lines: Vec<String> = graph
            .elements
            .iter()
            .filter(|element| element.is_edge() == edge)
            .map(|element| format!("\n        {}", table(scene, element)))
            .collect();
        if lines.is_empty() { String::new() } else { format!("\n    {kind} TABLES ({}\n    )", lines.join(",")) }
    };
    let name = format!("{}.{}", quote(&graph.schema), quote(&graph.name));
    format!("CREATE PROPERTY GRAPH {name}{}{}", tables("VERTEX", false), tables("EDGE", true))
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// Schema and name of an element's relation.
fn relation_of<'a>(scene: &'a Scene, element: &GraphElement) -> Option<(Relation<'a>, &'a str, &'a str)> {
    match scene.catalog.object(element.relation)? {
        Object::Table(table) => Some((Relation::Table(table), &table.schema, &table.name)),
        Object::View(view) => Some((Relation::View(view), &view.schema, &view.name)),
        _ => None,
    }
}

fn table(scene: &Scene, element: &GraphElement) -> String {
    let (shown, name) = match relation_of(scene, element) {
        Some((relation, _, name)) if scene.is_visible(&relation) => (quote(name), name),
        Some((_, schema, name)) => (format!("{}.{}", quote(schema), quote(name)), name),
        None => (quote(&element.alias), element.alias.as_str()),
    };
    let alias = if name == element.alias { String::new() } else { format!(" AS {}", quote(&element.alias)) };
    let mut text = format!("{shown}{alias} KEY ({})", list(&element.key));
    if let Some(ends) = &element.ends {
        let end = |end: &GraphEnd| format!("KEY ({}) REFERENCES {} ({})", list(&end.columns), quote(&end.vertex), list(&end.references));
        text.push_str(&format!(" SOURCE {} DESTINATION {}", end(&ends.source), end(&ends.destination)));
    }
    for label in &element.labels {
        let is_default = label.name == element.alias;
        if !is_default {
            text.push_str(&format!(" LABEL {}", quote(&label.name)));
        } else if element.labels.len() > 1 {
            text.push_str(" DEFAULT LABEL");
        }
        text.push_str(&properties(label));
    }
    text
}

fn properties(label: &GraphLabel) -> String {
    let one = |property: &GraphProperty| {
        let shown = expression(&property.expression);
        if shown == quote(&property.name) { shown } else { format!("{shown} AS {}", quote(&property.name)) }
    };
    let all: Vec<String> = label.properties.iter().map(one).collect();
    if all.is_empty() { " NO PROPERTIES".to_owned() } else { format!(" PROPERTIES ({})", all.join(", ")) }
}

/// An expression with no more quotes than it needs, and parentheses around what is more than a name, a constant or a call.
fn expression(text: &str) -> String {
    let Ok(mut expr) = rule_text::expression(text) else { return text.to_owned() };
    let _ = visit_expressions_mut(&mut expr, |inner| {
        if let Expr::Identifier(ident) = inner {
            let name = fold(ident);
            if quote(&name) == name {
                (ident.value, ident.quote_style) = (name, None);
            }
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    match expr {
        Expr::Identifier(_) | Expr::Value(_) | Expr::Function(_) | Expr::Cast { .. } => expr.to_string(),
        other => format!("({other})"),
    }
}

/// Catalog, schema and name of a graph, and what else a row has.
fn of_graph(scene: &Scene, graph: &GraphDef, rest: Row) -> Row {
    let mut row = row![
        "property_graph_catalog": scene.database(),
        "property_graph_schema": graph.schema.as_str(),
        "property_graph_name": graph.name.as_str(),
    ];
    row.extend(rest);
    row
}

/// Rows of every element of every graph.
fn by_element(scene: &Scene, rows: impl Fn(&GraphDef, &GraphElement) -> Vec<Row>) -> Vec<Row> {
    let of_one = |graph: &GraphDef| -> Vec<Row> {
        let rows = graph.elements.iter().flat_map(|element| rows(graph, element));
        rows.map(|rest| of_graph(scene, graph, rest)).collect()
    };
    scene.catalog.graphs().flat_map(|graph| of_one(graph)).collect()
}

pub(super) fn graphs(scene: &Scene) -> Vec<Row> {
    scene.catalog.graphs().map(|graph| of_graph(scene, graph, Vec::new())).collect()
}

pub(super) fn element_tables(scene: &Scene) -> Vec<Row> {
    by_element(scene, |_, element| {
        let found = relation_of(scene, element);
        vec![row![
            "element_table_alias": element.alias.as_str(),
            "element_table_kind": element.kind().to_uppercase(),
            "table_catalog": scene.database(),
            "table_schema": found.as_ref().map(|(_, schema, _)| *schema),
            "table_name": found.as_ref().map(|(_, _, name)| *name),
        ]]
    })
}

pub(super) fn element_table_key_columns(scene: &Scene) -> Vec<Row> {
    by_element(scene, |_, element| {
        let row = |(column, at): (&String, i64)| row!["element_table_alias": element.alias.as_str(), "column_name": column.as_str(), "ordinal_position": at];
        element.key.iter().zip(1..).map(row).collect()
    })
}

pub(super) fn edge_table_components(scene: &Scene) -> Vec<Row> {
    by_element(scene, |_, element| {
        let Some(ends) = &element.ends else { return Vec::new() };
        let mut rows = Vec::new();
        for (end, side) in [(&ends.source, "SOURCE"), (&ends.destination, "DESTINATION")] {
            for ((column, reference), at) in end.columns.iter().zip(&end.references).zip(1_i64..) {
                rows.push(row![
                    "edge_table_alias": element.alias.as_str(),
                    "vertex_table_alias": end.vertex.as_str(),
                    "edge_end": side,
                    "edge_table_column_name": column.as_str(),
                    "vertex_table_column_name": reference.as_str(),
                    "ordinal_position": at,
                ]);
            }
        }
        rows
    })
}

pub(super) fn element_table_labels(scene: &Scene) -> Vec<Row> {
    by_element(scene, |_, element| {
        let row = |label: &GraphLabel| row!["element_table_alias": element.alias.as_str(), "label_name": label.name.as_str()];
        element.labels.iter().map(row).collect()
    })
}

pub(super) fn element_table_properties(scene: &Scene) -> Vec<Row> {
    by_element(scene, |_, element| {
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        for property in element.labels.iter().flat_map(|label| &label.properties) {
            known.insert(&property.name, &property.expression);
        }
        let row = |(name, text): (&str, &str)| row!["element_table_alias": element.alias.as_str(), "property_name": name, "property_expression": expression(text)];
        known.into_iter().map(row).collect()
    })
}

/// Labels of a graph and the properties each has: the same at every element.
fn labels_of(graph: &GraphDef) -> BTreeMap<&str, &GraphLabel> {
    graph.elements.iter().flat_map(|element| &element.labels).map(|label| (label.name.as_str(), label)).collect()
}

pub(super) fn labels(scene: &Scene) -> Vec<Row> {
    let of_one = |graph: &GraphDef| -> Vec<Row> {
        labels_of(graph).into_keys().map(|label| of_graph(scene, graph, row!["label_name": label])).collect()
    };
    scene.catalog.graphs().flat_map(|graph| of_one(graph)).collect()
}

pub(super) fn label_properties(scene: &Scene) -> Vec<Row> {
    let of_one = |graph: &GraphDef| -> Vec<Row> {
        let pairs = labels_of(graph).into_iter().flat_map(|(name, label)| label.properties.iter().map(move |property| (name, property)));
        pairs.map(|(label, property)| of_graph(scene, graph, row!["label_name": label, "property_name": property.name.as_str()])).collect()
    };
    scene.catalog.graphs().flat_map(|graph| of_one(graph)).collect()
}

pub(super) fn property_data_types(scene: &Scene) -> Vec<Row> {
    let of_one = |graph: &GraphDef| -> Vec<Row> {
        let mut known: BTreeMap<&str, SqlType> = BTreeMap::new();
        for property in graph.elements.iter().flat_map(|element| &element.labels).flat_map(|label| &label.properties) {
            known.insert(&property.name, property.sql_type);
        }
        let row = |(name, sql_type): (&str, SqlType)| {
            let mut row = row![
                "property_name": name,
                "dtd_identifier": name,
                "collation_catalog": scene.database(),
                "user_defined_type_catalog": scene.database(),
                "user_defined_type_schema": super::PG_CATALOG,
                "user_defined_type_name": types::by_oid(i64::from(sql_type.oid())).map(|known| known.name),
            ];
            row.extend(type_columns(sql_type).into_iter().filter(|(name, _)| *name != "udt_name"));
            of_graph(scene, graph, row)
        };
        known.into_iter().map(row).collect()
    };
    scene.catalog.graphs().flat_map(|graph| of_one(graph)).collect()
}

/// Grants that the session's roles made or got, and those to everyone.
pub(super) fn privileges(scene: &Scene) -> Vec<Row> {
    let access = scene.access();
    let mut rows = Vec::new();
    for graph in scene.catalog.graphs() {
        let owner = scene.owner(graph.id);
        let known = scene.catalog.authority().grants_on(graph.id).and_then(|grants| grants.acl.clone());
        for item in known.unwrap_or_else(|| default_acl(Kind::Graph, owner)) {
            if item.grantee != PUBLIC && !access.has_role(item.grantor) && !access.has_role(item.grantee) {
                continue;
            }
            let grantee = if item.grantee == PUBLIC { "PUBLIC".to_owned() } else { scene.role_name(item.grantee) };
            let rest: Row = vec![
                ("grantor", Cell::from(scene.role_name(item.grantor))),
                ("grantee", Cell::from(grantee)),
                ("privilege_type", Cell::from("SELECT")),
                ("is_grantable", Cell::from(yes_or_no(item.grantable != 0 || item.grantee == owner))),
            ];
            rows.push(of_graph(scene, graph, rest));
        }
    }
    rows
}
