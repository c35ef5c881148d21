"""Configurations for the proxies that can ask a data plane: templates beside this file, filled with addresses.

Nothing here starts or reads anything: text from three addresses.
"""
