CREATE TABLE city (id integer PRIMARY KEY, name varchar(10) NOT NULL UNIQUE);
INSERT INTO city VALUES (1, 'Turin');
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
INSERT INTO city VALUES (1, 'Rome');
INSERT INTO city VALUES (2, 'Turin');
INSERT INTO city VALUES (2, NULL);
INSERT INTO city VALUES (2, 'more than ten');
\set VERBOSITY default
INSERT INTO city VALUES (1, 'Rome');
INSERT INTO city VALUES (2, NULL);
SELECT nam FROM city;
SELECT * FROM cities;
SELEC 1;
SELECT 1 +;
SELECT 1/0;
SELECT 'x'::integer;
DROP TABLE IF EXISTS nothing_of_the_kind;
DROP TABLE nothing_of_the_kind;
DROP TABLE city;
