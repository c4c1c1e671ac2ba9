// node-postgres: text results and parameters, and where it has them binary results.

import { readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import pg from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { connect, equal, options, raises, run } from './checks.js'

const LONG = 'SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b'

// Type, parameter, what the driver gives back, the text; dates come as text, because the driver would read them in the local zone.
for (const oid of [1082, 1114]) pg.types.setTypeParser(oid, (text) => text)
const interval = (fields) => (seen) => equal({ ...seen }, fields)
const TYPES = [
  ['boolean', true, true, 'true'],
  ['smallint', -32768, -32768, '-32768'],
  ['integer', 2147483647, 2147483647, '2147483647'],
  ['bigint', '-9223372036854775808', '-9223372036854775808', '-9223372036854775808'],
  ['real', 1.5, 1.5, '1.5'],
  ['double precision', -1e300, -1e300, '-1e+300'],
  ['numeric', '-1234567890.0123456789', '-1234567890.0123456789', '-1234567890.0123456789'],
  ['numeric(10,2)', '0.1', '0.10', '0.10'],
  ['text', 'żółw 🦀 \'"\\', 'żółw 🦀 \'"\\', 'żółw 🦀 \'"\\'],
  ['varchar(20)', 'a', 'a', 'a'],
  ['char(5)', 'ab', 'ab   ', 'ab'],
  ['bytea', Buffer.from([0, 255, 92]), Buffer.from([0, 255, 92]), '\\x00ff5c'],
  ['date', '2024-02-29', '2024-02-29', '2024-02-29'],
  ['time', '23:59:59.999999', '23:59:59.999999', '23:59:59.999999'],
  ['timestamp', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789'],
  ['timestamptz', new Date(Date.UTC(2024, 1, 29, 12, 34, 56, 789)), new Date(Date.UTC(2024, 1, 29, 12, 34, 56, 789)), '2024-02-29 12:34:56.789+00'],
  ['interval', '1 year 2 mons 3 days 04:05:06', interval({ years: 1, months: 2, days: 3, hours: 4, minutes: 5, seconds: 6 }), '1 year 2 mons 3 days 04:05:06'],
  ['uuid', '6f9619ff-8b86-d011-b42d-00cf4fc964ff', '6f9619ff-8b86-d011-b42d-00cf4fc964ff', '6f9619ff-8b86-d011-b42d-00cf4fc964ff'],
  ['json', { a: [1, null, 'x'] }, { a: [1, null, 'x'] }, '{"a":[1,null,"x"]}'],
  ['jsonb', { b: 1, a: {} }, { a: {}, b: 1 }, '{"a": {}, "b": 1}'],
  ['integer[]', [1, null, 3], [1, null, 3], '{1,NULL,3}'],
  ['text[]', ['a', 'b c', null, 'say "x"', ''], ['a', 'b c', null, 'say "x"', ''], '{a,"b c",NULL,"say \\"x\\"",""}'],
  ['boolean[]', [true, false], [true, false], '{t,f}'],
  ['double precision[]', [0.5], [0.5], '{0.5}'],
  ['numeric[]', ['1.10'], [1.1], '{1.10}'],
  ['uuid[]', ['6f9619ff-8b86-d011-b42d-00cf4fc964ff'], ['6f9619ff-8b86-d011-b42d-00cf4fc964ff'], '{6f9619ff-8b86-d011-b42d-00cf4fc964ff}'],
]

const types = TYPES.map(([type, parameter, expected, text], n) => [
  `type ${type}`,
  async (client) => {
    await client.query("SET TIME ZONE 'UTC'")
    await client.query(`CREATE TABLE t${n} (id integer PRIMARY KEY, v ${type})`)
    await client.query(`INSERT INTO t${n} VALUES ($1, $2), (2, NULL)`, [1, parameter])
    const { rows } = await client.query(`SELECT v, v::text AS text FROM t${n} ORDER BY id`)
    if (typeof expected === 'function') expected(rows[0].v)
    else equal(rows[0].v, expected)
    equal([rows[0].text, rows[1]], [text, { v: null, text: null }])
    // A parameter of no declared type takes the column's, also in a condition.
    if (!['json'].includes(type)) {
      const found = await client.query(`SELECT id FROM t${n} WHERE v = $1`, [type === 'char(5)' ? 'ab' : parameter])
      equal(found.rows, [{ id: 1 }])
    }
    await client.query(`DROP TABLE t${n}`)
  },
])

const TABLES = `
CREATE TABLE city (id integer PRIMARY KEY, name varchar(40) NOT NULL UNIQUE);
CREATE TABLE person (
    id serial PRIMARY KEY,
    email text NOT NULL,
    age integer DEFAULT 18 CONSTRAINT person_age_positive CHECK (age > 0),
    city_id integer CONSTRAINT person_lives_in REFERENCES city (id),
    CONSTRAINT person_email_once UNIQUE (email)
);
INSERT INTO city VALUES (1, 'Turin'), (2, 'London');
INSERT INTO person (email, city_id) VALUES ('ada@example.org', 2);`

// Statement, SQLSTATE, table, column, constraint.
const REFUSED = [
  ["INSERT INTO person (email) VALUES ('ada@example.org')", '23505', 'person', undefined, 'person_email_once'],
  ['INSERT INTO person (age) VALUES (7)', '23502', 'person', 'email', undefined],
  ["INSERT INTO person (email, age) VALUES ('x', 0)", '23514', 'person', undefined, 'person_age_positive'],
  ["INSERT INTO person (email, city_id) VALUES ('x', 9)", '23503', 'person', undefined, 'person_lives_in'],
  ['SELECT * FROM missing', '42P01', undefined, undefined, undefined],
  ['SELECT 1 / 0', '22012', undefined, undefined, undefined],
]

const other = [
  [
    'results',
    async (client) => {
      const seen = await client.query("SELECT 1 AS one; SELECT 'a' AS a, 'b' AS b")
      equal(seen.map((one) => one.rows), [[{ one: 1 }], [{ a: 'a', b: 'b' }]])
      const described = await client.query({ text: 'SELECT 1::smallint, 2::bigint AS big, $1::text AS t', values: ['x'], rowMode: 'array' })
      equal(described.rows, [[1, '2', 'x']])
      equal(described.fields.map((f) => [f.name, f.dataTypeID, f.format]), [['int2', 21, 'text'], ['big', 20, 'text'], ['t', 25, 'text']])
      equal([(await client.query('')).rows, (await client.query('SELECT 1 WHERE false')).rowCount], [[], 0])
    },
  ],
  [
    'binary results',
    async (client) => {
      const { rows } = await client.query({ text: 'SELECT 7::int4 AS i, 2::int8 AS big, true AS b, $1::text AS t', values: ['ż'], binary: true })
      equal(rows, [{ i: 7, big: '2', b: true, t: 'ż' }])
    },
  ],
  [
    'prepared statements',
    async (client) => {
      await client.query('CREATE TABLE p (id bigint PRIMARY KEY, name text)')
      for (let n = 0; n < 20; n++) {
        const done = await client.query({ name: 'put', text: 'INSERT INTO p VALUES ($1, $2) RETURNING id', values: [n, `name ${n}`] })
        equal([done.command, done.rowCount, done.rows[0].id], ['INSERT', 1, String(n)])
      }
      const { rows } = await client.query({ name: 'get', text: 'SELECT name FROM p WHERE id = $1', values: [7] })
      equal(rows, [{ name: 'name 7' }])
      equal((await client.query('UPDATE p SET name = NULL WHERE id < $1', [3])).rowCount, 3)
      equal((await client.query('SELECT count(*)::int AS n FROM p WHERE id = ANY($1)', [[1, 2, 99]])).rows[0].n, 2)
      await client.query('DROP TABLE p')
    },
  ],
  [
    'transactions',
    async (client) => {
      await client.query('CREATE TABLE x (id integer PRIMARY KEY)')
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
      await client.query('INSERT INTO x VALUES (1)')
      await client.query('SAVEPOINT s')
      equal((await raises(client.query('INSERT INTO x VALUES (1)'))).code, '23505')
      equal((await raises(client.query('SELECT 1'))).code, '25P02')
      await client.query('ROLLBACK TO SAVEPOINT s')
      await client.query('INSERT INTO x VALUES (2)')
      await client.query('RELEASE SAVEPOINT s')
      await client.query('COMMIT')
      await client.query('BEGIN')
      await client.query('INSERT INTO x VALUES (3)')
      await client.query('ROLLBACK')
      await client.query('BEGIN')
      await raises(client.query('SELECT 1/0'))
      equal((await client.query('COMMIT')).command, 'ROLLBACK')
      equal((await client.query('SELECT id FROM x ORDER BY id')).rows, [{ id: 1 }, { id: 2 }])
      await client.query('DROP TABLE x')
    },
  ],
  [
    'copy',
    async (client) => {
      await client.query('CREATE TABLE c (id integer PRIMARY KEY, name text)')
      const lines = Array.from({ length: 5000 }, (_, n) => `${n}\tname ${n}\n`)
      await pipeline(Readable.from(lines), client.query(copyFrom('COPY c FROM STDIN')))
      let out = ''
      for await (const piece of client.query(copyTo('COPY (SELECT * FROM c ORDER BY id) TO STDOUT (FORMAT csv)'))) out += piece
      equal(out, lines.map((line) => line.replace('\t', ',')).join(''))
      equal((await raises(pipeline(Readable.from(['x\ty\n']), client.query(copyFrom('COPY c FROM STDIN'))))).code, '22P02')
      equal((await client.query('SELECT count(*)::int AS n FROM c')).rows, [{ n: 5000 }])
      await client.query('DROP TABLE c')
    },
  ],
  [
    'portals',
    async (client) => {
      const cursor = client.query(new Cursor('SELECT n FROM generate_series(1, $1::int) AS n', [100]))
      equal((await cursor.read(3)).map((row) => row.n), [1, 2, 3])
      equal((await cursor.read(60)).length, 60)
      await cursor.close()
      let sum = 0
      for await (const row of client.query(new QueryStream('SELECT n FROM generate_series(1, 1000) AS n', [], { batchSize: 33 }))) sum += row.n
      equal(sum, 500500)
    },
  ],
  [
    'errors',
    async (client) => {
      await client.query(TABLES)
      for (const [statement, code, table, column, constraint] of REFUSED) {
        const error = await raises(client.query(statement))
        equal([statement, error.code, error.table, error.column, error.constraint], [statement, code, table, column, constraint])
      }
      const error = await raises(client.query(REFUSED[0][0]))
      equal([error.severity, error.detail, error.schema], ['ERROR', 'Key (email)=(ada@example.org) already exists.', 'public'])
      equal((await raises(client.query('SELECT * FROM missing'))).position, '15')
      await client.query('DROP TABLE person; DROP TABLE city')
    },
  ],
  [
    'statement timeout and cancel',
    async (client) => {
      const hurried = await connect({ statement_timeout: 300 })
      const error = await raises(hurried.query(LONG))
      equal([error.code, error.message], ['57014', 'canceling statement due to statement timeout'])
      await hurried.end()
      const [{ pid }] = (await client.query('SELECT pg_backend_pid() AS pid')).rows
      const running = raises(client.query(LONG))
      const other = await connect()
      for (let done = false; !done; ) {
        const { rows } = await other.query("SELECT state = 'active' AS busy FROM pg_stat_activity WHERE pid = $1", [pid])
        done = rows[0]?.busy && (await other.query('SELECT pg_cancel_backend($1) AS done', [pid])).rows[0].done
      }
      await other.end()
      equal((await running).code, '57014')
    },
  ],
  [
    'queued queries',
    async (client) => {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => client.query('SELECT $1::int AS n', [n])))
      equal(answers.map((one) => one.rows[0].n), Array.from({ length: 50 }, (_, n) => n))
    },
  ],
  [
    'pool',
    async () => {
      const pool = new pg.Pool({ ...options(), max: 4 })
      const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => pool.query('SELECT $1::int + 1 AS n', [n])))
      equal(answers.reduce((sum, one) => sum + one.rows[0].n, 0), 820)
      await pool.end()
    },
  ],
  [
    'notices and notifications',
    async (client) => {
      const notices = []
      client.on('notice', (notice) => notices.push(notice.message))
      await client.query('DROP TABLE IF EXISTS nothing_of_the_kind')
      equal(notices, ['table "nothing_of_the_kind" does not exist, skipping'])
      const heard = new Promise((resolve) => client.on('notification', (news) => resolve([news.channel, news.payload])))
      await client.query('LISTEN news')
      await client.query("NOTIFY news, 'hot'")
      equal(await heard, ['news', 'hot'])
    },
  ],
]

const { version } = JSON.parse(readFileSync(new URL('node_modules/pg/package.json', import.meta.url)))
await run(`node-postgres ${version} (node ${process.version})`, [...types, ...other])
