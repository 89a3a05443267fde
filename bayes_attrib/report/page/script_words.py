"""Words that the page's script needs; it has none of its own."""

from __future__ import annotations

from bayes_attrib.report.language import Language


def script_words(language: Language) -> dict[str, str]:
    """Return the words of the script, with ``{name}`` where it fills in a value.

    Parameters
    ----------
    language : Language
        Language of the reader.

    Returns
    -------
    dict of str to str
        By the names that the script uses; ``locale`` is the tag of the language.
    """
    return {
        "locale": language.locale.replace("_", "-"),
        "missing": "–",
        "find": language.text("Find a name"),
        "shown": language.text("{n} of {all} rows", n="{n}", all="{all}"),
        "first_rows": language.text("The first {n} of {all} rows.", n="{n}", all="{all}"),
        "show_all": language.text("Show all"),
        "between": language.text("{lower} to {upper}", lower="{lower}", upper="{upper}"),
        "rate_more": language.text(
            "The rate of {a} is higher than that of {b} in {p} of draws.", a="{a}", b="{b}", p="{p}"
        ),
        "amount_more": language.text(
            "{a} earned more than {b} in {p} of draws.", a="{a}", b="{b}", p="{p}"
        ),
        "same": language.text("Choose two different entities."),
        "alone": language.text("There is nobody to compare it with in its channel."),
        "more_rows": language.text("{n} more entities", n="{n}"),
        "fewer_rows": language.text("Show fewer"),
        "all_charts": language.text("All"),
    }
