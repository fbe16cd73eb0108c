"""Brings deskbird's users, groups and reporting lines in line with a company's HR system, every
night.
"""
