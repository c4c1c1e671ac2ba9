"""Tests: `python -m unittest discover`, with the vectors of receipts/tests/vectors."""
