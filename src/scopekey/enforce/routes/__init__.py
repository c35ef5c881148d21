"""What routes declare of themselves, and the table of rules that they make, for adapters of frameworks with routes.

An adapter walks its framework's routes and says what it finds; everything here is the same for all of them.
"""
