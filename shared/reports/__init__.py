"""Reports in the forms that other tools read; shared by drift and plans. Pure: text from plain values.

What stands in a report comes from states, plans and clouds, so it is hostile until it is written: nothing in it may act where
the report is shown.
"""
