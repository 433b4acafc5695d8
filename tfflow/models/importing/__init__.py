"""Weights as the authors of the papers published them -> networks of this package."""

from tfflow.models.importing.published import PUBLISHED, Published, import_published

__all__ = ["PUBLISHED", "Published", "import_published"]
