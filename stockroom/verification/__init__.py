"""What is proven by a mail: that an address is one's own, and with it whose account it is."""
