import dataclasses
import html.parser
import json

import numpy as np
import pytest
from cases import few
from reported import LABELS, charts_drawn_once, tiny_summary
from tiny import not_none

from textrnn.analysis.report.mistakes import MISTAKES
from textrnn.analysis.report.page import report_page
from textrnn.evaluation.class_figures import class_figures
from textrnn.evaluation.confusion import Confusion

SECTIONS = (
    *("first", "mistakes", "confusion", "calibration", "coverage", "length", "run", "learning"),
    *("memory", "credit", "chaos", "times", "redundancy"),
)


class Page(html.parser.HTMLParser):
    """The content of a page: its tags, the targets of its attributes, and its text by section."""

    VOID = ("meta", "br", "path", "use", "rect", "hr", "link", "img", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.open: list[str] = []
        self.sections: dict[str, str] = {}
        self.pictures: dict[str, int] = {}
        self._section = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        for name, value in attributes:
            if name in {"href", "src", "xlink:href", "srcset", "action", "data"}:
                self.targets.append(value)
            assert not name.startswith("on"), f"{tag} has {name}"
            assert value is None or "url(" not in value.replace("url(#", "")
        if tag == "section":
            self._section = values["id"]
            self.sections[self._section] = ""
        if tag == "svg":
            self.pictures[self._section] = self.pictures.get(self._section, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open) and self._section:
            self.sections[self._section] += f" {data}"


@pytest.fixture(scope="module", autouse=True)
def quick_charts():
    with charts_drawn_once():
        yield


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return tiny_summary(tmp_path_factory)


@pytest.fixture(scope="module")
def page(summary):
    return Page(report_page(summary))


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return tiny_summary(tmp_path_factory, cell="none")


def test_every_section_is_there_and_its_elements_are_closed(page):
    assert tuple(page.sections) == SECTIONS
    assert page.open == []
    for section, text in page.sections.items():
        assert len(text.split()) > 20, section
        assert "Not for this run" not in text


def test_every_section_has_its_pictures(page):
    assert page.pictures == {
        **{"learning": 2, "calibration": 2, "coverage": 1, "length": 1},
        **{"credit": 2, "chaos": 1, "times": 1, "redundancy": 1},
    }


def test_nothing_is_loaded_from_elsewhere(page):
    assert not {"link", "iframe", "img", "object", "embed", "base"} & set(page.tags)
    assert page.targets
    assert all(target.startswith("#") for target in page.targets)


def test_labels_and_texts_are_shown_as_they_stand(page, summary):
    text = report_page(summary)
    assert "<b>neg" not in text
    assert text.count("<script") == 1
    assert "<script>alert" not in text
    assert "<script>y" not in text
    assert "<img" not in text
    assert "<i>letters" not in text
    for label in LABELS:
        assert label in page.sections["confusion"]
    assert LABELS[1] in page.sections["mistakes"]


def test_the_name_of_the_data_may_be_no_unicode(summary):
    text = report_page(dataclasses.replace(summary, data="rev\udcff $a_$, test"))
    assert "rev\ufffd $a_$, test" in text
    assert text.encode()


def test_the_mistakes_are_the_worst_and_explained(summary):
    mistakes = summary.mistakes.value
    right = summary.scored.accuracy.value
    assert mistakes.count == round((1 - right) * summary.texts)
    losses = [mistake.loss for mistake in mistakes.worst]
    assert losses == sorted(losses, reverse=True)
    assert 0 < len(losses) <= MISTAKES
    for mistake in mistakes.worst:
        assert mistake.true != mistake.predicted
        assert mistake.attribution.label == mistake.predicted[0]
        assert mistake.attribution.words


def test_the_figures_are_those_of_the_answers(summary):
    confusion = summary.scored.confusion.matrix()
    assert confusion.sum() == summary.texts == summary.available == 16
    assert np.trace(confusion) / 16 == summary.scored.accuracy.value
    assert confusion.sum(axis=1).tolist() == summary.scored.per_label[:, 3].tolist() == [6, 10]
    assert sum(bucket.texts for bucket in summary.scored.by_length) == 16
    assert summary.scored.reliability.counts.sum() == 16


def test_everything_is_plain_values(summary):
    plain = json.loads(json.dumps(summary.to_dict()))
    assert plain["scored"]["accuracy"]["value"] == summary.scored.accuracy.value
    assert len(plain["credit"]["value"]["states"]) == 2
    assert plain["redundancy"]["seconds"] > 0


def test_a_bag_of_embeddings_has_reasons_where_it_has_no_states(bag):
    page = Page(report_page(bag))
    assert tuple(page.sections) == SECTIONS
    assert "A bag of embeddings: no recurrence" in page.sections["run"]
    for section in ("chaos", "times"):
        assert "Not for this run: the model is a bag of embeddings" in page.sections[section]
    assert page.pictures["credit"] == 1
    assert "only the answer's gradient is shown" in page.sections["credit"]
    assert page.pictures["redundancy"] == 1


@pytest.mark.thorough
def test_a_pyramid_that_reads_in_both_directions(tmp_path_factory):
    summary = tiny_summary(tmp_path_factory, cell="lstm", layers=2, pyramid=True, head="attention")
    page = Page(report_page(summary))
    for section in ("credit", "chaos", "times"):
        for place in ("layer 1 forward", "layer 1 backward", "layer 2 forward", "layer 2 backward"):
            assert place in page.sections[section], section


@pytest.mark.thorough
def test_a_model_that_reads_forwards(tmp_path_factory):
    summary = tiny_summary(tmp_path_factory, cell="simple", bidirectional=False, head="last")
    page = Page(report_page(summary))
    assert "read forwards; head: last" in " ".join(page.sections["run"].split())
    assert "backward" not in page.sections["chaos"]
    assert "eigenvalues" in page.sections["times"]


@pytest.mark.thorough
def test_several_labels_a_text(tmp_path_factory):
    summary = tiny_summary(tmp_path_factory, cell="none", multi_label=True)
    page = Page(report_page(summary))
    assert "A text may carry any number of labels" in page.sections["confusion"]
    assert summary.scored.confusion is None
    for mistake in not_none(summary.mistakes.value).worst:
        assert mistake.attribution.label in LABELS


def test_without_history_and_figures_of_training(summary):
    bare = dataclasses.replace(summary, history=[], metrics={})
    page = Page(report_page(bare))
    assert "There is no history.csv" in page.sections["learning"]
    assert "learning" not in page.pictures


def with_labels(summary, count: int) -> Page:
    """The page of a run with this many labels; 3 is mistaken for 4 twice, 5 for 6 seven times."""
    names = tuple(f"label {i}" for i in range(count))
    true = np.concatenate([np.repeat(np.arange(count), 9), [3, 3], np.full(7, 5)])
    answered = np.concatenate([np.repeat(np.arange(count), 9), [4, 4], np.full(7, 6)])
    confusion = Confusion.of(true, answered, labels=names)
    figures, _ = class_figures(true, answered, classes=count)
    scored = dataclasses.replace(
        summary.scored, confusion=confusion, per_label=np.stack(figures, axis=1)
    )
    return Page(report_page(dataclasses.replace(summary, labels=names, scored=scored)))


@pytest.mark.parametrize("count", few([77, 13, 1500]))
def test_of_many_labels_the_most_confused_are_shown(summary, count):
    page = with_labels(summary, count)
    text = " ".join(page.sections["confusion"].split())
    assert page.open == []
    assert text.index("label 5 label 6 7") < text.index("label 3 label 4 2")
    assert "The 4 labels with the most mistakes" in text
    # Row by row, with the numbers of the columns: those that are not shown are in the last one.
    assert "1 label 3 9 2 2 label 4 9 3 label 5 9 7 4 label 6 9" in text
    hidden = f"{count - 15:,} more labels are not shown"
    assert (hidden in text) == (count > 30)
    assert text.count("100.0 %") < 3 * 31


def test_of_few_labels_all_are_shown(summary):
    text = " ".join(with_labels(summary, 12).sections["confusion"].split())
    assert "label 3 0 0 0 9 2 0 0 0 0 0 0 0" in text
    assert "not shown" not in text


@pytest.mark.thorough
def test_one_label_that_a_text_may_carry(tmp_path_factory):
    summary = tiny_summary(tmp_path_factory, cell="none", multi_label=True, classes=1)
    assert summary.scored.per_label.shape == (1, 4)
    assert summary.scored.per_label[0, 3] == 6
    assert summary.scored.macro_f1.value == pytest.approx(summary.scored.per_label[0, 2])
    page = Page(report_page(summary))
    assert page.open == []
    assert page.pictures["calibration"] == 2


@pytest.mark.thorough
def test_samples_are_drawn(tmp_path_factory):
    summary = tiny_summary(tmp_path_factory, cell="none", samples=4)
    assert (summary.texts, summary.available) == (4, 16)
    assert not_none(summary.scored.confusion).texts.sum() == 4
    page = " ".join(report_page(summary).split())
    assert "4 of 16 labelled texts (&lt;i&gt;letters&lt;/i&gt;), drawn at random." in page


def test_what_its_reader_asks_first_comes_first(summary):
    learned = {LABELS[0]: 11, LABELS[1]: 25}
    page = Page(report_page(dataclasses.replace(summary, training_texts=learned)))
    text = " ".join(page.sections["first"].split())
    counts = summary.scored.confusion.matrix()
    worst = int(np.argmin(np.diag(counts) / counts.sum(axis=1)))
    assert f"The label {LABELS[worst]} suffers most" in text
    assert f"The most frequent wrong answer for it is {LABELS[1 - worst]} (" in text
    assert f"from {learned[LABELS[worst]]} training texts; the labels have on average 18." in text
    assert summary.doubts.sentence in text
    assert f"answered {summary.wrong[0].predicted[0]} with" in text


def test_what_a_state_remembers_is_no_headline(page, summary):
    top = report_page(summary).split('<section id="mistakes"')[0].split("<header>")[1]
    for words in ("Lyapunov", "half of a state"):
        assert words not in top
    assert "Lyapunov" in page.sections["chaos"]


def test_every_mistake_is_in_a_table(page, summary):
    text = " ".join(page.sections["mistakes"].split())
    assert summary.mistakes.value.count == len(summary.wrong) > 0
    assert "All mistakes" in text
    assert "textrnn evaluate RUN --output answers.csv" in text
    for answer in summary.wrong:
        assert " ".join(answer.text.split()) in text


def test_more_mistakes_than_the_table_holds_are_counted(summary):
    shorter = dataclasses.replace(summary, wrong=summary.wrong[:1])
    text = " ".join(Page(report_page(shorter)).sections["mistakes"].split())
    assert "The surest mistakes 1 of" in text


def test_without_mistakes_there_is_no_table(summary):
    page = report_page(dataclasses.replace(summary, wrong=()))
    assert "<script>" not in page
    assert "No text was answered wrongly." in page


def test_the_accuracy_says_on_which_texts_it_was_measured(summary):
    top = " ".join(report_page(summary).split('<section id="first"')[0].split())
    assert "accuracy on 16 texts (&lt;i&gt;letters&lt;/i&gt;); 95 % interval" in top
    redundancy = " ".join(Page(report_page(summary)).sections["redundancy"].split())
    assert f"accuracy on {summary.redundancy.value.texts} texts" in redundancy
