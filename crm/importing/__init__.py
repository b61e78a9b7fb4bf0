"""Import: from an uploaded file of unknown make to contacts, companies and leads."""
