import numpy as np
from letter_model import LABELS, LetterModel

from textrnn.runtime.serve.columns import Columns


def test_each_output_is_a_column():
    columns = Columns.of(LetterModel().answers(["bb", "c"]), LABELS)
    assert (columns.label, columns.labels) == (["b", "c"], ["a", "b", "c"])
    np.testing.assert_allclose(columns.score, [0.6, 0.5])
    np.testing.assert_allclose(columns.scores, [[0.2, 0.6, 0.2], [0.25, 0.25, 0.5]])
    assert columns.decided.tolist() == [[False, True, False], [False, False, True]]


def test_a_withheld_answer_has_no_label_and_a_text_may_have_several():
    model = LetterModel(multi_label=True, abstain_below=0.4)
    columns = Columns.of(model.answers(["aabb", "abc"]), LABELS)
    assert columns.label == ["a", ""]
    assert columns.decided.tolist() == [[True, True, False], [False, False, False]]
