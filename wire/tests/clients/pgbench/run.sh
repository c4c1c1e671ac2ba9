#!/usr/bin/env bash
# pgbench: makes its tables and runs its scripts as they are, in each protocol mode, then counts.
#
# Usage: run.sh      The server is the one of the PG* environment.
set -uo pipefail
export LC_ALL=C.UTF-8
pgbench=$(command -v pgbench || ls /usr/lib/postgresql/*/bin/pgbench | tail -1)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failures=0

"$pgbench" --version | sed 's/^pgbench (PostgreSQL) \([^ ]*\).*/pgbench \1/'

# check NAME COMMAND…: the command succeeds within its time.
check() {
    local name=$1
    shift
    if timeout 100 "$@" >"$log" 2>&1; then
        echo "ok $name"
    else
        failures=$((failures + 1))
        echo "failed $name: $(grep -v '^pgbench (' "$log" | tail -4 | tr '\n' ' ')"
    fi
}

ask() { psql -X -A -t -q -v ON_ERROR_STOP=1 -c "$1"; }

# Every transaction adds the same amount to an account, a teller and a branch, and writes it down; none was lost or made twice.
sums_agree() {
    [ "$(ask 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)
        AND (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(delta) FROM pgbench_history)
        AND (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history)')" = t ] &&
        [ "$(ask 'SELECT count(*) FROM pgbench_history')" = "$1" ]
}

export -f ask sums_agree

check "initialise" "$pgbench" -i -s 1 -q
check "initialise at the server, with foreign keys" "$pgbench" -i -I dtGvpf -s 1 -q
for mode in simple extended prepared; do
    check "TPC-B-like, $mode" "$pgbench" -n -c 1 -t 20 -M "$mode"
done
check "sums after one client" bash -c "sums_agree 60"
check "TPC-B-like, several clients" "$pgbench" -n -c 4 -j 2 -t 15 -M prepared --max-tries=100
check "sums after several clients" bash -c "sums_agree 120"
for mode in simple extended prepared; do
    check "select only, $mode" "$pgbench" -n -S -c 2 -t 50 -M "$mode"
done
check "simple update" "$pgbench" -n -N -c 2 -t 10 --max-tries=100
check "drop" "$pgbench" -i -I d -q
[ "$failures" = 0 ] && echo ok
