from textrnn.analysis.data_check.scripts import check_scripts, script_shares


def test_signs_and_digits_have_no_script():
    assert script_shares(["12, 3!", "ab"]) == {"Latin": 1.0}
    assert script_shares(["12"]) == {}


def test_two_scripts_are_told(split_of):
    (finding,) = check_scripts(split_of([("abcd привет", "x")]))
    assert finding.message == "The texts have letters of 2 scripts: Cyrillic 60.0%, Latin 40.0%."


def test_a_class_in_another_script_is_a_warning(split_of):
    pairs = [("only Latin letters here", "x")] * 60 + [("здесь только кириллица", "y")] * 20
    kinds = {finding.kind: finding for finding in check_scripts(split_of(pairs))}
    assert "'y' (Cyrillic)" in kinds["scripts_of_classes"].message


def test_one_script_is_no_finding(split_of):
    assert list(check_scripts(split_of([("a text", "x"), ("b text", "y")] * 200))) == []
