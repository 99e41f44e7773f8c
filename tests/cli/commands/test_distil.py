import shutil

import pytest
from tiny import labelled_texts, write_csv

from textrnn.inference.run_files import CONFIG, load_config


@pytest.fixture
def teacher(finished, home):
    """A copy of the finished run in the folder of the command."""
    return shutil.copytree(finished.folder, home / "teacher").relative_to(home)


@pytest.fixture
def fake(fake_train, finished):
    fake_train.act = lambda **_: finished.classifier
    return fake_train


def test_the_data_is_that_of_the_first_teacher_and_the_rest_is_default(textrnn, fake, teacher):
    result = textrnn("distil", teacher, "--units", "5", "--linear-teacher")
    taught, source = fake.config, load_config(teacher / CONFIG)
    assert taught.data == source.data
    assert taught.task == source.task
    assert taught.distillation.runs == (str(teacher),)
    assert taught.distillation.linear_teacher
    assert taught.model.units == 5
    assert taught.model.embedding_units != source.model.embedding_units
    assert str(fake.folder) == "runs/letters_student"
    assert "run folder runs/letters_student" in result.stdout


def test_several_teachers(textrnn, fake, teacher, home):
    second = shutil.copytree(teacher, home / "second")
    textrnn("distil", teacher, second, "--output", "out")
    assert fake.config.distillation.runs == (str(teacher), str(second))
    textrnn("distil", teacher, "--teacher", second, "--output", "out")
    assert fake.config.distillation.runs == (str(teacher), str(second))


def test_other_data_on_demand(textrnn, fake, teacher, home):
    other = write_csv(home / "other.csv", labelled_texts(20))
    textrnn("distil", teacher, "--train-file", other)
    assert (fake.config.data.train_file, fake.config.data.test_file) == (str(other), None)


@pytest.mark.thorough
def test_it_is_a_training_like_others(textrnn, teacher, home):
    """It is run, interrupted by nothing, and its settings train the same run again."""
    options = ("--cell", "none", "--vocab-size", "60", "--epochs", "1", "--no-linear-baseline")
    result = textrnn("distil", teacher, *options, "--output", "student")
    assert "1 teacher answered 36 labelled texts and 0 texts without labels" in result.stderr
    assert "test accuracy" in result.stdout
    again = textrnn("train", "--config", "student/config.yaml", "--output", "again")
    assert again.stdout.splitlines()[:2] == result.stdout.splitlines()[:2]


def test_a_teacher_may_have_learned_from_texts_without_labels(textrnn, fake, teacher, home):
    texts = home / "more.txt"
    texts.write_text("a b x\n", encoding="utf-8")
    written = (teacher / CONFIG).read_text(encoding="utf-8")
    written = written.replace("unlabelled_file: null", f"unlabelled_file: {texts}")
    (teacher / CONFIG).write_text(written.replace("vat: 0.0", "vat: 0.1"), encoding="utf-8")
    assert load_config(teacher / CONFIG).regularization.vat == 0.1
    textrnn("distil", teacher)
    assert fake.config.data.unlabelled_file == str(texts)
    assert fake.config.regularization.vat == 0


def test_teachers_that_cannot_be(textrnn, fake, teacher):
    assert "without a comma" in textrnn("distil", "a,b", code=2).stderr
    assert "different runs" in textrnn("distil", teacher, f"{teacher}/", code=1).stderr
    assert fake.folder is None


def test_a_missing_teacher_is_found_first(textrnn, fake, teacher):
    assert "gone: expected a run folder" in textrnn("distil", teacher, "gone", code=1).stderr
    assert "Missing argument" in textrnn("distil", code=2).stderr
    assert fake.folder is None


def test_resume_and_overwrite_exclude_each_other(textrnn, teacher):
    assert "exclude" in textrnn("distil", teacher, "--resume", "--overwrite", code=2).stderr
