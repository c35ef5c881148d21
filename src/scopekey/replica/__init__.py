"""The data plane: a local copy of what a check needs, and the verifier that answers from it.

Never imports the store: what it knows comes as changes, what it decided leaves by the journal.
"""
