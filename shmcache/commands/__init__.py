"""The effect of every command on an arena, and one table that says what each is like.

Start with :mod:`.spec` (what a declaration holds), one of the tables, the functions beside it, and
:mod:`.dispatch`, through which both doors come in.
"""
