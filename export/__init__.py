"""Files of a trained classifier that other programs load.

This folder is installed as `textrnn.export`. The package can be called: `textrnn.export(run)` is
`textrnn.export.run.export(run)`, so that the function has the name of the command.
"""

from __future__ import annotations

import sys
import types
from typing import Any


class _CallableModule(types.ModuleType):
    """A module that is also the function of its name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See `textrnn.export.run.export`."""
        from textrnn.export.run import export

        return export(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
