"""Full-text search: one document per contact, company and lead, found by word beginnings."""
