CREATE TABLE person (id integer PRIMARY KEY, name varchar(40), a integer, b integer, gone timestamptz, ok boolean);
CREATE INDEX ON person (lower(name));
CREATE UNIQUE INDEX person_live ON person (name) WHERE gone IS NULL;
CREATE INDEX ON person ((a + b) DESC, upper(name), id);
CREATE INDEX person_ok ON person (id) INCLUDE (a, b) WHERE ok AND a > 0;
\d person
\d person_lower_idx
\d person_expr_upper_id_idx
\d person_ok
\d+ person_live
INSERT INTO person VALUES (1, 'Ann', 1, 2), (2, 'ann', 1, 2);
INSERT INTO person VALUES (3, 'Ann', 1, 2);
CREATE UNIQUE INDEX ON person (lower(name));
CREATE UNIQUE INDEX ON person ((a + b)) WHERE gone IS NULL;
DROP TABLE person;
