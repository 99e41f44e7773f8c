"""An HTTP server for models: TensorFlow Serving's REST calls and the Open Inference Protocol."""

from .serve import serve
from .settings import ServeSettings
from .versions import ModelSource, parse_source

__all__ = ["ModelSource", "ServeSettings", "parse_source", "serve"]
