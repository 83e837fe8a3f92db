"""What a run folder says: how sure its figures are, whom a variant helps, and what is beyond accuracy."""
