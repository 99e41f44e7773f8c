"""The parts of paths that name a model or a version."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor

__all__ = ["model_paths"]


class NameConvertor(Convertor[str]):
    """A name in a path. It ends before the colon of a call such as `:predict`."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        """Returns the name."""
        return value

    def to_string(self, value: str) -> str:
        """Returns the part of a path."""
        return value


register_url_convertor("name", NameConvertor())


def model_paths(prefix: str) -> tuple[str, str]:
    """Returns the paths of the newest version of a model, and of one version.

    >>> model_paths("/v1")
    ('/v1/models/{name:name}', '/v1/models/{name:name}/versions/{version:name}')

    Args:
        prefix: The path of the interface.
    """
    model = f"{prefix}/models/{{name:name}}"
    return model, f"{model}/versions/{{version:name}}"
