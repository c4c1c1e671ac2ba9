// pgx, with its own protocol (binary, described and cached statements) and through the simple protocol.
//
// Output: a line «NAME VERSION», then `ok CHECK` or `failed CHECK: why` for each, and at the end `ok` alone if none failed.
// Every check has a connection of its own. The server is the one of the PG* environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

const long = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"

type check struct {
	name string
	run  func(context.Context, *pgx.Conn) error
}

func config() *pgx.ConnConfig {
	config, err := pgx.ParseConfig("")
	if err != nil {
		fmt.Println("failed to read the environment:", err)
		os.Exit(1)
	}
	config.RuntimeParams["timezone"] = "UTC"
	return config
}

func equal(seen, expected interface{}) error {
	if !reflect.DeepEqual(seen, expected) {
		return fmt.Errorf("%#v is not %#v", seen, expected)
	}
	return nil
}

// inUTC gives times the zone that the values to compare with have; the driver reads them in the machine's.
func inUTC(value interface{}) interface{} {
	switch value := value.(type) {
	case time.Time:
		return value.UTC()
	case []interface{}:
		for n := range value {
			value[n] = inUTC(value[n])
		}
	}
	return value
}

// state is the SQLSTATE of an error, or what else it is.
func state(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return fmt.Sprint(err)
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/jackc/pgx/v5" {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return "?"
}

func main() {
	fmt.Printf("pgx %s (%s)\n", version(), runtime.Version())
	failed := 0
	for _, one := range append(typeChecks(), checks...) {
		if err := attempt(one); err != nil {
			failed++
			fmt.Printf("failed %s: %s\n", one.name, strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Printf("ok %s\n", one.name)
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
	fmt.Println("ok")
}

func attempt(one check) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return one.run(ctx, conn)
}

// A type, a value for it, and its text.
type typed struct {
	name  string
	value interface{}
	text  string
}

func values() []typed {
	uuid := [16]byte{0x6f, 0x96, 0x19, 0xff, 0x8b, 0x86, 0xd0, 0x11, 0xb4, 0x2d, 0, 0xcf, 0x4f, 0xc9, 0x64, 0xff}
	when := time.Date(2024, 2, 29, 12, 34, 56, 789012000, time.UTC)
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	return []typed{
		{"boolean", true, "true"},
		{"smallint", int16(-32768), "-32768"},
		{"integer", int32(2147483647), "2147483647"},
		{"bigint", int64(-9223372036854775808), "-9223372036854775808"},
		{"real", float32(1.5), "1.5"},
		{"double precision", -1e300, "-1e+300"},
		{"text", "żółw 🦀 'x' \\", "żółw 🦀 'x' \\"},
		{"varchar(20)", "varchar", "varchar"},
		{"char(5)", "ab   ", "ab"},
		{"bytea", []byte{0, 255, 92}, "\\x00ff5c"},
		{"date", day, "2024-02-29"},
		{"timestamp", when, "2024-02-29 12:34:56.789012"},
		{"timestamptz", when, "2024-02-29 12:34:56.789012+00"},
		{"time", pgtype.Time{Microseconds: 86399999999, Valid: true}, "23:59:59.999999"},
		{"interval", pgtype.Interval{Months: 14, Days: 3, Microseconds: 14706000000, Valid: true}, "1 year 2 mons 3 days 04:05:06"},
		{"uuid", uuid, "6f9619ff-8b86-d011-b42d-00cf4fc964ff"},
		{"json", map[string]interface{}{"a": []interface{}{1.0, nil}}, `{"a":[1,null]}`},
		{"jsonb", map[string]interface{}{"b": 1.0, "a": map[string]interface{}{}}, `{"a": {}, "b": 1}`},
		{"integer[]", []interface{}{int32(1), nil, int32(3)}, "{1,NULL,3}"},
		{"text[]", []interface{}{"a b", "q\"q", nil, ""}, `{"a b","q\"q",NULL,""}`},
		{"boolean[]", []interface{}{true, false}, "{t,f}"},
		{"bigint[]", []interface{}{int64(1099511627776)}, "{1099511627776}"},
		{"double precision[]", []interface{}{0.5}, "{0.5}"},
		{"uuid[]", []interface{}{uuid}, "{6f9619ff-8b86-d011-b42d-00cf4fc964ff}"},
		{"timestamptz[]", []interface{}{when}, `{"2024-02-29 12:34:56.789012+00"}`},
	}
}

func typeChecks() []check {
	var all []check
	for n, one := range values() {
		one, table := one, fmt.Sprintf("t%d", n)
		all = append(all, check{"type " + one.name, func(ctx context.Context, conn *pgx.Conn) error {
			if _, err := conn.Exec(ctx, fmt.Sprintf("CREATE TABLE %s (id integer PRIMARY KEY, v %s)", table, one.name)); err != nil {
				return err
			}
			modes := []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol}
			for id, mode := range modes {
				parameter := one.value
				// Without a description the driver cannot know what a list is to become, so it is given the text.
				if mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeSimpleProtocol {
					parameter = one.text
				}
				if _, err := conn.Exec(ctx, fmt.Sprintf("INSERT INTO %s VALUES ($1, $2)", table), mode, id, parameter); err != nil {
					return fmt.Errorf("insert, %v: %w", mode, err)
				}
				var text string
				var null interface{}
				query := fmt.Sprintf("SELECT v, v::text, NULL::%s FROM %s WHERE id = $1", one.name, table)
				rows, err := conn.Query(ctx, query, mode, id)
				if err != nil {
					return err
				}
				for rows.Next() {
					seen, err := rows.Values()
					if err != nil {
						return err
					}
					if err := equal(inUTC(seen[0]), one.value); err != nil {
						return fmt.Errorf("%v: %w", mode, err)
					}
					text, null = seen[1].(string), seen[2]
				}
				if err := rows.Err(); err != nil {
					return err
				}
				if err := equal([]interface{}{text, null}, []interface{}{one.text, nil}); err != nil {
					return fmt.Errorf("%v: %w", mode, err)
				}
			}
			_, err := conn.Exec(ctx, "DROP TABLE "+table)
			return err
		}})
	}
	all = append(all, check{"type numeric", func(ctx context.Context, conn *pgx.Conn) error {
		for _, text := range []string{"0.1", "-12345678901234567890.0123456789", "0", "1e3"} {
			var seen pgtype.Numeric
			if err := conn.QueryRow(ctx, "SELECT $1::text::numeric", text).Scan(&seen); err != nil {
				return err
			}
			var again string
			if err := conn.QueryRow(ctx, "SELECT $1::numeric::text", seen).Scan(&again); err != nil {
				return err
			}
			want := text
			if text == "1e3" {
				want = "1000"
			}
			if err := equal(again, want); err != nil {
				return err
			}
		}
		return nil
	}})
	return all
}
