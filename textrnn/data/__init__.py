"""Texts and their labels, from BBC News, TensorFlow Datasets or the user's own files.

Nothing here imports TensorFlow before a TFDS data set is read.
"""

from textrnn.data.corpus import Corpus, Split
from textrnn.data.file_format import FileFormat
from textrnn.data.loading import load_corpus, load_split
from textrnn.data.text_files import read_texts
from textrnn.data.unlabelled import load_unlabelled

__all__ = [
    "Corpus",
    "FileFormat",
    "Split",
    "load_corpus",
    "load_split",
    "load_unlabelled",
    "read_texts",
]
