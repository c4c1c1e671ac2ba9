#!/usr/bin/env bash
# A server is killed; its rows and their proofs must not care. What a person would do at a shell, with psql, b3sum and pyarrow.
#
# Usage: kill_and_prove.sh PATH/TO/shockwave [ROWS]      PYTHON=… names an interpreter that has pyarrow
# Prints a line for each step that held. Ends at the first that did not, with status 1 and what was seen instead.
set -euo pipefail

shockwave=$1
rows=${2:-100000}
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
data=$place/data
server=

cleanup() {
    if [ -n "$server" ]; then
        kill -KILL "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$place"
}
trap cleanup EXIT

held() { echo "held: $*"; }
failed() {
    echo "FAILED: $*" >&2
    exit 1
}

start() {
    # What the server before said must not be read as this one's.
    : >"$place/server.out"
    "$shockwave" serve --data-dir "$data" --listen 127.0.0.1:0 --auth trust >"$place/server.out" 2>&1 &
    server=$!
    local tries=0
    until grep -q '^listening on' "$place/server.out"; do
        kill -0 "$server" 2>/dev/null || failed "the server ended: $(cat "$place/server.out")"
        ((tries++ < 1200)) || failed "the server does not listen: $(cat "$place/server.out")"
        sleep 0.05
    done
    port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$place/server.out")
}

# A job that was killed answers `wait` with a status of its own.
stop() {
    local status=0
    kill "-$1" "$server"
    wait "$server" 2>/dev/null || status=$?
    server=
    [ "$status" = 0 ] || [ "$1" = KILL ] || failed "the server ended with status $status: $(cat "$place/server.out")"
}

ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U shockwave -d shockwave "$@"; }

# The exit status of a verification, its text in $place/verdict.
verify() {
    local status=0
    "$shockwave" verify "$@" --policy "$place/policy" >"$place/verdict" 2>&1 || status=$?
    echo "$status"
}

# flip FILE OFFSET: the lowest bit of one byte; the same again undoes it.
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    chmod u+w "$1"
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# caught FILE OFFSET NAME COMMAND…: the byte flipped, the verifier must end with 1 or 2 and say NAME.
caught() {
    local file=$1 offset=$2 name=$3
    shift 3
    flip "$file" "$offset"
    case $(verify "$@") in
        1 | 2) grep -qF -- "$name" "$place/verdict" || failed "byte $offset of $file: not named: $(cat "$place/verdict")" ;;
        *) failed "byte $offset of $file: not caught: $(cat "$place/verdict")" ;;
    esac
    flip "$file" "$offset"
}

# caught_across FILE NAME COMMAND…: at its first and last byte, and at three between.
caught_across() {
    local file=$1 size
    size=$(stat -c %s "$file")
    shift
    for offset in 0 $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size - 1)); do
        caught "$file" "$offset" "$@"
    done
}

awk -v n="$rows" 'BEGIN { for (i = 1; i <= n; i++) printf "%d\tname of %d\t%d\tcity %d\n", i, i, i % 90, i % 1000 }' >"$place/rows.tsv"

start
ask -c "CREATE TABLE people (id bigint PRIMARY KEY, name text, age int, city text)" -c "\\copy people FROM '$place/rows.tsv'"
stop KILL
start
[ "$(ask -c 'SELECT count(*) FROM people')" = "$rows" ] || failed "rows were lost"
held "$rows rows copied, kill -9, restart: $rows rows"

last="SELECT commit_seq, row FROM ledger.receipts WHERE table_name = 'people' ORDER BY commit_seq DESC, row DESC LIMIT 1"
ask -c "SELECT ledger_receipt(commit_seq, row) FROM ($last) AS newest" >"$place/receipt"
stop TERM
"$shockwave" keys show --data-dir "$data" --policy >"$place/policy"
start
ask -F ' ' -c "SELECT rows, blake3, file FROM ledger.segments" >"$place/segments"
stop TERM
[ "$(verify fsck "$data")" = 0 ] || failed "fsck: $(cat "$place/verdict")"
held "fsck of the stopped folder: $(tail -1 "$place/verdict")"

ledger=$data/ledgers/shockwave
while read -r _ hash file; do
    [ "$(b3sum --no-names "$ledger/$file")" = "$hash" ] || failed "b3sum of $file is not the one in ledger.segments"
done <"$place/segments"
held "b3sum of $(wc -l <"$place/segments") segments equals ledger.segments"
"$python" "$here/read_segments.py" "$ledger" "$rows" <"$place/segments" || failed "pyarrow reads something else"

segment=$(find "$ledger/segments" -type f -printf '%s %p\n' | sort -n | tail -1 | cut -d ' ' -f 2-)
caught_across "$segment" "$(basename "$segment")" fsck "$data"
held "one byte flipped in a segment, at five places: caught and named"
for tile in "$(find "$ledger/tile" -type f | sort | head -1)" "$(find "$ledger/b3/tile" -type f | sort | head -1)"; do
    caught_across "$tile" "${tile#"$ledger/"}" fsck "$data"
done
held "one byte flipped in a tile of either tree, at five places: caught and named"
for checkpoint in "$(find "$ledger/checkpoints" -type f | sort | tail -1)" "$(find "$ledger/b3/checkpoints" -type f | sort | tail -1)"; do
    caught_across "$checkpoint" "${checkpoint#"$ledger/"}" fsck "$data"
done
held "one byte flipped in a checkpoint of either tree, at five places: caught and named"

rm -rf "$data"
[ "$(verify receipt "$place/receipt")" = 0 ] || failed "the receipt: $(cat "$place/verdict")"
grep -qF "name of $rows" "$place/verdict" || failed "the receipt is of another row: $(cat "$place/verdict")"
held "the receipt of the last row verifies without server and folder"
size=$(stat -c %s "$place/receipt")
for ((offset = 0; offset < size; offset += 23)); do
    caught "$place/receipt" "$offset" "ED: " receipt "$place/receipt"
done
held "one byte flipped in the receipt, at every 23rd of its $size: caught and named"
