"""Computing published scores again, and comparing ours with them."""
