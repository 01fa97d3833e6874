"""The built-in field types as the linker's tests know them."""

from host.declaration.vocabulary import TypeWords, Vocabulary

_TEXT = frozenset(("min", "max", "pattern", "trim"))
_NUMBER = frozenset(("min", "max"))

BUILT_IN = Vocabulary(
    {
        "string": TypeWords(_TEXT, ordered=True, text=True),
        "text": TypeWords(_TEXT, ordered=True, text=True),
        "integer": TypeWords(_NUMBER, ordered=True, numeric=True),
        "float": TypeWords(_NUMBER, ordered=True, numeric=True),
        "decimal": TypeWords(_NUMBER | {"digits", "places"}, ordered=True, numeric=True),
        "boolean": TypeWords(),
        "date": TypeWords(_NUMBER, ordered=True),
        "time": TypeWords(_NUMBER, ordered=True),
        "datetime": TypeWords(_NUMBER, ordered=True),
        "duration": TypeWords(_NUMBER, ordered=True),
        "uuid": TypeWords(),
        "email": TypeWords(frozenset(("max",)), ordered=True, text=True),
        "url": TypeWords(frozenset(("max",)), ordered=True, text=True),
        "enum": TypeWords(frozenset(("values",)), ordered=True),
        "json": TypeWords(scalar=False),
        "list": TypeWords(frozenset(("of", "min", "max")), scalar=False),
        "object": TypeWords(frozenset(("fields",)), scalar=False),
    }
)
