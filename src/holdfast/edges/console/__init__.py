"""The console: pages for people, under Django. It reads; whatever changes who may see what goes through the path."""
