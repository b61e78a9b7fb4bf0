"""Whether mail will be taken: the DNS of a sender's domain, our signature, words that filters dislike."""
