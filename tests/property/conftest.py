"""``--hypothesis-profile=thorough`` looks for minutes where the usual run looks for seconds."""

from hypothesis import settings

settings.register_profile("thorough", deadline=None)
