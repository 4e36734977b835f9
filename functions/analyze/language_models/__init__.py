"""Language models of every vendor that an organisation, or the operator, may choose."""
