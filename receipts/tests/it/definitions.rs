//! Table definitions: what is read out of them, and which texts are refused.

use receipts::definition::TableDefinition;

use crate::sample::ORDERS_DEFINITION;

#[test]
fn a_definition_is_read() {
    let table = TableDefinition::parse(ORDERS_DEFINITION.as_bytes()).unwrap();
    assert_eq!((table.id, table.version, table.schema.as_str(), table.name.as_str()), (1001, 1, "public", "orders"));
    let columns: Vec<_> = table.columns.iter().map(|c| (c.id, c.name.as_str(), c.type_name.as_str(), c.oid)).collect();
    assert_eq!(columns, [(1, "id", "bigint", 20), (2, "customer", "text", 25), (3, "paid", "boolean", 16), (4, "remark", "text", 25)]);
}

#[test]
fn strings_and_spaces_as_json_has_them() {
    let text = r#" { "kind" : "table", "id":1, "schema":"s\u0041\ud83d\ude00", "name":"a\"\\\/\b\f\n\r\t", "version":2,
        "columns": [ {"id":1,"name":"é","type":"x","oid":25,"extra":[null,true,false,-1,{}]} ] , "later": {} } "#;
    let table = TableDefinition::parse(text.as_bytes()).unwrap();
    assert_eq!((table.schema.as_str(), table.name.as_str()), ("sA😀", "a\"\\/\u{8}\u{c}\n\r\t"));
}

#[test]
fn other_texts_are_refused() {
    let good = ORDERS_DEFINITION;
    let bad = [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        format!("{good}x"),
        good[..good.len() - 1].to_owned(),
        good.replace("\"table\"", "\"schema\""),
        good.replace("\"kind\":\"table\",", ""),
        good.replace("\"id\":1001", "\"id\":1001,\"id\":1001"),
        good.replace("\"id\":1001", "\"id\":1001.0"),
        good.replace("\"id\":1001", "\"id\":1e3"),
        good.replace("\"id\":1001", "\"id\":01001"),
        good.replace("\"id\":1001", "\"id\":-1"),
        good.replace("\"id\":1001", "\"id\":4294967296"),
        good.replace("\"id\":1001", "\"id\":\"1001\""),
        good.replace("\"id\":2,", "\"id\":1,"),
        good.replace("\"customer\"", "\"id\""),
        good.replace("\"orders\"", "\"or\nders\""),
        good.replace("\"orders\"", "\"or\\xders\""),
        good.replace("\"orders\"", "\"\\ud800\""),
        good.replace("\"orders\"", "\"\\ud800\\u0041\""),
        good.replace("\"orders\"", "\"\\u00g0\""),
        good.replace("[{", "{").replace("}]", "}"),
        good.replace("\"primary_key\":[1]", "\"primary_key\":[1,]"),
        good.replace("\"primary_key\":[1]", &format!("\"primary_key\":{}{}", "[".repeat(100_000), "]".repeat(100_000))),
    ];
    for text in bad {
        assert!(TableDefinition::parse(text.as_bytes()).is_err(), "{}", &text[..text.len().min(400)]);
    }
    assert!(TableDefinition::parse(b"\xff").is_err());
}
