"""Models of an application, with what Django applications commonly use."""

from django.db import models
from django.db.models import Q


class Shelf(models.Model):
    name = models.CharField(max_length=30, unique=True)


class Volume(models.Model):
    title = models.TextField(db_index=True)
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, null=True, related_name="volumes")
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    added = models.DateTimeField()
    facts = models.JSONField(default=dict)
    ok = models.BooleanField(default=True)
    mark = models.UUIDField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(price__gte=0), name="volume_price_not_negative")]
