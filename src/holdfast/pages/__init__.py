"""Parts that all pages share: who may open a page, and later the denial card, lists, forms, charts."""
