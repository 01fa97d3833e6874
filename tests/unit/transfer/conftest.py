"""The shop, for every test of transfer."""

from tests.unit.transfer.shop import both, either_site, shop, sqlite_site

__all__ = ["both", "either_site", "shop", "sqlite_site"]
