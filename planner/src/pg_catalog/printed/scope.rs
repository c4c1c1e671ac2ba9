//! The relations that a name may mean in a stored query, each under the name that it is shown by.
//!
//! S1: no two relations of a query and those around it are shown under one name; the later gets a number, as in Postgres.
//! S2: a relation's columns are found as they were called when the query was stored, and shown as they are called now.
//! Never: reads a row.

use std::collections::HashSet;

use super::tree::{Node, Typed};
use super::types::Typ;
use crate::pg_catalog::names::quote;
use crate::pg_catalog::scene::Scene;

/// A column: as it is looked up, as it is shown, its type.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) shown: String,
    pub(super) typ: Typ,
}

/// A FROM item as names see it.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) shown: String,
    pub(super) columns: Vec<Column>,
}

impl Relation {
    pub(super) fn column(&self, name: &str) -> Option<Typed> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        Some(Typed { node: Node::Column(format!("{}.{}", quote(&self.shown), quote(&column.shown))), typ: column.typ })
    }
}

/// What a query may name.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) scene: &'a Scene,
    pub(super) around: Option<&'a Scope<'a>>,
    pub(super) relations: Vec<Relation>,
    /// Columns that USING merges, each as it is shown.
    pub(super) merged: Vec<(String, Typed)>,
    /// Names beside, under which nothing within is shown.
    pub(super) beside: Vec<String>,
    /// Queries of WITH, by name.
    pub(super) ctes: Vec<(String, Vec<(String, Typ)>)>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        Self { scene, around: None, relations: Vec::new(), merged: Vec::new(), beside: Vec::new(), ctes: Vec::new() }
    }

    /// Of a query within.
    pub(super) fn within(&'a self) -> Scope<'a> {
        Scope { scene: self.scene, around: Some(self), relations: Vec::new(), merged: Vec::new(), beside: Vec::new(), ctes: Vec::new() }
    }

    fn outwards(&self) -> impl Iterator<Item = &Scope<'a>> {
        let mut next: Option<&Scope<'a>> = Some(self);
        std::iter::from_fn(move || {
            let here = next?;
            next = here.around;
            Some(here)
        })
    }

    pub(super) fn cte(&self, name: &str) -> Option<&Vec<(String, Typ)>> {
        self.outwards().find_map(|scope| scope.ctes.iter().rev().find(|(known, _)| known == name).map(|(_, columns)| columns))
    }

    /// S1.
    pub(super) fn free_name(&self, name: &str) -> String {
        let relations = self.outwards().flat_map(|scope| scope.relations.iter().map(|relation| relation.shown.as_str()));
        let beside = self.outwards().skip(1).flat_map(|scope| scope.beside.iter().map(String::as_str));
        let taken: HashSet<&str> = relations.chain(beside).collect();
        if !taken.contains(name) {
            return name.to_owned();
        }
        (1..).map(|number: u32| format!("{name}_{number}")).find(|other| !taken.contains(other.as_str())).unwrap_or_default()
    }

    /// A column that is named alone; `None` where several are meant, or none.
    pub(super) fn column(&self, name: &str) -> Option<Typed> {
        for scope in self.outwards() {
            if let Some((_, merged)) = scope.merged.iter().find(|(known, _)| known == name) {
                return Some(merged.clone());
            }
            let mut found = scope.relations.iter().filter_map(|relation| relation.column(name));
            match (found.next(), found.next()) {
                (Some(column), None) => return Some(column),
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
        }
        None
    }

    /// A column of a relation.
    pub(super) fn column_of(&self, relation: &str, name: &str) -> Option<Typed> {
        self.outwards().find_map(|scope| scope.relations.iter().find(|known| known.name == relation))?.column(name)
    }
}
