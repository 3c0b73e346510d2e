"""
Documents from the SCXML that `scxml` wrote.

SCXML has no place for much of what a definition holds, so a document carries its definition with it, as JSON in an
element of another namespace, which readers of SCXML pass over. A digest of the rest tells whether somebody has
changed what those readers see.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from orca_bridge.definition import Document

from ._json_form import json_form
from ._json_read import read_json
from ._json_value import JsonError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orca_bridge.definition import MachineDefinition

__all__ = ("carried", "read_scxml")

_SPACE = "urn:orca-bridge:definition"
_ELEMENT = f"{{{_SPACE}}}definition"
_BEGINS = re.compile(r"(?=<\?xml\s)")


def carried(text: str, machine: MachineDefinition) -> str:
    """
    Write the element that carries a definition, to be put in front of the end of its document.

    Args:
        text: The document without it.
        machine: What it says.
    """
    tree = ET.fromstring(text.encode())  # noqa: S314 - our own
    # Escaped, so that there is no character that XML could not hold.
    content = json.dumps(json_form(Document((machine,))))
    escaped = content.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
    return f'  <orca:definition xmlns:orca="{_SPACE}" digest="{_digest(tree)}">{escaped}</orca:definition>'


def read_scxml(text: str | bytes, name: str = "<string>") -> Document:
    """
    Read the machines of SCXML documents that were exported, one after the other.

    Args:
        text: The documents.
        name: What to call them in messages.

    Raises:
        JsonError: It is no XML, was not written by this package, or has been changed since.
        DocumentError: What it carries has errors.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise JsonError(name, [f"it is no UTF-8: {error}"]) from None
    parts = [part for part in _BEGINS.split(decoded.removeprefix("\ufeff")) if part.strip()]
    machines = [machine for part in parts or [decoded] for machine in _machines(part, name)]
    return Document(tuple(machines), name=name)


def _machines(text: str, name: str) -> Iterator[MachineDefinition]:
    if "<!DOCTYPE" in text:
        raise JsonError(name, ["it declares a DOCTYPE, which SCXML does without"])
    try:
        tree = ET.fromstring(text.strip().encode())  # noqa: S314 - without a DOCTYPE there are no entities
    except ET.ParseError as error:
        raise JsonError(name, [f"it is no XML: {error}"]) from None
    found = tree.find(_ELEMENT)
    if found is None:
        problem = "it was not written by 'orca-bridge export scxml'; other SCXML cannot be read as an Orca document"
        raise JsonError(name, [problem])
    tree.remove(found)
    if found.get("digest") != _digest(tree):
        problem = "it was changed after it was written, and the definition in it is the one of before"
        raise JsonError(name, [f"{problem}: change the Orca document and export it again"])
    yield from read_json(found.text or "", name).machines


def _digest(tree: ET.Element) -> str:
    # Of the canonical form: how it is indented makes no difference.
    return hashlib.sha256(ET.canonicalize(ET.tostring(tree), strip_text=True).encode()).hexdigest()[:16]
