"""Django: `inspectdb` over a stranger's tables, and models whose tables it makes itself."""

import io
import os

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "OPTIONS": {"connect_timeout": 20},
        }
    },
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["library"],
)
django.setup()

from datetime import datetime, timezone  # noqa: E402
from decimal import Decimal  # noqa: E402

from django.core.management import call_command  # noqa: E402
from django.db import DataError, IntegrityError, connection, models, transaction  # noqa: E402
from django.db.models import Count, F  # noqa: E402

from library.models import Shelf, Volume  # noqa: E402

from checks import check, equal, raises, run  # noqa: E402
from schema import TABLES  # noqa: E402


class connect:
    def __enter__(self):
        connection.close()
        return connection

    def __exit__(self, *_):
        connection.close()


def tables(cursor_connection):
    with cursor_connection.cursor() as cursor:
        cursor.execute(TABLES)


def drop(cursor_connection, *names):
    with cursor_connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE {name}")


@check("inspectdb")
def inspectdb(connection):
    tables(connection)
    out = io.StringIO()
    call_command("inspectdb", stdout=out)
    text = out.getvalue()
    for line in (
        "class City(models.Model):",
        "    name = models.CharField(unique=True, max_length=40)",
        "class Person(models.Model):",
        "    email = models.TextField(unique=True)",
        "    age = models.IntegerField(blank=True, null=True)",
        "    city = models.ForeignKey(City, models.DO_NOTHING, blank=True, null=True)",
        "    balance = models.DecimalField(max_digits=12, decimal_places=2)",
        "    born = models.DateField(blank=True, null=True)",
        "    seen = models.DateTimeField(blank=True, null=True)",
        "        db_table = 'person'",
    ):
        if line not in text.split("\n"):
            raise AssertionError(f"{line!r} is not in {text!r}")
    equal("# Unable to inspect" in text, False)
    drop(connection, "person", "city")


@check("introspection")
def introspection(connection):
    tables(connection)
    with connection.cursor() as cursor:
        seen = connection.introspection.get_constraints(cursor, "person")
        relations = connection.introspection.get_relations(cursor, "person")
        sequences = connection.introspection.get_sequences(cursor, "person")
        key = connection.introspection.get_primary_key_columns(cursor, "person")
    equal(relations, {"city_id": ("id", "city")})
    equal(key, ["id"])
    equal([(s["table"], s["column"]) for s in sequences], [("person", "id")])
    brief = {name: (c["columns"], c["primary_key"], c["unique"], c["foreign_key"], c["check"], c["index"]) for name, c in seen.items()}
    expected = {
        "person_pkey": (["id"], True, True, None, False, False),
        "person_email_once": (["email"], False, True, None, False, False),
        "person_age_positive": (["age"], False, False, None, True, False),
        "person_lives_in": (["city_id"], False, False, ("city", "id"), False, False),
        "person_by_city": (["city_id", "born"], False, False, None, False, True),
    }
    equal({name: brief.get(name) for name in expected}, expected)
    drop(connection, "person", "city")


@check("models")
def orm(connection):
    with connection.schema_editor() as editor:
        editor.create_model(Shelf)
        editor.create_model(Volume)
    when = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
    shelf = Shelf.objects.create(name="A")
    Volume.objects.create(title="one", shelf=shelf, price=Decimal("1.50"), added=when, facts={"pages": 10, "tags": ["x"]})
    Volume.objects.bulk_create([Volume(title=f"v{n}", added=when, price=n) for n in range(30)])
    equal(Volume.objects.filter(title__icontains="ONE", shelf__name="A").get().added, when)
    equal(Volume.objects.filter(facts__pages__gt=5).count(), 1)
    equal(list(Shelf.objects.annotate(n=Count("volumes")).values_list("name", "n")), [("A", 1)])
    equal(Volume.objects.filter(price__lt=3, shelf=None).update(price=F("price") + 1), 3)
    equal([v.price for v in Volume.objects.filter(title__startswith="v").order_by("-price")[:2]], [Decimal("29.00"), Decimal("28.00")])
    other, made = Shelf.objects.get_or_create(name="B")
    equal((made, Shelf.objects.get_or_create(name="B")[1]), (True, False))
    equal(Shelf.objects.update_or_create(name="B", defaults={"name": "C"})[0].pk, other.pk)
    with transaction.atomic():
        locked = Shelf.objects.select_for_update().get(pk=other.pk)
        locked.name = "D"
        locked.save()
    with transaction.atomic():
        try:
            with transaction.atomic():
                Shelf.objects.create(name="A")
        except IntegrityError as error:
            equal(error.__cause__.diag.constraint_name.startswith("library_shelf_name"), True)
        Shelf.objects.create(name="E")
    raises(IntegrityError, Volume.objects.create, title="x", added=when, price=-1)
    equal(sorted(Shelf.objects.values_list("name", flat=True)), ["A", "D", "E"])
    equal(sum(1 for _ in Volume.objects.iterator(chunk_size=7)), 31)
    raises(DataError, Shelf.objects.create, name="x" * 31)
    shelf.delete()
    equal(Volume.objects.count(), 30)
    with connection.schema_editor() as editor:
        field = models.IntegerField(null=True)
        field.set_attributes_from_name("year")
        editor.add_field(Volume, field)
        editor.remove_field(Volume, field)
        editor.delete_model(Volume)
        editor.delete_model(Shelf)


if __name__ == "__main__":
    run(f"Django {django.get_version()}", connect)
