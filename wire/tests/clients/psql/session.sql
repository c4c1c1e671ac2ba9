SELECT 1 AS one \; SELECT 2 AS two;
SET search_path = public, pg_catalog;
SHOW search_path;
RESET search_path;
SHOW search_path;
SELECT current_setting('search_path'), set_config('application_name', 'psql test', false);
SHOW application_name;
SET statement_timeout = '200ms';
SHOW statement_timeout;
SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b;
SET statement_timeout = 0;
SELECT current_user, session_user, current_schema, current_catalog = current_database() AS same;
\encoding
SELECT count(*) > 0 AS some FROM pg_stat_activity WHERE pid = pg_backend_pid();
