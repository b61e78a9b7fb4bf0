"""SendPilot's public API over our campaigns, contacts and conversations, at /api/v1/ and /v1/.

Its lead is our enrolment, its sender our LinkedIn account or mailbox. Words of that API appear in this
package only.
"""
