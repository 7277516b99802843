"""Tables, from numbers to text.

`rows` is what they are made of; `collect` and `costs` make it of ledgers, `paper` of the paper's tables, `with_paper`
of both; `layouts` and `marks` arrange it, `render` prints it; `audit` checks the paper's tables against themselves.
"""
