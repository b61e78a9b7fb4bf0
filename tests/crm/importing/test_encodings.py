import codecs

import pytest

from crm.importing.encodings import detect_encoding, known_encoding
from crm.importing.formats import Record, Unreadable
from crm.importing.reading import detect, headers, records

TEXTS = {
    "french": "Prénom;Nom;Société\nÉlodie;Dupré;Crédit Agricole Île-de-France\nJosé;Muñoz;Peña e Hijos\n",
    "english": "name;city;age\nJohn Lee;London;40\nJosé Lee;Leeds;41\n",
    "russian": "Имя;Фамилия;Компания\nИван;Петров;Завод строительных машин\nДмитрий;Кузнецов;Ромашка\n",
    "polish": "Imię;Nazwisko;Miasto\nŁukasz;Wiśniewski;Łódź\nMałgorzata;Dąbrowska;Gdańsk\n",
    "japanese": "名前;会社;住所\n山田太郎;株式会社東京;東京都新宿区西新宿\n佐藤花子;日本電気;大阪市北区\n",
}


@pytest.mark.parametrize(
    ("language", "written_in", "found"),
    [
        ("french", "utf-8", "utf-8"),
        ("french", "utf-8-sig", "utf-8"),
        ("french", "utf-16", "utf-16-le"),
        ("french", "utf-16-le", "utf-16-le"),
        ("french", "utf-16-be", "utf-16-be"),
        ("french", "cp1252", "cp1252"),
        ("english", "cp1252", "cp1252"),
        ("russian", "cp1251", "cp1251"),
        ("russian", "koi8-r", "koi8-r"),
        ("russian", "utf-8", "utf-8"),
        ("polish", "cp1250", "cp1250"),
        ("japanese", "shift_jis", "cp932"),
    ],
)
def test_an_encoding_is_found_and_its_text_comes_out_whole(tmp_path, language, written_in, found):
    path = tmp_path / "people.csv"
    path.write_bytes(TEXTS[language].encode(written_in))

    file_format = detect(path)

    assert file_format == ("csv", found, ";")
    rows = [line.split(";") for line in TEXTS[language].splitlines()]
    assert headers(path, file_format) == rows[0]
    assert list(records(path, file_format)) == [Record(1, 2, rows[1]), Record(2, 3, rows[2])]


def test_an_accent_after_a_megabyte_of_ascii_still_decides(tmp_path):
    path = tmp_path / "late.csv"
    path.write_bytes(b"name,city\n" + b"John,London\n" * 100_000 + "José,Nîmes\n".encode("cp1252"))

    encoding = detect_encoding(path)

    assert encoding == "cp1252"


def test_one_broken_byte_does_not_garble_a_file_in_utf_8(tmp_path):
    path = tmp_path / "broken.csv"
    path.write_bytes(
        b"name,city\n" + "Élodie,Nîmes\n".encode() * 50 + b"Jos\xe9,Lyon\n" + "Zoé,Orléans\n".encode()
    )

    file_format = detect(path)
    items = list(records(path, file_format))

    assert file_format.encoding == "utf-8"
    assert [item.number for item in items if not isinstance(item, Record)] == [51]
    assert items[50].line == 52
    assert "byte 0xE9 on line 52" in items[50].reason
    assert items[51] == Record(52, 53, ["Zoé", "Orléans"])


def test_a_lone_surrogate_in_utf_16_costs_its_own_row(tmp_path):
    path = tmp_path / "people.csv"
    rows = (
        "name,city\nÉva,Pécs\n".encode("utf-16-le")
        + b"\x00\xd8,\x00x\x00\n\x00"
        + "Ana,Vigo".encode("utf-16-le")
    )
    path.write_bytes(codecs.BOM_UTF16_LE + rows)

    items = list(records(path, detect(path)))

    assert [(item.line, isinstance(item, Record)) for item in items] == [(2, True), (3, False), (4, True)]


def test_half_a_character_at_the_end_of_utf_16_costs_its_own_row(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("name,city\nÉva,Pécs\nAna,Vigo".encode("utf-16") + b"\x41")

    items = list(records(path, detect(path)))

    assert [(item.line, isinstance(item, Record)) for item in items] == [(2, True), (3, False)]


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ("UTF8", "utf-8"),
        ("Latin-1", "cp1252"),
        ("windows-1250", "cp1250"),
        ("Shift_JIS", "cp932"),
        ("gb2312", "gb18030"),
    ],
)
def test_an_encoding_may_be_named_in_any_usual_way(named, known):
    assert known_encoding(named) == known


@pytest.mark.parametrize(
    "name", ["klingon", "utf-7", "rot13", "base64", "unicode_escape", "idna", "a\0b", "cp037"]
)
def test_an_encoding_that_is_unknown_or_no_text_is_refused(name):
    with pytest.raises(Unreadable, match="is not known here; try one of utf-8, "):
        known_encoding(name)


def test_a_forced_encoding_is_believed(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("nom,ville\nZoé,Nîmes\n".encode())

    file_format = detect(path, encoding="windows-1252")

    assert next(records(path, file_format)).cells == ["ZoÃ©", "NÃ®mes"]


def test_utf_32_is_refused_with_what_would_work(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("name,city\n".encode("utf-32"))

    with pytest.raises(Unreadable, match="save it as UTF-8"):
        detect(path)
