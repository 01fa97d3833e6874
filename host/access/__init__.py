"""Rules: who may do what to which row, compiled to SQL, tried on examples and explained."""

from host.access.policy import Operation, Policy, actor_values, as_sql, declared_rule, facts_of

__all__ = ["Operation", "Policy", "actor_values", "as_sql", "declared_rule", "facts_of"]
