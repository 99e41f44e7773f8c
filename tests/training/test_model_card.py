from tiny import MODEL

from textrnn.config import DataConfig, ModelConfig, RunConfig, TokenizerConfig, TrainingConfig
from textrnn.training.model_card import model_card, with_key_figures

FIGURES = {
    "texts": 1234,
    "accuracy": 0.9151,
    "macro_f1": 0.9049,
    "log_loss": 0.25,
    "calibration_error": 0.03,
}
TRAINING = {"best_epoch": 2, "epochs": 5, "seconds": 9.0, "vocab_size": 7654}


def card(*, metrics=None, notices=(), keep="best", **model) -> str:
    config = RunConfig(
        data=DataConfig(train_file="a.csv"),
        tokenizer=TokenizerConfig(piece_type="bpe", lowercase=False),
        model=ModelConfig(**{**MODEL, "cell": "lstm", "units": 5, "head": "mean", **model}),
        training=TrainingConfig(seed=17, keep=keep),
    )
    return model_card(
        config,
        name="letters",
        labels=("neg", "pos"),
        weights=98765,
        metrics={"training": TRAINING, **(metrics or {"validation": FIGURES, "test": FIGURES})},
        notices=notices,
    )


def test_the_card_names_data_labels_model_and_seed():
    text = card(window=3)
    assert text.startswith("# Text classifier: letters\n")
    for words in (
        "2 labels: neg, pos",
        "1 x lstm of 5 units, read in both directions, each step seeing 3 tokens; head: mean",
        "98,765 weights",
        "bpe pieces of SentencePiece, 7,654 of them; text is case-sensitive",
        "epoch 2 of 5",
        "seed 17",
    ):
        assert words in text


def test_the_measurements_are_a_table():
    text = card()
    for which in ("validation", "test"):
        assert f"| {which} | 1,234 | 91.51% | 90.49% | 0.2500 | 0.0300 |\n" in text
    assert "no test data" not in text


def test_without_test_data_the_card_warns():
    text = card(metrics={"validation": FIGURES})
    assert "| test |" not in text
    assert "There was no test data" in text


def test_the_last_epoch_is_not_a_chosen_one():
    text = card(metrics={"validation": FIGURES}, keep="last")
    assert "The weights of epoch 2 of 5, the last; seed 17." in text
    assert "flatter" not in text


def test_a_bag_of_embeddings_has_no_cell():
    text = card(cell="none")
    assert "- a bag of embeddings; head: mean" in text
    assert "units" not in text


def test_a_plain_model_of_one_direction():
    assert "- 2 x gru of 5 units; head" in card(cell="gru", layers=2, bidirectional=False, window=1)


def test_what_was_left_out_of_the_data_is_told():
    assert card(notices=("3 rows left out.",)).endswith("## Data\n\n- 3 rows left out.\n")
    assert "## Data" not in card()


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
