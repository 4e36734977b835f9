"""What guards the way from a change to what runs: scanners, each with a planted defect that it must find before it is believed."""
