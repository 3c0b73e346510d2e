"""Definitions as text and data for people and other tools."""

from ._format import Formatted, format_document
from ._json_form import json_form
from ._json_read import read_json
from ._json_value import JsonError
from ._markdown import to_markdown
from ._mermaid import mermaid
from ._python import document_digest, python_source
from ._python_stubs import action_stubs
from ._scxml import SCXMLDocument, scxml
from ._scxml_read import read_scxml
from ._table_python import table_json, table_python
from ._xstate import XStateModule, xstate, xstate_json

__all__ = (
    "Formatted",
    "JsonError",
    "SCXMLDocument",
    "XStateModule",
    "action_stubs",
    "document_digest",
    "format_document",
    "json_form",
    "mermaid",
    "python_source",
    "read_json",
    "read_scxml",
    "scxml",
    "table_json",
    "table_python",
    "to_markdown",
    "xstate",
    "xstate_json",
)
