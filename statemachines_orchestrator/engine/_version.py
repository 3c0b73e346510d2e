"""The range of python-statemachine releases that the engines were tested on."""

from __future__ import annotations

import re

import statemachine

__all__ = ("check_version",)

OLDEST = (3, 2, 2)
BELOW = (3, 3)


def check_version(version: str = statemachine.__version__) -> None:
    """
    Refuse to run on a release of python-statemachine whose engine was never tested.

    Raises:
        ImportError: The installed release is outside the range.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if not OLDEST <= numbers < BELOW:
        msg = (
            f"statemachines-orchestrator needs python-statemachine >=3.2.2,<3.3, found {version}: "
            f"pip install 'python-statemachine>=3.2.2,<3.3'"
        )
        raise ImportError(msg)
