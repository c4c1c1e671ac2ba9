CREATE TABLE c (id integer PRIMARY KEY, name text, ok boolean);
COPY c FROM STDIN;
1	tab\there	t
2	\N	f
3	back\\slash	\N
\.
\copy c (id, name) from stdin (format csv, header)
id,name
4,"quoted ""x"", y"
\.
COPY (SELECT * FROM c ORDER BY id) TO STDOUT;
\copy (select id, name from c where id > 2 order by id) to stdout csv header
COPY (SELECT id FROM c ORDER BY id) TO STDOUT (FORMAT csv, HEADER);
COPY (SELECT id, name FROM c ORDER BY id DESC) TO STDOUT (DELIMITER '|', NULL 'none');
COPY c FROM STDIN;
x	y	t
\.
SELECT count(*) FROM c;
DROP TABLE c;
COPY missing FROM STDIN;
