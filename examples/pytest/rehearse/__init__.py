"""Tests of an SMS backend that run under `rehearse exec -- pytest`.

`rehearse.plugin` has the fixtures; `World` is what they are made of, for suites without pytest. Only the
standard library is needed. `docs/control-api.md` of rehearse describes the API that it calls.
"""

from .world import Phone, Refused, Script, Text, World

__all__ = ["Phone", "Refused", "Script", "Text", "World"]
