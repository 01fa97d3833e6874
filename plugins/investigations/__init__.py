"""Investigation boards; everything but joining, presence and the link picker is declared in `resources/`."""
