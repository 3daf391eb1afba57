"""Known porting bugs, planted one at a time into right pairs: does the harness catch each?

A topic is a folder here: `reference.py` has PyTorch's side, `port.py` the port's with its right and
wrong parts, `entries.py` the pairs and the bugs, and imports no framework.
"""
