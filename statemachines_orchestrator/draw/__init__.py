"""Pictures of orchestrators, machines and steps, as text in Mermaid, DOT, Markdown and SVG."""

from ._notebook import mimebundle
from ._picture import KINDS, MAPS, link_map, machine_picture, picture
from ._sequence import sequence
from ._shown import Shown
from ._survey import Level, levels_of
from ._svg import svg

__all__ = (
    "KINDS",
    "MAPS",
    "Level",
    "Shown",
    "levels_of",
    "link_map",
    "machine_picture",
    "mimebundle",
    "picture",
    "sequence",
    "svg",
)
