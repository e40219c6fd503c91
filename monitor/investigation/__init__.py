"""What else to find out: experiments that tell causes apart, chosen by what they settle, within a budget."""
