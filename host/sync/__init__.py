"""Sync: devices that were away push the events that they made meanwhile, and pull those that they missed."""
