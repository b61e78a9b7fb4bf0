"""Descriptions: what their lines say by the account's own names of fields, and the addresses in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.descriptions import by_meaning, by_name, emails_in, person_in, render
from crm.models import Field

NATALIA = (
    "Firstname: Natalia\nLastname: Bawer\nFull name: Natalia Bawer\nEmail: natalia.bawer@loretta-inc.com\n"
    "Phone: 801 274 6798\nMobile: 832 764 1930 \nWeb: http://more-info-loretta.com\nDepartment: Sales\n"
    "--- Entrez une description ci-dessous ---\n \n--- \nMet Natalia. Phone: 1"
)
FIELDS = [
    Field(name=name, meaning=meaning, type=kind)
    for name, meaning, kind in [
        ("Firstname", "first_name", "text"),
        ("Lastname", "last_name", "text"),
        ("Full name", "full_name", "text"),
        ("Email", "email", "email"),
        ("Phone", "phone", "phone"),
        ("Mobile", "mobile", "phone"),
        ("Web", "web", "url"),
        ("Department", "job", "text"),
        ("Société", "", "text"),
        ("電話", "phone", "phone"),
    ]
]


def test_lines_say_what_fields_hold_as_it_was_typed():
    assert by_meaning(NATALIA, FIELDS) == {
        "first_name": "Natalia",
        "last_name": "Bawer",
        "full_name": "Natalia Bawer",
        "email": "natalia.bawer@loretta-inc.com",
        "phone": "801 274 6798",
        "mobile": "832 764 1930 ",
        "web": "http://more-info-loretta.com",
        "job": "Sales",
    }
    assert list(by_name(NATALIA, FIELDS)) == [
        "Firstname", "Lastname", "Full name", "Email", "Phone", "Mobile", "Web", "Department",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("EMAIL:a@b.com", "Email", "a@b.com"),
        ("  full   NAME : Ada Byron", "Full name", "Ada Byron"),
        ("Phone:\xa001 02", "Phone", "01 02"),
        ("SOCIÉTÉ\xa0: Navale", "Société", "Navale"),
        ("Socie\u0301te\u0301: Navale", "Société", "Navale"),
        ("電話：03-1234", "電話", "03-1234"),
        ("Web: http://x.com:8000/", "Web", "http://x.com:8000/"),
        ("Phone: 1\r", "Phone", "1"),
    ],
)
def test_a_name_is_known_in_any_language_and_spelling(line, name, value):
    assert by_name(f"Hello\n{line}\nBye", FIELDS) == {name: value}


@pytest.mark.parametrize(
    "text",
    ["", "Email", "Email:", "Email: \xa0", "E-mail: a@b.com", "x: Email: a@b.com", "---\nEmail: a@b.com",
     "--- write below ---\nEmail: a@b.com", "-----\nEmail: a@b.com"],
)  # fmt: skip
def test_what_is_no_line_of_a_field_says_nothing(text):
    assert by_name(text, FIELDS) == {}


def test_the_first_line_that_says_something_wins():
    assert by_meaning("Phone:\n電話: 1\nPhone: 2", FIELDS) == {"phone": "1"}
    assert by_name("Phone:\n電話: 1\nPhone: 2", FIELDS) == {"電話": "1", "Phone": "2"}


@pytest.mark.parametrize(
    "text",
    [
        "Firstname: Ada<br>Phone: 1&nbsp;2<br />free",
        "<div>Firstname: Ada</div><div>Phone: <b>1&nbsp;2</b></div>",
        "<p>Firstname: Ada</p>\r\n<p>Phone: 1&nbsp;2</p><p class='x'>--- more ---</p><p>Mobile: 5</p>",
        "Firstname: Ada\nPhone: <span>1&nbsp;2</span>",
    ],
)
def test_markup_is_read_as_the_lines_that_people_see(text):
    assert by_name(text, FIELDS) == {"Firstname": "Ada", "Phone": "1\xa02"}


def test_an_address_in_brackets_is_no_markup():
    assert by_name("Email: <ada@x.com>\nPhone: 1", FIELDS) == {"Email": "<ada@x.com>", "Phone": "1"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ada <ada@x.com>, bob@y.org; (carl@z.net).", ["ada@x.com", "bob@y.org", "carl@z.net"]),
        ("Email:ada@x.com mailto:bob@y.org?subject=x", ["ada@x.com", "bob@y.org"]),
        ('<a href="mailto:ada@x.com">Ada@X.com</a><br>', ["ada@x.com"]),
        ("ADA@x.com and ada@X.COM", ["ADA@x.com"]),
        ("O'Brien: o'brien@x.com, 'ada@x.com' “bob@x.com”", ["o'brien@x.com", "ada@x.com", "bob@x.com"]),
        ("jörg@müller.de", ["jörg@müller.de"]),
        ("@ada a@b ada@ @x.com ada@x..com a@b@c.com", []),
        ("https://user:pass@host/", []),
    ],
)
def test_every_address_of_a_text_is_found_once(text, found):
    assert emails_in(text) == found


def test_a_text_of_many_addresses_gives_the_first_five_hundred():
    text = " ".join(f"a{number}@x.com" for number in range(501))

    assert emails_in(text) == text.split()[:500]


def test_rendered_lines_are_read_as_the_same_values():
    text = render([("Firstname", "Ada"), ("Phone", "1\n2")], "Email: free@text.com")

    assert text == "Firstname: Ada\nPhone: 1 2\n---\nEmail: free@text.com"
    assert by_name(text, FIELDS) == {"Firstname": "Ada", "Phone": "1 2"}


def test_brackets_in_a_rendered_value_stay_text():
    text = render([("Firstname", "<b>Ada</b>")])

    assert text == "<div>Firstname: &lt;b&gt;Ada&lt;/b&gt;</div>"
    assert by_name(text, FIELDS) == {"Firstname": "<b>Ada</b>"}


WORDS = [
    *(field.name for field in FIELDS), ":", "：", " ", "\n", "\r\n", "---", "<br>", "<p>", "</p>",
    "&lt;b&gt;", "&amp;", "a@b.com", "\xa0", "<", ">", "\x0b", "\u2028",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=5)).map("".join)


@given(TEXTS)
def test_reading_what_was_rendered_of_any_text_gives_the_same_values(text):
    said = by_name(text, FIELDS)

    assert by_name(render(said.items(), "Phone: 5"), FIELDS) == said


@given(TEXTS)
def test_no_text_breaks_the_reading(text):
    assert set(by_meaning(text, FIELDS)) <= {field.meaning for field in FIELDS}
    assert all("@" in address for address in emails_in(text))


LONG = 1_000_000
REPEATED = [
    "x",
    ":",
    ":\n",
    "@",
    "a@",
    "<",
    "<p ",
    "\t",
    "-",
    "Email: a@b.com\n",
    "<p>a:",
    "<div>",
    "<b><i>",
    "&",
]


@pytest.mark.parametrize("part", REPEATED)
def test_a_megabyte_of_anything_is_read(part):
    text = "Phone: 1\n" + part * (LONG // len(part))

    assert by_meaning(text, FIELDS)["phone"].startswith("1")
    assert len(emails_in(text)) <= 1


def test_a_person_is_read_by_what_fields_stand_for():
    assert person_in(NATALIA, FIELDS) == {
        "email": "natalia.bawer@loretta-inc.com",
        "first_name": "Natalia",
        "last_name": "Bawer",
        "phone": "801 274 6798",
        "job_title": "Sales",
    }


def test_a_full_name_is_split_and_a_mobile_number_is_better_than_none():
    person = person_in("Full name: Ludwig van Beethoven\nEmail: l@b.at\nMobile: 5", FIELDS)

    assert person == {"email": "l@b.at", "first_name": "Ludwig", "last_name": "van Beethoven", "phone": "5"}


def test_the_address_of_the_person_goes_before_another_one():
    fields = [Field(name="Billing", type="email", meaning=""), *FIELDS]

    assert person_in("Billing: b@x.com\nEmail: nobody\nEmail: a@x.com", fields) == {"email": "a@x.com"}
    assert person_in("Billing: b@x.com", fields) == {"email": "b@x.com"}
    assert person_in("Firstname: Ada", fields) == {}
