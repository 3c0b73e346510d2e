"""Definitions as text and data for people and other tools."""

from ._json_form import json_form

__all__ = ("json_form",)
