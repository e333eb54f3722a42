"""Workloads: each is one command that measures and keeps a JSON result; README.md says how to read them.

They found their houses and start their PostgreSQL with what the tests use for it (``tests/support``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.settings")
