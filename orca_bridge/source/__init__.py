"""
What modules stand on that `orca-bridge export python` has written.

Such a module makes its states and rows with the calls that the converter uses, so that its machines behave like loaded
ones. Nothing here is needed to load a document.
"""

from ._guards import equal, order, otherwise, read, truth
from ._written import Weaver, field, is_written_from, written

__all__ = ("Weaver", "equal", "field", "is_written_from", "order", "otherwise", "read", "truth", "written")
