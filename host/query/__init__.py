"""Lists: from a query string to one compiled statement, with signed keyset cursors and embedded relations."""
