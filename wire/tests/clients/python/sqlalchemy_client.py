"""SQLAlchemy 2 over psycopg: tables made from metadata, the ORM, and reflection of what a stranger made."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Optional
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

from checks import check, equal, raises, run
from schema import TABLES


def engine(**options):
    url = sa.URL.create("postgresql+psycopg", query={"options": "-c timezone=UTC"})
    return sa.create_engine(url, **options)


class connect:
    """An engine of its own for each check."""

    def __enter__(self):
        self.engine = engine()
        return self.engine

    def __exit__(self, *_):
        self.engine.dispose()


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)
    born: Mapped[Optional[date]]
    books: Mapped[list["Book"]] = relationship(back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text, index=True)
    price: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2), server_default="0")
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("author.id", ondelete="CASCADE"))
    author: Mapped[Author] = relationship(back_populates="books")
    __table_args__ = (sa.CheckConstraint("price >= 0", name="book_price_not_negative"), sa.UniqueConstraint("author_id", "title", name="book_once"))


@check("tables and ORM")
def orm(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        ada = Author(name="Ada", born=date(1815, 12, 10), books=[Book(title="Notes", price=Decimal("9.50")), Book(title="Letters")])
        session.add_all([ada, Author(name="Bo")])
        session.commit()
        equal(ada.books[1].price, Decimal("0.00"))
        found = session.scalars(sa.select(Author).options(selectinload(Author.books)).order_by(Author.name)).all()
        equal([(a.name, sorted(b.title for b in a.books)) for a in found], [("Ada", ["Letters", "Notes"]), ("Bo", [])])
        joined = session.scalars(sa.select(Book).options(joinedload(Book.author)).where(Book.title.ilike("note%"))).unique().one()
        equal(joined.author.born, date(1815, 12, 10))
        counts = session.execute(sa.select(Author.name, sa.func.count(Book.id)).outerjoin(Book).group_by(Author.name).order_by(Author.name)).all()
        equal([tuple(row) for row in counts], [("Ada", 2), ("Bo", 0)])
        joined.price += 1
        session.flush()
        session.rollback()
        equal(session.get(Book, joined.id).price, Decimal("9.50"))
        with session.begin_nested():
            session.execute(sa.update(Book).values(price=Book.price + 1))
        session.commit()
        try:
            with session.begin_nested():
                session.add(Author(name="Ada"))
                session.flush()
        except sa.exc.IntegrityError as error:
            equal((error.orig.sqlstate, error.orig.diag.constraint_name), ("23505", "author_name_key"))
        session.delete(session.scalars(sa.select(Author).where(Author.name == "Ada")).one())
        session.commit()
        equal(session.scalar(sa.select(sa.func.count()).select_from(Book)), 0)
    Base.metadata.drop_all(engine)


@check("core statements")
def core(engine):
    metadata = sa.MetaData()
    t = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text), sa.Column("n", sa.BigInteger))
    metadata.create_all(engine)
    with engine.begin() as connection:
        result = connection.execute(t.insert().returning(t.c.id, sort_by_parameter_order=True), [{"name": f"n{i}", "n": i} for i in range(250)])
        equal(len(result.all()), 250)
        upsert = pg.insert(t).values(id=1, name="again", n=-1)
        connection.execute(upsert.on_conflict_do_update(index_elements=[t.c.id], set_={"n": upsert.excluded.n}))
        equal(connection.scalar(sa.select(t.c.n).where(t.c.id == 1)), -1)
        ranked = sa.select(t.c.id, sa.func.row_number().over(order_by=t.c.n.desc()).label("rank")).subquery()
        equal(connection.execute(sa.select(ranked.c.rank).where(ranked.c.id == 250)).scalar_one(), 1)
        recent = sa.select(t.c.n).where(t.c.id.in_([2, 3, 4])).cte("recent")
        equal(connection.scalar(sa.select(sa.func.sum(recent.c.n))), Decimal(6))
        equal(connection.scalars(sa.select(t.c.id).where(t.c.name.is_distinct_from("n3")).order_by(t.c.id).limit(2).offset(1)).all(), [2, 3])
        equal(connection.execute(t.delete().where(t.c.n > 100)).rowcount, 149)
        equal(connection.scalar(sa.text("SELECT :a || :b"), {"a": "x", "b": "y"}), "xy")
    with engine.connect().execution_options(yield_per=40) as connection:
        equal(sum(row.n for row in connection.execute(sa.select(t.c.n))), sum(range(101)) - 1)
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        equal(connection.get_isolation_level(), "SERIALIZABLE")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(t.delete())
    metadata.drop_all(engine)


@check("every type")
def types(engine):
    metadata = sa.MetaData()
    values = {
        "b": (sa.Boolean, True),
        "i2": (sa.SmallInteger, -1),
        "i8": (sa.BigInteger, 2**40),
        "f4": (sa.REAL, 1.5),
        "f8": (sa.Double, 0.1),
        "n": (sa.Numeric, Decimal("12.345")),
        "nm": (sa.Numeric(9, 3), Decimal("0.125")),
        "vc": (sa.String(9), "varchar"),
        "c": (sa.CHAR(4), "ab  "),
        "t": (sa.Text, "żółw"),
        "by": (sa.LargeBinary, b"\x00\xff"),
        "d": (sa.Date, date(2024, 2, 29)),
        "tm": (sa.Time, time(1, 2, 3, 4)),
        "ts": (sa.DateTime, datetime(2024, 2, 29, 1, 2, 3, 4)),
        "tz": (sa.DateTime(timezone=True), datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=timezone.utc)),
        "iv": (sa.Interval, timedelta(days=2, seconds=3)),
        "u": (sa.Uuid, UUID(int=7)),
        "j": (sa.JSON, {"b": 1, "a": [None]}),
        "jb": (pg.JSONB, {"a": [1, {"x": "y"}]}),
        "ai": (pg.ARRAY(sa.Integer), [1, None, 3]),
        "at": (pg.ARRAY(sa.Text), ["a b", 'q"q']),
    }
    table = sa.Table("every", metadata, sa.Column("id", sa.Integer, primary_key=True), *[sa.Column(n, kind) for n, (kind, _) in values.items()])
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"id": 1, **{n: v for n, (_, v) in values.items()}}, {"id": 2, **{n: None for n in values}}])
        row = connection.execute(sa.select(table).where(table.c.id == 1)).mappings().one()
        for name, (_, value) in values.items():
            equal((name, row[name]), (name, value))
        equal(set(connection.execute(sa.select(table).where(table.c.id == 2)).one()[1:]) - {None}, set())
        equal(connection.scalar(sa.select(table.c.jb["a"][1]["x"].astext).where(table.c.id == 1)), "y")
        equal(connection.scalar(sa.select(table.c.id).where(table.c.jb.contains({"a": [1]}))), 1)
        equal(connection.scalar(sa.select(table.c.id).where(sa.any_(table.c.ai) == 3)), 1)
    reflected = sa.Table("every", sa.MetaData(), autoload_with=engine)
    seen = {c.name: str(c.type.compile(dialect=engine.dialect)) for c in reflected.columns}
    expected = {c.name: str(c.type.compile(dialect=engine.dialect)) for c in table.columns}
    equal(seen, expected)
    metadata.drop_all(engine)


@check("reflection")
def reflection(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLES)
        connection.exec_driver_sql("COMMENT ON TABLE person IS 'people'; COMMENT ON COLUMN person.email IS 'where to write'")
        connection.exec_driver_sql("CREATE VIEW adult AS SELECT id, email FROM person WHERE age >= 18")
    inspector = sa.inspect(engine)
    equal(inspector.default_schema_name, "public")
    equal(sorted(inspector.get_table_names()), ["city", "person"])
    equal(inspector.get_view_names(), ["adult"])
    equal("public" in inspector.get_schema_names(), True)
    equal((inspector.has_table("person"), inspector.has_table("nobody")), (True, False))
    columns = [(c["name"], str(c["type"]), c["nullable"], c["default"], c.get("comment")) for c in inspector.get_columns("person")]
    expected = [
        ("id", "INTEGER", False, None, None), ("email", "TEXT", False, None, "where to write"), ("age", "INTEGER", True, "18", None),
        ("city_id", "INTEGER", True, None, None), ("balance", "NUMERIC(12, 2)", False, "0", None), ("born", "DATE", True, None, None),
        ("seen", "TIMESTAMP", True, None, None),
    ]
    equal(columns, expected)
    equal(inspector.get_columns("person")[0]["identity"]["always"], False)
    key = inspector.get_pk_constraint("person")
    equal((key["constrained_columns"], key["name"]), (["id"], "person_pkey"))
    foreign = [(f["name"], f["constrained_columns"], f["referred_table"], f["referred_columns"]) for f in inspector.get_foreign_keys("person")]
    equal(foreign, [("person_lives_in", ["city_id"], "city", ["id"])])
    unique = [(u["name"], u["column_names"]) for u in inspector.get_unique_constraints("person")]
    equal(unique, [("person_email_once", ["email"])])
    indexes = sorted((i["name"], i["column_names"], i["unique"]) for i in inspector.get_indexes("person"))
    equal(indexes, [("person_by_city", ["city_id", "born"], False), ("person_email_once", ["email"], True)])
    checks = [(c["name"], c["sqltext"]) for c in inspector.get_check_constraints("person")]
    equal(checks, [("person_age_positive", "age > 0")])
    equal(inspector.get_table_comment("person"), {"text": "people"})
    metadata = sa.MetaData()
    metadata.reflect(engine)
    equal(sorted(metadata.tables), ["city", "person"])
    person = metadata.tables["person"]
    equal([column.name for column in person.primary_key], ["id"])
    with engine.begin() as connection:
        joined = sa.select(person.c.email, metadata.tables["city"].c.name).join_from(person, metadata.tables["city"])
        equal([tuple(row) for row in connection.execute(joined)], [("ada@example.org", "London")])
        connection.exec_driver_sql("DROP VIEW adult")
    metadata.drop_all(engine)


@check("errors")
def errors(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE e (id integer PRIMARY KEY, name text NOT NULL)")
        connection.exec_driver_sql("INSERT INTO e VALUES (1, 'x')")

    def insert(*row):
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO e VALUES (:a, :b)"), {"a": row[0], "b": row[1]})

    equal(raises(sa.exc.IntegrityError, insert, 1, "y").orig.sqlstate, "23505")
    equal(raises(sa.exc.IntegrityError, insert, 2, None).orig.diag.column_name, "name")
    with engine.connect() as connection:
        equal(raises(sa.exc.ProgrammingError, connection.exec_driver_sql, "SELECT * FROM missing").orig.sqlstate, "42P01")
        equal(raises(sa.exc.DataError, sa.Connection.exec_driver_sql, engine.connect(), "SELECT 1/0").orig.sqlstate, "22012")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE e")


if __name__ == "__main__":
    run(f"SQLAlchemy {sa.__version__} (psycopg)", connect)
