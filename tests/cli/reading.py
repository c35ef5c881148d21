"""How tests read what a command told."""


def pairs(out):
    """Name and value of each line."""
    return dict(line.split("\t", 1) for line in out.splitlines())


def rows(out):
    """The fields of each line."""
    return [line.split("\t") for line in out.splitlines()]
