//! The schemas `pg_catalog` and `information_schema`: virtual tables and functions over our own catalog, for psql, drivers and tools.
//!
//! PG1: the columns of every table are those of PostgreSQL 15, in its order, those about property graphs of PostgreSQL 19; a table is there only if its rows, or their absence, are true.
//! PG2: an object's oid is its id in the catalog; what has no id of its own has a derived oid (`oids.rs`). The same object has the same oid for ever.
//! PG3: columns have the types of PostgreSQL 15, oids and vectors included; what oid an object has is below 2³².
//! Never: writes; keeps a catalog beyond the statement it was asked by.
//! What is there and what is empty: docs/compatibility.md.

mod activity;
mod builtin;
mod cells;
mod deparse;
mod dependencies;
mod described;
mod functions;
mod graphs;
mod index_names;
mod information_schema;
mod keys;
mod made;
mod named_oids;
mod names;
mod oids;
mod operator_classes;
mod printed;
mod privileges;
mod relations;
mod roles;
mod scene;
mod server;
mod shapes;
mod signatures;
mod sizes;
mod statistics;
mod table;
mod types;
mod views;

use std::sync::Arc;

use base::SqlResult;
use relational::Table;

pub(crate) use functions::{all as functions, mentioned};
pub(crate) use index_names::names_in;
pub(crate) use names::quote;
pub(crate) use scene::Scene;

use cells::Row;
use shapes::Shape;
use table::CatalogTable;

/// Schema whose tables need no qualification.
pub(crate) const PG_CATALOG: &str = "pg_catalog";

/// Makes the rows of one table.
type Rows = fn(&Scene) -> Vec<Row>;

/// The tables that have rows. Every other shape is always empty.
const FILLED: &[(&str, &str, Rows)] = &[
    (PG_CATALOG, "pg_am", server::access_methods),
    (PG_CATALOG, "pg_attrdef", keys::defaults),
    (PG_CATALOG, "pg_attribute", relations::attributes),
    (PG_CATALOG, "pg_auth_members", roles::members),
    (PG_CATALOG, "pg_authid", roles::authids),
    (PG_CATALOG, "pg_class", relations::classes),
    (PG_CATALOG, "pg_constraint", keys::constraints),
    (PG_CATALOG, "pg_cursors", activity::cursors),
    (PG_CATALOG, "pg_database", server::databases),
    (PG_CATALOG, "pg_db_role_setting", roles::kept_settings),
    (PG_CATALOG, "pg_default_acl", roles::default_privileges),
    (PG_CATALOG, "pg_depend", dependencies::dependencies),
    (PG_CATALOG, "pg_description", made::descriptions),
    (PG_CATALOG, "pg_extension", dependencies::extensions),
    (PG_CATALOG, "pg_group", roles::groups),
    (PG_CATALOG, "pg_index", keys::indexes),
    (PG_CATALOG, "pg_indexes", keys::index_definitions),
    (PG_CATALOG, "pg_locks", activity::locks),
    (PG_CATALOG, "pg_matviews", made::materialized_views),
    (PG_CATALOG, "pg_namespace", relations::namespaces),
    (PG_CATALOG, "pg_prepared_statements", activity::prepared_statements),
    (PG_CATALOG, "pg_rewrite", dependencies::rules),
    (PG_CATALOG, "pg_roles", roles::roles),
    (PG_CATALOG, "pg_sequence", made::sequences),
    (PG_CATALOG, "pg_sequences", made::sequences_with_values),
    (PG_CATALOG, "pg_settings", activity::settings),
    (PG_CATALOG, "pg_shdescription", made::shared_descriptions),
    (PG_CATALOG, "pg_stat_activity", activity::sessions),
    (PG_CATALOG, "pg_stat_all_indexes", statistics::all_indexes),
    (PG_CATALOG, "pg_stat_all_tables", statistics::all_tables),
    (PG_CATALOG, "pg_stat_bgwriter", statistics::background_writer),
    (PG_CATALOG, "pg_stat_database", statistics::databases),
    (PG_CATALOG, "pg_stat_user_indexes", statistics::all_indexes),
    (PG_CATALOG, "pg_stat_user_tables", statistics::all_tables),
    (PG_CATALOG, "pg_statio_all_indexes", statistics::io_of_indexes),
    (PG_CATALOG, "pg_statio_all_sequences", statistics::io_of_sequences),
    (PG_CATALOG, "pg_statio_all_tables", statistics::io_of_tables),
    (PG_CATALOG, "pg_statio_user_indexes", statistics::io_of_indexes),
    (PG_CATALOG, "pg_statio_user_sequences", statistics::io_of_sequences),
    (PG_CATALOG, "pg_statio_user_tables", statistics::io_of_tables),
    (PG_CATALOG, "pg_tables", relations::tables),
    (PG_CATALOG, "pg_tablespace", server::tablespaces),
    (PG_CATALOG, "pg_type", types::rows),
    (PG_CATALOG, "pg_user", roles::users),
    (PG_CATALOG, "pg_views", made::views),
    ("information_schema", "applicable_roles", roles::applicable_roles),
    ("information_schema", "check_constraints", information_schema::check_constraints),
    ("information_schema", "columns", information_schema::columns),
    ("information_schema", "constraint_column_usage", information_schema::constraint_columns),
    ("information_schema", "enabled_roles", roles::enabled_roles),
    ("information_schema", "information_schema_catalog_name", information_schema::catalog_name),
    ("information_schema", "key_column_usage", information_schema::key_columns),
    ("information_schema", "pg_edge_table_components", graphs::edge_table_components),
    ("information_schema", "pg_element_table_key_columns", graphs::element_table_key_columns),
    ("information_schema", "pg_element_table_labels", graphs::element_table_labels),
    ("information_schema", "pg_element_table_properties", graphs::element_table_properties),
    ("information_schema", "pg_element_tables", graphs::element_tables),
    ("information_schema", "pg_label_properties", graphs::label_properties),
    ("information_schema", "pg_labels", graphs::labels),
    ("information_schema", "pg_property_data_types", graphs::property_data_types),
    ("information_schema", "pg_property_graph_privileges", graphs::privileges),
    ("information_schema", "property_graphs", graphs::graphs),
    ("information_schema", "referential_constraints", information_schema::referential_constraints),
    ("information_schema", "role_table_grants", privileges::role_table_grants),
    ("information_schema", "schemata", information_schema::schemata),
    ("information_schema", "sequences", information_schema::sequences),
    ("information_schema", "table_constraints", information_schema::table_constraints),
    ("information_schema", "table_privileges", privileges::table_privileges),
    ("information_schema", "tables", information_schema::tables),
    ("information_schema", "views", information_schema::views),
];

/// Whether an unqualified name means a table of `pg_catalog`, which comes before the search path.
pub(crate) fn claims(name: &str) -> bool {
    name.starts_with("pg_") && shapes::find(PG_CATALOG, name).is_some()
}

/// Whether there is such a table.
pub(crate) fn exists(schema: &str, name: &str) -> bool {
    shapes::find(schema, name).is_some()
}

/// The operator class of that name as an index keeps it: empty for the type's own. Errors: 42704, 42804.
pub(crate) fn operator_class(sql_type: engine::SqlType, name: &str) -> SqlResult<String> {
    operator_classes::named(i64::from(sql_type.oid()), name)
}

/// An expression of an index as Postgres prints it, in parentheses where it is no call of a function.
pub(crate) fn index_expression(table: &engine::TableDef, text: &str, pretty: bool) -> String {
    deparse::of_index(table, text, pretty)
}

/// The table of that name as the statement sees it; `None` for a name that is not there.
pub(crate) fn table(scene: &Scene, schema: &str, name: &str) -> SqlResult<Option<Arc<dyn Table>>> {
    let Some(shape) = shapes::find(schema, name) else { return Ok(None) };
    if let Some(batch) = builtin::batch(shape)? {
        return Ok(Some(Arc::new(CatalogTable::new(shape, vec![batch], false))));
    }
    let filled = FILLED.iter().find(|(schema, name, _)| *schema == shape.schema && *name == shape.name);
    let batches = match filled {
        Some((_, _, rows)) => vec![cells::batch(shape, &rows(scene))?],
        None => Vec::new(),
    };
    Ok(Some(Arc::new(CatalogTable::new(shape, batches, filled.is_none()))))
}
