"""A ledger of debts: contacts, what is lent and owed, reminders, kept in step between devices that are offline for long."""
