"""Pro Pipe Lines' public API over our rows, at /api/v2/ and /api/simple/, as its document describes it.

Public clients know the vendor as noCRM.io. Words of that API appear in this package only.
"""
