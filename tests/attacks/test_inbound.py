"""Whatever is posted to the door for mail is kept or refused; none of it breaks the door or the worker."""

from __future__ import annotations

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.models import ReceivedMail
from crm.opening import furnish
from crm.receiving import post_url
from crm.receiving.working import work_due
from tests.attacks import nasty

ANSWERS = {200: "status", 400: "error", 413: "error"}
HEADERS = st.lists(
    st.sampled_from(
        [
            b"From: a@example.net\r\n",
            b"From: =?utf-8?q?=ff?= <a@[::1]>\r\n",
            b"To: \x00\r\n",
            b"Subject: \xff\r\n",
            b"Subject: =?utf-16?b?2AA=?=\r\n",
            b"Message-ID: <" + b"x" * 2_000 + b">\r\n",
            b"Date: yesterday\r\n",
            b"Content-Type: multipart/mixed; boundary=limes\r\n",
            b"Content-Type: text/html; charset=utf-7\r\n",
            b"Content-Transfer-Encoding: base64\r\n",
            b"Content-Type: message/rfc822\r\n",
            b" folded\r\n",
            b"\r\n",
        ]
    ),
    max_size=6,
).map(b"".join)


def test_whatever_is_posted_is_kept_or_refused(client, account):
    furnish(account)
    door, before = post_url(account), ReceivedMail.objects.count()
    mails = st.tuples(
        st.builds(bytes.__add__, HEADERS, st.sampled_from(nasty.RAW)), st.just("message/rfc822")
    )

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(body=mails | nasty.bodies({"email": "From: a@example.net\r\n\r\nHi"}, ["email", "message"], [1]))
    def attack(body):
        with transaction.atomic():
            answer = client.generic("POST", door, *body)
            assert list(answer.json()) == [ANSWERS[answer.status_code]]
            assert ReceivedMail.objects.count() == before + (answer.status_code == 200)
            work_due()
            assert (
                list(ReceivedMail.objects.exclude(last_error="").values_list("last_error", flat=True)) == []
            )
            transaction.set_rollback(True)

    attack()
