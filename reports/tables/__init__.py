"""Tables of rows that several formats share."""
