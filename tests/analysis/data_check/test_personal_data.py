import pytest

from textrnn.analysis.data_check.personal_data import check_personal_data, personal_data


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mail to jo.doe+x@mail.example.org now", "e-mail addresses"),
        ("see https://example.org/a?id=1&access_token=abcdef123", "links with a secret in them"),
        ("my IBAN is GB82 WEST 1234 5698 7654 32.", "bank account numbers (IBAN)"),
        ("DE89370400440532013000", "bank account numbers (IBAN)"),
        ("card 4111 1111 1111 1111 expires", "payment card numbers"),
        ("call +49 (30) 1234-5678", "telephone numbers"),
        ("call 555-867-5309 today", "telephone numbers"),
        ("ring (020) 7946 0958", "telephone numbers"),
        ("customer 9876543210123", "other numbers of 9 or more digits"),
    ],
)
def test_what_looks_like_personal_data_is_counted_once(text, kind):
    assert personal_data(text) == {kind: 1}


@pytest.mark.parametrize(
    "text",
    [
        "I paid 1,234,567.89 on 2024-01-15 at 10:30",
        "version 1.2.3.4 from 1990-1995, pages 100-200",
        "GB82 WEST 1234 5698 7654 33 is no IBAN",
        "follow @somebody on the net",
        "see https://example.org/page?id=12345678",
        "call me",
    ],
)
def test_ordinary_numbers_and_links_are_not(text):
    assert set(personal_data(text)) <= {"other numbers of 9 or more digits"}


def test_a_wrong_check_digit_is_only_a_number():
    assert personal_data("card 4111111111111112") == {"other numbers of 9 or more digits": 1}


def test_findings_count_texts_and_show_nothing(split_of):
    pairs = [("a@example.org and b@example.org", "x"), ("none", "y"), ("c@example.org", "x")]
    (finding,) = check_personal_data(split_of(pairs))
    assert finding.message == "2 texts have what look like e-mail addresses (3 in all)."
    assert finding.rows == (1, 3)
    assert "example.org" not in str(finding.to_dict())
