"""The values of options that are implemented in modules which import TensorFlow."""

from __future__ import annotations

__all__ = [
    "ADDITIVE",
    "ATTRIBUTIONS",
    "CELLS",
    "DEVICES",
    "DISAGREEMENT",
    "EXPORT_FORMS",
    "EXPORT_KINDS",
    "EXPORT_PRECISIONS",
    "HEADS",
    "JIT",
    "KERNELS",
    "LOSSES",
    "NORMALIZATIONS",
    "PIECE_TYPES",
    "PRECISIONS",
    "STRATEGIES",
    "TABLES",
    "UNCERTAINTY_MEASURES",
]

CELLS = ("simple", "gru", "lstm", "mingru", "minlstm", "none")
HEADS = ("last", "mean", "max", "attention")
KERNELS = ("auto", "unroll", "chunked", "scan", "cudnn")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
STRATEGIES = ("auto", "single", "mirrored", "multiworker", "tpu")
DEVICES = ("auto", "cpu", "gpu", "tpu")
RATE_SCALINGS = ("none", "sqrt", "linear")
LOSSES = ("cross-entropy", "focal", "logit-adjusted")
JIT = ("auto", "on", "off")
PIECE_TYPES = ("unigram", "bpe", "char", "byte", "word")
NORMALIZATIONS = ("nfkc", "plain")
EXPORT_KINDS = ("saved_model", "tflite", "mediapipe", "stream", "onnx", "runtime", "web")
EXPORT_FORMS = ("auto", "fused", "parallel", "loop", "unrolled")
EXPORT_PRECISIONS = ("float32", "float16", "dynamic_int8", "int4", "full_int8")
ADDITIVE = "additive"
"""The method of explanations that the light runtime computes too."""

ATTRIBUTIONS = ("integrated-gradients", "occlusion", "gradient", "head", ADDITIVE)
UNCERTAINTY_MEASURES = ("margin", "entropy", "least-confidence")
DISAGREEMENT = "disagreement"
"""The measure of uncertainty that needs several classifiers."""

TABLES = ".csv, .tsv, .jsonl, .parquet, .arrow or .xlsx"
"""The kinds of files with columns, as help texts and messages name them."""
