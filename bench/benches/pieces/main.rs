//! The inner pieces, each alone: `cargo xtask bench pieces [filter]`.
//!
//! The figures that decide whether the whole is fast enough are those of `cargo xtask bench`; these say where its time goes.
#![allow(clippy::unwrap_used, reason = "a bench that cannot set itself up stops")]
#![allow(missing_docs, reason = "Criterion's macros make functions without any")]

mod hashing;
mod log;
mod receipt;
mod segment;
mod tree;

criterion::criterion_group!(
    pieces,
    log::append,
    log::commit,
    hashing::fields,
    hashing::rows,
    tree::append,
    tree::row_root,
    segment::scan,
    receipt::made_and_checked
);
criterion::criterion_main!(pieces);
