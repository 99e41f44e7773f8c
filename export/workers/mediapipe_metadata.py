"""The metadata that MediaPipe's TextClassifier needs in a TFLite file.

The metadata are the tokenizer, the labels and the names of the inputs. Their description is a
buffer of the file with the name TFLITE_METADATA, by MediaPipe's schema `metadata_schema.fbs`. The
files of the tokenizer and of the labels follow as an uncompressed zip archive.

`add_metadata` is the handler of a worker, because MediaPipe takes seconds to load.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from textrnn.export.workers.jobs import serve

__all__ = ["add_metadata"]

BUFFER = "TFLITE_METADATA"
TOKENIZER, LABELS = "tokenizer.model", "labels.txt"
INPUTS = {
    "ids": "The ids of the tokens, between one of [CLS] and one of [SEP].",
    "mask": "1 where there is a token, [CLS] and [SEP] included.",
    "segment_ids": "0.",
}


def add_metadata(
    model: str, output: str, *, tokenizer: str, labels: Sequence[str], name: str, description: str
) -> dict[str, Any]:
    """Writes a TFLite file with the metadata for MediaPipe.

    Args:
        model: The path of the TFLite file, whose inputs are `ids`, `mask` and `segment_ids`.
        output: The path of the new file.
        tokenizer: The path of the SentencePiece model.
        labels: The C label names, in the order of the scores.
        name: The name of the model.
        description: A description of the model.

    Returns:
        `bytes`, the size of the file.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as tflite

    content = tflite.ModelT.InitFromPackedBuf(Path(model).read_bytes(), 0)
    graph = content.subgraphs[0]
    inputs = [graph.tensors[index].name.decode("utf-8") for index in graph.inputs]
    buffer = tflite.BufferT()
    buffer.data = list(_describe(map(_input_name, inputs), name=name, description=description))
    content.buffers.append(buffer)
    entry = tflite.MetadataT()
    entry.name, entry.buffer = BUFFER, len(content.buffers) - 1
    content.metadata = [*(content.metadata or []), entry]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(content.Pack(builder), b"TFL3")
    files = {
        TOKENIZER: Path(tokenizer).read_bytes(),
        LABELS: "\n".join(labels).encode("utf-8"),
    }
    with_files = _append(bytes(builder.Output()), files)
    Path(output).write_bytes(with_files)
    return {"bytes": len(with_files)}


def _input_name(tensor: str) -> str:
    """Returns the name in `INPUTS` of a tensor such as `serving_default_mask:0`."""
    for name in sorted(INPUTS, key=len, reverse=True):
        if tensor.split(":")[0].endswith(name):
            return name
    raise ValueError(f"expected the inputs {', '.join(INPUTS)}, got {tensor!r}.")


def _describe(inputs: Iterable[str], *, name: str, description: str) -> bytes:
    """Returns the packed ModelMetadata."""
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    def attached(file: str, kind: int) -> Any:
        associated = schema.AssociatedFileT()
        associated.name, associated.type = file, kind
        return associated

    unit, options = schema.ProcessUnitT(), schema.SentencePieceTokenizerOptionsT()
    options.sentencePieceModel = [
        attached(TOKENIZER, schema.AssociatedFileType.UNKNOWN),
    ]
    unit.optionsType = schema.ProcessUnitOptions.SentencePieceTokenizerOptions
    unit.options = options
    graph = schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [_tensor(tensor, INPUTS[tensor]) for tensor in inputs]
    graph.inputProcessUnits = [unit]
    scores = _tensor("scores", "The probability of each label.")
    scores.associatedFiles = [attached(LABELS, schema.AssociatedFileType.TENSOR_AXIS_LABELS)]
    graph.outputTensorMetadata = [scores]
    model = schema.ModelMetadataT()
    model.name, model.description = name, description
    model.subgraphMetadata = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def _tensor(name: str, description: str) -> Any:
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    tensor = schema.TensorMetadataT()
    tensor.name, tensor.description = name, description
    tensor.content = schema.ContentT()
    tensor.content.contentPropertiesType = schema.ContentProperties.FeatureProperties
    tensor.content.contentProperties = schema.FeaturePropertiesT()
    return tensor


def _append(model: bytes, files: dict[str, bytes]) -> bytes:
    """Returns the model followed by an archive whose offsets count from the start of the model."""
    content = io.BytesIO(model)
    with zipfile.ZipFile(content, "a", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return content.getvalue()


if __name__ == "__main__":
    serve(add_metadata)
