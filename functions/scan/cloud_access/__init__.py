"""How DriftWise gets into customers' clouds over HTTP: tokens by an exchange of ours, and the doors that they open."""
