import pytest

from textrnn.layers.cells import CELLS
from textrnn.layers.recurrence.kernel_check import check_kernels


@pytest.mark.thorough
def test_each_kernel_of_this_machine_equals_the_definition():
    checks = list(check_kernels(batch=3, steps=9, units=4))
    assert {check.cell for check in checks} == set(CELLS)
    assert {check.kernel for check in checks} == {"chunked", "scan"}
    assert all(0 <= check.difference < 1e-5 for check in checks)
    assert all(check.milliseconds > 0 for check in checks)
