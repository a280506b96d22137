"""Pages on 127.0.0.1 for people: the review of an audit."""
