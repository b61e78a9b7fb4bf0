"""People, companies, leads and pipelines. Knows nothing of campaigns or webhooks."""
