BEGIN;
DECLARE numbers CURSOR FOR SELECT n FROM generate_series(1, 10) AS n ORDER BY n;
FETCH 2 FROM numbers;
FETCH NEXT FROM numbers;
MOVE 3 IN numbers;
FETCH ALL FROM numbers;
CLOSE numbers;
FETCH numbers;
ROLLBACK;
\set FETCH_COUNT 3
SELECT n, n * n AS square FROM generate_series(1, 7) AS n;
\set FETCH_COUNT 0
