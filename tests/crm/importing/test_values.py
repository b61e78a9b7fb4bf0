from decimal import Decimal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.importing.values import (
    clean_amount,
    clean_domain,
    clean_email,
    clean_linkedin,
    clean_phone,
    clean_text,
    decimal_mark,
    email_key,
    phone_key,
    split_full_name,
    split_tags,
    word_key,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Jean.Dupont+x@Example.COM\n", "Jean.Dupont+x@Example.COM"),
        ("mailto:a@x.io", "a@x.io"),
        ("o'neil@x.co.uk", "o'neil@x.co.uk"),
        ("üser@exämple.de", "üser@exämple.de"),
        (normalize("NFD", "zoé@x.fr"), "zoé@x.fr"),
        ("a@xn--exmple-cua.de", "a@xn--exmple-cua.de"),
        ("a@firm.test", "a@firm.test"),
        ("a" * 64 + "@x.io", "a" * 64 + "@x.io"),
    ],
)
def test_a_valid_address_is_kept_as_typed(text, address):
    assert clean_email(text) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the address is empty; write one like jean@example.com"),
        ("jean", '"jean" is no e-mail address: an email address must have an @-sign'),
        ("a..b@x.io", '"a..b@x.io" is no e-mail address: an email address cannot have two periods in a row'),
        (".a@x.io", "cannot start with a period"),
        ("a@x", "no e-mail address"),
        ("a@localhost", "no e-mail address"),
        ("a@x.123", "its domain needs an ending such as .com"),
        ("a@-x.io", "hyphen"),
        ("a@x_y.io", "invalid characters"),
        ("a@[1.2.3.4]", "IP address"),
        ('"a b"@x.io', "Quoting|quoting"),
        ("a b@x.io", "SPACE"),
        ("a@x.io, b@x.io", "invalid characters"),
        ("a@x.io\nBcc: b@x.io", "invalid characters"),
        ("<a@x.io>", "angle brackets"),
        ("a\0@x.io", '"a␀@x.io"'),
        ("a@xn--zz.io", "IDNA"),
        ("a" * 65 + "@x.io", "before the @ there may be 64 characters"),
        ("a@" + "b." * 130 + "io", "too long"),
    ],
)
def test_an_invalid_address_is_refused_with_its_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        clean_email(text)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Jean.DUPONT@Example.COM", "jean.dupont@example.com"),
        ("ÉLODIE@x.fr", "élodie@x.fr"),
        (normalize("NFD", "élodie@x.fr"), "élodie@x.fr"),
        ("a@exämple.de", "a@xn--exmple-cua.de"),
        ("a@EXÄMPLE.de", "a@xn--exmple-cua.de"),
        ("a@XN--exmple-cua.de", "a@xn--exmple-cua.de"),
        ("straße@x.de", "strasse@x.de"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
    ],
)
def test_spellings_of_one_address_have_one_key(address, key):
    assert email_key(address) == key


@given(st.text(max_size=40).map(lambda text: f"{text}@exämple.de") | st.emails() | st.text(max_size=40))
def test_the_key_of_a_key_is_itself(text):
    try:
        key = email_key(clean_email(text))
    except ValueError:
        return

    assert email_key(key) == key
    assert len(key) <= 254


@pytest.mark.parametrize(
    ("text", "phone"),
    [(" +33 6  12 34 ", "+33 6 12 34"), ("'+33612", "+33612"), ("tel:+33612", "+33612"), ("", "")],
)
def test_a_phone_number_is_trimmed(text, phone):
    assert clean_phone(text) == phone


def test_text_is_short_enough_and_free_of_nul():
    assert clean_text("  Ann ", 3) == "Ann"
    with pytest.raises(ValueError, match='"Anna" has 4 characters; at most 3 fit'):
        clean_text("Anna", 3)
    with pytest.raises(ValueError, match='"A␀" contains a NUL character; remove it'):
        clean_text("A\0", 3)
    with pytest.raises(ValueError, match="has 65 characters; at most 64 fit"):
        clean_phone("1" * 65)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://www.linkedin.com/in/jean-dupont", "https://www.linkedin.com/in/jean-dupont"),
        (" fr.LinkedIn.com/in/Jean-Dupont/?trk=x ", "https://www.linkedin.com/in/jean-dupont"),
        ("http://m.linkedin.com/in/jean/en#top", "https://www.linkedin.com/in/jean"),
        ("linkedin.com/in/élodie", "https://www.linkedin.com/in/%C3%A9lodie"),
        ("linkedin.com/in/%C3%89lodie", "https://www.linkedin.com/in/%C3%A9lodie"),
    ],
)
def test_a_linkedin_profile_has_one_spelling(text, url):
    assert clean_linkedin(text) == url
    assert clean_linkedin(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jean-dupont",
        "https://www.linkedin.com/company/acme",
        "https://www.linkedin.com/sales/lead/x",
        "https://evil-linkedin.com/in/x",
        "https://linkedin.com.evil.io/in/x",
        "https://evil.io/?linkedin.com/in/x",
        "https://www.linkedin.com/in/%00",
        "https://www.linkedin.com/in/%2E%2E",
        "https://www.linkedin.com/in/a%2Fb",
        "javascript:alert(1)//linkedin.com/in/x",
    ],
)
def test_what_is_no_linkedin_profile_is_refused(text):
    with pytest.raises(
        ValueError, match=r"is no LinkedIn profile; write it like https://www\.linkedin\.com/in/"
    ):
        clean_linkedin(text)


@pytest.mark.parametrize(
    ("text", "domain"),
    [("https://www.acme.com/about?x=1", "acme.com"), ("ACME.com", "acme.com"), ("info@acme.de", "acme.de")],
)
def test_a_domain_is_bare(text, domain):
    assert clean_domain(text) == domain


@pytest.mark.parametrize("text", ["acme", "a b.com", "", "https://"])
def test_what_is_no_domain_is_refused(text):
    with pytest.raises(ValueError, match=r"is no domain; write it like acme\.com"):
        clean_domain(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234", "1234.00"),
        ("1 234,50", "1234.50"),
        ("1\u202f234,50 €", "1234.50"),
        ("1,234.50", "1234.50"),
        ("$1,234,567", "1234567.00"),
        ("€ 1.234,50", "1234.50"),
        ("CHF 1'234.–", "1234.00"),
        ("1’234.50", "1234.50"),
        ("12 kr.", "12.00"),
        ("EUR12,5", "12.50"),
        ("1,234", "1234.00"),
        ("1.234", "1234.00"),
        ("0,125", "0.13"),
        ("1234.567", "1234.57"),
        ("-5,5", "-5.50"),
        ("-$5", "-5.00"),
        ("-0", "0.00"),
        (".5", "0.50"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_an_amount_is_read_however_it_is_marked(text, amount):
    assert str(clean_amount(text)) == amount


@pytest.mark.parametrize(
    "text", ["", "free", "12k", "10%", "1,2,3", "1.2.3", "1,23.456,7", "٣", "1e5", "--", "\0"]
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match=r"is no amount; write it like 1234\.50"):
        clean_amount(text)


@pytest.mark.parametrize("text", ["999999999999.995", "1000000000000", "9" * 5000])
def test_an_amount_that_does_not_fit_is_refused(text):
    with pytest.raises(ValueError, match="is too large"):
        clean_amount(text)


@given(st.text(max_size=30))
def test_an_amount_is_a_decimal_with_two_places_or_an_error(text):
    try:
        amount = clean_amount(text)
    except ValueError:
        return

    assert amount == amount.quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1,234", "12,5"], ","),
        (["1,234.5"], "."),
        (["1.234.567"], ","),
        (["1,234"], ""),
        (["x", "1'234.50"], "."),
        ([], ""),
    ],
)
def test_a_column_tells_its_decimal_mark(cells, mark):
    assert decimal_mark(cells) == mark


def test_a_known_decimal_mark_settles_what_three_digits_mean():
    assert clean_amount("1,234", decimal=",") == Decimal("1.23")
    assert clean_amount("1.234", decimal=",") == Decimal("1234.00")
    assert clean_amount("123.456", decimal=".") == Decimal("123.46")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Jean Dupont", ("Jean", "Dupont")),
        ("Mary Jane Watson", ("Mary Jane", "Watson")),
        ("Dupont, Jean", ("Jean", "Dupont")),
        ("DUPONT Jean", ("Jean", "DUPONT")),
        ("JEAN DUPONT", ("JEAN", "DUPONT")),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven")),
        ("Dr. Ana de la Cruz", ("Ana", "de la Cruz")),
        ("Cher", ("Cher", "")),
        ("  ", ("", "")),
    ],
)
def test_a_full_name_is_split(text, names):
    assert split_full_name(text) == names


def test_tags_are_split_once_each_in_order():
    assert split_tags(" VIP; Paris, vip |\nnew  client,") == ["VIP", "Paris", "new client"]
    with pytest.raises(ValueError, match="has 101 characters; at most 100 fit"):
        split_tags("x" * 101)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("+33 1 23-45.67", "331234567"),
        ("0033 1 234567", "331234567"),
        ("+44 (0)20 7946", "44207946"),
        ("(01) 23", "123"),
        ("none", ""),
    ],
)
def test_a_number_is_known_by_the_digits_that_matter(text, key):
    assert phone_key(text) == key


def test_spellings_of_a_word_have_one_key():
    spellings = ["Société  Générale", " SOCIÉTÉ\xa0GÉNÉRALE\n", normalize("NFD", "société générale")]

    assert {word_key(text) for text in spellings} == {"société générale"}
