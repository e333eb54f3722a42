"""Pages and models can be imported once Django is set up."""

import django

django.setup()
