import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textrnn.runtime.serve.columns import rounded


@given(st.lists(st.floats(0, 1, width=32)))
def test_numbers_have_the_six_digits_that_tensorflow_serving_writes(numbers):
    expected = [float(f"{number:.6g}") for number in numbers]
    np.testing.assert_allclose(
        rounded(np.array(numbers, np.float32)), expected, rtol=2e-16, atol=1e-22
    )


def test_rows_of_numbers_are_rounded_too():
    numbers = np.array([[1 / 3, 0.0], [1.0, 1e-7]], np.float32)
    assert rounded(numbers) == [[0.333333, 0.0], [1.0, 1e-7]]
