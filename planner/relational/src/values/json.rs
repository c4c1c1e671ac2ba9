//! `json` and `jsonb`: reading, the one form of `jsonb`, finding parts, containment, change.
//!
//! J1: a `jsonb` text is in the form docs/formats/leaf.md gives; two are the same value exactly if they differ at most in zeros at the end of
//!     fractions. A part of such a text is such a text.
//! J2: nesting is bounded by [`DEPTH_MAX`].
//! Never: changes a `json` text.

mod assign;
mod change;
mod compare;
mod find;
mod normal;
mod parse;
mod pretty;

pub use assign::assign;
pub use change::{concat, delete_elements, delete_path, insert_or_set};
pub use compare::{contains, exists, sort_key};
pub use find::{at_path, element, member, text_of};
pub use normal::{normal_number, normalise, write_string};
pub use parse::{DEPTH_MAX, Kind, Value, parse};
pub use pretty::pretty;
