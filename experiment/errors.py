"""What a user did that cannot work, said to the user.

Every error that a user can cause is a subclass of `UserError` that lives beside the code that
raises it. Its text says what was found, where, what was expected and what to do; a command prints
it without a traceback and ends with `EXIT_USER_ERROR`.
"""

EXIT_USER_ERROR = 2
"""Exit code of a command that could not do what it was asked (argparse and tyro use it too)."""


class UserError(Exception):
    """Base of all errors whose text is for the user rather than for a developer."""
