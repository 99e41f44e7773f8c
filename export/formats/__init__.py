"""The export formats, one class and one module each."""

from __future__ import annotations

from textrnn.export.formats.base import ExportFormat
from textrnn.export.formats.mediapipe import MediaPipeFormat
from textrnn.export.formats.onnx import ONNXFormat
from textrnn.export.formats.runtime import RuntimeFormat
from textrnn.export.formats.saved_model import SavedModelFormat
from textrnn.export.formats.stream import StreamFormat
from textrnn.export.formats.tflite import TFLiteFormat
from textrnn.export.formats.web import WebFormat

__all__ = ["FORMATS"]

_FORMATS: tuple[ExportFormat, ...] = (
    SavedModelFormat(),
    TFLiteFormat(),
    MediaPipeFormat(),
    StreamFormat(),
    ONNXFormat(),
    RuntimeFormat(),
    WebFormat(),
)

FORMATS: dict[str, ExportFormat] = {export_format.name: export_format for export_format in _FORMATS}
"""The formats by their names, in the order of `textrnn.config.choices.EXPORT_KINDS`."""
