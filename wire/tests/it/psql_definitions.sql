CREATE TABLE parent (id serial PRIMARY KEY, code varchar(10) NOT NULL UNIQUE, price numeric(10,2) DEFAULT 1.5 CHECK (price > 0), note text DEFAULT 'x',
    at timestamptz DEFAULT now(), n int DEFAULT -1, ok boolean DEFAULT true, day date DEFAULT CURRENT_DATE, CONSTRAINT two CHECK (n <> 5 AND code <> 'no'));
CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pid int REFERENCES parent ON DELETE CASCADE, code varchar(10) REFERENCES parent (code),
    x int, y int, UNIQUE (x, y), CHECK (x IN (1, 2, 3)), CHECK (y BETWEEN 1 AND 9 OR y IS NULL));
CREATE INDEX ON child (pid);
CREATE INDEX named ON child (x DESC, y);
CREATE VIEW dear AS SELECT id, code AS c FROM parent WHERE price > 2;
CREATE SEQUENCE odd START 5 INCREMENT BY 2;
COMMENT ON TABLE parent IS 'the parents';
COMMENT ON COLUMN parent.code IS 'its code';
ALTER TABLE child ADD COLUMN late text DEFAULT 'then';
