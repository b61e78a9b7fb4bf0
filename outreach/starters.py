"""Campaigns to begin with: sequences that every account is offered beside its own templates."""

from __future__ import annotations

from typing import Any, NamedTuple

from outreach.models import SequenceStep

Channel, Condition = SequenceStep.Channel, SequenceStep.Condition
OFFICE_HOURS = {
    "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}],
}


class Starter(NamedTuple):
    """`facts` are in the words of `create_campaign`."""

    key: str
    name: str
    about: str
    facts: dict[str, Any]


def after(days: int) -> dict[str, int]:
    return {"business_days": days}


INTRODUCTION = [
    {
        "channel": Channel.EMAIL,
        "subject": "A question about {{ company | default: 'your work' }}",
        "body": (
            "Hello {{ first_name | default: 'there' }},\n\n"
            "I am {{ sender.name }}. I have looked at what {{ company | default: 'your company' }} does, and "
            "there is one thing in which we could be of use:\n\n"
            "[In one sentence: what you make easier, and for whom.]\n\n"
            "Is this something that you look after? If somebody else does, a name is all I need.\n\n"
            "{{ sender.first_name }}"
        ),
    },
    {
        "channel": Channel.EMAIL,
        "delay": after(3),
        "body": (
            "Hello {{ first_name | default: 'there' }},\n\n"
            "an example says more than I did: [a customer like them] had [this trouble]; [so much later] it "
            "was gone.\n\n"
            "May I show you in fifteen minutes how? Any day next week suits me.\n\n"
            "{{ sender.first_name }}"
        ),
    },
    {
        "channel": Channel.EMAIL,
        "delay": after(6),
        "body": (
            "Hello {{ first_name | default: 'there' }},\n\n"
            "this is my last mail about it. Should the time be wrong, tell me a better month and I "
            "will write "
            "then; should it be of no interest, one word is enough.\n\n"
            "{{ sender.first_name }}"
        ),
    },
]
LINKEDIN_THEN_MAIL = [
    {
        "channel": Channel.LINKEDIN_INVITATION,
        "body": (
            "Hello {{ first_name | default: 'there' }}, we work on much the same questions. "
            "I should like to stay in touch."
        ),
    },
    {
        "channel": Channel.LINKEDIN_MESSAGE,
        "delay": after(2),
        "condition": Condition.CONNECTED,
        "body": (
            "Thank you for connecting, {{ first_name | default: 'and hello' }}. How do you handle "
            "[the matter] "
            "at {{ company | default: 'your company' }} today? I ask because [what you do about it]."
        ),
    },
    {
        "channel": Channel.EMAIL,
        "delay": after(3),
        "subject": "{{ first_name | default: 'Hello' }}, two lines about [the matter]",
        "body": (
            "Hello {{ first_name | default: 'there' }},\n\n"
            "you may have seen my name on LinkedIn. [In two lines: what you offer and change.]\n\n"
            "Is it worth a short call?\n\n"
            "{{ sender.first_name }}"
        ),
    },
    {
        "channel": Channel.CALL,
        "delay": after(3),
        "subject": "Call {{ first_name | default: 'this contact' }}",
        "body": (
            "Ask how they handle [the matter] today. Note what they say; book a meeting if they want one."
        ),
    },
]
EVENT_FOLLOW_UP = [
    {
        "channel": Channel.EMAIL,
        "subject": "Good to meet you at [the event]",
        "body": (
            "Hello {{ first_name | default: 'there' }},\n\n"
            "thank you for coming by at [the event]. As promised: [the slides, the example, the answer].\n\n"
            "What did you take home from the day?\n\n"
            "{{ sender.first_name }}"
        ),
    },
    {
        "channel": Channel.TASK,
        "delay": {"days": 1},
        "subject": "Look up what was said",
        "body": (
            "Read your notes of the talk and add what matters to the contact before the next mail goes out."
        ),
    },
    {
        "channel": Channel.EMAIL,
        "delay": after(4),
        "body": (
            "Hello {{ first_name | default: 'there' }},\n\n"
            "shall we go on where we stopped at [the event]? Half an hour is enough to see whether it fits "
            "{{ company | default: 'your plans' }}.\n\n"
            "{{ sender.first_name }}"
        ),
    },
]


def starter(key: str, name: str, about: str, steps: list[dict[str, Any]]) -> Starter:
    return Starter(key, name, about, {"steps": steps, "schedule": OFFICE_HOURS})


STARTERS = {
    one.key: one
    for one in (
        starter(
            "introduction",
            "Introduction in three mails",
            "A question, an example, a farewell: three mails in one thread over two weeks.",
            INTRODUCTION,
        ),
        starter(
            "linkedin-then-mail",
            "LinkedIn, then mail",
            "An invitation, a message to those who accept it, a mail to everybody, and a call at the end.",
            LINKEDIN_THEN_MAIL,
        ),
        starter(
            "event-follow-up",
            "Event follow-up",
            "Thanks with what was promised, a look at one's notes, and a second mail with an offer to meet.",
            EVENT_FOLLOW_UP,
        ),
    )
}
