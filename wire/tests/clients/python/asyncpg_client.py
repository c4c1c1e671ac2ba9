"""asyncpg: binary everywhere, every statement prepared, and its own look-ups of types in the catalog."""

import asyncio
import json

import asyncpg

from checks import add, check, equal, run_async, same
from schema import REFUSED, TABLES
from values import TYPES

LONG = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"


async def connect():
    return await asyncpg.connect(server_settings={"timezone": "UTC"}, timeout=20)


async def raises(kind, waited):
    """The error that the coroutine must end with."""
    try:
        await waited
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def wire(type_name, value):
    """asyncpg gives and takes JSON as its text."""
    if not type_name.startswith("json"):
        return value
    if type_name.endswith("[]"):
        return [None if one is None else json.dumps(one) for one in value]
    return json.dumps(value)


async def types(connection, type_name, pairs):
    table = f"t{list(TYPES).index(type_name)}"
    await connection.execute(f"CREATE TABLE {table} (id integer PRIMARY KEY, v {type_name})")
    await connection.executemany(f"INSERT INTO {table} VALUES ($1, $2)", [(n, wire(type_name, v)) for n, (v, _) in enumerate(pairs)])
    await connection.execute(f"INSERT INTO {table} VALUES (999, NULL)")
    rows = await connection.fetch(f"SELECT v, v::text FROM {table} ORDER BY id")
    for row, (value, text) in zip(rows, list(pairs) + [(None, None)], strict=True):
        same(row[0], None if value is None else wire(type_name, value))
        equal(row[1], text)
    await connection.execute(f"DROP TABLE {table}")


for _name, _pairs in TYPES.items():
    add(f"type {_name}", types, _name, _pairs)


@check("prepared statements")
async def prepared(connection):
    await connection.execute("CREATE TABLE p (id bigint PRIMARY KEY, name varchar(20))")
    insert = await connection.prepare("INSERT INTO p VALUES ($1, $2) RETURNING id, name")
    equal([t.name for t in insert.get_parameters()], ["int8", "varchar"])
    equal([(a.name, a.type.name) for a in insert.get_attributes()], [("id", "int8"), ("name", "varchar")])
    for n in range(20):
        equal(tuple(await insert.fetchrow(n, f"name {n}")), (n, f"name {n}"))
    equal(await connection.execute("UPDATE p SET name = NULL WHERE id < $1", 5), "UPDATE 5")
    equal(await connection.execute("DELETE FROM p WHERE id = $1", 0), "DELETE 1")
    equal(await connection.fetchval("SELECT count(*) FROM p WHERE id = ANY($1::bigint[])", [1, 2, 300]), 2)
    await connection.execute("DROP TABLE p")


@check("transactions")
async def transactions(connection):
    await connection.execute("CREATE TABLE x (id integer PRIMARY KEY)")
    async with connection.transaction():
        await connection.execute("INSERT INTO x VALUES (1)")
        equal(connection.is_in_transaction(), True)
        try:
            async with connection.transaction():
                await connection.execute("INSERT INTO x VALUES (2)")
                await connection.execute("INSERT INTO x VALUES (1)")
        except asyncpg.UniqueViolationError:
            pass
    transaction = connection.transaction(isolation="serializable")
    await transaction.start()
    await connection.execute("INSERT INTO x VALUES (3)")
    await transaction.rollback()
    transaction = connection.transaction(isolation="repeatable_read", readonly=True)
    await transaction.start()
    error = await raises(asyncpg.ReadOnlySQLTransactionError, connection.execute("INSERT INTO x VALUES (4)"))
    same(error.sqlstate, "25006")
    await raises(asyncpg.InFailedSQLTransactionError, connection.fetch("SELECT 1"))
    await transaction.rollback()
    equal([row[0] for row in await connection.fetch("SELECT id FROM x")], [1])
    await connection.execute("DROP TABLE x")


@check("copy text and csv")
async def copy(connection):
    await connection.execute("CREATE TABLE c (id integer PRIMARY KEY, name text)")
    equal(await connection.copy_to_table("c", source=_bytes(b'1,"a, b"\n2,\n'), format="csv"), "COPY 2")
    out = bytearray()

    async def keep(data):
        out.extend(data)

    equal(await connection.copy_from_query("SELECT * FROM c WHERE id >= $1 ORDER BY id", 1, output=keep), "COPY 2")
    equal(bytes(out), b"1\ta, b\n2\t\\N\n")
    await connection.execute("DROP TABLE c")


@check("copy binary")
async def copy_records(connection):
    await connection.execute("CREATE TABLE cb (id integer PRIMARY KEY, name text, raw bytea, f float8)")
    rows = [(1, "żółw", b"\x00", 0.5), (2, None, None, None)]
    equal(await connection.copy_records_to_table("cb", records=rows, columns=["id", "name", "raw", "f"]), "COPY 2")
    equal([tuple(row) for row in await connection.fetch("SELECT * FROM cb ORDER BY id")], rows)
    await connection.execute("DROP TABLE cb")


async def _bytes(data):
    yield data


@check("cursors")
async def cursors(connection):
    async with connection.transaction():
        seen = 0
        async for row in connection.cursor("SELECT n FROM generate_series(1, $1::int) AS n", 500, prefetch=37):
            seen += row[0]
        equal(seen, 125250)
        cursor = await connection.cursor("SELECT n FROM generate_series(1, 100) AS n ORDER BY n")
        equal((await cursor.fetchrow())[0], 1)
        equal(await cursor.forward(10), 10)
        equal([row[0] for row in await cursor.fetch(2)], [12, 13])


@check("errors")
async def errors(connection):
    await connection.execute(TABLES)
    for statement, state, named in REFUSED:
        error = await raises(asyncpg.PostgresError, connection.execute(statement))
        seen = tuple(getattr(error, name, None) for name in ("schema_name", "table_name", "column_name", "constraint_name"))
        same((statement, error.sqlstate, seen), (statement, state, named))
    await connection.execute("DROP TABLE person; DROP TABLE city")


@check("notices")
async def notices(connection):
    seen = []
    connection.add_log_listener(lambda _, message: seen.append((message.severity, message.message)))
    await connection.execute("DROP TABLE IF EXISTS nothing_of_the_kind")
    await connection.fetch("SELECT 1")
    equal(seen, [("NOTICE", 'table "nothing_of_the_kind" does not exist, skipping')])


@check("cancel")
async def cancel(connection):
    await raises(asyncio.TimeoutError, connection.execute(LONG, timeout=0.5))
    equal(await connection.fetchval("SELECT 1"), 1)


@check("listen and notify")
async def notify(connection):
    heard = asyncio.Queue()

    def hear(_connection, _process, channel, payload):
        heard.put_nowait((channel, payload))

    await connection.add_listener("news", hear)
    await connection.execute("SELECT pg_notify('news', 'hot')")
    equal(await asyncio.wait_for(heard.get(), 20), ("news", "hot"))
    await connection.remove_listener("news", hear)


@check("pool and reset")
async def pool(connection):
    async with asyncpg.create_pool(min_size=2, max_size=4) as pool:
        equal(sorted(await asyncio.gather(*[pool.fetchval("SELECT $1::int", n) for n in range(20)])), list(range(20)))
        async with pool.acquire() as one:
            await one.execute("SET search_path = pg_catalog")
        async with pool.acquire() as one:
            equal(await one.fetchval("SHOW search_path"), '"$user", public')


@check("settings")
async def settings(connection):
    equal(connection.get_server_version()[0], 15)
    equal(connection.get_settings().server_encoding, "UTF8")
    equal(await connection.fetchval("SELECT current_setting('timezone')"), "UTC")


@check("reflection")
async def reflection(connection):
    await connection.execute(TABLES)
    rows = await connection.fetch(
        "SELECT c.column_name, c.data_type, c.is_nullable, tc.constraint_type FROM information_schema.columns c "
        "LEFT JOIN information_schema.key_column_usage k USING (table_schema, table_name, column_name) "
        "LEFT JOIN information_schema.table_constraints tc USING (constraint_schema, constraint_name) "
        "WHERE c.table_name = $1 ORDER BY c.ordinal_position",
        "person",
    )
    seen = [tuple(row) for row in rows][:4]
    expected = [
        ("id", "integer", "NO", "PRIMARY KEY"), ("email", "text", "NO", "UNIQUE"), ("age", "integer", "YES", None),
        ("city_id", "integer", "YES", "FOREIGN KEY"),
    ]
    equal(seen, expected)
    await connection.execute("DROP TABLE person; DROP TABLE city")


if __name__ == "__main__":
    run_async(f"asyncpg {asyncpg.__version__}", connect)
