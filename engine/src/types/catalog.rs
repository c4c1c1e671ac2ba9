//! The types of Postgres's own catalog: what queries over `pg_catalog` answer with, and no column of a table has.
//!
//! T3: numbers of objects lie as unsigned 32-bit integers, names and single letters as text, vectors as lists whose items are called `vector`.
//! Never: stored; a table's column has one of the types of `types.rs`.

use arrow::datatypes::{DataType, Field};

use super::SqlType;

/// Name of the items of a vector's list, by which its layout differs from an array's.
pub const VECTOR_ITEM: &str = "vector";

/// A type of the catalog.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CatalogType {
    /// `oid`
    Oid,
    /// `xid`
    Xid,
    /// `name`, an identifier
    Name,
    /// `"char"`, one byte
    Char,
    /// `pg_node_tree`, an expression
    NodeTree,
    /// `aclitem`, a grant
    AclItem,
    /// `pg_lsn`
    Lsn,
    /// `void`, what a function answers that has nothing to say
    Void,
    /// `regproc`, an oid shown as a function's name
    Regproc,
    /// `regprocedure`, with its arguments
    Regprocedure,
    /// `regclass`, an oid shown as a relation's name
    Regclass,
    /// `regtype`
    Regtype,
    /// `regrole`
    Regrole,
    /// `regnamespace`
    Regnamespace,
    /// `int2vector`, subscripts from 0
    Int2Vector,
    /// `oidvector`, subscripts from 0
    OidVector,
}

use CatalogType as C;

/// Oid, name and type of each.
const KNOWN: [(u32, &str, CatalogType); 16] = [
    (18, "\"char\"", C::Char),
    (19, "name", C::Name),
    (22, "int2vector", C::Int2Vector),
    (24, "regproc", C::Regproc),
    (26, "oid", C::Oid),
    (28, "xid", C::Xid),
    (30, "oidvector", C::OidVector),
    (194, "pg_node_tree", C::NodeTree),
    (1033, "aclitem", C::AclItem),
    (2202, "regprocedure", C::Regprocedure),
    (2205, "regclass", C::Regclass),
    (2206, "regtype", C::Regtype),
    (2278, "void", C::Void),
    (3220, "pg_lsn", C::Lsn),
    (4089, "regnamespace", C::Regnamespace),
    (4096, "regrole", C::Regrole),
];

impl CatalogType {
    /// The oid in Postgres's `pg_type`.
    pub const fn oid(self) -> u32 {
        let mut at = 0;
        while KNOWN[at].2 as u8 != self as u8 {
            at += 1;
        }
        KNOWN[at].0
    }

    pub(crate) const fn from_oid(oid: u32) -> Option<Self> {
        let mut at = 0;
        while at < KNOWN.len() {
            if KNOWN[at].0 == oid {
                return Some(KNOWN[at].2);
            }
            at += 1;
        }
        None
    }

    /// The type of that name in Postgres's `pg_type`.
    pub fn named(name: &str) -> Option<Self> {
        KNOWN.iter().find(|(_, known, _)| known.trim_matches('"') == name).map(|(_, _, known)| *known)
    }

    /// The name as Postgres's `format_type` prints it.
    pub fn name(self) -> &'static str {
        KNOWN.iter().find(|(_, _, known)| *known == self).map_or("", |(_, name, _)| name)
    }

    pub(crate) const fn typlen(self) -> i16 {
        match self {
            Self::Name => 64,
            Self::Char => 1,
            Self::AclItem => 12,
            Self::Lsn => 8,
            Self::NodeTree | Self::Int2Vector | Self::OidVector => -1,
            _ => 4,
        }
    }

    pub(crate) fn arrow(self) -> DataType {
        let vector = |item| DataType::List(Field::new(VECTOR_ITEM, item, true).into());
        match self {
            Self::Name | Self::Char | Self::NodeTree | Self::AclItem | Self::Lsn | Self::Void => DataType::Utf8,
            Self::Int2Vector => vector(DataType::Int16),
            Self::OidVector => vector(DataType::UInt32),
            _ => DataType::UInt32,
        }
    }

    /// Whether a value is an oid that is shown by the name of what it means.
    pub const fn is_named(self) -> bool {
        matches!(self, Self::Regproc | Self::Regprocedure | Self::Regclass | Self::Regtype | Self::Regrole | Self::Regnamespace)
    }

    /// The layout of an oid that leaves together with the name it is shown by: a struct of `oid` and a text called as the type.
    pub fn shown(self) -> Option<DataType> {
        let fields = || vec![Field::new("oid", DataType::UInt32, true), Field::new(self.name(), DataType::Utf8, true)];
        self.is_named().then(|| DataType::Struct(fields().into()))
    }

    /// The type a struct is the layout of, if it is one of [`CatalogType::shown`].
    pub(crate) fn of_shown(fields: &arrow::datatypes::Fields) -> Option<Self> {
        match fields.as_ref() {
            [_, name] => KNOWN.iter().find(|(_, known, kind)| known == name.name() && kind.is_named()).map(|(_, _, kind)| *kind),
            _ => None,
        }
    }

    /// The type of a list that is a vector.
    pub(crate) fn of_vector(item: &Field) -> Option<Self> {
        match item.data_type() {
            _ if item.name() != VECTOR_ITEM => None,
            DataType::Int16 => Some(Self::Int2Vector),
            DataType::UInt32 => Some(Self::OidVector),
            _ => None,
        }
    }

    /// The type of a vector's elements.
    pub fn element(self) -> Option<SqlType> {
        match self {
            Self::Int2Vector => Some(SqlType::Int2),
            Self::OidVector => Some(SqlType::Catalog(Self::Oid)),
            _ => None,
        }
    }
}
