"""Past decisions judged again by another contract: what a change would have meant before it applies.

``situation`` reads a decision record down to what was asked, so that equal questions are one; ``rederive`` puts the
question as another contract would have put it, with what ``derived`` makes of the record's facts; ``compare`` judges
both and says what differs. All of it is pure.
"""
