"""Programs that keep this repository in order: generated docs, links. Not part of the package."""
