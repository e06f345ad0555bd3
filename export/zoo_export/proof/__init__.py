"""The phases of a proof in order, and the evidence they give.

Imports the rooms up to `controls`.
"""
