"""What plots and pictures show, computed once for the figures of a paper and for the report; both only draw it."""
