// Runs the checks of a client one after the other and says how each went.
//
// Output: a line «NAME VERSION», then `ok CHECK` or `failed CHECK: why` for each, and at the end `ok` alone if none failed.
// Every check has a connection of its own. The server is the one of the PG* environment.

import { isDeepStrictEqual, inspect } from 'node:util'
import { readFileSync } from 'node:fs'
import pg from 'pg'

/** The TLS setting that libpq's variables ask for; `pg` itself knows only some of them. */
function tls() {
  const mode = process.env.PGSSLMODE ?? 'prefer'
  if (!['require', 'verify-ca', 'verify-full'].includes(mode)) return false
  const root = process.env.PGSSLROOTCERT
  if (!root) return { rejectUnauthorized: false }
  const ca = readFileSync(root, 'utf8')
  return mode === 'verify-full' ? { ca } : { ca, checkServerIdentity: () => undefined }
}

/** Options of a connection to the server of the environment. */
export function options() {
  return {
    host: process.env.PGHOST,
    port: Number(process.env.PGPORT),
    user: process.env.PGUSER,
    password: process.env.PGPASSWORD ?? '',
    database: process.env.PGDATABASE,
    ssl: tls(),
    connectionTimeoutMillis: 20000,
  }
}

export async function connect(more = {}) {
  const client = new pg.Client({ ...options(), ...more })
  await client.connect()
  return client
}

export function equal(seen, expected) {
  if (!isDeepStrictEqual(seen, expected)) throw new Error(`${inspect(seen, { depth: 5 })} is not ${inspect(expected, { depth: 5 })}`)
}

/** The error that the promise must end with. */
export async function raises(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}

function within(milliseconds, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** `checks` is a list of [name, async function of a client]. */
export async function run(title, checks) {
  console.log(title)
  let failed = 0
  for (const [name, check] of checks) {
    let client
    try {
      client = await connect()
      client.on('error', () => {})
      await within(60000, check(client))
      console.log(`ok ${name}`)
    } catch (error) {
      failed += 1
      console.log(`failed ${name}: ${String(error?.message ?? error).replace(/\s+/g, ' ')}`)
    } finally {
      await Promise.race([client?.end(), new Promise((resolve) => setTimeout(resolve, 2000))]).catch(() => {})
    }
  }
  if (failed === 0) console.log('ok')
  process.exit(failed === 0 ? 0 : 1)
}
