"""Hostwright: a low-code plugin host. This package is the face that plugins may import."""
