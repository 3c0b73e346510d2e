"""What Python itself and notebooks show of orchestrators."""

from __future__ import annotations

import abc

import pytest
from pictured import Shop

from statemachines_orchestrator import Orchestrator
from statemachines_orchestrator.draw import picture


class TestFormat:
    @pytest.mark.parametrize("kind", ["mermaid", "dot", "md"])
    def test_of_a_class(self, kind):
        """The class formats itself as each picture that there is."""
        assert format(Shop, kind) == picture(Shop.__declaration__, kind)

    @pytest.mark.parametrize("kind", ["mermaid", "dot", "md"])
    def test_of_an_instance(self, kind):
        """An instance does, too, with its active states marked."""
        shop = Shop()

        assert format(shop, kind) == picture(Shop.__declaration__, kind, shop.configuration)
        assert format(shop, kind) != format(Shop, kind)

    def test_without_a_kind(self):
        """Without a kind both are what `str` makes of them."""
        shop = Shop()

        assert f"{Shop}" == str(Shop)
        assert f"{shop}" == str(shop)

    def test_of_an_unknown_kind(self):
        """Another kind is refused with those that there are."""
        for one in (Shop, Shop()):
            with pytest.raises(ValueError, match="mermaid"):
                format(one, "png")

    def test_of_a_base(self):
        """A class without a declaration is what `str` makes of it."""
        assert format(Orchestrator, "mermaid") == str(Orchestrator)

    def test_abstract_bases(self):
        """Abstract bases stay possible."""

        class Base(Orchestrator, abc.ABC):
            pass

        assert isinstance(Base, abc.ABCMeta)


class TestNotebook:
    def test_of_an_instance(self):
        """A notebook is given text and a diagram in Markdown, of the kinds that it asks for."""
        shop = Shop()
        shown = shop._repr_mimebundle_(include={"text/plain", "text/markdown"})

        assert shown == {
            "text/plain": repr(shop),
            "text/markdown": f"```mermaid\n{format(shop, 'mermaid')}```\n",
        }
