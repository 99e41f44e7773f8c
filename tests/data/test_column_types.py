import datetime

import pyarrow
import pytest

from textrnn.data.column_types import infer_schema
from textrnn.data.columns import ABSENT

DAY, TIME = datetime.date(2026, 11, 28), datetime.datetime(2026, 11, 28, 12)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, ABSENT], pyarrow.int64()),
        ([1, 2.5], pyarrow.float64()),
        ([2**60, 1], pyarrow.int64()),
        ([2**60, 0.5], pyarrow.string()),
        ([2**70], pyarrow.string()),
        ([True, False], pyarrow.bool_()),
        ([True, 1], pyarrow.string()),
        (["a", 1], pyarrow.string()),
        ([[1], [2]], pyarrow.string()),
        ([DAY], pyarrow.date32()),
        ([TIME], pyarrow.timestamp("us")),
        ([TIME, DAY], pyarrow.string()),
        ([TIME.time()], pyarrow.time64("us")),
        ([], pyarrow.string()),
    ],
)
def test_a_column_has_one_type_for_all_values(values, kind):
    schema = infer_schema(["x"], ([value] for value in values))
    assert schema.field("x").type == kind
