"""An HTTP server for models: TensorFlow Serving's REST calls and the Open Inference Protocol."""

from .errors import RequestError
from .predict_call import predict
from .serve import serve
from .settings import Limits, ServeSettings
from .versions import ModelSource, parse_source

__all__ = [
    "Limits",
    "ModelSource",
    "RequestError",
    "ServeSettings",
    "parse_source",
    "predict",
    "serve",
]
