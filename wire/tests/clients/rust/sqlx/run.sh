#!/usr/bin/env bash
# sqlx: makes the tables, compiles the program against them, runs it.
#
# Usage: run.sh      The server is the one of the PG* environment; CARGO_TARGET_DIR says where the program is built.
# A program that does not compile is the finding: it says what the server described otherwise.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
encoded() { python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe=""))' "$1"; }
DATABASE_URL="postgres://$(encoded "$PGUSER"):$(encoded "${PGPASSWORD:-}")@$PGHOST:$PGPORT/$PGDATABASE?sslmode=${PGSSLMODE:-prefer}"
if [ -n "${PGSSLROOTCERT:-}" ]; then
    DATABASE_URL+="&sslrootcert=$(encoded "$PGSSLROOTCERT")"
fi
export DATABASE_URL

failed() {
    version=$(sed -n '/^name = "sqlx"$/{n;s/version = "\(.*\)"/\1/p}' "$here/../Cargo.lock")
    echo "sqlx $version"
    echo "failed $1: $(grep -m 3 -E 'ERROR|error' "$log" | tr '\n' ' ')"
    exit 1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
psql -X -q -v ON_ERROR_STOP=1 -f "$here/schema.sql" >"$log" 2>&1 || failed tables
cargo build --locked --manifest-path "$here/Cargo.toml" --features described >"$log" 2>&1 || failed "compile-time describe"
"$CARGO_TARGET_DIR/debug/sqlx-client"
