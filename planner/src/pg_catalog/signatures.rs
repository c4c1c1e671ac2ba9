//! Arguments and results of Postgres's functions, as psql's `\df` asks for them.
//!
//! Never: shows a default.

use base::SqlResult;

use super::builtin::{self, Function};
use super::cells::Cell;
use super::scene::Scene;
use super::{names, types};

fn asked(args: &[Cell]) -> Option<&'static Function> {
    builtin::function(args.first()?.int()??)
}

/// `name type, …`
pub(super) fn arguments(_scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    Ok(asked(args)
        .map(|function| {
            let known = function.names.trim_matches(['{', '}']).split(',').map(|name| name.trim_matches('"'));
            let named = function.args.iter().zip(known.chain(std::iter::repeat("")));
            let shown = named.map(|(oid, name)| match name {
                "" | "\\N" => types::format(*oid, None),
                name => format!("{} {}", names::quote(name), types::format(*oid, None)),
            });
            shown.collect::<Vec<_>>().join(", ")
        })
        .into())
}

/// The type, with `SETOF` where there are many.
pub(super) fn result(_scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let shown = asked(args).filter(|function| function.kind != "p").map(|function| {
        let returns = types::format(function.returns, None);
        if function.returns_set { format!("SETOF {returns}") } else { returns }
    });
    Ok(shown.into())
}
