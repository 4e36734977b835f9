"""How a drift is put right: import blocks with their configuration, and what an apply would revert. Text only; nothing is applied."""
