"""Opens every sealed segment with pyarrow and counts what is in it.

Usage: read_segments.py LEDGER_FOLDER ROWS < lines of «rows blake3 file», as ledger.segments has them.
The rows of the table `people` must be ROWS in all, each with the values its id asks for.
"""

import json
import pathlib
import sys

import pyarrow.ipc


def main() -> int:
    folder, expected = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    files = people = 0
    for line in sys.stdin:
        rows, _, name = line.split(" ", 2)
        with pyarrow.ipc.open_file(folder / name.strip()) as reader:
            table = reader.read_all()
        if table.num_rows != int(rows):
            print(f"{name}: {table.num_rows} rows, ledger.segments says {rows}", file=sys.stderr)
            return 1
        files += 1
        if "city" in table.column_names:
            people += table.num_rows
            for row in table.select(["id", "name", "age", "city"]).slice(0, 1000).to_pylist():
                n = row["id"]
                if row != {"id": n, "name": f"name of {n}", "age": n % 90, "city": f"city {n % 1000}"}:
                    print(f"{name}: unexpected row {json.dumps(row)}", file=sys.stderr)
                    return 1
    if people != expected:
        print(f"{people} rows of people in segments, {expected} were copied", file=sys.stderr)
        return 1
    print(f"held: pyarrow opens {files} segments and finds the {people} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
