"""What MediaPipe's TextClassifier must find in a TFLite file: tokenizer, labels, names of inputs.

The description is a buffer of the file called TFLITE_METADATA; the tokenizer's file and the labels'
are appended as an uncompressed zip archive. The schema is MediaPipe's own, `metadata_schema.fbs`.
`add_metadata` is a worker's handler, since MediaPipe takes seconds to load.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
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
    model: str, output: str, tokenizer: str, labels: Sequence[str], name: str, description: str
) -> dict[str, Any]:
    """Writes the file with everything that MediaPipe needs in it.

    Args:
        model: The TFLite file, of inputs `ids`, `mask` and `segment_ids`.
        output: The file to be made.
        tokenizer: The SentencePiece model.
        labels: In the order of the scores.
        name: The model's.
        description: For whoever reads the file.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as tflite

    content = tflite.ModelT.InitFromPackedBuf(Path(model).read_bytes(), 0)
    graph = content.subgraphs[0]
    inputs = [graph.tensors[index].name.decode("utf-8") for index in graph.inputs]
    described = _describe([_input_name(each) for each in inputs], name, description)
    buffer = tflite.BufferT()
    buffer.data = list(described)
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
    whole = _append(bytes(builder.Output()), files)
    Path(output).write_bytes(whole)
    return {"bytes": len(whole)}


def _input_name(tensor: str) -> str:
    """Which of `INPUTS` a tensor such as `serving_default_mask:0` is."""
    for name in sorted(INPUTS, key=len, reverse=True):
        if tensor.split(":")[0].endswith(name):
            return name
    raise ValueError(f"expected the inputs {', '.join(INPUTS)}, got {tensor!r}.")


def _describe(inputs: Sequence[str], name: str, description: str) -> bytes:
    """The packed ModelMetadata."""
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    def attached(file: str, kind: int) -> Any:
        found = schema.AssociatedFileT()
        found.name, found.type = file, kind
        return found

    unit, options = schema.ProcessUnitT(), schema.SentencePieceTokenizerOptionsT()
    options.sentencePieceModel = [
        attached(TOKENIZER, schema.AssociatedFileType.UNKNOWN),
    ]
    unit.optionsType = schema.ProcessUnitOptions.SentencePieceTokenizerOptions
    unit.options = options
    graph = schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [_tensor(each, INPUTS[each]) for each in inputs]
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
    """The model with the files behind it, as an archive whose offsets count from its start."""
    whole = io.BytesIO(model)
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return whole.getvalue()


if __name__ == "__main__":
    serve(add_metadata)
