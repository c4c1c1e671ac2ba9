//! What a definition must come back as, and what is refused.

use super::*;

fn graph() -> GraphDef {
    let property = |name: &str, expression: &str, sql_type| GraphProperty {
        name: name.to_owned(),
        expression: expression.to_owned(),
        columns: vec!["a \"b\"".to_owned()],
        sql_type,
    };
    let vertex = GraphElement {
        alias: "person".to_owned(),
        relation: 16_400,
        key: vec!["id".to_owned(), "part".to_owned()],
        ends: None,
        labels: vec![
            GraphLabel { name: "person".to_owned(), properties: vec![property("n", "lower(\"a \"\"b\"\"\")", SqlType::Varchar(Some(10)))] },
            GraphLabel { name: "thing".to_owned(), properties: Vec::new() },
        ],
    };
    let end = |columns: &[&str]| GraphEnd {
        vertex: "person".to_owned(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        references: vec!["id".to_owned(), "part".to_owned()],
    };
    let edge = GraphElement {
        alias: "knows".to_owned(),
        relation: 16_401,
        key: vec!["k".to_owned()],
        ends: Some(GraphEnds { source: end(&["a", "p"]), destination: end(&["b", "q"]) }),
        labels: vec![GraphLabel { name: "knows".to_owned(), properties: vec![property("since", "since", SqlType::Date)] }],
    };
    GraphDef {
        id: 16_402,
        schema: "public".to_owned(),
        name: "g".to_owned(),
        elements: vec![vertex, edge],
        comment: Some("«g»".to_owned()),
    }
}

#[test]
fn a_definition_reads_back_as_it_was() {
    let graph = graph();
    assert_eq!(GraphDef::from_definition(&graph.definition()).unwrap(), graph);
    let bare = GraphDef { elements: Vec::new(), comment: None, ..graph };
    assert_eq!(bare.definition(), r#"{"kind":"property graph","id":16402,"schema":"public","name":"g","elements":[]}"#);
    assert_eq!(GraphDef::from_definition(&bare.definition()).unwrap(), bare);
}

#[test]
fn what_no_version_writes_is_damage() {
    let whole = graph();
    let spoilt = |spoil: fn(&mut GraphDef)| {
        let mut graph = whole.clone();
        spoil(&mut graph);
        GraphDef::from_definition(&graph.definition())
    };
    let cases: [fn(&mut GraphDef); 6] = [
        |graph| graph.elements.reverse(),
        |graph| graph.elements[0].key.clear(),
        |graph| graph.elements[0].labels.clear(),
        |graph| graph.elements[0].alias.push('x'),
        |graph| graph.elements[1].ends.as_mut().unwrap().source.columns.clear(),
        |graph| graph.elements[1].ends.as_mut().unwrap().destination.references.truncate(1),
    ];
    for (at, case) in cases.into_iter().enumerate() {
        assert_eq!(spoilt(case).unwrap_err().state().0, "XX001", "case {at}");
    }
    for text in ["", "{}", "[1]", r#"{"kind":"property graph","id":1,"schema":"s","name":"n"}"#] {
        assert_eq!(GraphDef::from_definition(text).unwrap_err().state().0, "XX001", "{text}");
    }
}
