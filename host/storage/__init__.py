"""Where the bytes of files are kept: one protocol, on a local disk or in an S3 bucket. Knows of no rows and no rules."""

from host.storage.protocol import Draft, Item, Missing, Source, Storage, Stored

__all__ = ["Draft", "Item", "Missing", "Source", "Storage", "Stored"]
