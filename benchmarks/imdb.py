"""The whole recipe for IMDb: pretrain a language model, fine-tune it, measure the test reviews.

    python benchmarks/imdb.py --recipe long --data-dir DIR         # 45 minutes on two cores
    python benchmarks/imdb.py --recipe short --data-dir DIR        # under twenty minutes

Each step is the command that a user would type; runs stand in OUTPUT, and one that is finished is
not made again. With `--baselines` two others learn from the same reviews: tf-idf of one and two
words with logistic regression (scikit-learn), and fastText's bigrams (if `fasttext` is installed).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from fasttext_peer import fasttext_accuracy
from interleave import print_table
from runs import accuracies, run, spread

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Split, load_corpus

PUBLISHED = (
    ("LSTM, labels only (Dai & Le 2015)", 86.5),
    ("NBSVM, two words (Wang & Manning 2012)", 91.2),
    ("LM-LSTM (Dai & Le 2015)", 92.4),
    ("SA-LSTM (Dai & Le 2015)", 92.8),
    ("VAT LSTM (Miyato et al. 2017)", 94.1),
    ("ULMFiT, other text too (Howard & Ruder 2018)", 95.4),
)

LANGUAGE_MODEL = ("--layers", "2", "--units", "192", "--window", "2")
FINE_TUNING = ("--layer-rate", "0.7")
SETTLED = ("--valid-fraction", "0.02", "--final-weights", "last")
"""Settings were chosen with a tenth held out; when they stand, nearly all reviews are learned."""
RECIPES: dict[str, dict[str, Sequence[str]]] = {
    "long": {
        "pretrain": (*LANGUAGE_MODEL, "--time-budget", "28m"),
        "train": (*FINE_TUNING, *SETTLED, "--language-weight", "0.1", "--time-budget", "15m"),
    },
    "short": {
        "pretrain": (*LANGUAGE_MODEL, "--time-budget", "10m"),
        "train": (*FINE_TUNING, "--time-budget", "8m"),
    },
}


def tfidf(train: Split, test: Split) -> float:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True),
        LogisticRegression(C=30, max_iter=1000),
    )
    model.fit(train.texts, [label for (label,) in train.labels])
    return 100 * float(model.score(test.texts, [label for (label,) in test.labels]))


@click.command()
@click.option("--recipe", type=click.Choice(list(RECIPES)), default="long", show_default=True)
@click.option("--seed", "seeds", multiple=True, type=int, default=(0,), show_default=True)
@click.option("--data-dir", help="Folder of prepared TFDS data sets.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("runs/recipe"))
@click.option("--baselines", is_flag=True)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path))
def main(
    recipe: str,
    seeds: tuple[int, ...],
    data_dir: str | None,
    output: Path,
    baselines: bool,
    csv_file: Path | None,
) -> None:
    """Prints the accuracy beside the published anchors."""
    steps = RECIPES[recipe]
    data = ["--dataset", "imdb", *(["--data-dir", data_dir] if data_dir else [])]
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        folder = output / f"{recipe}_{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        common, minutes, start = [*data, "--seed", str(seed)], 0.0, list[str]()
        if "pretrain" in steps:
            minutes += run(["pretrain", *common, *steps["pretrain"]], folder / "lm")
            start = ["--init-from", str(folder / "lm")]
        run_path = folder / "classifier"
        minutes += run(["train", *common, *start, *steps["train"]], run_path)
        valid, test = accuracies(run_path)
        rows.append(
            {
                "what": f"textrnn, {recipe} recipe, seed {seed}",
                "minutes": f"{minutes:.0f}",
                "validation %": valid,
                "test %": test,
            }
        )
    values = [row["test %"] for row in rows]
    mean = {"what": "mean, and spread (standard deviation)", "minutes": ""}
    rows.append({**mean, "validation %": "", "test %": spread(values)})
    if baselines:
        corpus = load_corpus(ClassifierRunConfig.of(dataset="imdb", data_dir=data_dir), seed=0)
        assert corpus.test is not None
        parts = (corpus.train, corpus.validation)
        labelled = Split(
            tuple(text for part in parts for text in part.texts),
            tuple(labels for part in parts for labels in part.labels),
        )
        fasttext = fasttext_accuracy(labelled, corpus.test, scratch=output)
        other_models = {
            "tf-idf of one and two words, logistic regression": tfidf(labelled, corpus.test),
            "fastText, two words": None if fasttext is None else fasttext[0],
        }
        for name, accuracy in other_models.items():
            if accuracy is not None:
                row = {"what": name, "minutes": "", "validation %": "", "test %": accuracy}
                rows.append(row)
    rows += [
        {"what": name, "minutes": "", "validation %": "", "test %": value}
        for name, value in PUBLISHED
    ]
    print_table(rows, csv_file=csv_file, title="IMDb, 25,000 test reviews")


if __name__ == "__main__":
    main()
