CREATE TABLE every (
    b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, n numeric, nm numeric(12,3), t text, vc varchar(8), c char(4),
    by bytea, d date, tm time, ts timestamp, tz timestamptz, iv interval, u uuid, j json, jb jsonb, ai integer[], at text[], primary key (i4)
);
INSERT INTO every VALUES
    (true, 1, 2, 3, 1.5, 2.5, 3.14159, 2.7182, 'text', 'varchar', 'ch', '\x00ff', '2024-02-29', '12:34:56.7', '2024-02-29 12:34:56.789',
     '2024-02-29 12:34:56+02', '1 year 2 months 3 days 04:05:06', '6f9619ff-8b86-d011-b42d-00cf4fc964ff', '{"b": 1, "a": [null]}',
     '{"b": 1, "a": [null]}', '{1,NULL,3}', '{"a b",c,NULL,"\"q\""}'),
    (NULL, NULL, 3, NULL, 'NaN', '-Infinity', 'NaN', NULL, NULL, NULL, NULL, NULL, 'infinity', NULL, '-infinity', 'infinity', NULL, NULL, NULL,
     NULL, '{}', NULL);
\x on
SELECT * FROM every ORDER BY i4;
\x off
SELECT * FROM every \gdesc
SELECT jb -> 'a' AS arrow, jb ->> 'b' AS text_arrow, jb #> '{a,0}' AS path, jb @> '{"b": 1}' AS holds, jb ? 'b' AS has FROM every WHERE i4 = 2;
SELECT ai[1], at[2], 3 = ANY (ai) AS among, array_length(ai, 1), ai || 4 AS longer FROM every WHERE i4 = 2;
SELECT d + 1 AS next_day, ts + iv AS later, tz - interval '1 hour' AS earlier, age(ts, '2000-01-01') FROM every WHERE i4 = 2;
DROP TABLE every;
