from textrnn.training.loop.keras_logs import keras_logs


def test_the_figures_have_the_names_of_keras():
    row = {"train_loss": 1.0, "train_accuracy": 0.2, "valid_loss": 3.0, "valid_accuracy": 0.4}
    assert keras_logs(row) == {
        "loss": 1.0,
        "accuracy": 0.2,
        "val_loss": 3.0,
        "val_accuracy": 0.4,
    }
