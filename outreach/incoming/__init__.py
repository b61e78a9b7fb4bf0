"""What comes back to our mailboxes: fetched, read, matched with what we sent, and acted upon.

`reading` turns any bytes into a `Mail` without asking the database, `matching` finds the message that it
belongs to, `effects` does what follows. What belongs to nothing of ours is not kept: mailboxes are private.
"""
