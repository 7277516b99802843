"""Tables, from numbers to text.

`request` is the user's choice and `build` makes the tables: in the `free` layout, in the `paper_layouts`, or as the
`paper` prints them. `collect` and `costs` compute rows from ledgers, `with_paper` adds the paper's numbers, `marks`
marks the best. `rows` has the types of a table, and `render` turns tables into text.
"""
