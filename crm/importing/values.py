"""The values of cells in the form that is stored, or a ValueError that says what would have worked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from unicodedata import category, normalize
from urllib.parse import quote, unquote

import idna

LIMITS = {
    "first_name": 250,
    "last_name": 250,
    "full_name": 501,
    "company": 250,
    "name": 250,
    "job_title": 250,
    "location": 250,
    "phone": 64,
    "email": 254,
    "linkedin_url": 500,
    "title": 250,
    "domain": 253,
    "tag": 100,
}
_MOST_LOCAL = 64
_SHOWN = 60

# A dot-atom at a domain of letters, digits and hyphens: nearly every address. Possessive, so never slow.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_LABEL = r"(?!-)(?!..--)[A-Za-z0-9-]{1,63}+(?<!-)"
_PLAIN_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+@(?:{_LABEL}\.)++(?!..--)[A-Za-z]{{2,63}}+")

_LINKEDIN = re.compile(
    r"(?:(?:https?:)?//)?(?:[a-z]{1,3}\.)?linkedin\.com(?::\d+)?/+in/+([^/?#\s]+)(?:[/?#].*)?", re.IGNORECASE
)
_PLAIN_SLUG = re.compile(r"[A-Za-z0-9_-]{1,200}")
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(?:www\.)?([^/:?#\s@]+).*", re.IGNORECASE)

_CURRENCIES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MAD MXN MYR"
    " NOK NZD PEN PHP PLN RON RUB SAR SEK SGD THB TND TRY TWD UAH USD VND XAF XOF ZAR"
)
_MONEY_WORDS = frozenset(_CURRENCIES.casefold().split()) | {"kr", "fr", "zł", "kč", "ft", "lei"}
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:(?P<mark>[.,'’])\d{3})(?:(?P=mark)\d{3})*")
_MOST_AMOUNT = Decimal(10) ** 12

_TITLES = {
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "prof",
    "sir",
    "m",
    "mme",
    "mlle",
    "monsieur",
    "madame",
    "maître",
    "herr",
    "frau",
    "hr",
    "fr",
    "sr",
    "sra",
    "srta",
    "señor",
    "señora",
}
_PARTICLES = {
    "van",
    "von",
    "der",
    "den",
    "de",
    "del",
    "della",
    "di",
    "da",
    "do",
    "dos",
    "das",
    "du",
    "la",
    "le",
    "los",
    "las",
    "el",
    "al",
    "bin",
    "ibn",
    "ter",
    "zu",
}


def clean_text(text: str, limit: int) -> str:
    """Trimmed, without NUL, and short enough for its column."""
    text = text.strip()
    if "\0" in text:
        raise ValueError(f"{shown(text)} contains a NUL character; remove it")
    if len(text) > limit:
        raise ValueError(f"{shown(text)} has {len(text)} characters; at most {limit} fit")
    return text


def clean_email(text: str) -> str:
    """The address as typed, trimmed. Its syntax is judged strictly; whether it exists is not asked."""
    text = text.strip()
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if _PLAIN_EMAIL.fullmatch(text) and len(text) <= LIMITS["email"] and text.index("@") <= _MOST_LOCAL:
        return text
    return _clean_unusual_email(text)


def email_key(address: str) -> str:
    """What tells two addresses apart: case, the form of accents and the spelling of the domain do not."""
    if address.isascii() and "xn--" not in (lowered := address.lower()):
        return lowered
    local, at, domain = address.rpartition("@")
    try:
        domain = idna.encode(normalize("NFC", domain), uts46=True).decode()
    except idna.IDNAError:
        domain = domain.casefold()
    return normalize("NFC", normalize("NFD", local).casefold()) + at + domain.lower()


def phone_key(text: str) -> str:
    """The digits that matter: neither the zeros in front, nor the one that is dialled at home only."""
    return re.sub(r"[^0-9]", "", re.sub(r"\(0+\)", "", text)).lstrip("0")


def word_key(text: str) -> str:
    """Two spellings of one name or value: case, the form of accents and runs of blanks do not matter."""
    return normalize("NFC", " ".join(text.split()).casefold())


def clean_phone(text: str) -> str:
    """As typed, but for blanks and for the marks that spreadsheets and links put in front."""
    text = " ".join(text.split()).removeprefix("'")
    if text[:4].lower() == "tel:":
        text = text[4:].strip()
    return clean_text(text, LIMITS["phone"])


def clean_linkedin(url: str) -> str:
    """One spelling for each profile, since the address of a profile identifies a person."""
    text = clean_text(url, LIMITS["linkedin_url"])
    match = _LINKEDIN.fullmatch(text)
    if match and _PLAIN_SLUG.fullmatch(match[1]):
        return f"https://www.linkedin.com/in/{match[1].lower()}"
    slug = normalize("NFC", unquote(match[1]).casefold()) if match else ""
    if slug in ("", ".", "..") or "\0" in slug or "/" in slug or slug != slug.strip():
        raise ValueError(
            f"{shown(text)} is no LinkedIn profile; write it like https://www.linkedin.com/in/jean-dupont"
        )
    return clean_text(f"https://www.linkedin.com/in/{quote(slug, safe='')}", LIMITS["linkedin_url"])


def clean_domain(text: str) -> str:
    """The bare domain, also of a web address: `https://www.acme.com/about` gives `acme.com`."""
    match = _HOST.fullmatch(clean_text(text, 500))
    try:
        return clean_email(f"x@{match[1]}")[2:].lower() if match else _no_domain(text)
    except ValueError:
        return _no_domain(text)


def clean_amount(text: str, *, decimal: str = "") -> Decimal:
    """An amount with two decimals, however its thousands and decimals are marked, with or without a currency.

    `1,234` may mean 1234 or 1.234: `decimal` names the mark of the decimals where it is known (see
    `decimal_mark`; in a workbook it is always a point), else three digits after one mark are thousands.
    """
    sign, number = _number_in(text)
    if _GROUPED.fullmatch(number) and not (decimal and number.count(decimal) == 1):
        amount = Decimal(re.sub(r"\D", "", number))
    else:
        amount = _with_decimals(number, text)
    amount = sign * min(amount, _MOST_AMOUNT).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if abs(amount) >= _MOST_AMOUNT:
        raise ValueError(f"{shown(text)} is too large; at most 999999999999.99 fits")
    return amount + 0  # never -0


def decimal_mark(texts: Iterable[str]) -> str:
    """The mark of the decimals, once a cell of a column shows it beyond doubt: `12,5` does, `1,234` not."""
    for text in texts:
        try:
            _, number = _number_in(text)
        except ValueError:
            continue
        if not _GROUPED.fullmatch(number) and (marks := re.findall(r"[.,]", number)):
            return marks[-1] if marks.count(marks[-1]) == 1 else ""
        if len(marks := set(re.findall(r"[.,]", number))) == 1 and len(re.findall(r"[.,]", number)) > 1:
            return "." if marks == {","} else ","
    return ""


def split_full_name(text: str) -> tuple[str, str]:
    """First and last name: `Jean Dupont`, `Dupont, Jean`, `DUPONT Jean` and `Ludwig van Beethoven` alike."""
    last, comma, first = (" ".join(part.split()) for part in text.partition(","))
    if comma and first:
        return first, last
    words = last.split()
    while len(words) > 1 and words[0].rstrip(".").casefold() in _TITLES:
        words.pop(0)
    if len(words) < 2:
        return " ".join(words), ""
    shouted = next((at for at, word in enumerate(words) if not _is_shouted(word)), 0)
    if shouted:
        return " ".join(words[shouted:]), " ".join(words[:shouted])
    split = len(words) - 1
    while split > 1 and words[split - 1].casefold() in _PARTICLES:
        split -= 1
    return " ".join(words[:split]), " ".join(words[split:])


def split_tags(text: str) -> list[str]:
    """Each tag once, in order, by comma, semicolon, bar or line."""
    tags: dict[str, str] = {}
    for part in re.split(r"[,;|\n]", text):
        if tag := clean_text(" ".join(part.split()), LIMITS["tag"]):
            tags.setdefault(tag.casefold(), tag)
    return list(tags.values())


def shown(text: str) -> str:
    """A value in a message: quoted, short, on one line, storable."""
    line = " ".join(text.replace("\0", "\u2400").split())
    return f'"{line}"' if len(line) <= _SHOWN else f'"{line[:_SHOWN]}…"'


def _clean_unusual_email(text: str) -> str:
    # Costs a tenth of a second to import, which only imports of unusual addresses need.
    from email_validator import EmailNotValidError, validate_email

    if not text:
        raise ValueError("the address is empty; write one like jean@example.com")
    try:
        checked = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"{shown(text)} is no e-mail address: {_sentence(error)}") from None
    name, dot, top = checked.ascii_domain.rpartition(".")
    if not name or not dot or top.isdigit():
        raise ValueError(f"{shown(text)} is no e-mail address: its domain needs an ending such as .com")
    if text.rindex("@") > _MOST_LOCAL:
        raise ValueError(f"{shown(text)} is too long: before the @ there may be {_MOST_LOCAL} characters")
    if len(text) > LIMITS["email"] or len(email_key(text)) > LIMITS["email"]:
        raise ValueError(f"{shown(text)} is too long; an address has at most {LIMITS['email']} characters")
    return normalize("NFC", text)


def _sentence(error: Exception) -> str:
    text = str(error).rstrip(".")
    return text[:1].lower() + text[1:]


def _no_domain(text: str) -> str:
    raise ValueError(f"{shown(text)} is no domain; write it like acme.com") from None


def _number_in(text: str) -> tuple[int, str]:
    """The sign, and the number without currency and blanks."""
    number = "".join(character for character in text if category(character) != "Sc").strip()
    number = re.sub(r"^[^\W\d]+\.?|[.,][-–—]+$|[^\W\d]+\.?$", _without_money_word, number).strip()
    number = re.sub(r"[^\W\d]+\.?$", _without_money_word, number).strip()
    sign = -1 if number.startswith(("-", "−")) else 1
    number = re.sub(r"\s", "", number.lstrip("+-−").strip())
    if not re.fullmatch(r"[0-9.,'’]*[0-9][0-9.,'’]*", number):
        raise ValueError(f"{shown(text)} is no amount; write it like 1234.50")
    return sign, number


def _without_money_word(match: re.Match[str]) -> str:
    word = match[0].rstrip(".").casefold()
    return "" if word in _MONEY_WORDS or not word[:1].isalpha() else match[0]


def _with_decimals(number: str, text: str) -> Decimal:
    whole, mark, decimals = re.fullmatch(r"(.*?)(?:([.,])(\d*))?", number).groups("")  # type: ignore[union-attr]
    grouped = not whole or whole.isdigit() or (_GROUPED.fullmatch(whole) and mark not in whole)
    if not grouped or not (whole or decimals):
        raise ValueError(f"{shown(text)} is no amount; write it like 1234.50")
    return Decimal(f"{re.sub(r'[^0-9]', '', whole) or 0}.{decimals or 0}")


def _is_shouted(word: str) -> bool:
    return len(word) > 2 and word.isupper()
