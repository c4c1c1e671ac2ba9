//! Twenty analytical queries over a million rows, the same text for both servers.
//!
//! Q1: every query answers few rows and reads many; its answer is compared between the rounds, and between the servers where nothing in it depends
//!     on the order in which floats are added.

/// Makes the tables: `facts` is the large one.
pub const TABLES: [&str; 3] = [
    "CREATE TABLE places (id int PRIMARY KEY, name text NOT NULL, area int NOT NULL)",
    "CREATE TABLE people_of (id int PRIMARY KEY, place int NOT NULL, born int NOT NULL, name text NOT NULL)",
    "CREATE TABLE facts (id bigint PRIMARY KEY, person int NOT NULL, kind int NOT NULL, amount bigint NOT NULL, rate double precision NOT NULL, \
     day int NOT NULL, note text)",
];

/// Fills them; `{rows}` stands for the number of facts.
pub const ROWS: [&str; 3] = [
    "INSERT INTO places SELECT g, 'place ' || CAST(g AS text), g % 17 FROM generate_series(1, 500) AS s(g)",
    "INSERT INTO people_of SELECT g, g % 500 + 1, 1930 + g % 80, 'person ' || CAST(g AS text) FROM generate_series(1, 50000) AS s(g)",
    "INSERT INTO facts SELECT g, g * 7919 % 50000 + 1, g % 12, g * 104729 % 100003, CAST(g * 31 % 1000 AS double precision) / 8, g % 1461, \
     CASE WHEN g % 5 = 0 THEN NULL ELSE 'note ' || CAST(g % 97 AS text) END \
     FROM (SELECT CAST(n AS bigint) AS g FROM generate_series(1, {rows}) AS s(n)) AS numbers",
];

/// The queries.
pub const QUERIES: [&str; 20] = [
    "SELECT count(*), sum(amount), min(rate), max(rate) FROM facts",
    "SELECT kind, count(*), sum(amount) FROM facts GROUP BY kind ORDER BY kind",
    "SELECT count(*) FROM facts WHERE amount > 50000 AND kind IN (1, 4, 7)",
    "SELECT day, sum(amount) AS total FROM facts GROUP BY day ORDER BY total DESC, day LIMIT 10",
    "SELECT note, count(*) FROM facts WHERE note LIKE 'note 1%' GROUP BY note ORDER BY count(*) DESC, note LIMIT 20",
    "SELECT person, sum(amount) AS total FROM facts GROUP BY person ORDER BY total DESC, person LIMIT 10",
    "SELECT count(DISTINCT person) FROM facts WHERE kind = 3",
    "SELECT p.born, count(*) FROM facts f JOIN people_of p ON p.id = f.person GROUP BY p.born ORDER BY p.born LIMIT 20",
    "SELECT l.name, sum(f.amount) AS total FROM facts f JOIN people_of p ON p.id = f.person JOIN places l ON l.id = p.place \
     GROUP BY l.name ORDER BY total DESC, l.name LIMIT 10",
    "SELECT l.area, f.kind, count(*) FROM facts f JOIN people_of p ON p.id = f.person JOIN places l ON l.id = p.place \
     WHERE f.amount < 20000 GROUP BY l.area, f.kind ORDER BY 1, 2 LIMIT 30",
    "SELECT count(*) FROM people_of p WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.person = p.id AND f.amount > 99000)",
    "SELECT count(*) FROM facts f WHERE f.person IN (SELECT id FROM people_of WHERE born < 1940)",
    "SELECT sum(amount) FROM facts WHERE amount > (SELECT avg(amount) FROM facts)",
    "SELECT kind, max(amount) - min(amount), count(note) FROM facts WHERE day BETWEEN 366 AND 730 \
     GROUP BY kind HAVING count(*) > 10 ORDER BY kind",
    "SELECT sum(r) FROM (SELECT row_number() OVER (PARTITION BY kind ORDER BY amount, id) AS r FROM facts) AS x WHERE r <= 100",
    "SELECT kind, max(running) FROM (SELECT kind, sum(amount) OVER (PARTITION BY kind ORDER BY id) AS running FROM facts) AS x \
     GROUP BY kind ORDER BY kind",
    "SELECT count(*) FROM (SELECT id, rank() OVER (PARTITION BY person ORDER BY amount DESC, id) AS place FROM facts) AS x WHERE place = 1",
    "SELECT sum(d) FROM (SELECT amount - lag(amount) OVER (ORDER BY id) AS d FROM facts WHERE kind = 5) AS x",
    "SELECT day / 30 AS month, count(*), sum(CASE WHEN kind = 2 THEN amount ELSE 0 END) FROM facts GROUP BY 1 ORDER BY 1 LIMIT 12",
    "SELECT a.kind, b.kind, count(*) FROM facts a JOIN facts b ON a.id = b.id + 1 WHERE a.amount > b.amount GROUP BY a.kind, b.kind \
     ORDER BY 3 DESC, 1, 2 LIMIT 10",
];
