from werkzeug.routing import PathConverter


class TextConverter(PathConverter):
    """Any text that a column can hold: slashes wherever they stand, and no NUL."""

    regex = "[^\x00]+"
    part_isolating = False
