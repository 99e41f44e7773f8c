"""The page with a model and a language model inside."""

import pytest
from light_models import HARD_TEXTS, random_language_pair, random_pair

from textrnn.errors import ModelError
from textrnn.export.run import export, verify_folder
from textrnn.export.sample import VerificationSample
from textrnn.progress import Silent

SAMPLE = VerificationSample(HARD_TEXTS[2:6], [-1] * 4)


class Messages(Silent):
    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr("textrnn.export.reference.MEGABYTE", 2_000)
    monkeypatch.setattr("textrnn.export.reference.SEVERAL_PARTS", 1_000)
    random_pair(tmp_path / "run", cell="mingru", max_length=20)
    return tmp_path / "run"


@pytest.mark.process
@pytest.mark.usefixtures("eagerly")
def test_the_likelihoods_of_the_page_are_those_of_the_light_runtime(run, tmp_path):
    random_language_pair(tmp_path / "lm", cell="gru", window=2)
    reporter = Messages()
    (artefact,) = export(
        run,
        tmp_path / "export",
        formats="web",
        sample=SAMPLE,
        language_model=tmp_path / "lm",
        reporter=reporter,
    )
    assert artefact.status == "verified"
    assert 0.0 < artefact.measured("drift of log-likelihoods") <= 1e-5
    assert any(text.startswith("the language model adds 0.0 MB") for text in reporter.messages)
    (again,) = verify_folder(tmp_path / "export", sample=SAMPLE)
    assert again.measured("drift of log-likelihoods") is not None


@pytest.mark.process
@pytest.mark.usefixtures("eagerly")
def test_a_page_without_a_language_model_has_no_likelihoods(run, tmp_path):
    (artefact,) = export(run, tmp_path / "export", formats="web", sample=SAMPLE)
    assert artefact.status == "verified"
    assert artefact.measured("drift of log-likelihoods") is None
    page = (tmp_path / "export" / "web" / "index.html").read_text(encoding="utf-8")
    assert '"language_model": null' in page


@pytest.mark.usefixtures("eagerly")
def test_a_classifier_is_no_language_model(run, tmp_path):
    with pytest.raises(ModelError, match="expected the run of a language model"):
        export(run, tmp_path / "export", formats="web", sample=SAMPLE, language_model=run)
