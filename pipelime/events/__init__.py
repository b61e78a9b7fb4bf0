"""One log, many readers: history, activity feed, webhooks and the journal all read `Event` rows."""
