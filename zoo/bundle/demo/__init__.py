"""What runs a bundle in JavaScript: a page that works by itself, and a runner for Node and browsers."""
