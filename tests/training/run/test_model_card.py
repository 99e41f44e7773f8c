import ast
import os
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from tiny import MODEL

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig, TextConfig
from textrnn.runtime.decision_rule import DecisionRule
from textrnn.training.run.model_card import (
    TrainedModel,
    language_model_card,
    model_card,
    with_decisions,
    with_key_figures,
)

FIGURES = {
    "texts": 1234,
    "accuracy": 0.9151,
    "macro_f1": 0.9049,
    "log_loss": 0.25,
    "calibration_error": 0.03,
}
TRAINING = {"best_epoch": 2, "epochs": 5, "seconds": 9.0, "vocab_size": 7654}


def card(
    *,
    metrics=None,
    notices=(),
    keep="best",
    folder="runs/letters",
    name="letters",
    labels=("neg", "pos"),
    rule=None,
    **model,
) -> str:
    config = ClassifierRunConfig.of(
        train_file="a.csv",
        piece_type="bpe",
        lowercase=False,
        seed=17,
        final_weights=keep,
        **{**MODEL, "cell": "lstm", "units": 5, "head": "mean", **model},
    )
    return model_card(
        config,
        TrainedModel(
            Path(folder),
            weights=98765,
            metrics={
                "training": TRAINING,
                **(metrics or {"validation": FIGURES, "test": FIGURES}),
            },
            rule=rule or DecisionRule(),
        ),
        name=name,
        labels=labels,
        notices=notices,
    )


def test_the_card_names_data_labels_model_and_seed():
    text = card(window=3)
    assert text.startswith("# Text classifier: letters\n")
    for words in (
        "2 labels: neg, pos",
        "1 x lstm of 5 units, both directions, a window of 3 tokens; head: mean",
        "98,765 weights",
        "7,654 bpe pieces of SentencePiece; case-sensitive",
        "epoch 2 of 5",
        "seed 17",
    ):
        assert words in text


def test_the_measurements_are_a_table():
    text = card()
    for which in ("validation", "test"):
        row = f"| {which} | 1,234 | 91.51% (89.80% to 92.92%) | 90.49% | 0.2500 | 0.0300 |\n"
        assert row in text
    assert "no test data" not in text


def test_without_test_data_the_card_warns():
    text = card(metrics={"validation": FIGURES})
    assert "| test |" not in text
    assert "There was no test data" in text


def test_the_last_epoch_is_not_a_chosen_one():
    text = card(metrics={"validation": FIGURES}, keep="last")
    assert "The weights are those of epoch 2 of 5, the last one; seed 17." in text
    assert "too good" not in text


def test_a_bag_of_embeddings_has_no_cell():
    text = card(cell="none")
    assert "- a bag of embeddings; head: mean" in text
    assert "units" not in text


def test_a_cell_of_the_user_s_is_imported():
    text = card(cell="mine>Leaky", imports="my_cells,inner.cells")
    assert "- The cell is defined in `my_cells` and `inner.cells`, which Python must find" in text
    assert "```python\nimport my_cells\nimport inner.cells\nimport textrnn\n" in text
    assert "The cell is defined" not in card(cell="lstm", imports="my_cells")


def test_teachers_are_named():
    assert "learned the mean answer" not in card()
    text = card(teachers="runs/a,runs/b*c", linear_teacher=True)
    assert "the mean answer of runs/a and runs/b\\*c and a linear model, beside the labels." in text
    assert "of a linear model." in card(linear_teacher=True, teacher_weight=1.0)


def test_a_plain_model_of_one_direction():
    assert "- 2 x gru of 5 units; head" in card(cell="gru", layers=2, bidirectional=False, window=1)


def test_what_was_left_out_of_the_data_is_reported():
    assert card(notices=("3 rows left out.",)).endswith("## Data\n\n- 3 rows left out.\n")
    assert "## Data" not in card()


def shown(text: str) -> str:
    """Returns the text that a reader of the Markdown sees, without code."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [block.children or [] for block in blocks if block.type == "inline"]
    return "\n".join("".join(part.content for part in parts) for parts in inline)


ODD = "a|b `c` [x](y) *z* <b> $d_$"


def test_the_user_s_words_are_no_markup():
    text = shown(card(name=ODD, labels=("neg", ODD), notices=(f"1 row left out: {ODD}.",)))
    assert text.startswith(f"Text classifier: {ODD}\n")
    assert f"2 labels: neg, {ODD}.\n" in text
    assert f"1 row left out: {ODD}." in text


def test_words_of_several_lines_stay_on_theirs():
    text = card(name="a\n# b\udcff", labels=("one\n\n## two", "pos"), notices=("\n- x\n- y",))
    assert text.encode().startswith("# Text classifier: a # b\ufffd\n".encode())
    assert "2 labels: one ## two, pos." in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Model",
        "## Metrics",
        "## Use",
        "## Data",
    ]
    assert shown(text).endswith("- x - y")


def test_many_labels_are_not_all_listed():
    names = tuple(f"label{i}" for i in range(1000))
    text = card(labels=names)
    assert "into 1,000 labels: label0, label1, " in text
    assert "label19 and 980 more (see labels.txt)." in text
    assert "label20" not in text
    assert "more" not in card(labels=names[:20])
    assert len(card(labels=("long " * 1000, "b"))) < len(card()) + 100


FOLDERS = ["runs/bbc_news", "runs/it's", 'runs/"a" b', "runs/a\nb", "runs/rev\udcff", "C:\\runs"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_card_says_how_to_load_this_folder(folder):
    text = card(folder=folder)
    _, code, _ = text.split("```")
    tree = ast.parse(code.removeprefix("python\n"))
    assert folder in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert text.encode()


def test_the_folder_stands_between_double_quotes():
    assert 'model = textrnn.load("runs/bbc_news")\n' in card(folder="runs/bbc_news")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_card_of_a_language_model_has_a_command_for_this_folder(folder):
    text = language_model_card(
        LanguageModelRunConfig(data=TextConfig(text_file=f"{ODD}.txt")),
        TrainedModel(
            Path(folder),
            weights=1,
            metrics={
                "training": {"vocab_size": 1, "tokens": 1, "updates": 1},
                "held_out": {"perplexity": 1.0},
            },
        ),
    )
    assert shown(text).startswith(f"Language model: {ODD}.txt\n")
    (line,) = [line for line in text.splitlines() if line.startswith("textrnn score ")]
    words = subprocess.run(
        ["bash", "-c", line.replace("textrnn score", "printf '%s\\0'")],
        capture_output=True,
        check=True,
    ).stdout
    assert words == os.fsencode(folder) + b"\0a text\0"


def test_the_page_of_a_report_is_linked_whatever_its_name():
    page = os.fsdecode(b"my [report] (1)\xff.html")
    (link,) = [
        part
        for block in MarkdownIt().parse(with_key_figures(card(), {"a": "1"}, page=page))
        for part in block.children or ()
        if part.type == "link_open"
    ]
    assert link.attrs["href"] == "my%20%5Breport%5D%20%281%29%FF.html"


def test_key_figures_stand_before_the_use():
    text = with_key_figures(card(), {"horizon": "6 tokens", "a|b": "1\n2"}, page="report.html")
    before, after = text.split("## Use")
    assert before.startswith(card().split("## Use")[0])
    assert after == card().split("## Use")[1]
    assert "| horizon | 6 tokens |\n| a\\|b | 1 2 |\n" in before
    assert "[report.html](report.html)" in before


def test_key_figures_take_the_place_of_earlier_ones():
    first = with_key_figures(card(), {"horizon": "6 tokens"}, page=None)
    assert "report.html" not in first
    second = with_key_figures(f"{first}\nMy own words.\n", {"horizon": "7 tokens"}, page=None)
    assert second == first.replace("6 tokens", "7 tokens") + "\nMy own words.\n"


def test_a_card_of_one_s_own_gets_them_at_its_end():
    text = with_key_figures("# Mine\n", {"horizon": "6 tokens"}, page=None)
    assert text.startswith("# Mine\n\n<!-- textrnn report -->\n")


def test_the_card_names_the_label_that_suffers_most_and_what_a_limit_gives():
    classes = {
        "neg": {"precision": 0.9, "recall": 0.9, "f1": 0.9, "support": 90},
        "p*s": {"precision": 0.9, "recall": 0.5, "f1": 0.64, "support": 1},
    }
    curve = [
        {"coverage": 0.8, "accuracy": 0.97, "abstain_below": 0.7},
        {"coverage": 1.0, "accuracy": 0.9, "abstain_below": 0.4},
    ]
    figures = {**FIGURES, "per_class": classes, "coverage_curve": curve}
    text = card(metrics={"validation": figures}, rule=DecisionRule(objective="macro-f1"))
    assert r"The label p\*s suffers most: 50.0 % of its 1 text is found (F1 64.0 %)." in text
    assert "answers 80 % of the texts with 97.0 % right (least probability 0.70)" in text
    assert "The objective of the decisions is macro-f1." in text
    assert "suffers" not in card()


def per_class(count: int) -> dict[str, dict[str, float]]:
    """The figures of labels, the first the best."""
    return {
        f"label {i}": {"precision": 0.9, "recall": 0.5, "f1": 1 - i / 100, "support": 1200 - i}
        for i in range(count)
    }


def test_each_label_has_its_figures():
    figures = {**FIGURES, "per_class": per_class(2)}
    text = card(metrics={"validation": FIGURES, "test": figures})
    assert "Each label, on the test texts:\n\n| label | precision | recall | F1 | texts |" in text
    assert "| label 0 | 90.00% | 50.00% | 100.00% | 1,200 |\n| label 1 | 90.00% |" in text
    assert "| label |" not in card()


def test_of_many_labels_the_worst_have_their_figures():
    classes = {**per_class(40), "unseen": {"support": 0, "f1": 0.0}}
    text = card(metrics={"validation": {**FIGURES, "per_class": classes}})
    assert "The 30 labels with the lowest F1 of 41, on the validation texts" in text
    assert text.index("| label 39 |") < text.index("| label 10 |")
    assert "| label 9 |" not in text
    assert "| unseen |" not in text
    assert "| label 30 |" in text


def test_labels_are_no_markup_in_the_table_of_their_figures():
    figures = {**FIGURES, "per_class": {ODD: per_class(1)["label 0"]}}
    assert ODD in shown(card(metrics={"validation": figures}))


@pytest.mark.parametrize(
    ("start", "line"),
    [
        (
            {"kind": "language_model"},
            "- The embeddings and the recurrence started from the language model runs/a.",
        ),
        (
            {"kind": "classifier", "new_labels": [], "dropped_labels": []},
            "- The training continued that of the classifier runs/a; the labels are the same.",
        ),
        (
            {"kind": "classifier", "new_labels": ["b"], "dropped_labels": ["c", "d"]},
            "- The training continued that of the classifier runs/a; new labels: b; labels left "
            "out: c, d.",
        ),
    ],
)
def test_the_start_of_the_training_is_named(start, line):
    figures = {"validation": FIGURES, "start": {"run": "runs/a", **start}}
    assert line in card(metrics=figures).splitlines()
    assert "runs/a" not in card()


RULE = DecisionRule(objective="macro-f1", weights=(1.0, 2.5), abstain_below=0.8)
DECIDED = {
    "validation": {**FIGURES, "accuracy": 0.75},
    "test": {
        **FIGURES,
        "accuracy": 0.5,
        "per_class": {
            label: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 617}
            for label in ("neg", "pos")
        },
        "abstention": {"abstain_below": 0.8, "coverage": 0.9, "accuracy": 0.6},
        "mean_cost": 0.25,
    },
}


def decided(text: str) -> str:
    task = ClassifierRunConfig().task
    return with_decisions(text, DECIDED, RULE, labels=("neg", "pos"), task=task)


def test_other_decisions_replace_the_figures_and_nothing_else():
    text = with_key_figures(card(notices=("a note",)), {"half": "3"}, page=None)
    before, _, after = text.partition("## Metrics\n")
    changed = decided(text.replace("a note", "my note"))
    assert changed.startswith(before)
    assert "91.51%" in text
    assert "91.51%" not in changed
    assert changed.endswith(after[after.index("![learning curves]") :].replace("a note", "my note"))
    assert decided(changed) == changed


def test_a_card_tells_the_rule_and_its_figures():
    text = decided(card())
    for sentence in (
        "The objective of the decisions is macro-f1. Answer the label with the largest product of",
        "The limit abstain_below is 0.8: 90.0% of the test texts get an answer, of which 60.0%",
        "The mean cost of the test texts is 0.2500.",
        "| label | precision | recall | F1 | texts | weight |",
        "| pos | 50.00% | 50.00% | 50.00% | 617 | 2.5 |",
    ):
        assert sentence in text, text


def test_a_card_without_the_section_gets_it():
    assert "## Metrics" in decided("# My own card\n")
    assert decided("# Mine\n\n## Use\n\nSo.\n").index("## Metrics") < decided(
        "# Mine\n\n## Use\n\nSo.\n"
    ).index("## Use")
