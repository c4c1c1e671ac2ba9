"""psycopg 3, with text and binary formats in both directions."""

import threading

import psycopg
from psycopg import pq
from psycopg.rows import dict_row
from psycopg.types.json import Json, Jsonb

from checks import add, check, equal, raises, run, same
from schema import REFUSED, TABLES
from values import TYPES

LONG = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"


def connect():
    return psycopg.connect(options="-c timezone=UTC", autocommit=True, connect_timeout=20)


def wrap(type_name, value):
    """As a program says which JSON type it means."""
    if type_name.startswith("json"):
        kind = Jsonb if type_name.startswith("jsonb") else Json
        if type_name.endswith("[]"):
            return [None if one is None else kind(one) for one in value]
        return kind(value)
    return value


def types(connection, type_name, pairs):
    table = f"t{list(TYPES).index(type_name)}"
    connection.execute(f"CREATE TABLE {table} (id integer PRIMARY KEY, v {type_name})")
    for placeholder, base in (("%t", 0), ("%b", 1000)):
        for n, (value, _) in enumerate(pairs):
            connection.execute(f"INSERT INTO {table} VALUES (%s, {placeholder})", (base + n, wrap(type_name, value)))
        connection.execute(f"INSERT INTO {table} VALUES (%s, %s)", (base + 999, None))
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            rows = cursor.execute(f"SELECT v, v::text FROM {table} WHERE id >= %s AND id < %s ORDER BY id", (base, base + 1000)).fetchall()
            expected = list(pairs) + [(None, None)]
            for row, (value, text) in zip(rows, expected, strict=True):
                equal(row[0], value)
                equal(row[1], text)
    connection.execute(f"DROP TABLE {table}")


for _name, _pairs in TYPES.items():
    add(f"type {_name}", types, _name, _pairs)


@check("column descriptions")
def descriptions(connection):
    connection.execute("CREATE TABLE d (a integer, b varchar(7), c numeric(9,3), e text)")
    cursor = connection.execute("SELECT a, b, c, e, 1 AS one, 'x' AS x, now() AS now, count(*) OVER () FROM d")
    seen = [(c.name, c.type_code, c.display_size, c.precision, c.scale) for c in cursor.description]
    expected = [
        ("a", 23, None, None, None), ("b", 1043, 7, None, None), ("c", 1700, None, 9, 3), ("e", 25, None, None, None),
        ("one", 23, None, None, None), ("x", 25, None, None, None), ("now", 1184, None, None, None), ("count", 20, None, None, None),
    ]
    equal(seen, expected)
    connection.execute("DROP TABLE d")


@check("prepared statements")
def prepared(connection):
    connection.execute("CREATE TABLE p (id bigint PRIMARY KEY, name text)")
    for n in range(20):
        connection.execute("INSERT INTO p VALUES (%s, %s)", (n, f"name {n}"), prepare=True)
    for n in range(20):
        row = connection.execute("SELECT name FROM p WHERE id = %s", (n,), prepare=True).fetchone()
        equal(row, (f"name {n}",))
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO p VALUES (%s, %s)", [(n, None) for n in range(100, 150)])
        equal(cursor.rowcount, 50)
        cursor.executemany("UPDATE p SET name = %s WHERE id = %s RETURNING id", [("x", 1), ("y", 2)], returning=True)
        equal(cursor.fetchall(), [(1,)])
        cursor.nextset()
        equal(cursor.fetchall(), [(2,)])
    equal(connection.execute("SELECT count(*), count(name) FROM p").fetchone(), (70, 20))
    names = connection.execute("SELECT count(*) > 0 FROM pg_prepared_statements").fetchone()
    equal(names, (True,))
    connection.execute("DROP TABLE p")


@check("parameters of unknown type")
def unknown(connection):
    equal(connection.execute("SELECT %s::int + 1, %s || 'b', %s::date", ("41", "a", "2024-02-29")).fetchone()[:2], (42, "ab"))
    equal(connection.execute("SELECT 1 WHERE 3 = ANY(%s)", ([1, 2, 3],)).fetchone(), (1,))
    equal(connection.execute("SELECT coalesce(%s, 'none')", (None,)).fetchone(), ("none",))


@check("transactions")
def transactions(connection):
    connection.execute("CREATE TABLE x (id integer PRIMARY KEY)")
    with connection.transaction():
        equal(connection.info.transaction_status, pq.TransactionStatus.INTRANS)
        connection.execute("INSERT INTO x VALUES (1)")
    with connection.transaction(force_rollback=True):
        connection.execute("INSERT INTO x VALUES (2)")
    connection.autocommit = False
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    connection.execute("INSERT INTO x VALUES (3)")
    connection.commit()
    connection.execute("INSERT INTO x VALUES (4)")
    connection.rollback()
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    equal(connection.execute("SHOW transaction_isolation").fetchone(), ("repeatable read",))
    connection.rollback()
    connection.isolation_level = None
    connection.read_only = True
    error = raises(psycopg.errors.ReadOnlySqlTransaction, connection.execute, "INSERT INTO x VALUES (5)")
    equal(error.sqlstate, "25006")
    connection.rollback()
    connection.read_only = None
    connection.autocommit = True
    equal(connection.execute("SELECT id FROM x ORDER BY id").fetchall(), [(1,), (3,)])
    connection.execute("DROP TABLE x")


@check("savepoints and failed transactions")
def savepoints(connection):
    connection.execute("CREATE TABLE x (id integer PRIMARY KEY)")
    with connection.transaction():
        connection.execute("INSERT INTO x VALUES (1)")
        try:
            with connection.transaction():
                connection.execute("INSERT INTO x VALUES (2)")
                connection.execute("INSERT INTO x VALUES (1)")
        except psycopg.errors.UniqueViolation:
            pass
        with connection.transaction("inner"):
            connection.execute("INSERT INTO x VALUES (3)")
    connection.execute("BEGIN")
    raises(psycopg.errors.DivisionByZero, connection.execute, "SELECT 1/0")
    equal(connection.info.transaction_status, pq.TransactionStatus.INERROR)
    raises(psycopg.errors.InFailedSqlTransaction, connection.execute, "SELECT 1")
    connection.execute("ROLLBACK")
    equal(connection.info.transaction_status, pq.TransactionStatus.IDLE)
    equal(connection.execute("SELECT id FROM x ORDER BY id").fetchall(), [(1,), (3,)])
    connection.execute("DROP TABLE x")


@check("copy text and csv")
def copy(connection):
    connection.execute("CREATE TABLE c (id integer PRIMARY KEY, name text, at timestamptz)")
    cursor = connection.cursor()
    with cursor.copy("COPY c (id, name) FROM STDIN") as copy:
        for row in [(1, "a\tb"), (2, None), (3, "back\\slash\nline"), (4, "")]:
            copy.write_row(row)
    equal(cursor.rowcount, 4)
    with cursor.copy("COPY c (id, name) FROM STDIN (FORMAT csv, HEADER)") as copy:
        copy.write('id,name\n5,"q ""x"", y"\n6,\n')
    with cursor.copy("COPY (SELECT id, name FROM c ORDER BY id) TO STDOUT") as copy:
        copy.set_types(["int4", "text"])
        rows = list(copy.rows())
    equal(rows, [(1, "a\tb"), (2, None), (3, "back\\slash\nline"), (4, ""), (5, 'q "x", y'), (6, None)])
    with cursor.copy("COPY (SELECT id, name FROM c WHERE id > 3 ORDER BY id) TO STDOUT (FORMAT csv, HEADER)") as copy:
        equal(b"".join(copy), b'id,name\n4,""\n5,"q ""x"", y"\n6,\n')
    with cursor.copy("COPY c (id) TO STDOUT") as copy:
        equal(sorted(b"".join(copy).split()), [b"1", b"2", b"3", b"4", b"5", b"6"])

    def broken():
        with cursor.copy("COPY c FROM STDIN") as copy:
            copy.write("7\tx\t\\N\nno number\n")

    error = raises(psycopg.Error, broken)
    same(error.sqlstate, "22P02")

    def given_up():
        with cursor.copy("COPY c FROM STDIN") as copy:
            copy.write("8\tx\t\\N\n")
            raise RuntimeError("no more")

    raises(RuntimeError, given_up)
    equal(connection.execute("SELECT count(*) FROM c").fetchone(), (6,))
    connection.execute("DROP TABLE c")


@check("copy binary")
def copy_binary(connection):
    connection.execute("CREATE TABLE cb (id integer PRIMARY KEY, name text, price numeric(10,2), at timestamptz, ok boolean, raw bytea, f float8)")
    when = TYPES["timestamptz"][0][0]
    rows = [(1, "żółw", TYPES["numeric(10,2)"][0][0], when, True, b"\x00\xff", 0.5), (2, None, None, None, None, None, None)]
    cursor = connection.cursor()
    with cursor.copy("COPY cb FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "text", "numeric", "timestamptz", "bool", "bytea", "float8"])
        for row in rows:
            copy.write_row(row)
    equal(connection.execute("SELECT * FROM cb ORDER BY id").fetchall(), rows)
    with cursor.copy("COPY (SELECT * FROM cb ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int4", "text", "numeric", "timestamptz", "bool", "bytea", "float8"])
        equal(list(copy.rows()), rows)
    connection.execute("DROP TABLE cb")


@check("cursors")
def cursors(connection):
    connection.execute("CREATE TABLE u (id integer PRIMARY KEY)")
    connection.execute("INSERT INTO u SELECT n FROM generate_series(1, 1000) AS n")
    with connection.transaction():
        with connection.cursor("forward") as cursor:
            cursor.itersize = 64
            cursor.execute("SELECT id FROM u WHERE id > %s ORDER BY id", (10,))
            equal(cursor.fetchone(), (11,))
            equal(cursor.fetchmany(2), [(12,), (13,)])
            equal(sum(row[0] for row in cursor), sum(range(14, 1001)))
        with connection.cursor("both", scrollable=True) as cursor:
            cursor.execute("SELECT id FROM u ORDER BY id")
            cursor.scroll(500, mode="absolute")
            equal(cursor.fetchone(), (501,))
            cursor.scroll(-2)
            equal(cursor.fetchone(), (500,))
    with connection.cursor("held", withhold=True) as cursor:
        cursor.execute("SELECT id FROM u ORDER BY id LIMIT 3")
        equal(cursor.fetchall(), [(1,), (2,), (3,)])
    connection.execute("DROP TABLE u")


@check("streaming")
def streaming(connection):
    cursor = connection.cursor()
    equal(sum(row[0] for row in cursor.stream("SELECT n FROM generate_series(1, 500) AS n")), 125250)
    equal(sum(row[0] for row in cursor.stream("SELECT n FROM generate_series(1, 500) AS n", size=100)), 125250)


@check("errors")
def errors(connection):
    connection.execute(TABLES)
    for statement, state, named in REFUSED:
        error = raises(psycopg.Error, connection.execute, statement)
        diag = error.diag
        seen = (diag.schema_name, diag.table_name, diag.column_name, diag.constraint_name)
        same((statement, diag.sqlstate, seen), (statement, state, named))
        same((diag.severity_nonlocalized, bool(diag.message_primary)), ("ERROR", True))
    error = raises(psycopg.errors.UniqueViolation, connection.execute, REFUSED[0][0])
    equal(error.diag.message_detail, "Key (email)=(ada@example.org) already exists.")
    error = raises(psycopg.errors.UndefinedTable, connection.execute, "SELECT * FROM missing")
    equal(error.diag.statement_position, "15")
    connection.execute("DROP TABLE person; DROP TABLE city")


@check("notices")
def notices(connection):
    seen = []
    connection.add_notice_handler(lambda diag: seen.append((diag.severity, diag.sqlstate, diag.message_primary)))
    connection.execute("DROP TABLE IF EXISTS nothing_of_the_kind")
    equal(seen, [("NOTICE", "00000", 'table "nothing_of_the_kind" does not exist, skipping')])


@check("cancel")
def cancel(connection):
    timer = threading.Timer(0.5, connection.cancel_safe)
    timer.start()
    error = raises(psycopg.errors.QueryCanceled, connection.execute, LONG)
    timer.join()
    equal(error.sqlstate, "57014")
    equal(connection.execute("SELECT 1").fetchone(), (1,))


@check("statement timeout")
def timeout(connection):
    connection.execute("SET statement_timeout = '300ms'")
    error = raises(psycopg.errors.QueryCanceled, connection.execute, LONG)
    equal(str(error), "canceling statement due to statement timeout")
    connection.execute("SET statement_timeout = 0")
    equal(connection.execute("SHOW statement_timeout").fetchone(), ("0",))


@check("pipeline")
def pipeline(connection):
    connection.execute("CREATE TABLE l (id integer PRIMARY KEY)")
    with connection.pipeline() as pipeline:
        cursors = [connection.execute("INSERT INTO l VALUES (%s) RETURNING id", (n,)) for n in range(50)]
        pipeline.sync()
        equal([cursor.fetchone()[0] for cursor in cursors], list(range(50)))
    error = None
    try:
        with connection.pipeline():
            connection.execute("INSERT INTO l VALUES (100)")
            connection.execute("INSERT INTO l VALUES (1)")
            connection.execute("INSERT INTO l VALUES (101)")
    except psycopg.errors.UniqueViolation as seen:
        error = seen
    equal(error is not None, True)
    equal(connection.execute("SELECT count(*) FROM l").fetchone(), (50,))
    connection.execute("DROP TABLE l")


@check("listen and notify")
def notify(connection):
    connection.execute("LISTEN news")
    with connect() as other:
        other.execute("SELECT pg_notify('news', 'hot')")
        other.execute("NOTIFY news, 'cold'")
    seen = [(n.channel, n.payload) for n in connection.notifies(timeout=20, stop_after=2)]
    equal(seen, [("news", "hot"), ("news", "cold")])


@check("settings")
def settings(connection):
    info = connection.info
    equal(info.parameter_status("server_encoding"), "UTF8")
    equal(info.parameter_status("integer_datetimes"), "on")
    equal(info.parameter_status("TimeZone"), "UTC")
    equal(info.encoding, "utf-8")
    equal(info.server_version // 10000, 15)
    connection.execute("SELECT set_config('search_path', 'public, pg_catalog', false)")
    equal(connection.execute("SELECT current_setting('search_path')").fetchone(), ("public, pg_catalog",))
    connection.execute("SET TIME ZONE 'Europe/Berlin'")
    equal(info.parameter_status("TimeZone"), "Europe/Berlin")
    when = connection.execute("SELECT '2024-07-01 12:00+00'::timestamptz").fetchone()[0]
    same((when.hour, when.utcoffset().total_seconds()), (14, 7200.0))
    with psycopg.connect(application_name="a client") as other:
        equal(other.execute("SHOW application_name").fetchone(), ("a client",))


@check("reflection")
def reflection(connection):
    connection.execute(TABLES)
    connection.row_factory = dict_row
    rows = connection.execute(
        "SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS filled, pg_get_expr(d.adbin, d.adrelid) AS fallback "
        "FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        "WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        ("person",),
    ).fetchall()
    seen = [tuple(row.values()) for row in rows]
    expected = [
        ("id", "integer", True, None), ("email", "text", True, None), ("age", "integer", False, "18"), ("city_id", "integer", False, None),
        ("balance", "numeric(12,2)", True, "0"), ("born", "date", False, None), ("seen", "timestamp with time zone", False, None),
    ]
    equal(seen, expected)
    types = psycopg.types.TypeInfo.fetch(connection, "jsonb")
    same((types.oid, types.array_oid), (3802, 3807))
    connection.execute("DROP TABLE person; DROP TABLE city")


def title():
    return f"psycopg {psycopg.__version__} (libpq {pq.version_pretty(pq.version()) if hasattr(pq, 'version_pretty') else pq.version()})"


if __name__ == "__main__":
    run(title(), connect)
