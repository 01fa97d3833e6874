"""Django's own hashes with few rounds: the tests hash a lot."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    """The same format."""

    iterations = 1000
