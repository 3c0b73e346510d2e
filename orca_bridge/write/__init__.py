"""Definitions as text and data for people and other tools."""

from ._format import Formatted, format_document
from ._json_form import json_form
from ._markdown import to_markdown

__all__ = ("Formatted", "format_document", "json_form", "to_markdown")
