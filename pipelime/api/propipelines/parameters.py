"""Parameters as the document's tables define them: directions, limits, dates, people, true and false."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelime.accounts.models import User
from pipelime.api.moments import utc_text
from pipelime.api.propipelines.errors import Refused, not_recognized
from pipelime.api.propipelines.resources import as_id

EARLIEST, LATEST = 1800, 9000  # years that can be moved from zone to zone, and reckoned with
TRUE, FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off", ""})


def direction(given: Mapping[str, Any], default: str) -> str:
    """ "" or "-", as it stands before a column in an ordering."""
    return "-" if one_of(given, "direction", ("asc", "desc"), default) == "desc" else ""


def one_of(given: Mapping[str, Any], name: str, known: tuple[str, ...], default: str) -> str:
    value = given.get(name) or default
    if value not in known:
        raise not_recognized(name)
    return value


def number(given: Mapping[str, Any], name: str, *, default: int, least: int = 0, most: int) -> int:
    """Within bounds: more than `most` is served as `most`, as the vendor's lists do."""
    value = given.get(name)
    if value is None or value == "":
        return default
    if not str(value).isascii() or not str(value).isdigit() or len(str(value)) > 12 or int(value) < least:
        raise not_recognized(name)
    return min(int(value), most)


def flag(value: Any, name: str, *, default: bool = False) -> bool:
    if value is None or value == "":
        return default
    word = str(value).strip().lower()
    if word not in TRUE | FALSE:
        raise not_recognized(name)
    return word in TRUE


def sought(given: Mapping[str, Any], name: str) -> str:
    """What to look for: no row holds a NUL, and PostgreSQL would not even look."""
    value = str(given.get(name) or "").strip()
    if "\x00" in value:
        raise not_recognized(name)
    return value


def several(given: Any, name: str) -> list[str]:
    """A parameter of the query string that names several: `teams[]=1&teams[]=2` or `teams=1,2`."""
    found = listed(given.getlist(f"{name}[]")) or listed(",".join(given.getlist(name)))
    return [value for value in found if "\x00" not in value]


def listed(value: Any) -> list[str]:
    """A JSON array, or words separated by commas."""
    items = value if isinstance(value, list) else str(value if value is not None else "").split(",")
    return [text for item in items if (text := str(item).strip())]


def person(value: Any, *, among=None) -> User | None:
    """The user of this id or e-mail address; None when the account has none such."""
    users = User.objects.all() if among is None else among
    if number := as_id(value):
        return users.filter(pk=number).first()
    if not isinstance(value, str) or "\x00" in value:
        return None
    return users.filter(email=User.normalise(value)).first()


def known_person(value: Any, *, among=None) -> User:
    """The same, of a `user_id` that must name somebody."""
    found = person(value, among=among)
    if found is None:
        raise not_recognized("user_id")
    return found


def moment(value: Any) -> str | None:
    return None if value is None else utc_text(value)


def read_moment(value: Any, name: str, zone) -> datetime:
    """A date or a time: without a zone it is the account's; with Z or an offset it says itself."""
    text = str(value).strip()
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise wrong_date(name) from None
    if not EARLIEST <= read.year <= LATEST:
        raise wrong_date(name)
    return read if read.tzinfo else read.replace(tzinfo=zone)


def wrong_date(name: str) -> Refused:
    return Refused(400, f"The date {name} is not formatted properly", "invalid_date_format")
