#!/usr/bin/env bash
# psql: every script of this folder, its output compared with what PostgreSQL 15 printed (`X.out` beside `X.sql`).
#
# Usage: run.sh [--write]      The server is the one of the PG* environment; --write makes the goldens anew, from a real PostgreSQL.
# Prints «psql VERSION», then `ok X` or `failed X: first difference` for each script, and `ok` alone at the end if none failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
export LC_ALL=C.UTF-8 PAGER='' PSQL_HISTORY=/dev/null PGOPTIONS='-c timezone=UTC'

psql --version | sed 's/^psql (PostgreSQL) \([^ ]*\).*/psql \1/'
failed=0
for script in "$here"/*.sql; do
    name=$(basename "$script" .sql)
    timeout 60 psql -X -a -v VERBOSITY=default -f "$script" >"$seen" 2>&1
    # psql says where it read a statement, which is another folder elsewhere.
    sed -i "s|^psql:[^:]*:[0-9]*: ||" "$seen"
    if [ "${1:-}" = --write ]; then
        cp "$seen" "$here/$name.out"
    fi
    if cmp -s "$seen" "$here/$name.out"; then
        echo "ok ${name//_/ }"
    else
        failed=$((failed + 1))
        echo "failed ${name//_/ }: $(diff "$here/$name.out" "$seen" | head -4 | tr '\n' ' ')"
    fi
done
[ "$failed" = 0 ] && echo ok
