// The checks of pgx beside those of the types.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var checks = []check{
	{"column descriptions", descriptions},
	{"prepared statements", prepared},
	{"transactions", transactions},
	{"savepoints and failed transactions", savepoints},
	{"copy binary", copyBinary},
	{"copy text", copyText},
	{"batches and pipelines", batches},
	{"cursors", cursors},
	{"errors", refused},
	{"cancel", cancelled},
	{"listen and notify", notify},
	{"pool", pool},
	{"reflection", reflection},
}

func run(ctx context.Context, conn *pgx.Conn, statements ...string) error {
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func numbers(ctx context.Context, conn *pgx.Conn, query string, args ...interface{}) ([]int32, error) {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int32])
}

func descriptions(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE d (a integer, b varchar(7), c numeric(9,3))"); err != nil {
		return err
	}
	statement, err := conn.Prepare(ctx, "", "SELECT a, b, c, a + $1 AS sum FROM d WHERE b = $2 LIMIT $3")
	if err != nil {
		return err
	}
	seen := []interface{}{statement.ParamOIDs}
	for _, field := range statement.Fields {
		seen = append(seen, field.Name, field.DataTypeOID, field.TypeModifier, field.TableAttributeNumber)
	}
	expected := []interface{}{
		[]uint32{23, 25, 20}, "a", uint32(23), int32(-1), uint16(1), "b", uint32(1043), int32(11), uint16(2),
		"c", uint32(1700), int32(589831), uint16(3), "sum", uint32(23), int32(-1), uint16(0),
	}
	if err := equal(seen, expected); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE d")
}

func prepared(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE p (id bigint PRIMARY KEY, name text)"); err != nil {
		return err
	}
	if _, err := conn.Prepare(ctx, "put", "INSERT INTO p VALUES ($1, $2)"); err != nil {
		return err
	}
	for n := 0; n < 20; n++ {
		tag, err := conn.Exec(ctx, "put", n, fmt.Sprint("name ", n))
		if err != nil {
			return err
		}
		if err := equal(tag.String(), "INSERT 0 1"); err != nil {
			return err
		}
	}
	var name string
	if err := conn.QueryRow(ctx, "SELECT name FROM p WHERE id = $1", 7).Scan(&name); err != nil {
		return err
	}
	var count int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM p WHERE id = ANY($1)", []int64{1, 2, 99}).Scan(&count); err != nil {
		return err
	}
	if err := equal([]interface{}{name, count}, []interface{}{"name 7", 2}); err != nil {
		return err
	}
	if err := conn.Deallocate(ctx, "put"); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE p")
}

func transactions(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE x (id integer PRIMARY KEY)"); err != nil {
		return err
	}
	put := func(id int) func(pgx.Tx) error {
		return func(tx pgx.Tx) error { _, err := tx.Exec(ctx, "INSERT INTO x VALUES ($1)", id); return err }
	}
	if err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.Serializable}, put(1)); err != nil {
		return err
	}
	given := errors.New("given up")
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := put(2)(tx); err != nil {
			return err
		}
		return given
	})
	if err := equal(err, given); err != nil {
		return err
	}
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, put(3))
	if err := equal(state(err), "25006"); err != nil {
		return err
	}
	seen, err := numbers(ctx, conn, "SELECT id FROM x ORDER BY id")
	if err != nil {
		return err
	}
	if err := equal(seen, []int32{1}); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE x")
}

func savepoints(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE x (id integer PRIMARY KEY)"); err != nil {
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO x VALUES (1)"); err != nil {
		return err
	}
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	_, err = inner.Exec(ctx, "INSERT INTO x VALUES (1)")
	if err := equal(state(err), "23505"); err != nil {
		return err
	}
	_, err = inner.Exec(ctx, "SELECT 1")
	if err := equal(state(err), "25P02"); err != nil {
		return err
	}
	if err := inner.Rollback(ctx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO x VALUES (2)"); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	seen, err := numbers(ctx, conn, "SELECT id FROM x ORDER BY id")
	if err != nil {
		return err
	}
	if err := equal(seen, []int32{1, 2}); err != nil {
		return err
	}
	tx, err = conn.Begin(ctx)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "SELECT 1/0")
	if err := equal([]string{state(err), fmt.Sprint(conn.PgConn().TxStatus())}, []string{"22012", fmt.Sprint(byte('E'))}); err != nil {
		return err
	}
	if err := equal(tx.Commit(ctx), pgx.ErrTxCommitRollback); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE x")
}

func copyBinary(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE cb (id integer PRIMARY KEY, name text, at timestamptz, f double precision)"); err != nil {
		return err
	}
	when := time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)
	source := pgx.CopyFromSlice(1000, func(n int) ([]interface{}, error) { return []interface{}{n, fmt.Sprint("name ", n), when, 0.5}, nil })
	count, err := conn.CopyFrom(ctx, pgx.Identifier{"cb"}, []string{"id", "name", "at", "f"}, source)
	if err != nil {
		return err
	}
	var rows int64
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM cb WHERE at = $1", when).Scan(&rows); err != nil {
		return err
	}
	if err := equal([]int64{count, rows}, []int64{1000, 1000}); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE cb")
}

func copyText(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE c (id integer PRIMARY KEY, name text)"); err != nil {
		return err
	}
	tag, err := conn.PgConn().CopyFrom(ctx, bytes.NewBufferString("1,a\n2,\n"), "COPY c FROM STDIN (FORMAT csv)")
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(ctx, &out, "COPY (SELECT * FROM c ORDER BY id) TO STDOUT"); err != nil {
		return err
	}
	if err := equal([]string{tag.String(), out.String()}, []string{"COPY 2", "1\ta\n2\t\\N\n"}); err != nil {
		return err
	}
	_, err = conn.PgConn().CopyFrom(ctx, bytes.NewBufferString("x,a\n"), "COPY c FROM STDIN (FORMAT csv)")
	if err := equal(state(err), "22P02"); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE c")
}

func batches(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE l (id integer PRIMARY KEY)"); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for n := 0; n < 50; n++ {
		batch.Queue("INSERT INTO l VALUES ($1)", n)
	}
	var sum int64
	batch.Queue("SELECT sum(id) FROM l").QueryRow(func(row pgx.Row) error { return row.Scan(&sum) })
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	broken := &pgx.Batch{}
	broken.Queue("INSERT INTO l VALUES (100)")
	broken.Queue("INSERT INTO l VALUES (1)")
	broken.Queue("INSERT INTO l VALUES (101)")
	code := state(conn.SendBatch(ctx, broken).Close())
	seen, err := numbers(ctx, conn, "SELECT count(*)::int FROM l")
	if err != nil {
		return err
	}
	if err := equal([]interface{}{sum, code, seen}, []interface{}{int64(1225), "23505", []int32{50}}); err != nil {
		return err
	}
	pipeline := conn.PgConn().StartPipeline(ctx)
	for n := 0; n < 3; n++ {
		pipeline.SendQueryParams("SELECT $1::int", [][]byte{[]byte(fmt.Sprint(n))}, nil, nil, nil)
		if err := pipeline.Sync(); err != nil {
			return err
		}
	}
	var answers []string
	for len(answers) < 3 {
		result, err := pipeline.GetResults()
		if err != nil {
			return err
		}
		if reader, ok := result.(*pgconn.ResultReader); ok {
			answers = append(answers, string(reader.Read().Rows[0][0]))
		}
	}
	if err := pipeline.Close(); err != nil {
		return err
	}
	if err := equal(answers, []string{"0", "1", "2"}); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE l")
}

func cursors(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "DECLARE c CURSOR FOR SELECT n FROM generate_series(1, $1::int) AS n", 10); err != nil {
		return err
	}
	first, err := numbers(ctx, conn, "FETCH 3 FROM c")
	if err != nil {
		return err
	}
	rest, err := numbers(ctx, conn, "FETCH ALL FROM c")
	if err != nil {
		return err
	}
	return equal([]interface{}{first, len(rest)}, []interface{}{[]int32{1, 2, 3}, 7})
}

func refused(ctx context.Context, conn *pgx.Conn) error {
	err := run(ctx, conn, "CREATE TABLE city (id integer PRIMARY KEY)",
		`CREATE TABLE person (id serial PRIMARY KEY, email text NOT NULL CONSTRAINT person_email_once UNIQUE,
			age integer CONSTRAINT person_age_positive CHECK (age > 0), city_id integer CONSTRAINT person_lives_in REFERENCES city)`,
		"INSERT INTO person (email) VALUES ('a')")
	if err != nil {
		return err
	}
	for _, one := range [][]string{
		{"INSERT INTO person (email) VALUES ('a')", "23505", "person", "", "person_email_once"},
		{"INSERT INTO person (age) VALUES (1)", "23502", "person", "email", ""},
		{"INSERT INTO person (email, age) VALUES ('b', 0)", "23514", "person", "", "person_age_positive"},
		{"INSERT INTO person (email, city_id) VALUES ('b', 1)", "23503", "person", "", "person_lives_in"},
		{"SELECT * FROM missing", "42P01", "", "", ""},
		{"SELECT 'x'::int", "22P02", "", "", ""},
	} {
		_, err := conn.Exec(ctx, one[0])
		var refused *pgconn.PgError
		if !errors.As(err, &refused) {
			return fmt.Errorf("%s: %v", one[0], err)
		}
		seen := []string{one[0], refused.Code, refused.TableName, refused.ColumnName, refused.ConstraintName}
		if err := equal(seen, one); err != nil {
			return err
		}
	}
	return run(ctx, conn, "DROP TABLE person", "DROP TABLE city")
}

func cancelled(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "SET statement_timeout = 200"); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, long)
	if err := equal(state(err), "57014"); err != nil {
		return err
	}
	if err := run(ctx, conn, "SET statement_timeout = 0"); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { _, err := conn.Exec(ctx, long); ended <- err }()
	// A request that comes before the query has begun is forgotten, as by Postgres, so it is made until one counts.
	for {
		if err := conn.PgConn().CancelRequest(ctx); err != nil {
			return err
		}
		select {
		case err := <-ended:
			return equal(state(err), "57014")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func notify(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "LISTEN news", "SELECT pg_notify('news', 'hot')"); err != nil {
		return err
	}
	heard, err := conn.WaitForNotification(ctx)
	if err != nil {
		return err
	}
	return equal([]string{heard.Channel, heard.Payload}, []string{"news", "hot"})
}

func pool(ctx context.Context, _ *pgx.Conn) error {
	settings, err := pgxpool.ParseConfig("pool_max_conns=4")
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	answers := make(chan int, 40)
	failures := make(chan error, 40)
	for n := 0; n < 40; n++ {
		go func(n int) {
			var answer int
			if err := pool.QueryRow(ctx, "SELECT $1::int + 1", n).Scan(&answer); err != nil {
				failures <- err
				return
			}
			answers <- answer
		}(n)
	}
	sum := 0
	for n := 0; n < 40; n++ {
		select {
		case answer := <-answers:
			sum += answer
		case err := <-failures:
			return err
		}
	}
	return equal(sum, 820)
}

func reflection(ctx context.Context, conn *pgx.Conn) error {
	if err := run(ctx, conn, "CREATE TABLE r (id integer PRIMARY KEY, name varchar(7) NOT NULL DEFAULT 'x', n numeric(9,3)[])"); err != nil {
		return err
	}
	// What pgx itself asks to learn a type by name.
	loaded, err := conn.LoadType(ctx, "_numeric")
	if err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attndims::int
		FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 ORDER BY a.attnum`, "r")
	if err != nil {
		return err
	}
	var seen []string
	for rows.Next() {
		var name, kind string
		var filled bool
		var dimensions int
		if err := rows.Scan(&name, &kind, &filled, &dimensions); err != nil {
			return err
		}
		seen = append(seen, fmt.Sprint(name, " ", kind, " ", filled, " ", dimensions))
	}
	expected := []string{"id integer true 0", "name character varying(7) true 0", "n numeric(9,3)[] false 1"}
	if err := equal(append(seen, fmt.Sprint(loaded.OID)), append(expected, "1231")); err != nil {
		return err
	}
	return run(ctx, conn, "DROP TABLE r")
}
