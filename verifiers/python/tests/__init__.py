"""Tests: `python -m unittest discover`, with the vectors of receipts/tests/vectors."""

import os
import tempfile

# Hypothesis keeps notes of the code it reads; they do not belong beside the sources.
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), "hypothesis")
)
