"""PG:AI's public API over our contacts, at /v1/ and /public-api/v1/, as its document describes it.

Words of that API appear in this package only.
"""
