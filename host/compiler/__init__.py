"""From linked declarations to what runs: tables, SQL of expressions, readers, schemas, and the frozen registry."""
