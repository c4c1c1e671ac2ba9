//! What holds between the parts of a graph (SQL/PGQ, «consistency check of a tabular property graph descriptor»).
//!
//! K1: a property has one type throughout the graph.
//! K2: a property has one expression at an element, on whichever label.
//! K3: a label has properties of the same names at every element that has it.
//! Never: repairs.

use std::collections::{BTreeMap, BTreeSet};

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphDef, GraphElement, GraphLabel, SqlType};

/// Errors: 42601 (K1, K2), 42P17 (K3).
pub(super) fn consistent(graph: &GraphDef) -> SqlResult<()> {
    types(graph)?;
    graph.elements.iter().try_for_each(expressions)?;
    labels(graph)
}

fn types(graph: &GraphDef) -> SqlResult<()> {
    let mut known: BTreeMap<&str, SqlType> = BTreeMap::new();
    for property in graph.elements.iter().flat_map(|element| &element.labels).flat_map(|label| &label.properties) {
        let sql_type = *known.entry(&property.name).or_insert(property.sql_type);
        if sql_type != property.sql_type {
            let (one, other) = (sql_type.name(), property.sql_type.name());
            return Err(SqlError::new(
                SqlState::SYNTAX_ERROR,
                format!("property \"{}\" data type mismatch: {one} vs. {other}", property.name),
            )
            .detail("In a property graph, a property of the same name has to have the same data type in each label.")
            .hint("Cast it where it differs, or give it another name: PROPERTIES (column::type AS name, …)."));
        }
    }
    Ok(())
}

fn expressions(element: &GraphElement) -> SqlResult<()> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for property in element.labels.iter().flat_map(|label| &label.properties) {
        let expression = *known.entry(&property.name).or_insert(&property.expression);
        if expression != property.expression {
            let (one, other) = if expression < property.expression.as_str() {
                (expression, property.expression.as_str())
            } else {
                (property.expression.as_str(), expression)
            };
            let message = format!("element \"{}\" property \"{}\" expression mismatch: {one} vs. {other}", element.alias, property.name);
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message)
                .detail("In a property graph element, a property of the same name has to have the same expression in each label."));
        }
    }
    Ok(())
}

fn labels(graph: &GraphDef) -> SqlResult<()> {
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let names = |label: &'_ GraphLabel| -> Vec<String> { label.properties.iter().map(|property| property.name.clone()).collect() };
    for label in graph.elements.iter().flat_map(|element| &element.labels) {
        let own: BTreeSet<&str> = label.properties.iter().map(|property| property.name.as_str()).collect();
        let Some(other) = known.get(label.name.as_str()) else {
            known.insert(&label.name, own);
            continue;
        };
        if *other == own {
            continue;
        }
        let what = if other.len() == own.len() { "mismatching property names" } else { "mismatching number of properties" };
        let error = SqlError::new(SqlState("42P17"), format!("{what} in definition of label \"{}\"", label.name));
        let shown = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let other: Vec<String> = other.iter().map(|name| (*name).to_owned()).collect();
        return Err(error.detail(format!("One element has for it: {}; another: {}.", shown(other), shown(names(label)))));
    }
    Ok(())
}
