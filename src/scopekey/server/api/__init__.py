"""The management API: one module for each kind of thing. Routes only translate; ``authority`` decides."""
