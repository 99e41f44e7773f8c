from textrnn.analysis.data_check.findings import MOST_ROWS, Finding, Severity, most_severe_first


def test_a_finding_names_only_some_of_its_rows():
    found = Finding("k", "info", "train", "Many.", rows=range(1, 100), count=99)
    assert found.rows == tuple(range(1, MOST_ROWS + 1))
    assert found.to_dict()["count"] == 99


def test_the_most_severe_findings_are_first_in_their_order():
    severities: list[Severity] = ["info", "error", "warning", "error"]
    findings = [Finding(str(n), s, "", "m") for n, s in enumerate(severities)]
    assert [f.kind for f in most_severe_first(findings)] == ["1", "3", "2", "0"]
