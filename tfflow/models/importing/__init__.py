"""Import of the weights that the authors of the papers published."""

from tfflow.models.importing.published import PUBLISHED, Published, import_published

__all__ = ["PUBLISHED", "Published", "import_published"]
