"""Tables: from ledgers and the paper's figures to rows (`collect`, `paper`), and from rows to text (`render`)."""
