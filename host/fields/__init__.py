"""Field types: what a value of each is in the database, in JSON, in a query and in the documentation."""
