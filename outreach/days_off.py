"""Public holidays of countries and regions, on which a campaign may rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from holidays import country_holidays, list_supported_countries

from pipelime.errors import Invalid


@dataclass(frozen=True, slots=True)
class DaysOff:
    """A container of dates. A year is worked out when somebody asks for a day of it."""

    country: str
    region: str = ""

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and day in of_year(self.country, self.region, day.year)


@lru_cache(maxsize=500)
def of_year(country: str, region: str, year: int) -> frozenset[date]:
    return frozenset(country_holidays(country, subdiv=region or None, years=year))


def days_off(code: str) -> DaysOff:
    """Of a country, or of a region of one, such as FR or DE-BY."""
    country, _, region = code.partition("-")
    return DaysOff(country, region)


def check_days_off(code: str) -> None:
    country, dash, region = code.partition("-")
    regions = list_supported_countries(include_aliases=False).get(country) if len(country) == 2 else None
    if regions is None:
        raise Invalid(
            f"holidays: {code!r} has no list of public holidays; use a country such as FR, "
            "or a region of one such as DE-BY",
            field="schedule",
        )
    if dash and region not in regions:
        known = f"one of its regions ({', '.join(regions[:60])})" if regions else f"{country} alone"
        raise Invalid(f"holidays: {country} has no region {region!r}; use {known}", field="schedule")
