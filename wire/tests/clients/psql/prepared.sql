CREATE TABLE p (id integer PRIMARY KEY, name text);
PREPARE put (integer, text) AS INSERT INTO p VALUES ($1, $2);
EXECUTE put (1, 'one');
EXECUTE put (2, NULL);
PREPARE get AS SELECT name FROM p WHERE id = $1;
EXECUTE get (1);
DEALLOCATE get;
EXECUTE get (1);
SELECT id, name FROM p ORDER BY id \gdesc
SELECT format('SELECT %s AS n', id) FROM p ORDER BY id \gexec
SELECT max(id) AS greatest FROM p \gset
\echo :greatest
SELECT id, name FROM p ORDER BY id \crosstabview id name id
DROP TABLE p;
