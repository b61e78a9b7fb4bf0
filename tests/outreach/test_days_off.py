from datetime import UTC, date, datetime

import pytest

from outreach.days_off import check_days_off, days_off
from outreach.windows import check_schedule, schedule_of
from pipelime.errors import Invalid
from tests.factories import CampaignFactory


@pytest.mark.parametrize(
    ("code", "day", "is_off"),
    [
        ("FR", date(2026, 7, 14), True),
        ("FR", date(2026, 7, 15), False),
        ("DE", date(2026, 1, 6), False),
        ("DE-BY", date(2026, 1, 6), True),  # Epiphany is one of Bavaria's
        ("US", date(2027, 12, 31), True),  # New Year's Day of 2028 is a Saturday, and observed before it
    ],
)
def test_public_holidays_of_countries_and_regions(code, day, is_off):
    assert (day in days_off(code)) is is_off


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "XX",
            "'XX' has no list of public holidays; use a country such as FR, or a region of one such as DE-BY",
        ),
        ("France", "'France' has no list"),
        ("DE-XY", "DE has no region 'XY'; use one of its regions .*BY"),
        ("DE-", "DE has no region ''"),
    ],
)
def test_a_code_that_means_nothing_is_refused(code, message):
    with pytest.raises(Invalid, match=message):
        check_days_off(code)


def test_a_schedule_is_checked_with_its_holidays():
    with pytest.raises(Invalid, match="'ZZ' has no list"):
        check_schedule("UTC", [], holidays="ZZ")


def test_a_campaign_rests_on_its_holidays(db, account):
    campaign = CampaignFactory(account=account, holidays="FR", time_zone="Europe/Paris")

    opens = schedule_of(campaign).next_open(datetime(2026, 7, 14, 8, tzinfo=UTC))

    assert opens == datetime(2026, 7, 14, 22, tzinfo=UTC)
