//! Tests of the crate as its users see it; a file per behaviour.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "the vectors and worked examples are files of the repository")]

mod attacks;
mod consistency;
mod cose;
mod cosignatures;
mod definitions;
mod disclosures;
mod docs;
mod exports;
mod fuzz;
mod leaves;
mod log;
mod mutations;
mod notes;
mod policies;
mod receipts_text;
mod rfc9162;
mod rows;
mod sample;
mod schemas;
mod sd_jwts;
mod tiles;
mod trees;
mod values;
mod vectors;
mod witnesses;
