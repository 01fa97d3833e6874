"""The shop, for every test of transfer."""

from tests.unit.transfer.shop import both as both
from tests.unit.transfer.shop import shop as shop
