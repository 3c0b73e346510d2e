"""``orca-bridge actions``: stubs for the actions of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orca_bridge.write import action_stubs

from ._export import export_to
from ._files import add_file_options
from ._targets import Target, Written

if TYPE_CHECKING:
    import argparse

    from ._targets import Job

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser("actions", help="write stubs for actions, to be filled in")
    add_file_options(parser)
    parser.add_argument("--lang", choices=("python",), default="python", help="the language (default: python)")
    parser.add_argument("--tests", action="store_true", help="with a test for each action and each row")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the result there")
    parser.add_argument("--machine", metavar="M", help="only this machine")
    parser.set_defaults(run=run, json=False, target="actions")


def run(options: argparse.Namespace) -> int:
    """Write the stubs of every file; the worst status wins."""
    return export_to(Target(_stubs), options)


def _stubs(job: Job) -> Written:
    return Written(action_stubs(job.machines, tests=job.options["tests"], source=job.name))
