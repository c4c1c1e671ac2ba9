// pgjdbc: text at first, binary once a statement has been used often enough, and DatabaseMetaData.
//
// Output: a line «NAME VERSION», then `ok CHECK` or `failed CHECK: why` for each, and at the end `ok` alone if none failed.
// Every check has a connection of its own. The server is the one of the PG* environment.

import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.util.PGInterval;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Client {
    static final String LONG = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b";

    interface Check {
        void run(Connection connection) throws Exception;
    }

    static Connection connect(String... more) throws SQLException {
        Map<String, String> env = System.getenv();
        Properties properties = new Properties();
        properties.setProperty("user", env.get("PGUSER"));
        properties.setProperty("password", env.getOrDefault("PGPASSWORD", ""));
        properties.setProperty("sslmode", env.getOrDefault("PGSSLMODE", "prefer"));
        if (env.containsKey("PGSSLROOTCERT")) {
            properties.setProperty("sslrootcert", env.get("PGSSLROOTCERT"));
        }
        properties.setProperty("loginTimeout", "20");
        properties.setProperty("options", "-c TimeZone=UTC");
        for (int n = 0; n < more.length; n += 2) {
            properties.setProperty(more[n], more[n + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE"), properties);
    }

    static void equal(Object seen, Object expected) {
        if (!Objects.deepEquals(seen, expected)) {
            throw new AssertionError(shown(seen) + " is not " + shown(expected));
        }
    }

    static String shown(Object value) {
        return value instanceof Object[] all ? Arrays.deepToString(all) : String.valueOf(value);
    }

    /** The SQLSTATE that the work must end with. */
    static PSQLException refused(Connection connection, String statement) throws SQLException {
        try (Statement s = connection.createStatement()) {
            s.execute(statement);
        } catch (PSQLException error) {
            return error;
        }
        throw new AssertionError("not refused: " + statement);
    }

    static void execute(Connection connection, String... statements) throws SQLException {
        try (Statement s = connection.createStatement()) {
            for (String one : statements) {
                s.execute(one);
            }
        }
    }

    /** The rows, each a list of its values as text. */
    static List<List<String>> rows(ResultSet result, String... columns) throws SQLException {
        List<List<String>> rows = new ArrayList<>();
        while (result.next()) {
            List<String> row = new ArrayList<>();
            for (String column : columns) {
                row.add(result.getString(column));
            }
            rows.add(row);
        }
        return rows;
    }

    static List<List<String>> ask(Connection connection, String query, String... columns) throws SQLException {
        try (Statement s = connection.createStatement(); ResultSet result = s.executeQuery(query)) {
            return rows(result, columns);
        }
    }

    static final OffsetDateTime WHEN = OffsetDateTime.of(2024, 2, 29, 12, 34, 56, 789012000, ZoneOffset.UTC);

    /** Type, value, class to read it as, text. */
    static final Object[][] TYPES = {
        {"boolean", true, Boolean.class, "true"},
        {"smallint", (short) -32768, Short.class, "-32768"},
        {"integer", 2147483647, Integer.class, "2147483647"},
        {"bigint", Long.MIN_VALUE, Long.class, "-9223372036854775808"},
        {"real", 1.5f, Float.class, "1.5"},
        {"double precision", -1e300, Double.class, "-1e+300"},
        {"numeric", new BigDecimal("-12345678901234567890.0123456789"), BigDecimal.class, "-12345678901234567890.0123456789"},
        {"numeric(10,2)", new BigDecimal("0.10"), BigDecimal.class, "0.10"},
        {"text", "żółw 🦀 'x' \\", String.class, "żółw 🦀 'x' \\"},
        {"varchar(20)", "varchar", String.class, "varchar"},
        {"char(5)", "ab   ", String.class, "ab"},
        {"date", LocalDate.of(2024, 2, 29), LocalDate.class, "2024-02-29"},
        {"time", LocalTime.of(23, 59, 59, 999999000), LocalTime.class, "23:59:59.999999"},
        {"timestamp", WHEN.toLocalDateTime(), LocalDateTime.class, "2024-02-29 12:34:56.789012"},
        {"timestamptz", WHEN, OffsetDateTime.class, "2024-02-29 12:34:56.789012+00"},
        {"uuid", UUID.fromString("6f9619ff-8b86-d011-b42d-00cf4fc964ff"), UUID.class, "6f9619ff-8b86-d011-b42d-00cf4fc964ff"},
    };

    /** Inserts by parameter and reads often enough for the driver to change to a named statement and binary results. */
    static void type(Connection connection, int n, String type, Object value, Class<?> as, String text) throws Exception {
        execute(connection, "CREATE TABLE t" + n + " (id integer PRIMARY KEY, v " + type + ")");
        try (PreparedStatement put = connection.prepareStatement("INSERT INTO t" + n + " VALUES (?, ?)");
                PreparedStatement get = connection.prepareStatement("SELECT v, v::text AS text FROM t" + n + " WHERE id = ?")) {
            for (int id = 0; id < 8; id++) {
                put.setInt(1, id);
                put.setObject(2, value);
                equal(put.executeUpdate(), 1);
                get.setInt(1, id);
                try (ResultSet result = get.executeQuery()) {
                    equal(result.next(), true);
                    equal(result.getObject(1, as), value);
                    equal(result.getString(2), text);
                }
            }
            put.setInt(1, 99);
            put.setObject(2, null);
            put.executeUpdate();
            get.setInt(1, 99);
            try (ResultSet result = get.executeQuery()) {
                equal(result.next(), true);
                equal(Arrays.asList(result.getObject(1), result.wasNull()), Arrays.asList(null, true));
            }
        }
        execute(connection, "DROP TABLE t" + n);
    }

    /** Values that the driver has classes of its own for, or that are compared by their content. */
    static void other(Connection connection, String table, String type, Object value, String text, Check compare) throws Exception {
        execute(connection, "CREATE TABLE " + table + " (id integer PRIMARY KEY, v " + type + ")");
        try (PreparedStatement put = connection.prepareStatement("INSERT INTO " + table + " VALUES (?, ?)")) {
            for (int id = 0; id < 8; id++) {
                put.setInt(1, id);
                put.setObject(2, value);
                put.executeUpdate();
            }
        }
        equal(ask(connection, "SELECT DISTINCT v::text AS text FROM " + table, "text"), List.of(List.of(text)));
        compare.run(connection);
        execute(connection, "DROP TABLE " + table);
    }

    static Object object(Connection connection, String query) throws SQLException {
        try (PreparedStatement s = connection.prepareStatement(query)) {
            Object last = null;
            for (int n = 0; n < 8; n++) {
                try (ResultSet result = s.executeQuery()) {
                    equal(result.next(), true);
                    last = result.getObject(1);
                }
            }
            return last;
        }
    }

    static PGobject json(String type, String text) throws SQLException {
        PGobject object = new PGobject();
        object.setType(type);
        object.setValue(text);
        return object;
    }

    static Map<String, Check> checks() {
        Map<String, Check> all = new LinkedHashMap<>();
        for (int n = 0; n < TYPES.length; n++) {
            Object[] one = TYPES[n];
            int table = n;
            all.put("type " + one[0], c -> type(c, table, (String) one[0], one[1], (Class<?>) one[2], (String) one[3]));
        }
        byte[] bytes = {0, -1, 92};
        all.put("type bytea", c -> other(c, "o1", "bytea", bytes, "\\x00ff5c", d -> equal(object(d, "SELECT v FROM o1 LIMIT 1"), bytes)));
        all.put("type interval", c -> {
            PGInterval value = new PGInterval(1, 2, 3, 4, 5, 6);
            other(c, "o2", "interval", value, "1 year 2 mons 3 days 04:05:06", d -> equal(object(d, "SELECT v FROM o2 LIMIT 1"), value));
        });
        all.put("type json", c -> other(c, "o3", "json", json("json", "{\"a\": 1}"), "{\"a\": 1}",
                d -> equal(object(d, "SELECT v FROM o3 LIMIT 1"), json("json", "{\"a\": 1}"))));
        all.put("type jsonb", c -> other(c, "o4", "jsonb", json("jsonb", "{\"b\":1,\"a\":{}}"), "{\"a\": {}, \"b\": 1}",
                d -> equal(object(d, "SELECT v FROM o4 LIMIT 1"), json("jsonb", "{\"a\": {}, \"b\": 1}"))));
        all.put("type integer[]", c -> {
            Integer[] value = {1, null, 3};
            other(c, "o5", "integer[]", c.createArrayOf("int4", value), "{1,NULL,3}",
                    d -> equal(((Array) object(d, "SELECT v FROM o5 LIMIT 1")).getArray(), value));
        });
        all.put("type text[]", c -> {
            String[] value = {"a b", "q\"q", null, ""};
            other(c, "o6", "text[]", c.createArrayOf("text", value), "{\"a b\",\"q\\\"q\",NULL,\"\"}",
                    d -> equal(((Array) object(d, "SELECT v FROM o6 LIMIT 1")).getArray(), value));
        });
        all.put("column descriptions", Client::descriptions);
        all.put("prepared statements", Client::prepared);
        all.put("transactions", Client::transactions);
        all.put("savepoints and failed transactions", Client::savepoints);
        all.put("copy", Client::copy);
        all.put("fetch size", Client::fetchSize);
        all.put("batches", Client::batches);
        all.put("generated keys", Client::generatedKeys);
        all.put("errors", Client::errors);
        all.put("cancel and timeout", Client::cancel);
        all.put("listen and notify", Client::listen);
        all.put("metadata of the server", Client::serverMetadata);
        all.put("reflection", Client::metadata);
        return all;
    }

    static void descriptions(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE d (a integer NOT NULL, b varchar(7), c numeric(9,3), e timestamptz)");
        try (PreparedStatement s = connection.prepareStatement("SELECT a, b AS other, c, e, a + ? FROM d WHERE b = ?")) {
            ResultSetMetaData columns = s.getMetaData();
            List<String> seen = new ArrayList<>();
            for (int n = 1; n <= columns.getColumnCount(); n++) {
                seen.add(String.join(" ", columns.getColumnLabel(n), columns.getColumnTypeName(n), columns.getTableName(n), columns.getColumnName(n),
                        "" + columns.getPrecision(n), "" + columns.getScale(n), "" + columns.isNullable(n), "" + columns.isAutoIncrement(n)));
            }
            equal(seen, List.of("a int4 d a 10 0 0 false", "other varchar d other 7 0 1 false", "c numeric d c 9 3 1 false",
                    "e timestamptz d e 35 6 1 false", "?column? int4  ?column? 10 0 2 false"));
            equal(Arrays.asList(s.getParameterMetaData().getParameterTypeName(1), s.getParameterMetaData().getParameterTypeName(2)), List.of("int4", "text"));
        }
        execute(connection, "DROP TABLE d");
    }

    static void prepared(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE p (id bigint PRIMARY KEY, name text)");
        try (PreparedStatement put = connection.prepareStatement("INSERT INTO p VALUES (?, ?)");
                PreparedStatement get = connection.prepareStatement("SELECT name FROM p WHERE id = ANY (?) ORDER BY id")) {
            for (long id = 0; id < 20; id++) {
                put.setLong(1, id);
                put.setString(2, "name " + id);
                equal(put.executeUpdate(), 1);
            }
            get.setArray(1, connection.createArrayOf("bigint", new Long[] {3L, 5L, 99L}));
            equal(rows(get.executeQuery(), "name"), List.of(List.of("name 3"), List.of("name 5")));
        }
        execute(connection, "DROP TABLE p");
    }

    static void transactions(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE x (id integer PRIMARY KEY)");
        connection.setAutoCommit(false);
        execute(connection, "INSERT INTO x VALUES (1)");
        connection.commit();
        execute(connection, "INSERT INTO x VALUES (2)");
        connection.rollback();
        connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        equal(connection.getTransactionIsolation(), Connection.TRANSACTION_SERIALIZABLE);
        connection.rollback();
        connection.setReadOnly(true);
        equal(refused(connection, "INSERT INTO x VALUES (3)").getSQLState(), "25006");
        connection.rollback();
        connection.setReadOnly(false);
        connection.setAutoCommit(true);
        equal(ask(connection, "SELECT id FROM x", "id"), List.of(List.of("1")));
        execute(connection, "DROP TABLE x");
    }

    static void savepoints(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE x (id integer PRIMARY KEY)");
        connection.setAutoCommit(false);
        execute(connection, "INSERT INTO x VALUES (1)");
        Savepoint point = connection.setSavepoint("point");
        equal(refused(connection, "INSERT INTO x VALUES (1)").getSQLState(), "23505");
        equal(refused(connection, "SELECT 1").getSQLState(), "25P02");
        connection.rollback(point);
        execute(connection, "INSERT INTO x VALUES (2)");
        connection.releaseSavepoint(connection.setSavepoint());
        connection.commit();
        execute(connection, "INSERT INTO x VALUES (3)");
        refused(connection, "SELECT 1/0");
        try {
            connection.commit();
        } catch (SQLException error) {
            // Whether the driver tells of a commit that became a rollback depends on its settings.
            equal(error.getSQLState(), "25P02");
        }
        connection.setAutoCommit(true);
        equal(ask(connection, "SELECT id FROM x ORDER BY id", "id"), List.of(List.of("1"), List.of("2")));
        execute(connection, "DROP TABLE x");
    }

    static void copy(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE c (id integer PRIMARY KEY, name text)");
        var copies = connection.unwrap(PGConnection.class).getCopyAPI();
        equal(copies.copyIn("COPY c FROM STDIN (FORMAT csv)", new StringReader("1,\"a, b\"\n2,\n")), 2L);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        equal(copies.copyOut("COPY (SELECT * FROM c ORDER BY id) TO STDOUT", out), 2L);
        equal(out.toString(StandardCharsets.UTF_8), "1\ta, b\n2\t\\N\n");
        try {
            copies.copyIn("COPY c FROM STDIN", new StringReader("x\ty\n"));
            throw new AssertionError("a broken line was taken");
        } catch (SQLException error) {
            equal(error.getSQLState(), "22P02");
        }
        execute(connection, "DROP TABLE c");
    }

    static void fetchSize(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (PreparedStatement s = connection.prepareStatement("SELECT n FROM generate_series(1, ?) AS n")) {
            s.setFetchSize(33);
            s.setInt(1, 1000);
            long sum = 0;
            try (ResultSet result = s.executeQuery()) {
                while (result.next()) {
                    sum += result.getInt(1);
                }
            }
            equal(sum, 500500L);
            s.setMaxRows(5);
            equal(rows(s.executeQuery(), "n").size(), 5);
        }
        try (Statement s = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
                ResultSet result = s.executeQuery("SELECT n FROM generate_series(1, 10) AS n")) {
            result.absolute(7);
            equal(result.getInt(1), 7);
        }
        connection.rollback();
    }

    static void batches(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE l (id integer PRIMARY KEY, name text)");
        for (String rewrite : new String[] {"false", "true"}) {
            try (Connection own = connect("reWriteBatchedInserts", rewrite);
                    PreparedStatement put = own.prepareStatement("INSERT INTO l (id, name) VALUES (?, ?)")) {
                own.setAutoCommit(false);
                for (int n = 0; n < 100; n++) {
                    put.setInt(1, n + (rewrite.equals("true") ? 1000 : 0));
                    put.setString(2, "n");
                    put.addBatch();
                }
                equal(put.executeBatch().length, 100);
                own.commit();
            }
        }
        connection.setAutoCommit(false);
        try (Statement s = connection.createStatement()) {
            s.addBatch("INSERT INTO l VALUES (5000)");
            s.addBatch("INSERT INTO l VALUES (1)");
            s.executeBatch();
            throw new AssertionError("a key was taken twice");
        } catch (BatchUpdateException error) {
            equal(error.getSQLState(), "23505");
        }
        connection.rollback();
        connection.setAutoCommit(true);
        equal(ask(connection, "SELECT count(*) AS n FROM l", "n"), List.of(List.of("200")));
        execute(connection, "DROP TABLE l");
    }

    static void generatedKeys(Connection connection) throws Exception {
        execute(connection, "CREATE TABLE g (id serial PRIMARY KEY, name text)");
        try (PreparedStatement put = connection.prepareStatement("INSERT INTO g (name) VALUES (?), (?)", Statement.RETURN_GENERATED_KEYS)) {
            put.setString(1, "a");
            put.setString(2, "b");
            put.executeUpdate();
            equal(rows(put.getGeneratedKeys(), "id", "name"), List.of(List.of("1", "a"), List.of("2", "b")));
        }
        execute(connection, "DROP TABLE g");
    }

    static final String[] TABLES = {
        "CREATE TABLE city (id integer PRIMARY KEY, name varchar(40) NOT NULL UNIQUE)",
        "CREATE TABLE person (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, email text NOT NULL, "
                + "age integer DEFAULT 18 CONSTRAINT person_age_positive CHECK (age > 0), "
                + "city_id integer CONSTRAINT person_lives_in REFERENCES city (id) ON DELETE SET NULL, "
                + "balance numeric(12,2) NOT NULL DEFAULT 0, CONSTRAINT person_email_once UNIQUE (email))",
        "CREATE INDEX person_by_city ON person (city_id, age)",
        "CREATE VIEW adult AS SELECT id, email FROM person WHERE age >= 18",
        "COMMENT ON TABLE person IS 'people'",
        "INSERT INTO city VALUES (1, 'Turin')",
        "INSERT INTO person (email, city_id) VALUES ('ada@example.org', 1)",
    };

    static void dropTables(Connection connection) throws SQLException {
        execute(connection, "DROP VIEW adult", "DROP TABLE person", "DROP TABLE city");
    }

    static void errors(Connection connection) throws Exception {
        execute(connection, TABLES);
        String[][] all = {
            {"INSERT INTO person (email) VALUES ('ada@example.org')", "23505", "person", null, "person_email_once"},
            {"INSERT INTO person (age) VALUES (1)", "23502", "person", "email", null},
            {"INSERT INTO person (email, age) VALUES ('b', 0)", "23514", "person", null, "person_age_positive"},
            {"INSERT INTO person (email, city_id) VALUES ('b', 7)", "23503", "person", null, "person_lives_in"},
            {"SELECT * FROM missing", "42P01", null, null, null},
            {"SELECT 1/0", "22012", null, null, null},
        };
        for (String[] one : all) {
            PSQLException error = refused(connection, one[0]);
            ServerErrorMessage said = error.getServerErrorMessage();
            equal(new String[] {one[0], error.getSQLState(), said.getTable(), said.getColumn(), said.getConstraint()}, one);
        }
        equal(refused(connection, "SELECT * FROM missing").getServerErrorMessage().getPosition(), 15);
        dropTables(connection);
    }

    static void cancel(Connection connection) throws Exception {
        try (Statement s = connection.createStatement()) {
            s.setQueryTimeout(1);
            s.execute(LONG);
            throw new AssertionError("no timeout");
        } catch (SQLException error) {
            equal(error.getSQLState(), "57014");
        }
        execute(connection, "SET statement_timeout = 200");
        equal(refused(connection, LONG).getSQLState(), "57014");
        execute(connection, "SET statement_timeout = 0");
        equal(ask(connection, "SELECT 1 AS one", "one"), List.of(List.of("1")));
    }

    static void listen(Connection connection) throws Exception {
        execute(connection, "LISTEN news", "NOTIFY news, 'hot'");
        PGNotification[] heard = connection.unwrap(PGConnection.class).getNotifications(20000);
        equal(List.of(heard[0].getName(), heard[0].getParameter()), List.of("news", "hot"));
    }

    static void serverMetadata(Connection connection) throws Exception {
        DatabaseMetaData server = connection.getMetaData();
        equal(List.of(server.getDatabaseProductName(), "" + server.getDatabaseMajorVersion()), List.of("PostgreSQL", "15"));
        equal(server.getMaxColumnNameLength(), 63);
        equal(connection.getSchema(), "public");
        equal(connection.isValid(10), true);
        boolean hasPublic = rows(server.getSchemas(), "TABLE_SCHEM").contains(List.of("public"));
        List<List<String>> types = rows(server.getTypeInfo(), "TYPE_NAME");
        equal(List.of(hasPublic, types.contains(List.of("jsonb")), types.contains(List.of("_int4"))), List.of(true, true, true));
        equal(rows(server.getTableTypes(), "TABLE_TYPE").contains(List.of("TABLE")), true);
        equal(rows(server.getCatalogs(), "TABLE_CAT").contains(List.of(System.getenv("PGDATABASE"))), true);
        equal(server.getFunctions(null, null, "no such function").next(), false);
        equal(server.getSQLKeywords().contains("ilike"), true);
    }

    static void metadata(Connection connection) throws Exception {
        execute(connection, TABLES);
        DatabaseMetaData server = connection.getMetaData();
        equal(rows(server.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME", "TABLE_TYPE", "REMARKS"),
                List.of(Arrays.asList("city", "TABLE", null), List.of("person", "TABLE", "people"), Arrays.asList("adult", "VIEW", null)));
        equal(rows(server.getColumns(null, "public", "person", "%"), "COLUMN_NAME", "TYPE_NAME", "COLUMN_SIZE", "IS_NULLABLE", "COLUMN_DEF", "IS_AUTOINCREMENT"),
                List.of(Arrays.asList("id", "int4", "10", "NO", null, "YES"), Arrays.asList("email", "text", "2147483647", "NO", null, "NO"),
                        List.of("age", "int4", "10", "YES", "18", "NO"), Arrays.asList("city_id", "int4", "10", "YES", null, "NO"),
                        List.of("balance", "numeric", "12", "NO", "0", "NO")));
        equal(rows(server.getPrimaryKeys(null, "public", "person"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"), List.of(List.of("id", "1", "person_pkey")));
        List<List<String>> foreign = List.of(List.of("city", "id", "person", "city_id", "1", "3", "2", "person_lives_in", "city_pkey"));
        String[] columns = {"PKTABLE_NAME", "PKCOLUMN_NAME", "FKTABLE_NAME", "FKCOLUMN_NAME", "KEY_SEQ", "UPDATE_RULE", "DELETE_RULE", "FK_NAME", "PK_NAME"};
        equal(rows(server.getImportedKeys(null, "public", "person"), columns), foreign);
        equal(rows(server.getExportedKeys(null, "public", "city"), columns), foreign);
        equal(rows(server.getIndexInfo(null, "public", "person", false, false), "NON_UNIQUE", "INDEX_NAME", "ORDINAL_POSITION", "COLUMN_NAME"),
                List.of(List.of("f", "person_email_once", "1", "email"), List.of("f", "person_pkey", "1", "id"),
                        List.of("t", "person_by_city", "1", "city_id"), List.of("t", "person_by_city", "2", "age")));
        equal(rows(server.getBestRowIdentifier(null, "public", "person", DatabaseMetaData.bestRowSession, false), "COLUMN_NAME"), List.of(List.of("id")));
        equal(rows(server.getColumnPrivileges(null, "public", "person", "email"), "PRIVILEGE").contains(List.of("SELECT")), true);
        equal(rows(server.getTablePrivileges(null, "public", "person"), "PRIVILEGE").contains(List.of("SELECT")), true);
        dropTables(connection);
    }

    public static void main(String[] args) throws Exception {
        System.out.println("pgjdbc " + org.postgresql.util.DriverInfo.DRIVER_VERSION + " (Java " + System.getProperty("java.version") + ")");
        int failed = 0;
        for (Map.Entry<String, Check> check : checks().entrySet()) {
            try (Connection connection = connect()) {
                check.getValue().run(connection);
                System.out.println("ok " + check.getKey());
            } catch (Exception | AssertionError error) {
                failed++;
                System.out.println("failed " + check.getKey() + ": " + String.valueOf(error.getMessage()).replaceAll("\\s+", " "));
            }
        }
        if (failed > 0) {
            System.exit(1);
        }
        System.out.println("ok");
    }
}
