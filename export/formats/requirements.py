"""The packages that an export format needs, and how to install them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

__all__ = ["Requirement"]


@dataclass(frozen=True)
class Requirement:
    """Packages beyond those that textrnn always needs.

    Attributes:
        packages: The names by which Python imports the packages.
        install: What pip must install to provide the packages.

    >>> Requirement(("no_such_package",), "textrnn[onnx]").obstacle()
    "needs no-such-package: pip install 'textrnn[onnx]'"
    """

    packages: tuple[str, ...]
    install: str

    def obstacle(self) -> str | None:
        """Returns what to install if a package is missing, else None."""
        if all(find_spec(package) is not None for package in self.packages):
            return None
        names = ", ".join(package.replace("_", "-") for package in self.packages)
        return f"needs {names}: pip install '{self.install}'"
